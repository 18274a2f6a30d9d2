/**
 * Who depends on what, on the standby: pg_depend as it is, and what its rows mean. Followed to the end by closure.ts.
 */
import type { Queryable } from '../postgres/server.js'

/** OIDs of catalogs: the same on every server. */
export const catalogs = {
  relation: 1259,
  type: 1247,
  routine: 1255,
  rewrite: 2618,
  default: 2604,
  constraint: 2606,
  trigger: 2620,
  collation: 3456,
  statistics: 3381
} as const

/** Something that depends on something else. */
export interface Dependent {
  readonly catalog: number
  readonly oid: number
  /** Column number, 0: the whole. */
  readonly part: number
  /** `pg_depend.deptype`. */
  readonly how: string
  /** The part of the other that it depends on, 0: the whole. */
  readonly on: number
}

export interface Dependents {
  of(catalog: number, oid: number): readonly Dependent[]
  /** Rules: the relation they are on, and whether it is the one that makes a view. */
  readonly rules: ReadonlyMap<number, { readonly relation: number; readonly isView: boolean }>
  readonly defaults: ReadonlyMap<number, { readonly relation: number; readonly column: number }>
  readonly constraints: ReadonlyMap<
    number,
    {
      readonly relation: number
      readonly type: number
      readonly kind: string
      readonly name: string
      /** Of a partition's constraint, the one of its parent; 0 otherwise. */
      readonly parent: number
      readonly inherited: boolean
    }
  >
  /** Triggers that are there for others' sake: constraints', parents'. */
  readonly ownTriggers: ReadonlySet<number>
  readonly indexes: ReadonlyMap<
    number,
    {
      readonly hasExpressions: boolean
      /** Of a partition's index, the one of its parent; 0 otherwise. */
      readonly parent: number
      /** Whose index it is; 0: nobody's. */
      readonly constraint: number
      /** Numbers of the columns that it only carries (INCLUDE). */
      readonly included: readonly number[]
    }
  >
  /** Left behind by a CREATE INDEX CONCURRENTLY that failed; no dump tells of them. */
  readonly invalidIndexes: readonly { readonly schema: string; readonly name: string }[]
}

export async function readDependents(sql: Queryable): Promise<Dependents> {
  const [edges, rules, defaults, constraints, triggers, indexes, invalidIndexes] = await Promise.all([
    sql.unsafe<(Dependent & { from: string })[]>(`
      SELECT refclassid || ':' || refobjid AS from, classid::int8::float8 AS catalog, objid::int8::float8 AS oid,
        objsubid::int AS part, deptype::text AS how, refobjsubid::int AS on
      FROM pg_catalog.pg_depend WHERE objid >= 16384`),
    sql.unsafe<{ oid: number; relation: number; isView: boolean }[]>(`
      SELECT oid::int8::float8 AS oid, ev_class::int8::float8 AS relation, rulename = '_RETURN' AS "isView"
      FROM pg_catalog.pg_rewrite WHERE oid >= 16384`),
    sql.unsafe<{ oid: number; relation: number; column: number }[]>(
      'SELECT oid::int8::float8 AS oid, adrelid::int8::float8 AS relation, adnum::int AS column FROM pg_catalog.pg_attrdef'
    ),
    sql.unsafe<
      {
        oid: number
        relation: number
        type: number
        kind: string
        name: string
        parent: number
        inherited: boolean
      }[]
    >(`
      SELECT c.oid::int8::float8 AS oid, conrelid::int8::float8 AS relation, contypid::int8::float8 AS type, contype::text AS kind,
        conname::text AS name, coalesce((pg_catalog.to_jsonb(c)->>'conparentid')::int8::float8, 0) AS parent,
        coninhcount > 0 AS inherited
      FROM pg_catalog.pg_constraint c WHERE c.oid >= 16384`),
    sql.unsafe<{ oid: number }[]>(`
      SELECT t.oid::int8::float8 AS oid FROM pg_catalog.pg_trigger t
      WHERE tgisinternal OR coalesce((pg_catalog.to_jsonb(t)->>'tgparentid')::int8::float8, 0) <> 0`),
    sql.unsafe<
      { oid: number; hasExpressions: boolean; parent: number; constraint: number; carried: string }[]
    >(`
      SELECT indexrelid::int8::float8 AS oid, indexprs IS NOT NULL OR indpred IS NOT NULL AS "hasExpressions",
        coalesce((SELECT inhparent::int8::float8 FROM pg_catalog.pg_inherits WHERE inhrelid = indexrelid), 0) AS parent,
        coalesce((SELECT min(k.oid::int8)::float8 FROM pg_catalog.pg_constraint k WHERE k.conindid = indexrelid AND k.contype IN ('p', 'u', 'x')), 0) AS constraint,
        coalesce((SELECT pg_catalog.string_agg(indkey[k]::text, ' ')
          FROM pg_catalog.generate_series(coalesce((pg_catalog.to_jsonb(i)->>'indnkeyatts')::int, indnatts), indnatts - 1) k), '') AS carried
      FROM pg_catalog.pg_index i WHERE indexrelid >= 16384`),
    sql.unsafe<{ schema: string; name: string }[]>(`
      SELECT n.nspname::text AS schema, c.relname::text AS name FROM pg_catalog.pg_index i
      JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid AND c.relkind = 'i'
      JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE NOT i.indisvalid AND n.nspname !~ '^pg_toast'`)
  ])
  const dependents = new Map<string, Dependent[]>()
  for (const { from, ...dependent } of edges) {
    const list = dependents.get(from)
    if (list) list.push(dependent)
    else dependents.set(from, [dependent])
  }
  return {
    of: (catalog, oid) => dependents.get(`${catalog}:${oid}`) ?? [],
    rules: byOid(rules),
    defaults: byOid(defaults),
    constraints: byOid(constraints),
    ownTriggers: new Set(triggers.map(trigger => trigger.oid)),
    indexes: byOid(
      indexes.map(({ carried, ...index }) => ({ ...index, included: carried.split(' ').map(Number) }))
    ),
    invalidIndexes
  }
}

function byOid<T extends { oid: number }>(rows: readonly T[]): Map<number, T> {
  return new Map(rows.map(row => [row.oid, row]))
}
