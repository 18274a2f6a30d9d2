/**
 * From the outbox's records to rows as the table prints them: the server takes the values out of JSON, so that they never pass through a
 * program's own numbers and dates.
 */
import { ident, literal, qualified } from '../../postgres/quote.js'
import { isExact, typeInJson } from '../capture/exact.js'
import { schema } from '../capture/outboxsql.js'
import type { FollowedColumn, FollowedTable } from '../table.js'

export interface Expansion {
  table: FollowedTable
  outbox: string
  /** Types with a cast to json. */
  cast: ReadonlySet<string>
  /** There are old records among them. */
  old: boolean
  after: bigint
  to: bigint
}

/** A line: id, operation, milliseconds since 1970, the row, and, where there are old records, the row as it was. */
export function expansion({ table, outbox, cast, old, after, to }: Expansion): string {
  const parts = old ? (['new', 'old'] as const) : (['new'] as const)
  const values = parts.flatMap(part => table.columns.map(column => valueOf(table, column, part, cast)))
  const records = parts.map(part => {
    const list = table.columns.map(column => `${ident(column.name)} ${typeInJson(column, cast)}`).join(', ')
    return `CROSS JOIN LATERAL pg_catalog.json_to_record(o.${part}_record) AS ${part}_row(${list})`
  })
  return `SELECT o.id, o.operation, (extract(epoch FROM o.at) * 1000)::bigint, ${values.join(', ')}
    FROM ${qualified(schema, outbox)} o ${records.join(' ')}
    WHERE o.id > ${after} AND o.id <= ${to} AND o."schema" = ${literal(table.schema)} AND o."table" = ${literal(table.name)}
    ORDER BY o.id`
}

function valueOf(
  table: FollowedTable,
  column: FollowedColumn,
  part: 'new' | 'old',
  cast: ReadonlySet<string>
): string {
  const name = literal(column.name)
  const value = `${part}_row.${ident(column.name)}`
  if (isExact(column, cast)) {
    const text = `o.exact->'${part}'`
    const printed = filled(`${value}::text`, table, column, part, 'text')
    return `CASE WHEN (${text}->${name}) IS NULL THEN ${printed} ELSE ${text}->>${name} END`
  }
  return filled(value, table, column, part, typeInJson(column, cast))
}

/**
 * A record from before the column was added does not have it: then it is what the catalogs have for such rows, or else what the row has
 * now, which a later change tells too if it is newer.
 */
function filled(
  value: string,
  table: FollowedTable,
  column: FollowedColumn,
  part: string,
  type: string
): string {
  const { missing, name } = column
  if (missing === null || table.columns.indexOf(column) < table.keyLength) return value
  const absent = `${value} IS NULL AND o.${part}_record IS NOT NULL AND (o.${part}_record->${literal(name)}) IS NULL`
  const known = missing === undefined ? now(table, name, part, type) : `${literal(missing)}::${type}`
  return `CASE WHEN ${absent} THEN ${known} ELSE ${value} END`
}

/** The column as the row with this key has it now; NULL where there is no such row. */
function now(table: FollowedTable, name: string, part: string, type: string): string {
  const same = table.columns
    .slice(0, table.keyLength)
    .map(key => `m.${ident(key.name)} = ${part}_row.${ident(key.name)}::${key.type}`)
  const column = `m.${ident(name)}`
  // A cast to text prints some types otherwise than COPY does.
  const printed =
    type === 'text'
      ? `CASE WHEN ${column} IS DISTINCT FROM NULL THEN pg_catalog.format('%s', ${column}) END`
      : column
  return `(SELECT ${printed} FROM ${qualified(table.schema, table.name)} m WHERE ${same.join(' AND ')})`
}
