/** Rows as SQL, for statements of few rows: each value is a literal, which the server reads by its column's own type. */
import { valuesOf } from '../../../postgres/copytext.js'
import { ident, literal } from '../../../postgres/quote.js'

const sqlOf = (value: string | null): string => (value === null ? 'NULL' : literal(value))

/** A line as `('1', NULL)`. */
export const rowOf = (line: string): string => `(${valuesOf(line).map(sqlOf).join(', ')})`

/** Over the alias `t`: the row has this key. A key is never NULL. */
export const hasKey = (key: readonly string[], line: string): string => hasValues(key, valuesOf(line))

/** Over the alias `t`: the columns have these values, none of them NULL. */
export function hasValues(names: readonly string[], values: readonly (string | null)[]): string {
  return names.map((name, i) => `t.${ident(name)} = ${sqlOf(values[i]!)}`).join(' AND ')
}

/** The rows with one of these keys. */
export function hasOneOf(key: readonly string[], lines: readonly string[]): string {
  const [name, ...others] = key
  if (others.length > 0) return lines.map(line => `(${hasKey(key, line)})`).join(' OR ')
  return `t.${ident(name!)} IN (${lines.map(line => sqlOf(valuesOf(line)[0]!)).join(', ')})`
}

/** `"a" = '1', "b" = NULL` of the columns that may be set. */
export function assignments(
  columns: readonly string[],
  line: string,
  settable: (index: number) => boolean
): string {
  const values = valuesOf(line)
  return columns
    .flatMap((name, i) => (settable(i) ? [`${ident(name)} = ${sqlOf(values[i]!)}`] : []))
    .join(', ')
}
