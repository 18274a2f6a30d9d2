/**
 * `sync`: structure, rows, then what the rows must satisfy. Nothing is written before every guard has been asked;
 * after that a table that fails is reported, and the others go on.
 */
import { comparedFirst, compareUnits, writeUnits, type UnitResult } from '../data/rows.js'
import { compareSequences, setSequences } from '../data/sequences.js'
import { comparedAlike, type Unit } from '../data/unit.js'
import { isConnectionLoss } from '../postgres/failure.js'
import { readSequences, type Sequence } from '../postgres/relations.js'
import { applyConstraints, applyStructure } from '../schema/apply.js'
import { planSchema, type SchemaPlan } from '../schema/plan.js'
import { proveSchema } from '../schema/proof.js'
import { untilWhole, withEarlier } from './again.js'
import { assembleReport, missingReport, refusedReports, tableReport } from './assemble.js'
import { completeConfig, type SyncOptions } from './config.js'
import { guardDeletes, guardDrops, guardHazards, refuseReadOnly } from './guards.js'
import { StandbyLock } from './lock.js'
import { hasRecord, writeRecord } from './record.js'
import { beginStructure, endStructure, unfinishedStructure } from './unfinished.js'
import type { Report, TableReport } from './report.js'
import {
  emptyUnits,
  noteLargeObjects,
  readScope,
  withData,
  type RunContext,
  type Session
} from './session.js'
import { givenSince, sourceName } from './since.js'
import { schemaOptions, schemaScope } from './structure.js'
import { noteEventTriggers, noteTriggers } from './triggers.js'
import { mendViews, readViews, type HeldView } from './views.js'

/**
 * Makes the standby what main is at one moment.
 * @throws ConfigError, ConnectionError, ProgramError; GuardError before anything was written; SchemaError where the
 * missing structure could not be made (then nothing of it was). A single table's failure is in the report instead.
 */
export async function sync(options: SyncOptions, context: RunContext = {}): Promise<Report> {
  const config = completeConfig(options)
  const started = performance.now()
  return untilWhole('sync', config, context, async (opened, earlier) => {
    await refuseReadOnly(opened.standby)
    const lock = await StandbyLock.take(opened.standby)
    const session = { ...opened, standby: lock.guarded() }
    try {
      const plan = config.syncSchema ? await planStructure(session) : undefined
      if (plan) guardHazards((session.progress.plan = plan))
      let compared = await compareFirst(session)
      await guardAll(session, plan, compared)
      if (plan && !plan.identical) {
        await changeStructure(session, plan)
        // Tables whose columns differed can be compared now.
        compared = await compareFirst(session, compared)
        guardDeletes([...compared.values()], config.maxDelete, true)
      }
      const held = config.syncData ? await writeRows(session, compared, earlier) : []
      const tables = (session.progress.tables ??= [])
      const rest = await readRest(session)
      await session.cut.close()
      const { sequences, views } = await finish(session, plan, rest, held)
      const wrote =
        plan?.identical === false ||
        views.some(view => view.refreshed) ||
        tables.some(({ insert, update, delete: gone }) => insert + update + gone > 0)
      if (wrote) await noteEventTriggers(session)
      if (plan) await prove(session, plan)
      await record(session, tables)
      return assembleReport(session, {
        command: 'sync',
        started,
        plan,
        tables,
        sequences,
        views,
        failures: []
      })
    } finally {
      await lock.release()
    }
  })
}

async function planStructure(session: Session): Promise<SchemaPlan> {
  const { main, standby, emit } = session
  const since = await unfinishedStructure(standby)
  if (since !== undefined) {
    const message = `the run of ${since} stopped before the structure was whole: this one goes on where it stopped`
    emit({ type: 'note', message })
  }
  emit({ type: 'phase', phase: 'structure' })
  return planSchema(main, standby, schemaScope(session), schemaOptions(session))
}

/** A failure leaves the structure as it was, and then there is nothing to go on with. */
async function changeStructure(session: Session, plan: SchemaPlan): Promise<void> {
  const { standby, replica } = session
  await beginStructure(standby, replica)
  try {
    await applyStructure(plan, standby, schemaOptions(session))
  } catch (error) {
    // Whether a lost connection has left it as it was, the next run will see.
    if (!isConnectionLoss(error)) await endStructure(standby, replica)
    throw error
  }
}

/** Table → result, of those that must be compared before anything is written. */
type Compared = ReadonlyMap<string, UnitResult>

