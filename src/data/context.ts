/** What every part of moving rows needs of the run: handed down once, never global. */
import type { Emit } from '../core/events.js'
import type { RetryPolicy } from '../core/retry.js'
import type { ForeignKeyGraph } from './foreignkeys.js'
import type { Mover } from './move.js'
import type { Column } from '../postgres/tables.js'
import type { Pace } from './pace.js'
import type { PairPool } from './pairs.js'
import type { Unit } from './unit.js'

/** What writing in a transaction needs. */
export interface WriteContext {
  /** replica: the role may set session_replication_role, and no trigger fires. */
  pool: Pick<PairPool, 'replica'>
  graph: ForeignKeyGraph
}

export interface DataContext extends WriteContext {
  pool: PairPool
  retry: RetryPolicy
  emit: Emit
  signal: AbortSignal
  chunkSize: number
  workers: number
  /** Rows that main does not have may be deleted. */
  deletes: boolean
  verify: boolean
  /** Differing rows kept for the report, per table. */
  samples: number
  /** Per table with `--use-updated-at`: only rows changed later than this. */
  since: ReadonlyMap<Unit, string>
  /** The row hash of some columns, in the run's form. */
  hash(columns: readonly Column[]): string[]
  mover: Mover
  /** All reading of main's rows is told to it. */
  pace: Pace
}
