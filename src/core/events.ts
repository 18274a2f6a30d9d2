/**
 * What a run tells while it goes on. A run never prints: it emits these, and whoever called it decides what a
 * person sees of them (cli/render/progress.ts).
 */

export type Phase =
  'connect' | 'structure' | 'compare' | 'rows' | 'constraints' | 'sequences' | 'views' | 'proof' | 'copy'

export type RunEvent =
  /** A part of the run begins. */
  | { type: 'phase'; phase: Phase }
  /** The one moment of main that the run is about; `snapshot` can be taken up as long as the run lasts. */
  | { type: 'cut'; snapshot: string | undefined; lsn: string | null; time: string }
  /** What the rows' part is about, as far as it is known before: `rows` is the sum of the server's estimates. */
  | { type: 'plan'; tables: number; rows: number }
  /** A table is taken up; `rows` is the server's own estimate, −1 if it has none. */
  | { type: 'table-start'; table: string; rows: number }
  /** So many more rows of the table were compared or loaded. */
  | { type: 'rows'; table: string; rows: number }
  | { type: 'table-end'; table: string; status: string }
  /** A chunk or connection is tried again, `delay` milliseconds from now. */
  | { type: 'retry'; what: string; attempt: number; delay: number; reason: string }
  /** Something that the user should know and that does not fail the run; also kept in the report's notes. */
  | { type: 'note'; message: string; table?: string }

export type FollowState = 'connecting' | 'copying' | 'following' | 'waiting' | 'stopped'

/** How far behind the sink is; what a source cannot tell is left out. */
export interface Lag {
  /** Of WAL that is not written to the sink yet. */
  bytes?: number
  /** Changes that are known and not written to the sink yet. */
  rows?: number
  /** Of WAL that main keeps for the slot. */
  retainedBytes?: number
}

/** What following tells while it goes on. */
export type FollowEvent =
  | { type: 'state'; state: FollowState }
  /** The first copy of a table begins; `rows` is main's own estimate, −1 if it has none. */
  | { type: 'copy-start'; table: string; rows: number }
  /** So many more bytes of it are on their way. */
  | { type: 'copy-bytes'; table: string; bytes: number }
  | { type: 'copy-end'; table: string; rows: number }
  /** A batch is durable in the sink. */
  | {
      type: 'batch'
      /** By `schema.table`, and by operation. */
      tables: Record<string, Partial<Record<'insert' | 'update' | 'delete' | 'truncate', number>>>
      changes: number
      position: string
      /** Milliseconds since 1970 when the last change was committed on main. */
      committedAt: number | undefined
      /** Milliseconds that the sink took. */
      duration: number
    }
  | { type: 'lag'; lag: Lag }
  /** No signal came from main for so many milliseconds: it is looked all the same. */
  | { type: 'quiet'; after: number }
  /** The columns of a table have changed, and the sink's with them. */
  | { type: 'schema'; table: string; added: readonly string[] }
  | { type: 'retry'; what: string; attempt: number; delay: number; reason: string }
  | { type: 'note'; message: string; table?: string }

export type EmitFollow = (event: FollowEvent) => void

export type Emit = (event: RunEvent) => void
