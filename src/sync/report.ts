/**
 * The value that a run returns. Everything a person or a script sees of a run is made from it (cli/render), and
 * its JSON form is the published document (docs/report.schema.json), so a field added here is added there.
 */

import type { DriftCell } from '../data/drift.js'
import type { RowSample } from '../data/samples.js'
import type { SequenceResult } from '../data/sequences.js'
import type { ViewResult } from '../data/views.js'
import type { SchemaChange, SchemaScript } from '../schema/change.js'

export type { DriftCell, RowSample, SchemaChange, SchemaScript, SequenceResult, ViewResult }

export type TableStatus = 'identical' | 'differs' | 'synced' | 'failed' | 'skipped'

export interface TableReport {
  schema: string
  table: string
  status: TableStatus
  /** The columns rows are matched by; empty: the table has no usable key and is compared as a multiset. */
  key: string[]
  rows: { main: number; standby: number }
  insert: number
  update: number
  delete: number
  /** Why it failed or was skipped, or what else is to be known. */
  reason?: string
  hint?: string
  /** sync: so many rows that main does not have were left on the standby. */
  left?: number
  /** INSERT needs OVERRIDING SYSTEM VALUE. */
  overriding?: boolean
  /** Columns that the server computes: they are in the samples, and no statement may write them. */
  generated?: string[]
  samples: RowSample[]
  /** Where the differences lie, in a table that has some and was compared. */
  drift?: DriftMap
}

export interface DriftMap {
  /** What the cells follow: the key, from the lowest to the highest, or a hash, where there is no order to follow. */
  by: 'key' | 'hash'
  cells: readonly DriftCell[]
}

export interface SchemaReport {
  identical: boolean
  changes: SchemaChange[]
  /** The statements of the changes in the order of a run. */
  script?: SchemaScript
}

export interface Report {
  version: 1
  command: 'diff' | 'sync'
  identical: boolean
  /** False where any table, statement, sequence or view failed. */
  ok: boolean
  cut: { snapshot: string | null; lsn: string | null; time: string }
  /** The two servers: `host:port/database` and version; never a password. */
  main: { address: string; version: string }
  standby: { address: string; version: string }
  schema: SchemaReport
  tables: TableReport[]
  sequences: SequenceResult[]
  /** The materialized views, each after those that it reads. */
  views: ViewResult[]
  totals: {
    tables: number
    identical: number
    differs: number
    synced: number
    failed: number
    skipped: number
    rows: { main: number; standby: number }
    insert: number
    update: number
    delete: number
  }
  /** What failed and is no table, object, sequence or view: that the run was cut short. */
  failures: string[]
  notes: string[]
  durationMs: number
}
