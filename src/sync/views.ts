/**
 * What materialized views hold, on main as they are when they are read (a snapshot does not keep what a REFRESH has replaced), and on the
 * standby. A sync refreshes what differs; a view that main has not refreshed since its tables changed stays different then, and is told.
 */
import pLimit from 'p-limit'
import type pg from 'pg'
import { retrying } from '../core/retry.js'
import { mainDigests } from '../data/buckets.js'
import type { DataContext } from '../data/context.js'
import { digests, emptyDigest, type Digest } from '../data/digest.js'
import { explain, type Explanation } from '../data/explain.js'
import type { Unit } from '../data/unit.js'
import {
  compareView,
  holdsAlike,
  notPopulated,
  refreshViews,
  type DueView,
  type Held,
  type ViewResult
} from '../data/views.js'
import { codeOf } from '../postgres/failure.js'
import { qualified } from '../postgres/quote.js'
import { readMaterializedViews, type MaterializedView } from '../postgres/relations.js'
import { Sessions } from '../postgres/sessions.js'
import { readTables, type Table } from '../postgres/tables.js'
import { viewUnit } from './scope.js'
import type { Session } from './session.js'

/** A view, and what it holds. */
export interface HeldView extends MaterializedView {
  table: Table
  held: Held
}

/** Takes the digest of all that a view holds. */
type Digester = (unit: Unit) => Promise<Digest>

type Named = Pick<Table, 'schema' | 'name'>
const nameOf = ({ schema, name }: Named): string => qualified(schema, name)
const byName = <T extends Named>(all: readonly T[]) => new Map(all.map(one => [nameOf(one), one]))

/** Main's views of the run, each after those that it reads. */
export async function readViews(session: Session, { pool, pace }: DataContext): Promise<HeldView[]> {
  const { cut, config, views, emit } = session
  if (views.length === 0) return []
  emit({ type: 'phase', phase: 'views' })
  const there = await readMaterializedViews(cut.sql, config.schemas)
  return readSide(session, there, byName(views), byName(views), unit =>
    pool.run(async ({ main }) => (await mainDigests({ pace }, main, unit, one)).get(one) ?? emptyDigest(unit))
  )
}

/** Main's views against the standby's. */
export async function compareViews(
  session: Session,
  ours: readonly HeldView[],
  { pool }: Pick<DataContext, 'pool'>
): Promise<ViewResult[]> {
  if (ours.length === 0) return []
  return resultsOf(
    ours,
    await readTheirs(session, ours, unit => pool.run(({ standby }) => digest(standby, unit)))
  )
}

/**
 * Makes the standby's views hold what main's do, as far as REFRESH can.
 * @returns what came of each.
 */
export async function mendViews(session: Session, ours: readonly HeldView[]): Promise<ViewResult[]> {
  if (ours.length === 0) return []
  const { standby, config, hashing, replica, retry, signal } = session
  const sessions = new Sessions(standby, signal)
  const digester: Digester = unit => sessions.use(client => digest(client, unit))
  try {
    const theirs = await readTheirs(session, ours, digester)
    const before = resultsOf(ours, theirs)
    const due = dueOf(ours, theirs, byName(before), config.cleanExtra.rows)
    const main = byName(ours)
    const failures = await refreshViews(standby, due, replica, retry, async view => {
      const { table, held } = main.get(nameOf(view))!
      const now = await readHeld(session, viewUnit(table, table, config, hashing), digester)
      if (holdsAlike(held, now)) return undefined
      return now.state === 'filled' ? [now.digest.count, ...now.digest.sums.flat()].join(' ') : now.state
    })
    const again = due.map(({ view }) => main.get(nameOf(view))!)
    const after = byName(resultsOf(again, again.length > 0 ? await readTheirs(session, again, digester) : []))
    return before.map(result => outcome(result, after.get(nameOf(result)), failures.get(nameOf(result))))
  } finally {
    await sessions.close()
  }
}

/** The standby's views of the same names. */
async function readTheirs(
  session: Session,
  ours: readonly HeldView[],
  digester: Digester
): Promise<HeldView[]> {
  const { standby, config } = session
  const tables = await readTables(standby.sql, standby.can, config.schemas, ['m'])
  const there = await readMaterializedViews(standby.sql, config.schemas)
  return readSide(session, there, byName(tables), byName(ours.map(({ table }) => table)), digester)
}

