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

export type Emit = (event: RunEvent) => void
