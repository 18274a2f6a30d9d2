/**
 * Reads details of all that users made, in a few set-based queries. What only newer servers have is read through
 * `to_jsonb(row)`, which lacks the column on older ones instead of failing.
 */
import type { Capabilities } from '../../postgres/capabilities.js'
import { qualified } from '../../postgres/quote.js'
import type { Queryable, Role } from '../../postgres/server.js'
import {
  type Column,
  type Details,
  firstUserOid,
  type Relation,
  type Routine,
  type TypeDetail
} from './details.js'

/** @param sql a session whose search_path holds pg_catalog alone, so that all other names come out qualified. */
export async function readDetails(sql: Queryable, can: Capabilities, role: Role): Promise<Details> {
  // One after the other: a session takes no second query while the first runs.
  const relations = await sql.unsafe<Omit<Relation, 'columns' | 'sql'>[]>(relationsQuery(can))
  const columns = await sql.unsafe<(Column & { relation: number })[]>(columnsQuery)
  const types = await sql.unsafe<Omit<TypeDetail, 'sql'>[]>(typesQuery)
  const routines = await sql.unsafe<Routine[]>(routinesQuery)
  // Where a sequence stands is asked by a lock that main is never to meet (ROW EXCLUSIVE).
  const sequences =
    role === 'standby' ? await sql.unsafe<{ oid: number; last: string }[]>(sequencesQuery) : []
  const casts = await sql.unsafe<{ pair: string }[]>(castsQuery)
  const extensions = await sql.unsafe<{ name: string; relocatable: boolean }[]>(
    'SELECT extname::text AS name, extrelocatable AS relocatable FROM pg_catalog.pg_extension'
  )
  const columnsOf = new Map<number, Column[]>()
  for (const { relation, ...column } of columns) {
    const list = columnsOf.get(relation)
    if (list) list.push(column)
    else columnsOf.set(relation, [column])
  }
  return {
    relations: byOid(
      relations.map(relation => ({
        ...relation,
        sql: qualified(relation.schema, relation.name),
        columns: columnsOf.get(relation.oid) ?? []
      }))
    ),
    types: byOid(types.map(type => ({ ...type, sql: qualified(type.schema, type.name) }))),
    routines: byOid(routines),
    sequences: new Map(sequences.map(({ oid, last }) => [oid, last])),
    casts: new Set(casts.map(({ pair }) => pair)),
    extensions: new Map(extensions.map(extension => [extension.name, extension]))
  }
}

function byOid<T extends { oid: number }>(rows: readonly T[]): Map<number, T> {
  return new Map(rows.map(row => [row.oid, row]))
}

const relationsQuery = (can: Capabilities) => `
SELECT c.oid::int8::float8 AS oid, n.nspname::text AS schema, c.relname::text AS name, c.relkind::text AS kind,
  c.relpersistence::text AS persistence, pg_catalog.to_json(c.reloptions) AS options,
  pg_catalog.to_json(t.reloptions) AS "toastOptions", c.relforcerowsecurity AS "forceRowSecurity",
  c.relreplident::text AS "replicaIdentity",
  coalesce((pg_catalog.to_jsonb(c)->>'relispartition')::boolean, false) AS "isPartition",
  c.relispopulated AS populated,
  CASE WHEN c.reloftype <> 0 THEN c.reloftype::pg_catalog.regtype::text END AS "ofType",
  c.reltype::int8::float8 AS "rowType",
  ${can.partitions ? "CASE WHEN c.relkind = 'p' THEN pg_catalog.pg_get_partkeydef(c.oid) END" : 'NULL::text'} AS "partitionKey",
  ${
    can.partitions
      ? "coalesce((SELECT pg_catalog.to_json(pg_catalog.string_to_array(p.partattrs::text, ' ')::int[]) FROM pg_catalog.pg_partitioned_table p WHERE p.partrelid = c.oid), '[]')"
      : "'[]'::json"
  } AS "partitionColumns",
  ${can.partitions ? 'pg_catalog.pg_get_expr(c.relpartbound, c.oid)' : 'NULL::text'} AS bound,
  coalesce(i.parents, '[]') AS parents, coalesce(i.oids, '[]') AS "parentOids", coalesce(k.checks, '[]') AS checks
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_catalog.pg_class t ON t.oid = c.reltoastrelid
LEFT JOIN (SELECT inhrelid, pg_catalog.json_agg(inhparent::pg_catalog.regclass::text ORDER BY inhseqno) AS parents,
    pg_catalog.json_agg(inhparent::int8::float8 ORDER BY inhseqno) AS oids
  FROM pg_catalog.pg_inherits GROUP BY inhrelid) i ON i.inhrelid = c.oid
LEFT JOIN (SELECT conrelid, pg_catalog.json_agg(pg_catalog.json_build_object('oid', oid::int8::float8, 'name', conname,
    'definition', pg_catalog.pg_get_constraintdef(oid), 'local', conislocal, 'parents', coninhcount) ORDER BY conname) AS checks
  FROM pg_catalog.pg_constraint WHERE contype = 'c' AND conrelid >= ${firstUserOid} GROUP BY conrelid) k ON k.conrelid = c.oid
WHERE c.relkind IN ('r', 'p', 'f', 'v', 'm', 'S', 'c') AND c.oid >= ${firstUserOid} AND n.nspname !~ '^pg_toast'`

