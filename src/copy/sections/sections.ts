/**
 * Copies an ever-growing table into one section a key (C): sections are counted, made where there are none, and then
 * filled with what is later than the cursor. A run that ends at any moment, in whatever way, is gone on with by the next
 * one, without losing or repeating a row.
 */
import type { Emit } from '../../core/events.js'
import { bootstrap } from './bootstrap.js'
import { completeSections, type SectionsOptions } from './config.js'
import { explainFailure } from './failure.js'
import { horizonNotes } from './horizon.js'
import { increment } from './increment.js'
import { readRecord } from './record.js'
import type { Run } from './run.js'
import { withRun } from './session.js'
import { findStart, sectionsAmong } from './start.js'
import { matchingTables } from './tables.js'

export interface SectionsResult {
  /** Whether the sections were made first. */
  mode: 'bootstrap' | 'increment'
  /** Rows that the procedure stored in the increment. */
  rows: number
  /** Sections that are there now. */
  sections: number
  /** Transactions that stored rows. */
  chunks: number
  /** Up to here all rows are there, as main prints it; null where there was none. */
  cursor: string | null
  durationMs: number
  /** What the user should know and that did not fail the run. */
  notes: string[]
}

/**
 * One run: bootstrap where sections are missing, then the increment up to where main is.
 * @throws ConfigError for wrong settings, before anything is changed; GuardError where another run is at it, or the
 *   record is of another main; DataError where the procedure fails or does not make the sections; ConnectionError.
 *   With an aborted signal: its reason, after the open chunk was rolled back.
 */
export async function copySections(
  options: SectionsOptions,
  context: { signal?: AbortSignal; emit?: Emit } = {}
): Promise<SectionsResult> {
  const config = completeSections(options)
  const signal = context.signal ?? new AbortController().signal
  const started = performance.now()
  const notes: string[] = []
  const emit: Emit = event => {
    if (event.type === 'note') notes.push(event.message)
    context.emit?.(event)
  }
  try {
    signal.throwIfAborted()
    return await withRun(config, emit, signal, async run => {
      for (const message of await openingNotes(run)) emit({ type: 'note', message, table: run.source.name })
      const start = await findStart(run)
      if (start.note) emit({ type: 'note', message: start.note, table: run.source.name })
      if (start.mode === 'bootstrap') await bootstrap(run)
      const done = await increment(run, start.cursor)
      const record = await readRecord(run.standby, run.subject)
      const sections = sectionsAmong(await matchingTables(run.standby, run.standbyServer, config), record)
      const durationMs = Math.round(performance.now() - started)
      return { mode: start.mode, ...done, sections: sections.length, durationMs, notes }
    })
  } catch (error) {
    // What an aborted run fails with is only the way in which the servers were stopped.
    if (signal.aborted) throw signal.reason
    throw explainFailure(error, config.sourceTable)
  }
}

async function openingNotes({ main, source }: Run): Promise<string[]> {
  const notes = await horizonNotes({ main, source })
  if (!source.indexed && /[rpm]/.test(source.kind)) {
    notes.push(
      `no index of ${source.name} begins with ${source.cursor.slice(2)}: every chunk reads the whole table`
    )
  }
  return notes
}
