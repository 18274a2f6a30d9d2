/**
 * Sends what is later than the cursor, chunk by chunk. Rule: a chunk ends with a whole value of the cursor, and its
 * rows and the cursor after them are one transaction; wherever a run ends, the next one goes on exactly there. A value
 * that many rows share makes its chunk larger, never the memory: rows are streamed.
 */
import { settle } from './horizon.js'
import { advance } from './record.js'
import { fetchRows, storeRows, transaction, type Run } from './run.js'
import { chunkEnd, rowsBetween } from './source.js'

export interface Increment {
  /** Rows that the procedure stored. */
  rows: number
  chunks: number
  /** Up to here everything is there. */
  cursor: string | null
}

/** Sends until a round finds less than a chunk: then the standby is as far as main was at that round's start. */
export async function increment(run: Run, start: string | null): Promise<Increment> {
  const { config, source, emit } = run
  const done: Increment = { rows: 0, chunks: 0, cursor: start }
  emit({ type: 'phase', phase: 'copy' })
  emit({ type: 'table-start', table: source.name, rows: start === null ? source.estimate : -1 })
  for (;;) {
    const before = done.rows
    const end = await settle({ ...run, settleTimeout: config.settleTimeout }, done.cursor)
    if (end === undefined) break
    await round(run, done, end)
    if (done.rows - before < config.chunkSize) break
  }
  emit({ type: 'table-end', table: source.name, status: 'synced' })
  return done
}

async function round(run: Run, done: Increment, end: string): Promise<void> {
  const { main, source, config } = run
  for (;;) {
    run.signal.throwIfAborted()
    const full = await chunkEnd(main, source, done.cursor, end, config.chunkSize)
    const to = full ?? end
    const rows = await chunk(run, done.cursor, to)
    if (rows > 0) {
      done.rows += rows
      done.chunks++
      run.emit({ type: 'rows', table: source.name, rows })
    }
    done.cursor = to
    if (full === undefined) return
  }
}

/** The cursor moves on also where no row was found, which someone must have deleted meanwhile. */
async function chunk(run: Run, after: string | null, to: string): Promise<number> {
  return transaction(run, 'READ COMMITTED', async () => {
    const rows = await fetchRows(run, rowsBetween(run.source, after, to))
    if (rows > 0) await storeRows(run)
    await advance(run.standby, run.subject, after, to, rows)
    return rows
  })
}
