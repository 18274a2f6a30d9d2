/**
 * Fills an empty table of the standby: nothing is compared, rows go by COPY straight into the table, a large one in
 * pieces over the pairs. What proves it is the count of rows that main sent and the standby stored.
 */
import { retrying } from '../core/retry.js'
import type { DataContext } from './context.js'
import { checkParents } from './foreignkeys.js'
import type { Pair } from './pairs.js'
import type { Tally } from './tally.js'
import type { Unit } from './unit.js'

/** Pages of a piece at least: 64 MB of 8 KB pages. */
const piecePages = 8192

export async function loadUnit(context: DataContext, unit: Unit, tally: Tally): Promise<void> {
  const pieces = await cutByPages(context, unit)
  await Promise.all(
    pieces.map(async condition => {
      const rows = await retrying(unit.name, context.retry, () => loadPiece(context, unit, condition))
      tally.main += rows
      tally.insert += rows
    })
  )
}

async function loadPiece(context: DataContext, unit: Unit, condition: string): Promise<number> {
  return context.pool.run(async pair => {
    const { standby } = pair
    await standby.query('BEGIN')
    try {
      await context.mover.begin(pair, [unit])
      const told = watchCopy(context, pair, unit)
      const rows = await context.mover
        .move(pair, unit, condition, unit.relation, context.signal)
        .finally(told.stop)
      context.emit({ type: 'rows', table: unit.name, rows: rows - told.rows() })
      if (context.pool.replica) {
        for (const key of context.graph.from(unit)) await checkParents(standby, key, unit.source)
      }
      await context.mover.end(pair, [unit])
      await standby.query('COMMIT')
      return rows
    } catch (error) {
      await standby.query('ROLLBACK').catch(() => {})
      throw error
    }
  })
}

/**
 * Page ranges of main's table, as conditions. One piece where the table is small, where the server cannot scan a
 * range of pages, or where constraints of the standby must be checked over the whole table before the commit.
 */
async function cutByPages(context: DataContext, unit: Unit): Promise<string[]> {
  const { main } = context.pool
  if (
    !main.can.tidRange ||
    unit.main.kind !== 'r' ||
    !context.mover.byPlace ||
    context.graph.from(unit).length > 0
  )
    return ['true']
  const [size] = await main.sql<{ pages: number }[]>`
    SELECT (pg_catalog.pg_relation_size(${unit.main.oid}::oid) / current_setting('block_size')::int)::int AS pages`
  const pieces = Math.min(context.workers * 2, Math.floor((size?.pages ?? 0) / piecePages))
  if (pieces < 2) return ['true']
  const bound = (piece: number) => `'(${Math.ceil((size!.pages / pieces) * piece)},0)'::tid`
  return Array.from({ length: pieces }, (_, i) =>
    [
      ...(i > 0 ? [`t.ctid >= ${bound(i)}`] : []),
      ...(i < pieces - 1 ? [`t.ctid < ${bound(i + 1)}`] : [])
    ].join(' AND ')
  )
}

/** Milliseconds between two looks at how far a COPY has come. */
const lookEvery = 1000

/** Emits how many rows the standby has taken so far, as its own progress view tells it. */
function watchCopy(context: DataContext, pair: Pair, unit: Unit): { rows(): number; stop(): void } {
  const { standby } = context.pool
  const { processID } = pair.standby as unknown as { processID: number }
  let seen = 0
  let stopped = !standby.can.copyProgress
  const look = async (): Promise<void> => {
    const [now] = await standby.sql<{ rows: number }[]>`
      SELECT tuples_processed::float8 AS rows FROM pg_catalog.pg_stat_progress_copy WHERE pid = ${processID}`
    if (stopped || !now || now.rows <= seen) return
    context.emit({ type: 'rows', table: unit.name, rows: now.rows - seen })
    seen = now.rows
  }
  const timer = setInterval(() => void look().catch(() => {}), lookEvery)
  if (stopped) clearInterval(timer)
  return {
    rows: () => seen,
    stop() {
      stopped = true
      clearInterval(timer)
    }
  }
}
