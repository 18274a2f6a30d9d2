/**
 * The row hash: computed by the server, equal on both sides exactly where every value prints the same (data.md,
 * "The row hash"). A value is hashed natively only where its type's own hash can tell apart all that prints apart.
 */
import { ident, literal } from '../postgres/quote.js'
import type { Column } from '../postgres/tables.js'
import type { Server } from '../postgres/server.js'

/** Cheapest first; each is exact, and each needs less of the two servers than the one before it. */
export type HashForm = 'record' | 'text' | 'md5' | 'sha256'

/** Literals of the types that are hashed natively, and one of text with letters outside ASCII. */
const probe = `ROW(1::int2, 2::int4, 3::int8, true, '00000000-0000-4000-8000-000000000001'::uuid, '2024-02-29'::date,
  '12:34:56.789'::time, '2024-02-29 12:34:56.789'::timestamp, '2024-02-29 12:34:56+00'::timestamptz, 42::oid,
  'straße'::text, 'x'::varchar, 'y'::char(3), '\\x00ff'::bytea, 'z'::"char", 'n'::name)`

/**
 * The cheapest form on which both servers agree, found by hashing the same literals on both.
 * @param strict asks for sha256 (128 bits of it), or, below PostgreSQL 11, md5.
 */
export async function chooseHashForm(main: Server, standby: Server, strict: boolean): Promise<HashForm> {
  const both = (feature: 'hashRecord' | 'hashText') => main.can[feature] && standby.can[feature]
  if (strict) return both('hashText') ? 'sha256' : 'md5'
  const forms: HashForm[] = [
    ...(both('hashRecord') ? ['record' as const] : []),
    ...(both('hashText') ? ['text' as const] : [])
  ]
  for (const form of forms) {
    const query = `SELECT (${hashOfRecord(form, probe)[0]})::text AS hash`
    const [a, b] = await Promise.all([main.sql.unsafe(query), standby.sql.unsafe(query)])
    if (a[0]?.hash === b[0]?.hash) return form
  }
  return 'md5'
}

/** Types whose hash tells apart all that prints apart, so that no text needs to be made of them. */
const native = new Set([
  'smallint', 'integer', 'bigint', 'boolean', 'uuid', 'date', 'oid', 'bytea', 'name', '"char"',
  'time without time zone', 'timestamp without time zone', 'timestamp with time zone'
]) // prettier-ignore
/** Types whose bytes on the wire say what their text says, for less. */
const sent: Record<string, string> = {
  numeric: 'numeric_send',
  jsonb: 'jsonb_send',
  // Its text has lost the blanks at its end, which a column without a length keeps.
  character: 'bpcharsend'
}
const nativeText = new Set(['text', 'character varying'])

/**
 * SQL of one row's hash, as one or more bigint expressions over the alias `t`.
 * @param exactFloats false where the two servers print floats differently (below and from 12): their bytes are hashed.
 */
export function rowHash(form: HashForm, columns: readonly Column[], exactFloats: boolean): string[] {
  return hashOfRecord(form, `ROW(${columns.map(column => hashable(form, column, exactFloats)).join(', ')})`)
}

function hashable(form: HashForm, column: Column, exactFloats: boolean): string {
  const value = `t.${ident(column.name)}`
  if (!exactFloats && /^(real|double precision)(\[\])?$/.test(column.base)) {
    const send = column.array ? 'array_send' : column.base === 'real' ? 'float4send' : 'float8send'
    return `pg_catalog.${send}(${value})`
  }
  if (form !== 'record') return value
  if (native.has(column.base) || (nativeText.has(column.base) && column.deterministic)) return value
  const send = sent[column.base]
  if (send) return `pg_catalog.${send}(${value})`
  // Under a nondeterministic collation texts that print apart have the same hash.
  return column.deterministic ? `${value}::text` : `(${value}::text COLLATE pg_catalog."C")`
}

/** A record as bigints. `ROW(…)::text` is injective: it quotes, and NULL is not ''. */
function hashOfRecord(form: HashForm, record: string): string[] {
  switch (form) {
    case 'record':
      return [`pg_catalog.hash_record_extended(${record}, 0)`]
    case 'text':
      return [
        `pg_catalog.hashtextextended(${record}::text, 0)`,
        `pg_catalog.hashtextextended(${record}::text, 1)`
      ]
    case 'md5':
    case 'sha256':
      return halves(hexOf(form, record))
  }
}

/** What is the same on every server of the same rows, and may be kept: the hash of `--strict-hash`. */
export type LastingForm = Extract<HashForm, 'md5' | 'sha256'>

/**
 * SQL of a row's digest, 32 hex digits, over the alias `t`: equal exactly where every value prints the same.
 * @param exactFloats as for rowHash.
 */
export function rowDigestText(form: LastingForm, columns: readonly Column[], exactFloats: boolean): string {
  const values = columns.map(column => hashable(form, column, exactFloats))
  return `pg_catalog.left(${hexOf(form, `ROW(${values.join(', ')})`)}, 32)`
}

function hexOf(form: LastingForm, record: string): string {
  const bytes = `pg_catalog.convert_to(${record}::text, 'UTF8')`
  return form === 'md5' ? `pg_catalog.md5(${bytes})` : `pg_catalog.encode(pg_catalog.sha256(${bytes}), 'hex')`
}

/** The first 128 bits of a digest in hex, as two bigints. */
function halves(hex: string): string[] {
  return [1, 17].map(from => `('x' || pg_catalog.substr(${hex}, ${from}, 16))::bit(64)::bigint`)
}

/** A bucket number, 0 to `count` − 1 (a power of two), of a bigint hash. */
export function bucketOf(hash: string, count: number): string {
  return `(${hash} & ${literal(String(count - 1))}::bigint)`
}
