/** The one place that quotes: identifiers are quoted, values are parameters or, where SQL takes none, literals. */
import pg from 'pg'

/** `a"b` → `"a""b"`. Always quoted, so that no keyword and no capital letter can surprise. */
export const ident = pg.escapeIdentifier

/** `it's` → `'it''s'` (or the E'' form where it holds a backslash). */
export const literal = pg.escapeLiteral

/** `"schema"."name"` */
export function qualified(schema: string, name: string): string {
  return `${ident(schema)}.${ident(name)}`
}

/** Column names as a list: `"a", "b"`, each with a prefix such as `t.` if given. */
export function columnList(names: readonly string[], prefix = ''): string {
  return names.map(name => prefix + ident(name)).join(', ')
}

/** PostgreSQL's text form of a one-dimensional array, to be bound or quoted as a literal. */
export function arrayText(values: readonly (string | null)[]): string {
  const items = values.map(value => (value === null ? 'NULL' : `"${value.replace(/[\\"]/g, '\\$&')}"`))
  return `{${items.join(',')}}`
}
