/** What one table's comparison has found so far: exact counts, a few samples, and where the differences are. */
import { Drift } from './drift.js'
import type { RowSample } from './samples.js'
import type { Unit } from './unit.js'
import { keyCount, type ChunkDiff } from './vector.js'

export interface Tally {
  unit: Unit
  main: number
  standby: number
  insert: number
  update: number
  delete: number
  samples: RowSample[]
  /** The chunks that differ: conditions of ranges, or numbers of buckets. */
  dirty: string[]
  /** Where they lie. */
  drift: Drift
  /** How many buckets the table was compared in; 0 where it was not. */
  buckets: number
}

export const newTally = (unit: Unit): Tally => ({
  unit,
  main: 0,
  standby: 0,
  insert: 0,
  update: 0,
  delete: 0,
  samples: [],
  dirty: [],
  drift: new Drift(),
  buckets: 0
})

export function countDiff(tally: Tally, diff: ChunkDiff): void {
  tally.insert += keyCount(diff.insert)
  tally.update += keyCount(diff.update)
  tally.delete += keyCount(diff.delete)
}

export const differs = (tally: Tally): boolean => tally.insert + tally.update + tally.delete > 0
