/**
 * What travels through a broker: one JSON object a change, about one row and one key (docs/message.md). Its values are JSON's own where
 * JavaScript holds them exactly, else the text that PostgreSQL printed, so that nothing is rounded on the way.
 */
import type { FollowedColumn, FollowedTable } from '../table.js'

/** Raised where an old reader would misread; a field more does not raise it. */
export const messageVersion = 1

export type MessageOperation = 'INSERT' | 'UPDATE' | 'DELETE' | 'TRUNCATE'
export type MessageValue = string | number | boolean | null
export type MessageRecord = Readonly<Record<string, MessageValue>>

export interface Message {
  readonly version: typeof messageVersion
  readonly stream: string
  readonly schema: string
  readonly table: string
  readonly operation: MessageOperation
  readonly position: string
  /** Change.version in decimals. */
  readonly row_version: string
  /** ISO 8601 in UTC. */
  readonly committed_at: string | null
  /** null: the table has none, or the operation is TRUNCATE. */
  readonly key: MessageRecord | null
  readonly new_record: MessageRecord | null
  readonly old_record: MessageRecord | null
  /** Columns that new_record leaves out because they did not change. */
  readonly absent?: readonly string[]
}

/** The whole row, or its key alone: whoever reads it fetches the row from main. */
export type Payload = 'row' | 'key'

/** The shape that a table's rows have for the reader; undefined: it does not know such a table. */
export type ShapeOf = (schema: string, table: string) => FollowedTable | undefined

/** How a column's values are written: as a JSON number, true or false, or text. */
export type ValueKind = 'whole' | 'fraction' | 'flag' | 'text'

export function kindOf({ base, builtin }: FollowedColumn): ValueKind {
  if (!builtin) return 'text'
  if (base === 'smallint' || base === 'integer') return 'whole'
  if (base === 'real' || base === 'double precision') return 'fraction'
  return base === 'boolean' ? 'flag' : 'text'
}
