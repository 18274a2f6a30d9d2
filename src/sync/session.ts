/**
 * What diff and sync share: both servers opened and found fit, the cut taken, the scope read, the pairs ready. It
 * opens everything and closes everything, in that order, whatever happens in between.
 */
import { setMaxListeners } from 'node:events'
import { ConfigError } from '../core/errors.js'
import type { Emit } from '../core/events.js'
import { Outage } from '../core/outage.js'
import { retrying, type RetryPolicy } from '../core/retry.js'
import type { DataContext } from '../data/context.js'
import { fdwMover } from '../data/fdw.js'
import { ForeignKeyGraph } from '../data/foreignkeys.js'
import { chooseHashForm } from '../data/hash.js'
import { copyMover } from '../data/move.js'
import { Pace } from '../data/pace.js'
import { PairPool } from '../data/pairs.js'
import type { Unit } from '../data/unit.js'
import { openServer } from '../postgres/connect.js'
import { codeOf, isAway, isTransient } from '../postgres/failure.js'
import { readForeignKeys } from '../postgres/relations.js'
import type { Role, Server } from '../postgres/server.js'
import { readTables, type Table } from '../postgres/tables.js'
import type { SchemaPlan } from '../schema/plan.js'
import { atMoment } from './clock.js'
import type { SyncConfig } from './config.js'
import { openCut, type Cut } from './cut.js'
import { refuseSameDatabase } from './guards.js'
import type { TableReport } from './report.js'
import { sinceTimes } from './since.js'
import { chosenTables, hasher, makeScope, type Hashing, type Scope } from './scope.js'

export interface RunContext {
  signal?: AbortSignal
  emit?: Emit
}

export interface Session {
  config: SyncConfig
  main: Server
  standby: Server
  cut: Cut
  /** Main's tables that the run is about. */
  tables: Table[]
  /** And its materialized views. */
  views: Table[]
  hashing: Hashing
  notes: string[]
  emit: Emit
  signal: AbortSignal
  /** The role may set session_replication_role on the standby. */
  replica: boolean
  /** Of work that met a deadlock, a lock or a lost connection. */
  retry: RetryPolicy & { outage: Outage }
  /** What a report can be made of where the run is cut short. */
  progress: { plan?: SchemaPlan; tables?: TableReport[] }
}

/** What a run that begins anew takes over from the one before. */
export interface Before {
  notes: readonly string[]
  /** For how long servers may be away now. */
  outage: Outage
}

/** Opens both servers and the cut, runs `work`, and closes them again. */
export async function withSession<T>(
  given: SyncConfig,
  context: RunContext,
  work: (session: Session) => Promise<T>,
  before: Before = { notes: [], outage: new Outage(given.connectWait, isAway) }
): Promise<T> {
  const notes: string[] = [...before.notes]
  const emit: Emit = event => {
    // Before and while rows are written the same may be found twice.
    if (event.type === 'note' && notes.includes(event.message)) return
    if (event.type === 'note') notes.push(event.message)
    context.emit?.(event)
  }
  const signal = context.signal ?? new AbortController().signal
  // Whatever waits listens to it, and much may wait at once.
  setMaxListeners(0, signal)
  emit({ type: 'phase', phase: 'connect' })
  const limits = { lockTimeout: given.lockTimeout, statementTimeout: given.statementTimeout }
  const waiting = { retries: 0, signal, emit, transient: isAway, outage: before.outage }
  const open = async (role: Role) => {
    const server = await retrying(role, waiting, () => openServer(role, given[role], given.env, limits))
    server.watch(given.maxOutage)
    return server
  }
  const main = await open('main')
  try {
    const standby = await open('standby')
    try {
      await refuseSameDatabase(main, standby)
      const cut = await openCut(main)
      try {
        emit({ type: 'cut', snapshot: cut.snapshot, lsn: cut.lsn, time: cut.time })
        if (cut.note) emit({ type: 'note', message: cut.note })
        const config = { ...given, schemas: await schemasOf(main, given) }
        const hashing = {
          form: await chooseHashForm(main, standby, config.strictHash),
          exactFloats: main.can.shortestFloats === standby.can.shortestFloats,
          upsertThroughParent: standby.can.upsertThroughParent
        }
        const { tables, views } = await tablesOf(main, cut, config)
        const replica = await mayBeReplica(standby)
        const outage = new Outage(config.maxOutage, isAway)
        const retry = { retries: config.retries, signal, emit, transient: isTransient, outage }
        const session = {
          config,
          main,
          standby,
          cut,
          tables,
          views,
          hashing,
          notes,
          emit,
          signal,
          replica,
          retry
        }
        return await work({ ...session, progress: {} })
      } finally {
        await cut.close()
      }
    } finally {
      await standby.close()
    }
  } finally {
    await main.close()
  }
}

