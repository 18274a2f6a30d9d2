/**
 * `apply-plan`: exactly what a plan says, in one transaction, or nothing. Every row must still be what it was when the plan was made,
 * and is proved to be what it was to become; the undo is on the disk before the first is written.
 */
import { rm } from 'node:fs/promises'
import type pg from 'pg'
import { DataError, messageOf, PgsyncerError } from '../../core/errors.js'
import type { Emit } from '../../core/events.js'
import { explain } from '../../data/explain.js'
import { writePatches } from '../../data/patch.js'
import { contents, refreshViews } from '../../data/views.js'
import { inOwnSession } from '../../postgres/backend.js'
import { openServer } from '../../postgres/connect.js'
import { isConnectionLoss, isTransient } from '../../postgres/failure.js'
import { qualified } from '../../postgres/quote.js'
import { readMaterializedViews } from '../../postgres/relations.js'
import type { SchemaStatement } from '../../schema/change.js'
import { refuseReadOnly } from '../guards.js'
import { StandbyLock } from '../lock.js'
import { mayBeReplica, type RunContext } from '../session.js'
import { noteEventTriggers } from '../triggers.js'
import { completeApplyPlan, type ApplyPlanConfig, type ApplyPlanOptions } from './config.js'
import type { PlanHead } from './document.js'
import { guardRows, guardStructure, refuseOther } from './guards.js'
import { readHead } from './reader.js'
import type { PlanReport } from './report.js'
import { stageRows, type Applying } from './stage.js'
import { planSequences, setPlanned, type Planned } from './sequences.js'
import { refuseOverwriting, writeUndo } from './undo.js'

/**
 * Applies a plan to the standby.
 * @throws ConfigError where the file is no plan; GuardError where a row, the structure or a guard stands against it; SchemaError,
 * DataError or ConnectionError where the standby refused. Nothing was written then, unless the error says so.
 */
export async function applyPlan(options: ApplyPlanOptions, context: RunContext = {}): Promise<PlanReport> {
  const config = completeApplyPlan(options)
  const started = performance.now()
  const notes: string[] = []
  const emit: Emit = event => {
    if (event.type === 'note') notes.push(event.message)
    context.emit?.(event)
  }
  const signal = context.signal ?? new AbortController().signal
  const plan = await readHead(config.plan)
  guardStructure(plan, config)
  if (config.undo !== undefined) await refuseOverwriting(config.undo)
  emit({ type: 'phase', phase: 'connect' })
  const { lockTimeout, statementTimeout } = config
  const standby = await openServer('standby', config.standby, config.env, { lockTimeout, statementTimeout })
  try {
    await refuseReadOnly(standby)
    const lock = await StandbyLock.take(standby)
    try {
      const replica = await mayBeReplica(standby)
      const applying = { path: config.plan, plan, standby: lock.guarded(), replica, emit, signal }
      const { tables, sequences } = await inOwnSession(standby, signal, client =>
        inTransaction(client, applying, config)
      )
      const failures = config.dryRun ? [] : await afterwards(applying)
      if (!config.dryRun) await noteEventTriggers(applying)
      return {
        version: 1,
        command: 'apply-plan',
        kind: plan.kind,
        applied: !config.dryRun,
        ok: failures.length === 0,
        standby: { address: standby.address, version: standby.version },
        cut: plan.cut.time,
        tables,
        structure: plan.structure?.changes.map(({ label }) => label) ?? [],
        sequences,
        missing: plan.missing,
        ...(config.undo !== undefined && !config.dryRun && { undo: config.undo }),
        failures,
        notes,
        durationMs: Math.round(performance.now() - started)
      }
    } finally {
      await lock.release()
    }
  } finally {
    await standby.close()
  }
}

/** What a transaction did, for the report. */
type Done = Pick<PlanReport, 'tables' | 'sequences'>

