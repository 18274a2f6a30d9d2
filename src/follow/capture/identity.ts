/**
 * By what the WAL tells a row: the replica identity. A table without one must never be published, because main would then refuse the
 * application's own updates of it.
 */
import { ConfigError } from '../../core/errors.js'
import type { Capabilities } from '../../postgres/capabilities.js'
import { arrayText } from '../../postgres/quote.js'
import type { Queryable } from '../../postgres/server.js'
import type { FollowConfig } from '../config.js'
import { readFollowed, type Followed } from '../shapes.js'
import { keyNames, nameOf, type FollowedTable } from '../table.js'

export interface Identified extends Followed {
  /** By the column's name: its type's OID and modifier. */
  readonly types: ReadonlyMap<string, string>
  /** Main's estimate of its rows, of all partitions together; −1 if it has none. */
  readonly estimate: number
}

export type Selection = Pick<FollowConfig, 'schemas' | 'tables' | 'excludeTables'>

interface Part {
  root: string
  oid: string
  name: string
  kind: string
  /** `relreplident`: d, n, f, i */
  identity: string
  /** Of the index that is the identity. */
  columns: string[] | null
  estimate: number
}

/**
 * The tables that the patterns name, their key being what the WAL tells of a row that changes.
 * @throws ConfigError where one cannot be named, followed, or told by the WAL.
 */
export async function readIdentified(
  sql: Queryable,
  can: Capabilities,
  selection: Selection
): Promise<Identified[]> {
  const followed = await readFollowed(sql, can, selection)
  const oids = followed.map(({ table }) => String(table.oid))
  const parts = await readParts(sql, can, oids)
  const types = await sql.unsafe<{ oid: string; name: string; type: string }[]>(
    `SELECT attrelid::text AS oid, attname AS name, atttypid || ':' || atttypmod AS type FROM pg_catalog.pg_attribute
     WHERE attrelid = ANY ($1::oid[]) AND attnum > 0 AND NOT attisdropped`,
    [arrayText(oids)]
  )
  return followed.map(({ table, shape }) => {
    const oid = String(table.oid)
    const own = parts.filter(part => part.root === oid)
    const estimates = own.filter(part => part.kind !== 'p' && part.estimate >= 0)
    return {
      table,
      shape: identifiedShape(own, shape, can),
      types: new Map(types.filter(one => one.oid === oid).map(({ name, type }) => [name, type])),
      estimate: estimates.length === 0 ? -1 : estimates.reduce((sum, part) => sum + part.estimate, 0)
    }
  })
}

/** The tables themselves, and all partitions below them. */
function readParts(sql: Queryable, can: Capabilities, oids: readonly string[]): PromiseLike<Part[]> {
  return sql.unsafe<Part[]>(
    `WITH RECURSIVE tree AS (
       SELECT oid AS root, oid AS part FROM pg_catalog.unnest($1::oid[]) AS u(oid)
       UNION ALL
       SELECT tree.root, i.inhrelid FROM tree JOIN pg_catalog.pg_class p ON p.oid = tree.part AND p.relkind = 'p'
       JOIN pg_catalog.pg_inherits i ON i.inhparent = tree.part
     )
     SELECT tree.root::text AS root, c.oid::text AS oid, n.nspname || '.' || c.relname AS name, c.relkind::text AS kind,
       c.relreplident::text AS identity, c.reltuples::float8 AS estimate, (
         SELECT pg_catalog.json_agg(a.attname ORDER BY u.n) FROM pg_catalog.pg_index i,
           pg_catalog.unnest(i.indkey::int2[]) WITH ORDINALITY AS u(attnum, n)
         JOIN pg_catalog.pg_attribute a ON a.attnum = u.attnum
         WHERE i.indrelid = c.oid AND a.attrelid = c.oid AND i.indisvalid AND i.indimmediate
           AND u.n <= i.${can.indexInclude ? 'indnkeyatts' : 'indnatts'}
           AND CASE c.relreplident WHEN 'd' THEN i.indisprimary WHEN 'i' THEN i.indisreplident ELSE false END
       ) AS columns
     FROM tree JOIN pg_catalog.pg_class c ON c.oid = tree.part JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
     ORDER BY c.oid <> tree.root, c.oid`,
    [arrayText(oids)]
  )
}

/** @param parts those of one table, itself the first. */
function identifiedShape(parts: readonly Part[], shape: FollowedTable, can: Capabilities): FollowedTable {
  const [root, ...below] = parts as [Part, ...Part[]]
  if (root.kind === 'p' && !can.publicationRoot) {
    refuse(shape, 'is partitioned, which this server cannot tell of as one table', {
      hint: 'Follow its partitions one by one as tables of their own, or main from PostgreSQL 13.'
    })
  }
  const key = root.identity === 'f' ? keyNames(shape) : (root.columns ?? [])
  for (const part of [root, ...below]) refuseUnidentified(part, shape)
  const same = (columns: readonly string[] | null) =>
    columns?.toSorted().join('\n') === key.toSorted().join('\n')
  const other = below.find(
    part => part.kind !== 'p' && part.identity !== 'f' && !(root.identity !== 'f' && same(part.columns))
  )
  if (other) {
    refuse(shape, `has the partition ${other.name} with another replica identity than its own`, {
      hint: `Give both the same: ALTER TABLE ${other.name} REPLICA IDENTITY …`
    })
  }
  if (key.length === 0) {
    refuse(shape, 'has no primary key', { hint: keyHint(shape) })
  }
  return withKey(shape, key)
}

function refuseUnidentified({ name, kind, identity, columns }: Part, shape: FollowedTable): void {
  const of = name === nameOf(shape) ? '' : ` (its partition ${name})`
  if (kind === 'f') {
    refuse(shape, `has the foreign table ${name} as a partition`, {
      hint: 'Follow it on the server where its rows are.'
    })
  }
  if (identity === 'n') {
    refuse(shape, `has REPLICA IDENTITY NOTHING${of}: the WAL does not tell which row is changed`, {
      hint: `Let it tell: ALTER TABLE ${name} REPLICA IDENTITY DEFAULT`
    })
  }
  if (identity !== 'f' && columns === null && kind !== 'p') {
    refuse(shape, `has no primary key that the WAL could tell a row by${of}`, { hint: keyHint(shape) })
  }
}

const keyHint = (shape: FollowedTable): string =>
  `Give it one that is not deferrable (ALTER TABLE ${nameOf(shape)} ADD PRIMARY KEY …), or a unique index of NOT NULL columns by REPLICA IDENTITY USING INDEX, or leave it out.`

function refuse(shape: FollowedTable, what: string, { hint }: { hint: string }): never {
  throw new ConfigError(`${nameOf(shape)} ${what}`, { table: nameOf(shape), hint })
}

/** The same columns, those of the key first. */
export function withKey(shape: FollowedTable, key: readonly string[]): FollowedTable {
  const ofKey = key.map(name => shape.columns.find(column => column.name === name)!)
  const rest = shape.columns.filter(column => !ofKey.includes(column))
  return { ...shape, columns: [...ofKey, ...rest], keyLength: key.length }
}
