/** What a followed table is to a source and a sink. A shape is never altered: changed columns are a new one. */
import type { Column } from '../postgres/tables.js'

export interface FollowedTable {
  readonly schema: string
  readonly name: string
  /** In the order in which a row's values travel: those of the key first. Generated columns are not among them. */
  readonly columns: readonly FollowedColumn[]
  /** How many of the columns make the primary key (or the replica identity's index); 0: the table has none. */
  readonly keyLength: number
}

export interface FollowedColumn extends Pick<
  Column,
  'name' | 'type' | 'base' | 'kind' | 'builtin' | 'array' | 'notNull'
> {
  /**
   * What rows hold that were there before the column was added, as PostgreSQL prints it: undefined where main cannot tell
   * (a volatile default), null where it is NULL.
   */
  readonly missing?: string | null
}

/** `schema.table`, for people. */
export const nameOf = ({ schema, name }: Pick<FollowedTable, 'schema' | 'name'>): string =>
  `${schema}.${name}`

/** The names of the key's columns. */
export const keyNames = ({ columns, keyLength }: FollowedTable): string[] =>
  columns.slice(0, keyLength).map(column => column.name)

/** The key's values within a row's line; the whole of a line that holds the key alone. */
export function keyOf({ keyLength }: Pick<FollowedTable, 'keyLength'>, line: string): string {
  let end = -1
  for (let i = 0; i < keyLength; i++) {
    end = line.indexOf('\t', end + 1)
    if (end === -1) return line
  }
  return line.slice(0, end)
}
