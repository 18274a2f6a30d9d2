/** Rows on their way into one ClickHouse table: SQL for the first copy, and lines for changes. */
import { FollowError } from '../../../core/errors.js'
import { lineOf, valuesOf } from '../../../postgres/copytext.js'
import { ident } from '../../../postgres/quote.js'
import { type FollowedTable, keyNames, keyOf, nameOf } from '../../table.js'
import { type Carrier, mark, UnfitValue } from './values.js'

export interface Rows {
  /** Sink.expressions */
  readonly expressions: readonly string[] | undefined
  /** A row's line as ClickHouse reads it. @throws FollowError that names table, column, key and value */
  line(row: string): string
  /** The same of a line that is the key, or begins with it. */
  key(row: string): string
  /** One value of a column, such as a default. @throws FollowError */
  value(index: number, text: string): string
  /** The error of a row that holds a mark. */
  refusal(line: string): FollowError
}

/**
 * @param types ClickHouse's, one a column.
 * @param carriers one a column.
 */
export function rowsOf(table: FollowedTable, types: readonly string[], carriers: readonly Carrier[]): Rows {
  const changed = carriers.flatMap(({ text }, index) => (text ? [{ index, text }] : []))
  const ofKey = changed.filter(({ index }) => index < table.keyLength)
  const names = keyNames(table)

  function refusal(index: number, row: string, value: string): FollowError {
    const key = valuesOf(keyOf(table, row)).map(
      (text, i) => `${names[i]} = ${short(text?.replace(mark, '') ?? 'NULL')}`
    )
    const column = table.columns[index]!
    return new FollowError(
      `${nameOf(table)}: ClickHouse's ${types[index]} of column ${column.name} cannot hold ${short(value)} (where ${key.join(', ')})`,
      {
        table: nameOf(table),
        hint: 'Correct the row on main, let --unfit null or --unfit clamp write another value, or make the column a String in ClickHouse.'
      }
    )
  }

  function converted(row: string, columns: typeof changed): string {
    if (columns.length === 0) return row
    const fields = row.split('\t')
    for (const { index, text } of columns) {
      const [value = null] = valuesOf(fields[index]!)
      try {
        fields[index] = lineOf([text(value)])
      } catch (error) {
        if (!(error instanceof UnfitValue)) throw error
        throw refusal(index, row, value ?? 'NULL')
      }
    }
    return fields.join('\t')
  }

  const sql = carriers.map((carrier, i) => carrier.sql(`t.${ident(table.columns[i]!.name)}`))
  return {
    expressions: sql.some(Boolean)
      ? sql.map((expression, i) => expression ?? `t.${ident(table.columns[i]!.name)}`)
      : undefined,
    line: row => converted(row, changed),
    key: row => converted(keyOf(table, row), ofKey),
    value(index, text) {
      const { text: convert } = carriers[index]!
      if (!convert) return text
      try {
        return convert(text) ?? ''
      } catch (error) {
        if (!(error instanceof UnfitValue)) throw error
        throw new FollowError(
          `${nameOf(table)}: ClickHouse's ${types[index]} of column ${table.columns[index]!.name} cannot hold ${short(text)}`,
          { table: nameOf(table), hint: 'Add the column in ClickHouse as a String.' }
        )
      }
    },
    refusal(line) {
      const fields = line.split('\t')
      const index = fields.findIndex(field => field.includes(mark))
      const [value] = valuesOf(fields[index]!.slice(fields[index]!.indexOf(mark) + mark.length))
      return refusal(index, line, value === '\\N' ? 'NULL' : (value ?? 'NULL'))
    }
  }
}

const short = (text: string) => (text.length > 100 ? `${text.slice(0, 100)}…` : text)
