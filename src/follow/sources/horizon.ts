/**
 * How far ids may be read. An id is taken when a row is inserted and seen when it is committed: to read what is greater than the last
 * one loses rows. Where ids are a sequence's and come one by one, its last value is read first, then everyone who is writing
 * is waited for (postgres/writers.ts); up to that value no row can come any more. Where they are not, rows are read again and again.
 */
import type { Capabilities } from '../../postgres/capabilities.js'
import { literal } from '../../postgres/quote.js'
import type { Queryable } from '../../postgres/server.js'
import { awaitWriters } from '../../postgres/writers.js'

/** Milliseconds between two looks at who is writing: at first, and at most. */
const [shortest, longest] = [2, 100]

/** What gives a table its ids. */
export interface Ids {
  /** The table's OID. */
  readonly oid: number
  /** The sequence, quoted for SQL. */
  readonly sequence: string
}

/** The last id that was given. */
export async function lastId(sql: Queryable, { sequence }: Ids): Promise<bigint> {
  const rows = await sql.unsafe<{ last: string }[]>(
    `SELECT (CASE WHEN is_called THEN last_value ELSE last_value - 1 END)::text AS last FROM ${sequence}`
  )
  return BigInt(rows[0]!.last)
}

/**
 * The id up to which every row that will ever be there is there, if it is greater than `after`; it waits for who is writing.
 * @returns the last id that was given, which may be less than `after` where somebody has set the sequence back.
 */
export async function horizon(
  sql: Queryable,
  ids: Ids,
  after: bigint | undefined,
  signal: AbortSignal
): Promise<bigint> {
  const last = await lastId(sql, ids)
  if (after === undefined || last > after) {
    await awaitWriters(sql, ids.oid, { shortest, longest, signal })
  }
  return last
}

/** The sequence that gives a column its values one by one, quoted for SQL; undefined: there is none, or not one by one. */
export async function sequenceOf(
  sql: Queryable,
  can: Capabilities,
  oid: number,
  column: string
): Promise<string | undefined> {
  const identity = can.identity
    ? `UNION ALL
       SELECT d.objid FROM pg_catalog.pg_depend d JOIN a ON d.refobjid = a.attrelid AND d.refobjsubid = a.attnum
       WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.refclassid = 'pg_catalog.pg_class'::regclass
         AND d.deptype = 'i' AND a.attidentity <> ''`
    : ''
  const rows = await sql.unsafe<{ sequence: string }[]>(`
    WITH a AS (
      SELECT * FROM pg_catalog.pg_attribute WHERE attrelid = ${oid} AND attname = ${literal(column)} AND NOT attisdropped
    ), used AS (
      SELECT d.refobjid AS oid FROM a JOIN pg_catalog.pg_attrdef f ON f.adrelid = a.attrelid AND f.adnum = a.attnum
      JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_attrdef'::regclass AND d.objid = f.oid
        AND d.refclassid = 'pg_catalog.pg_class'::regclass
      WHERE pg_catalog.pg_get_expr(f.adbin, f.adrelid) ~ '^(pg_catalog[.])?nextval[(]''.*''::regclass[)]$'
      ${identity}
    )
    SELECT pg_catalog.format('%I.%I', n.nspname, c.relname) AS sequence FROM used
    JOIN pg_catalog.pg_class c ON c.oid = used.oid AND c.relkind = 'S'
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace`)
  const sequence = rows[0]?.sequence
  if (sequence === undefined) return undefined
  const [how] = await sql.unsafe<{ fit: boolean }[]>(
    can.identity
      ? `SELECT seqcache = 1 AND seqincrement > 0 AND NOT seqcycle AS fit FROM pg_catalog.pg_sequence
         WHERE seqrelid = ${literal(sequence)}::regclass`
      : `SELECT cache_value = 1 AND increment_by > 0 AND NOT is_cycled AS fit FROM ${sequence}`
  )
  return how?.fit ? sequence : undefined
}
