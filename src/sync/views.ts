/**
 * What materialized views hold, on main at the cut, and on the standby. A sync refreshes what differs; a view that main has not refreshed
 * since its tables changed stays different then, and is told.
 */
import pLimit from 'p-limit'
import type pg from 'pg'
import { retrying } from '../core/retry.js'
import type { DataContext } from '../data/context.js'
import { addDigests, digests, emptyDigest } from '../data/digest.js'
import { explain } from '../data/explain.js'
import type { Unit } from '../data/unit.js'
import { compareView, holdsAlike, refreshViews, type Held, type ViewResult } from '../data/views.js'
import { inOwnSession } from '../postgres/backend.js'
import { qualified } from '../postgres/quote.js'
import { readMaterializedViews, type MaterializedView } from '../postgres/relations.js'
import { readTables, type Table } from '../postgres/tables.js'
import { viewUnit } from './scope.js'
import type { Session } from './session.js'

/** A view, and what it holds. */
export interface HeldView extends MaterializedView {
  table: Table
  held: Held
}

type Named = Pick<Table, 'schema' | 'name'>
const nameOf = ({ schema, name }: Named): string => qualified(schema, name)
const byName = <T extends Named>(all: readonly T[]) => new Map(all.map(one => [nameOf(one), one]))

/** Main's views of the run at the cut, each after those that it reads. */
export async function readViews(session: Session, { pool, pace }: DataContext): Promise<HeldView[]> {
  const { cut, config, views, emit } = session
  if (views.length === 0) return []
  emit({ type: 'phase', phase: 'views' })
  const there = await readMaterializedViews(cut.sql, config.schemas)
  return holding(session, there, views, byName(views), unit =>
    pool.run(async ({ main }) => {
      let all = emptyDigest(unit)
      for await (const piece of pace.pieces(main, unit))
        all = addDigests(all, await digest(main, unit, piece))
      return all
    })
  )
}

/** The standby's views of the same names. */
async function readTheirs(session: Session, ours: readonly HeldView[]): Promise<HeldView[]> {
  const { standby, config, signal } = session
  const tables = await readTables(standby.sql, standby.can, config.schemas, ['m'])
  const there = await readMaterializedViews(standby.sql, config.schemas)
  return holding(session, there, tables, byName(ours.map(({ table }) => table)), unit =>
    inOwnSession(standby, signal, client => digest(client, unit))
  )
}

async function digest(client: pg.Client, unit: Unit, piece = 'true') {
  const [found] = await digests(client, unit, [piece])
  return found!
}

/**
 * @param views of one side, in order
 * @param tables of the same side
 * @param main of those that are asked for, main's
 */
async function holding(
  { config, hashing, retry }: Session,
  views: readonly MaterializedView[],
  tables: readonly Table[],
  main: ReadonlyMap<string, Table>,
  read: (unit: Unit) => Promise<Held>
): Promise<HeldView[]> {
  const here = byName(tables)
  const hold = async (unit: ReturnType<typeof viewUnit>, populated: boolean): Promise<Held> => {
    if ('reason' in unit) return { ...unit, other: true }
    if (!populated) return null
    try {
      return await retrying(unit.name, retry, () => read(unit))
    } catch (error) {
      retry.signal.throwIfAborted()
      return explain(error)
    }
  }
  const limit = pLimit(config.workers)
  const found = views.map(view =>
    limit(async (): Promise<HeldView[]> => {
      const [ours, table] = [main.get(nameOf(view)), here.get(nameOf(view))]
      if (!ours || !table) return []
      return [{ ...view, table, held: await hold(viewUnit(ours, table, config, hashing), view.populated) }]
    })
  )
  return (await Promise.all(found)).flat()
}

/** Main's views against the standby's. */
export async function compareViews(session: Session, ours: readonly HeldView[]): Promise<ViewResult[]> {
  return ours.length === 0 ? [] : compared(ours, await readTheirs(session, ours))
}

function compared(ours: readonly HeldView[], theirs: readonly HeldView[]): ViewResult[] {
  const others = byName(theirs)
  return ours.map(view => compareView(view, view.held, others.get(nameOf(view))?.held))
}

/**
 * Makes the standby's views hold what main's do, as far as REFRESH can.
 * @returns what came of each.
 */
export async function mendViews(session: Session, ours: readonly HeldView[]): Promise<ViewResult[]> {
  if (ours.length === 0) return []
  const { standby, config, replica, retry } = session
  const theirs = await readTheirs(session, ours)
  const before = compared(ours, theirs)
  const main = byName(ours)
  const differing = byName(before.filter(({ status }) => status === 'differs'))
  const due = theirs
    .filter(view => differing.has(nameOf(view)) && !(view.held && 'reason' in view.held))
    .map(view => ({ ...view, populated: main.get(nameOf(view))!.populated }))
    .filter(({ populated }) => populated || config.cleanExtra.rows)
  const failures = await refreshViews(standby, due, replica, retry, async view => {
    const wanted = main.get(nameOf(view))!
    const [now] = await readTheirs(session, [wanted])
    if (!now || holdsAlike(wanted.held, now.held)) return undefined
    return now.held && 'sums' in now.held ? `${now.held.count} ${now.held.sums.join(' ')}` : ''
  })
  const asked = due.map(view => main.get(nameOf(view))!)
  const after = byName(await compareViews(session, asked))
  const reasons = new Map(due.map(view => [nameOf(view), failures.get(view)]))
  return before.map(result => {
    const now = after.get(nameOf(result))
    if (!now) return result.status === 'differs' ? leftAlone(result) : result
    const failure = reasons.get(nameOf(result))
    if (failure !== undefined) return { ...now, status: 'failed', reason: failure }
    if (now.status === 'identical') return { ...now, status: 'synced', standby: result.standby }
    return now.status === 'differs' ? { ...now, ...lasting } : now
  })
}

/** It is not populated on main, or not there, or another one. */
const leftAlone = (result: ViewResult): ViewResult =>
  result.standby === null ? result : { ...result, reason: `${result.reason}: --clean-extra empties it` }

const lasting = {
  reason: 'it was refreshed, and does not hold what main’s does',
  hint: 'REFRESH it on main, where its tables have changed since, and sync again. What its query makes anew each time, such as now(), can be left out with --exclude-column, and the view with -T.'
}
