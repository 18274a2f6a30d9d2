/**
 * The value that a run returns. Everything a person or a script sees of a run is made from it (cli/render), and
 * its JSON form is the published document (docs/report.schema.json), so a field added here is added there.
 */

export type TableStatus = 'identical' | 'differs' | 'synced' | 'failed' | 'skipped'

/** Values as PostgreSQL prints them; null is NULL. */
export type Text = string | null

export interface RowSample {
  key: Record<string, Text>
  kind: 'insert' | 'update' | 'delete'
  /** insert: every written column's main value; update: the differing columns, both values; delete: the standby's values. */
  columns: Record<string, { main?: Text; standby?: Text }>
}

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
  /** INSERT needs OVERRIDING SYSTEM VALUE. */
  overriding?: boolean
  samples: RowSample[]
}

export interface SchemaChange {
  kind: string
  schema: string
  name: string
  /** create: only on main; alter: both have it and it differs; drop: only on the standby. */
  action: 'create' | 'alter' | 'drop'
  /** What happened to it: nothing yet (diff), done, left alone, or failed. */
  status: 'pending' | 'applied' | 'left' | 'failed'
  sql: string[]
  reason?: string
}

export interface SchemaReport {
  identical: boolean
  changes: SchemaChange[]
}

export interface SequenceReport {
  schema: string
  name: string
  /** `ahead`: the standby's is further on, and is left there without --clean-extra. */
  status: 'identical' | 'differs' | 'ahead' | 'synced' | 'failed' | 'skipped'
  main: string
  standby: string | null
  reason?: string
}

export interface Report {
  version: 1
  command: 'diff' | 'sync'
  identical: boolean
  /** False where any table, statement or sequence failed. */
  ok: boolean
  cut: { snapshot: string | null; lsn: string | null; time: string }
  /** The two servers: `host:port/database` and version; never a password. */
  main: { address: string; version: string }
  standby: { address: string; version: string }
  schema: SchemaReport
  tables: TableReport[]
  sequences: SequenceReport[]
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
  notes: string[]
  durationMs: number
}