async function compareFirst(session: Session, before: Compared = new Map()): Promise<Compared> {
  const { config, standby, emit } = session
  if (!config.syncData || !config.cleanExtra.rows) return new Map()
  emit({ type: 'phase', phase: 'compare' })
  const { units } = await readScope(session)
  const now = new Map(units.map(unit => [unit.name, unit]))
  const known = new Map(
    [...before].filter(
      ([name, { unit, status }]) => status !== 'failed' && comparedAlike(unit, now.get(name))
    )
  )
  return withData(session, units, async context => {
    const empty = await emptyUnits(standby, units)
    const first = units.filter(
      unit => !empty.has(unit) && !known.has(unit.name) && comparedFirst(context, unit)
    )
    const results = await compareUnits(context, first)
    return new Map([...known, ...results.map(result => [result.unit.name, result] as const)])
  })
}

async function guardAll(session: Session, plan: SchemaPlan | undefined, compared: Compared): Promise<void> {
  const { config, standby } = session
  guardDeletes([...compared.values()], config.maxDelete)
  if (!plan || !config.cleanExtra.objects) return
  const dropped = plan.changes.filter(change => change.action === 'drop' && change.kind === 'TABLE')
  await guardDrops(standby, dropped, config.maxDelete)
}

/**
 * What comes of the tables is kept in the session, as a run that is cut short after that has it to tell.
 * @param earlier what the gos before this one have written
 * @returns what main's materialized views hold, which is read while its connections are there.
 */
async function writeRows(
  session: Session,
  compared: Compared,
  earlier: readonly TableReport[]
): Promise<HeldView[]> {
  const { config, standby, emit } = session
  const scope = await readScope(session)
  emit({ type: 'phase', phase: 'rows' })
  noteTriggers(session, scope.units)
  return withData(session, scope.units, async context => {
    const empty = await emptyUnits(standby, scope.units)
    const known = new Map<Unit, UnitResult>()
    for (const unit of scope.units) {
      const result = compared.get(unit.name)
      if (result) known.set(unit, { ...result, unit, tally: { ...result.tally, unit } })
    }
    const results = await writeUnits(context, scope.units, empty, known)
    const tables = [
      ...results.map(result => tableReport(result, 'sync', config.cleanExtra.rows)),
      ...scope.missing.map(missingTable),
      ...refusedReports(scope)
    ]
    session.progress.tables = withEarlier(tables, earlier)
    return readViews(session, context)
  })
}

function missingTable(unit: Unit): TableReport {
  return {
    ...missingReport(unit, 0, []),
    status: 'failed',
    hint: 'Let --sync-schema make it, or make it by hand.'
  }
}

/** The last that is asked of main: what the standby does after that needs no main that answers. */
async function readRest({ config, main, emit }: Session) {
  await noteLargeObjects(main, emit)
  return config.syncData ? readSequences(main.sql, config.schemas, main.can) : []
}

/** What the rows must satisfy, and what is made from them. */
async function finish(
  session: Session,
  plan: SchemaPlan | undefined,
  ours: readonly Sequence[],
  views: readonly HeldView[]
) {
  const { config, standby, emit, retry } = session
  emit({ type: 'phase', phase: 'constraints' })
  const options = schemaOptions(session)
  if (plan) await applyConstraints(plan, standby, options)
  if (!config.syncData) return { sequences: [], views: [] }
  emit({ type: 'phase', phase: 'sequences' })
  const theirs = await readSequences(standby.sql, config.schemas, standby.can)
  const sequences = compareSequences(ours, theirs)
  await setSequences(standby, sequences, ours, config.cleanExtra.rows, retry)
  emit({ type: 'phase', phase: 'views' })
  return { sequences, views: await mendViews(session, views) }
}

/** Reads the standby's structure again; main's is known, as it was at the cut. */
async function prove(session: Session, plan: SchemaPlan): Promise<void> {
  const { main, standby, emit } = session
  if (!plan.identical) {
    emit({ type: 'phase', phase: 'proof' })
    await proveSchema(plan, main, standby, schemaScope(session), schemaOptions(session))
  }
  await endStructure(standby, session.replica)
}

async function record(session: Session, tables: readonly TableReport[]): Promise<void> {
  const { standby, main, cut, config, emit } = session
  // What was left out by rows or columns is not what main is.
  const partly = [config.where, config.excludeColumns].some(rules => Object.keys(rules).length > 0)
  // Nothing of ours stays on a standby that never asked for it.
  if (!config.syncData || partly || !(config.useUpdatedAt || (await hasRecord(standby)))) return
  const whole = tables.filter(
    table => table.status === 'synced' || table.status === 'identical' || table.left
  )
  const names = whole.map(table => ({ schema: table.schema, name: table.table }))
  const failure = await writeRecord(
    standby,
    session.replica,
    sourceName(main),
    names,
    cut,
    givenSince(config)
  )
  if (failure) emit({ type: 'note', message: failure })
}