const columnsQuery = `
SELECT a.attrelid::int8::float8 AS relation, a.attnum::int AS number, a.attname::text AS name,
  pg_catalog.format_type(a.atttypid, a.atttypmod) AS type, a.atttypid::int8::float8 AS "typeOid",
  CASE WHEN a.attcollation <> y.typcollation THEN (SELECT pg_catalog.quote_ident(cn.nspname) || '.' || pg_catalog.quote_ident(co.collname)
    FROM pg_catalog.pg_collation co JOIN pg_catalog.pg_namespace cn ON cn.oid = co.collnamespace
    WHERE co.oid = a.attcollation) END AS collation,
  a.attnotnull AS "notNull", coalesce(j->>'attidentity', '') AS identity, coalesce(j->>'attgenerated', '') AS generated,
  pg_catalog.pg_get_expr(d.adbin, d.adrelid) AS default, d.oid::int8::float8 AS "defaultOid",
  a.attstorage::text AS storage, y.typstorage::text AS "typeStorage", coalesce(j->>'attcompression', '') AS compression,
  coalesce((j->>'attstattarget')::int, -1) AS statistics,
  (SELECT pg_catalog.json_agg(o) FROM pg_catalog.unnest(a.attoptions) o WHERE o NOT LIKE 'pg\\_attver=%') AS options,
  a.attislocal AS local, a.attinhcount::int AS parents
FROM pg_catalog.pg_attribute a
JOIN pg_catalog.pg_class c ON c.oid = a.attrelid AND c.relkind IN ('r', 'p', 'f', 'v', 'm', 'c')
JOIN pg_catalog.pg_type y ON y.oid = a.atttypid
LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
CROSS JOIN LATERAL pg_catalog.to_jsonb(a) AS j
WHERE a.attrelid >= ${firstUserOid} AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY a.attrelid, a.attnum`

const typesQuery = `
SELECT t.oid::int8::float8 AS oid, n.nspname::text AS schema, t.typname::text AS name, t.typtype::text AS kind,
  t.typrelid::int8::float8 AS relation, t.typarray::int8::float8 AS array,
  coalesce((SELECT (pg_catalog.to_jsonb(r)->>'rngmultitypid')::int8::float8 FROM pg_catalog.pg_range r WHERE r.rngtypid = t.oid), 0) AS multirange,
  pg_catalog.format_type(t.typbasetype, t.typtypmod) AS base, t.typbasetype::int8::float8 AS "baseOid",
  t.typnotnull AS "notNull",
  coalesce(pg_catalog.pg_get_expr(t.typdefaultbin, 'pg_catalog.pg_type'::pg_catalog.regclass), pg_catalog.quote_literal(t.typdefault)) AS default,
  CASE WHEN t.typcollation <> b.typcollation THEN (SELECT pg_catalog.quote_ident(cn.nspname) || '.' || pg_catalog.quote_ident(co.collname)
    FROM pg_catalog.pg_collation co JOIN pg_catalog.pg_namespace cn ON cn.oid = co.collnamespace
    WHERE co.oid = t.typcollation) END AS collation,
  coalesce((SELECT pg_catalog.json_agg(enumlabel ORDER BY enumsortorder) FROM pg_catalog.pg_enum WHERE enumtypid = t.oid), '[]') AS labels,
  coalesce((SELECT pg_catalog.json_agg(pg_catalog.json_build_object('oid', k.oid::int8::float8, 'name', k.conname,
      'definition', pg_catalog.pg_get_constraintdef(k.oid)) ORDER BY k.conname)
    FROM pg_catalog.pg_constraint k WHERE k.contypid = t.oid AND k.contype = 'c'), '[]') AS checks
FROM pg_catalog.pg_type t
JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
LEFT JOIN pg_catalog.pg_type b ON b.oid = t.typbasetype
WHERE t.oid >= ${firstUserOid}`

const routinesQuery = `
SELECT p.oid::int8::float8 AS oid, coalesce(j->>'prokind', CASE WHEN (j->>'proisagg')::boolean THEN 'a' ELSE 'f' END) AS kind,
  pg_catalog.pg_get_function_result(p.oid) AS result, pg_catalog.pg_get_function_arguments(p.oid) AS arguments,
  pg_catalog.pg_get_function_identity_arguments(p.oid) AS identity, p.pronargdefaults::int AS defaults,
  l.lanname::text AS language
FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_language l ON l.oid = p.prolang
CROSS JOIN LATERAL pg_catalog.to_jsonb(p) AS j WHERE p.oid >= ${firstUserOid}`

const sequencesQuery = `
SELECT seqrelid::int8::float8 AS oid, pg_catalog.pg_sequence_last_value(seqrelid)::text AS last
FROM pg_catalog.pg_sequence WHERE pg_catalog.has_sequence_privilege(seqrelid, 'SELECT, USAGE')
  AND pg_catalog.pg_sequence_last_value(seqrelid) IS NOT NULL`

const castsQuery = `
SELECT pg_catalog.format_type(castsource, NULL) || ' ' || pg_catalog.format_type(casttarget, NULL) AS pair
FROM pg_catalog.pg_cast`