async function inTransaction(client: pg.Client, applying: Applying, config: ApplyPlanConfig): Promise<Done> {
  const { plan, standby, replica, emit, signal } = applying
  if (plan.structure) await refuseOther(standby, plan.structure, signal)
  /** An undo of what is not committed. */
  let undone: string | undefined
  try {
    if (replica) await client.query('SET session_replication_role = replica')
    const { preamble = [], outside = [], structure = [], constraints = [] } = plan.structure?.script ?? {}
    for (const statement of preamble) await client.query(statement)
    if (!config.dryRun) for (const one of outside) await runStatement(client, one)
    await client.query('BEGIN')
    if (structure.length > 0) emit({ type: 'phase', phase: 'structure' })
    for (const one of structure) await runStatement(client, one)
    const patches = await stageRows(applying, client)
    const sequences = await planSequences(client, standby.can, plan)
    const tables = await guardRows(client, plan, patches.byName, config)
    if (config.undo !== undefined && !config.dryRun) {
      const back = sequences.filter(({ result }) => result.status === 'set').map(backOf)
      undone = config.undo
      await writeUndo(undone, client, plan, patches.byName, back)
    }
    emit({ type: 'phase', phase: 'rows' })
    await writePatches(patches.context, client, patches.ordered)
    await client.query('SET CONSTRAINTS ALL IMMEDIATE')
    const inside = constraints.filter(one => !isAlone(one))
    if (inside.length > 0) emit({ type: 'phase', phase: 'constraints' })
    for (const one of inside) await runStatement(client, one)
    signal.throwIfAborted()
    if (config.dryRun) await client.query('ROLLBACK')
    else {
      await setPlanned(client, sequences)
      await client.query('COMMIT')
    }
    undone = undefined
    return { tables, sequences: sequences.map(({ result }) => result) }
  } catch (error) {
    signal.throwIfAborted()
    // Whether it was committed nobody knows then, and the undo may be needed.
    if (isConnectionLoss(error)) undone = undefined
    throw error instanceof PgsyncerError ? error : explained(error)
  } finally {
    if (undone !== undefined) await rm(undone, { force: true })
  }
}

function explained(error: unknown): DataError {
  const { reason, ...details } = explain(error)
  return new DataError(`the plan could not be applied, and nothing was written: ${reason}`, {
    ...details,
    cause: error
  })
}

const isAlone = ({ hazards }: SchemaStatement): boolean => hazards.includes('not-transactional')

async function runStatement(client: pg.Client, { sql, label }: SchemaStatement): Promise<void> {
  try {
    await client.query(sql)
  } catch (error) {
    if (isConnectionLoss(error)) throw error
    const { reason, ...details } = explain(error)
    throw new DataError(`${label} could not be done, and the plan was not applied: ${reason}`, {
      ...details,
      cause: error
    })
  }
}

const backOf = ({ schema, name, now, to }: Planned): PlanHead['sequences'][number] => ({
  schema,
  name,
  from: to,
  to: now
})

/** What no transaction can hold, and what is made from the rows. */
async function afterwards({ plan, standby, replica, emit, signal }: Applying): Promise<string[]> {
  const failures: string[] = []
  for (const { sql, label } of plan.structure?.script.constraints.filter(isAlone) ?? []) {
    signal.throwIfAborted()
    await standby.sql.unsafe(sql).catch((error: unknown) => failures.push(`${label}: ${messageOf(error)}`))
  }
  const schemas = [...new Set(plan.views.map(({ schema }) => schema))]
  if (schemas.length === 0) return failures
  emit({ type: 'phase', phase: 'views' })
  const retry = { retries: 5, signal, emit, transient: isTransient }
  const named = new Map(plan.views.map(view => [qualified(view.schema, view.name), view]))
  const due = (await readMaterializedViews(standby.sql, schemas))
    .filter(({ schema, name, populated }) => {
      const view = named.get(qualified(schema, name))
      return view && !(view.ifEmpty && populated)
    })
    .map(view => ({ view, fill: true, empty: false }))
  const refused = await refreshViews(standby, due, replica, retry, view => contents(standby, signal, view))
  return [
    ...failures,
    ...due.flatMap(({ view: { schema, name } }) => {
      const failure = refused.get(qualified(schema, name))
      return failure ? [`materialized view ${schema}.${name} ${failure.reason}`] : []
    })
  ]
}