/**
 * @param views of one side, in order
 * @param tables of the same side
 * @param main of those that are asked for, main's
 */
async function readSide(
  session: Session,
  views: readonly MaterializedView[],
  tables: ReadonlyMap<string, Table>,
  main: ReadonlyMap<string, Table>,
  digester: Digester
): Promise<HeldView[]> {
  const { config, hashing } = session
  const limit = pLimit(config.workers)
  const found = views.map(async (view): Promise<HeldView[]> => {
    const [ours, table] = [main.get(nameOf(view)), tables.get(nameOf(view))]
    if (!ours || !table) return []
    if (!view.populated) return [{ ...view, table, held: { state: 'empty' } }]
    const unit = viewUnit(ours, table, config, hashing)
    return [{ ...view, table, held: await limit(() => readHeld(session, unit, digester)) }]
  })
  return (await Promise.all(found)).flat()
}

async function readHeld(
  { retry }: Session,
  unit: ReturnType<typeof viewUnit>,
  digester: Digester
): Promise<Held> {
  if ('reason' in unit) return { state: 'other', ...unit }
  try {
    return { state: 'filled', digest: await retrying(unit.name, retry, () => digester(unit)) }
  } catch (error) {
    retry.signal.throwIfAborted()
    return codeOf(error) === notPopulated ? { state: 'empty' } : { state: 'unread', ...explain(error) }
  }
}

/** All rows as one bucket. */
const one = '0'

async function digest(client: pg.Client, unit: Unit): Promise<Digest> {
  const [found] = await digests(client, unit, ['true'])
  return found!
}

function resultsOf(ours: readonly HeldView[], theirs: readonly HeldView[]): ViewResult[] {
  const others = byName(theirs)
  return ours.map(view => compareView(view, view.held, others.get(nameOf(view))?.held))
}

/** Views to fill, as nothing says that they hold what main's do; before them what they read, even where main has emptied it since; and views to empty. */
function dueOf(
  ours: readonly HeldView[],
  theirs: readonly HeldView[],
  results: ReadonlyMap<string, ViewResult>,
  empties: boolean
): DueView[] {
  const main = byName(ours)
  const filled = theirs.filter(
    view =>
      main.get(nameOf(view))!.held.state !== 'empty' &&
      view.held.state !== 'other' &&
      results.get(nameOf(view))!.status !== 'identical'
  )
  const read = new Set(filled.flatMap(view => view.reads.map(nameOf)))
  return theirs
    .map(view => {
      const emptied = main.get(nameOf(view))!.held.state === 'empty'
      const fill = filled.includes(view) || (emptied && read.has(nameOf(view)))
      return { view, fill, empty: emptied && (view.held.state === 'empty' ? fill : empties) }
    })
    .filter(({ fill, empty }) => fill || empty)
}

/** @param now undefined: nothing was done. */
function outcome(
  result: ViewResult,
  now: ViewResult | undefined,
  failure: Explanation | undefined
): ViewResult {
  const left = result.status === 'differs' && !result.populated && result.standby !== null
  if (left && now?.status !== 'identical') {
    return { ...result, reason: `${result.reason}: --clean-extra empties it` }
  }
  if (!now || result.status === 'identical') return result
  const { reason: _, hint: __, ...same } = result
  if (failure) {
    const { sqlstate: ___, ...why } = failure
    return { ...same, status: 'failed', ...why }
  }
  if (now.status === 'identical') return { ...same, status: 'synced', refreshed: true }
  const { reason, hint } = now
  const why = reason === undefined ? lasting : { reason, ...(hint !== undefined && { hint }) }
  return { ...same, status: now.status, refreshed: true, ...why }
}

const lasting = {
  reason: 'it was refreshed, and does not hold what main’s does',
  hint: 'Main’s tables may have changed since it was refreshed there: REFRESH it on main. Or the standby’s tables are not all main’s (-t, -T, --where, --exclude-column, a failure), its settings, such as TimeZone, are others, or the query gives something else each time, as now() does: leave the column out with --exclude-column, or the view with -T.'
}
