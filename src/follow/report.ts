/** What `follow`, `publish` or `apply` did, once it has ended: a value for people and programs. */
import type { SourceKind } from './config.js'
import type { Operation, Position } from './ports.js'

export interface FollowReport {
  version: 1
  command: 'follow' | 'publish' | 'apply'
  ok: true
  /** null: an applier's is the publisher's. */
  source: SourceKind | null
  /** The stream's name. */
  stream: string
  tables: FollowedTableReport[]
  /** Batches with changes in them. */
  batches: number
  retries: number
  /** Everything before it is in the sink; null where nothing was followed. */
  position: Position | null
  durationMs: number
}

export interface FollowedTableReport extends Record<Operation, number> {
  /** `schema.table` */
  table: string
  /** Rows of the first copy. */
  copied: number
}
