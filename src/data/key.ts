/**
 * A row's key on the wire and in SQL. Keys travel as bytes and become text, never numbers or dates: a bigint, a
 * numeric or a microsecond would lose digits in JavaScript. Keys are the same where they print the same.
 */
import { arrayText, ident, literal } from '../postgres/quote.js'
import type { Column, Key, Table } from '../postgres/tables.js'

export interface KeyColumn {
  name: string
  /** The base type: what text is cast to. */
  type: string
  /** Bytes of the encoded value; 0: length-prefixed. */
  width: 0 | 6 | 8 | 16
  /** SQL of the encoded value over the alias `t`: bytea. */
  encoded: string
}

/** Keys as columns of text: `keys[column][row]`. */
export type KeyTexts = string[][]

const integers = new Set(['smallint', 'integer', 'bigint'])
/** Sorts the same on every server. */
const sortsAlike = new Set([
  ...integers, 'oid', 'uuid', 'boolean', 'bytea', 'date', 'time without time zone', 'timestamp without time zone',
  'timestamp with time zone', 'numeric', 'inet', 'cidr', 'macaddr', 'macaddr8', 'name', 'character varying', 'text', 'character'
]) // prettier-ignore
const collated = new Set(['character varying', 'text', 'character', 'name'])

/**
 * Whether rows can be matched by the column's text: equal values print the same. Of numeric they need not (1.0 and
 * 1.00); then the upsert's proof fails, and the row is replaced. PostgreSQL knows no operator between values of a domain over an enum.
 */
function matchable(column: Column): boolean {
  return (
    (column.kind === 'e' && column.type === column.base) ||
    (sortsAlike.has(column.base) && column.deterministic)
  )
}

/** The first key that both sides have, that can be matched by, and whose types agree; undefined where there is none. */
export function commonKey(main: Table, standby: Table, usable: ReadonlySet<string>): Key | undefined {
  const column = (table: Table, name: string) => table.columns.find(one => one.name === name)
  const fits = (key: Key) =>
    key.columns.every(name => {
      const [a, b] = [column(main, name), column(standby, name)]
      return usable.has(name) && a && b && a.type === b.type && matchable(a) && matchable(b)
    })
  const has = (key: Key) => standby.keys.find(other => other.columns.join('\0') === key.columns.join('\0'))
  const key = main.keys.find(one => fits(one) && has(one))
  return key && { ...key, immediate: has(key)?.immediate ?? false }
}

/** Whether the two servers put the key's values in the same order, so that a range means the same rows on both. */
export function ordersAlike(main: Table, standby: Table, key: Key): boolean {
  return key.columns.every(name => {
    const a = main.columns.find(column => column.name === name)!
    const b = standby.columns.find(column => column.name === name)!
    if (!sortsAlike.has(a.base)) return false
    if (!collated.has(a.base)) return true
    return a.collation === b.collation && (a.collation.startsWith('C@') || !a.collation.endsWith(':'))
  })
}

export function keyColumn(column: Column): KeyColumn {
  const value = `t.${ident(column.name)}`
  const base = { name: column.name, type: column.base === 'character' ? 'bpchar' : column.base }
  if (integers.has(column.base)) return { ...base, width: 8, encoded: `pg_catalog.int8send(${value})` }
  if (column.base === 'uuid') return { ...base, width: 16, encoded: `pg_catalog.uuid_send(${value})` }
  return { ...base, width: 0, encoded: `pg_catalog.textsend(${value}::text)` }
}

/** Where a row lies in its table: the key of a table that has none, good for as long as a snapshot or a lock lasts. */
export const ctid: KeyColumn = { name: 'ctid', type: 'tid', width: 6, encoded: 'pg_catalog.tidsend(t.ctid)' }

/** Which partition a row lies in: its place alone is one of each partition's. */
export const tableoid: KeyColumn = {
  name: 'tableoid',
  type: 'oid',
  width: 0,
  encoded: 'pg_catalog.textsend(t.tableoid::text)'
}

/** The value at an offset of its vector, as PostgreSQL prints it. */
export function decodeKey(column: KeyColumn, bytes: Buffer, start: number, end: number): string {
  if (column.width === 8) return bytes.readBigInt64BE(start).toString()
  if (column.width === 6) return `(${bytes.readUInt32BE(start)},${bytes.readUInt16BE(start + 4)})`
  if (column.width === 0) return bytes.toString('utf8', start, end)
  const hex = bytes.toString('hex', start, end)
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}

/** `t.key` is one of these: a condition that an index on the key serves. */
export function keyIn(columns: readonly KeyColumn[], keys: KeyTexts): string {
  const arrays = columns.map((column, index) => `${literal(arrayText(keys[index]!))}::${arrayType(column)}`)
  if (columns.length === 1) return `t.${ident(columns[0]!.name)} = ANY (${arrays[0]})`
  const names = columns.map(column => `t.${ident(column.name)}`).join(', ')
  return `(${names}) IN (SELECT * FROM unnest(${arrays.join(', ')}))`
}

/** Keys from `low` (in) to `high` (out), either open where undefined; composite keys compare as rows. */
export function keyRange(
  columns: readonly KeyColumn[],
  low: readonly string[] | undefined,
  high: readonly string[] | undefined
): string {
  const names = columns.map(column => `t.${ident(column.name)}`).join(', ')
  const row = (values: readonly string[]) =>
    columns.map((column, i) => `${literal(values[i]!)}::${column.type}`).join(', ')
  const side = (operator: string, values: readonly string[]) =>
    columns.length === 1 ? `${names} ${operator} ${row(values)}` : `(${names}) ${operator} (${row(values)})`
  return [...(low ? [side('>=', low)] : []), ...(high ? [side('<', high)] : [])].join(' AND ') || 'true'
}

function arrayType(column: KeyColumn): string {
  return `${column.type === '"char"' ? 'pg_catalog."char"' : column.type}[]`
}
