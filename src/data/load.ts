/**
 * Fills an empty table of the standby: nothing is compared, rows go by COPY straight into the table, a large one in
 * pieces over the pairs. What proves it is the count of rows that main sent and the standby stored.
 */
import { DataError } from '../core/errors.js'
import { retrying } from '../core/retry.js'
import { backendOf } from '../postgres/backend.js'
import { commitOnce } from './commit.js'
import { checkDeferrable } from './constraints.js'
import type { DataContext } from './context.js'
import { checkParents } from './foreignkeys.js'
import { pageRanges } from './pages.js'
import type { Pair } from './pairs.js'
import type { Tally } from './tally.js'
import type { Unit } from './unit.js'

/** Pages of a piece at least: 64 MB of 8 KB pages. */
const piecePages = 8192

export async function loadUnit(context: DataContext, unit: Unit, tally: Tally): Promise<void> {
  const { conditions, file } = await cutByPages(context, unit)
  const pieces = await Promise.allSettled(
    conditions.map(async condition => {
      const rows = await retrying(unit.name, context.retry, () => loadPiece(context, unit, condition))
      tally.main += rows
      tally.insert += rows
    })
  )
  for (const piece of pieces) if (piece.status === 'rejected') throw piece.reason
  // Rows have their places for as long as the table has its file.
  if (conditions.length === 1 || (await pagesOf(context, unit)).file === file) return
  throw new DataError(
    `${unit.name} was rewritten on main while it was read (VACUUM FULL, CLUSTER or ALTER TABLE)`,
    {
      table: unit.name,
      hint: 'Run the sync again, which compares and mends the table.'
    }
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
        .move(pair, unit, condition, unit.relation, context.pace)
        .finally(told.stop)
      context.emit({ type: 'rows', table: unit.name, rows: rows - told.rows() })
      if (context.pool.replica) {
        for (const key of context.graph.from(unit)) await checkParents(standby, key, unit.source)
      }
      await checkDeferrable(context, pair, unit, 'true')
      await context.mover.end(pair, [unit])
      await commitOnce(context, standby, unit.name)
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
async function cutByPages(
  context: DataContext,
  unit: Unit
): Promise<{ conditions: string[]; file?: string }> {
  const { main } = context.pool
  if (
    !main.can.tidRange ||
    unit.main.kind !== 'r' ||
    !context.mover.byPlace ||
    context.graph.from(unit).length > 0
  )
    return { conditions: ['true'] }
  const { pages, file } = await pagesOf(context, unit)
  const pieces = Math.min(context.workers * 2, Math.floor(pages / piecePages))
  return { conditions: pageRanges(pages, pieces), file }
}

async function pagesOf({ pool }: DataContext, unit: Unit): Promise<{ pages: number; file: string }> {
  const [found] = await pool.main.sql<{ pages: number; file: string }[]>`
    SELECT (pg_catalog.pg_relation_size(${unit.main.oid}::oid) / current_setting('block_size')::int)::int AS pages,
      coalesce(pg_catalog.pg_relation_filenode(${unit.main.oid}::oid), 0)::text AS file`
  return found!
}

/** Milliseconds between two looks at how far a COPY has come. */
const lookEvery = 1000

/** Emits how many rows the standby has taken so far, as its own progress view tells it. */
function watchCopy(context: DataContext, pair: Pair, unit: Unit): { rows(): number; stop(): void } {
  const { standby } = context.pool
  let seen = 0
  let stopped = !standby.can.copyProgress
  const look = async (): Promise<void> => {
    const [now] = await standby.sql<{ rows: number }[]>`
      SELECT tuples_processed::float8 AS rows FROM pg_catalog.pg_stat_progress_copy WHERE pid = ${backendOf(pair.standby)}`
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
