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
  const values = parts.flatMap(part => table.columns.map(column => valueOf(column, part, cast)))
  const records = parts.map(part => {
    const list = table.columns.map(column => `${ident(column.name)} ${typeInJson(column, cast)}`).join(', ')
    return `CROSS JOIN LATERAL pg_catalog.json_to_record(o.${part}_record) AS ${part}_row(${list})`
  })
  return `SELECT o.id, o.operation, (extract(epoch FROM o.at) * 1000)::bigint, ${values.join(', ')}
    FROM ${qualified(schema, outbox)} o ${records.join(' ')}
    WHERE o.id > ${after} AND o.id <= ${to} AND o."schema" = ${literal(table.schema)} AND o."table" = ${literal(table.name)}
    ORDER BY o.id`
}

function valueOf(column: FollowedColumn, part: 'new' | 'old', cast: ReadonlySet<string>): string {
  const name = literal(column.name)
  const value = `${part}_row.${ident(column.name)}`
  if (isExact(column, cast)) {
    const text = `o.exact->'${part}'`
    const printed = filled(`${value}::text`, column, part, 'text')
    return `CASE WHEN (${text}->${name}) IS NULL THEN ${printed} ELSE ${text}->>${name} END`
  }
  return filled(value, column, part, typeInJson(column, cast))
}

/** A record from before the column was added does not have it: then it is what the table has for such rows. */
function filled(value: string, { name, missing }: FollowedColumn, part: string, type: string): string {
  if (missing === undefined || missing === null) return value
  const absent = `${value} IS NULL AND o.${part}_record IS NOT NULL AND (o.${part}_record->${literal(name)}) IS NULL`
  return `CASE WHEN ${absent} THEN ${literal(missing)}::${type} ELSE ${value} END`
}