/** Those of the run, which all exist on main. */
async function schemasOf(main: Server, { schemas, allSchemas }: SyncConfig): Promise<readonly string[]> {
  const rows = await main.sql<{ name: string }[]>`SELECT nspname::text AS name FROM pg_catalog.pg_namespace
    WHERE nspname !~ '^pg_' AND nspname NOT IN ('information_schema', 'pgsyncer') ORDER BY 1`
  const there = rows.map(row => row.name)
  if (allSchemas) return there
  if (schemas.includes('pgsyncer')) {
    throw new ConfigError('schema "pgsyncer" is the tool’s own, and takes no part', {
      hint: 'Rename yours, on both sides, or leave it out of --schema.'
    })
  }
  const missing = schemas.filter(schema => !there.includes(schema))
  if (missing.length === 0) return schemas
  throw new ConfigError(`main has no schema ${missing.map(name => JSON.stringify(name)).join(', ')}`, {
    hint: 'Check --schema: names are taken letter by letter, capitals too.'
  })
}

/** Without rows and patterns no table is asked for by itself. */
async function tablesOf(
  main: Server,
  cut: Cut,
  config: SyncConfig
): Promise<Pick<Session, 'tables' | 'views'>> {
  const chooses = config.tables.length > 0 || config.excludeTables.length > 0
  if (!config.syncData && !chooses) return { tables: [], views: [] }
  const all = await readTables(cut.sql, main.can, config.schemas, ['r', 'p', 'f', 'm'])
  const chosen = chosenTables(all, config)
  return {
    tables: chosen.filter(({ kind }) => kind !== 'm'),
    views: chosen.filter(({ kind }) => kind === 'm')
  }
}

/** Asked within one statement, which leaves nothing set. */
export async function mayBeReplica(standby: Server): Promise<boolean> {
  try {
    await standby.sql`SELECT pg_catalog.set_config('session_replication_role', 'replica', true)`
    return true
  } catch (error) {
    // A connection that was lost says nothing of rights, and triggers must not fire because of it.
    if (codeOf(error) === '42501') return false
    throw error
  }
}

/** The scope as the standby's tables are now. */
export async function readScope(session: Session): Promise<Scope> {
  const { standby, tables, hashing, cut } = session
  const filters = Object.entries(session.config.where)
  const where = Object.fromEntries(filters.map(([pattern, rows]) => [pattern, atMoment(rows, cut.time)]))
  const config = { ...session.config, where }
  return makeScope(tables, await readTables(standby.sql, standby.can, config.schemas), config, hashing)
}

/** Runs `work` with what the data floor needs; its connections are closed afterwards. */
export async function withData<T>(
  session: Session,
  units: readonly Unit[],
  work: (context: DataContext) => Promise<T>
): Promise<T> {
  const { config, main, standby, cut, emit, signal, replica } = session
  const workers = cut.snapshot === undefined ? 1 : config.workers
  const pool = new PairPool(main, standby, cut, replica, workers, signal)
  const rows = units.reduce((sum, unit) => sum + Math.max(0, unit.main.estimate), 0)
  emit({ type: 'plan', tables: units.length, rows })
  const graph = new ForeignKeyGraph(units, await readForeignKeys(standby.sql, standby.can))
  try {
    return await work({
      pool,
      retry: session.retry,
      emit,
      signal,
      chunkSize: config.chunkSize,
      workers,
      deletes: config.cleanExtra.rows,
      verify: config.verify,
      samples: config.samples,
      graph,
      mover: config.fdwMode ? fdwMover(main, { host: config.fdwHost, port: config.fdwPort }) : copyMover,
      pace: new Pace(config.maxRate, main.can, signal),
      since: await sinceTimes(session, units, graph),
      hash: hasher(session.hashing)
    })
  } finally {
    await pool.close()
  }
}

/** The units whose table on the standby holds no row. One that cannot be read is left to its own comparison to tell. */
export async function emptyUnits(standby: Server, units: readonly Unit[]): Promise<Set<Unit>> {
  const empty = new Set<Unit>()
  const ask = async (batch: readonly Unit[]) => {
    const asks = batch.map((unit, i) => `SELECT ${i} AS i WHERE NOT EXISTS (SELECT 1 FROM ${unit.source})`)
    const rows = await standby.sql.unsafe<{ i: number }[]>(asks.join(' UNION ALL '))
    for (const row of rows) empty.add(batch[row.i]!)
  }
  for (let start = 0; start < units.length; start += 200) {
    const batch = units.slice(start, start + 200)
    try {
      await ask(batch)
    } catch {
      for (const unit of batch) await ask([unit]).catch(() => {})
    }
  }
  return empty
}

/** Large objects belong to no table, and no mode moves them. */
export async function noteLargeObjects(main: Server, emit: Emit): Promise<void> {
  const rows =
    await main.sql`SELECT pg_catalog.count(*)::text AS n FROM pg_catalog.pg_largeobject_metadata`.catch(
      () => []
    )
  const n = rows[0]?.n ?? '0'
  if (n !== '0')
    emit({ type: 'note', message: `main has ${n} large objects: they are not compared and not moved` })
}
