/**
 * `apply-plan`: exactly what a plan says, in one transaction, or nothing. Every row must still be what it was when the plan was made,
 * and is proved to be what it was to become; the undo is on the disk before the first is written.
 */
import { rm } from 'node:fs/promises'
import type pg from 'pg'
import { ConfigError, DataError, GuardError, messageOf, PgsyncerError } from '../../core/errors.js'
import type { Emit } from '../../core/events.js'
import type { WriteContext } from '../../data/context.js'
import { explain } from '../../data/explain.js'
import { ForeignKeyGraph } from '../../data/foreignkeys.js'
import { rowDigestText } from '../../data/hash.js'
import { changedRows, countPatch, writePatches } from '../../data/patch.js'
import { closeStage, fillStage, openStage, type Patch } from '../../data/patchstage.js'
import { refreshViews } from '../../data/views.js'
import { openServer } from '../../postgres/connect.js'
import { isConnectionLoss, isTransient } from '../../postgres/failure.js'
import { readForeignKeys, readMaterializedViews } from '../../postgres/relations.js'
import { asQueryable, type Server } from '../../postgres/server.js'
import { readTables } from '../../postgres/tables.js'
import type { SchemaStatement } from '../../schema/change.js'
import { lacksPassword } from '../../schema/secretsql.js'
import { allowed, refuseReadOnly } from '../guards.js'
import { StandbyLock } from '../lock.js'
import { mayBeReplica, type RunContext } from '../session.js'
import { completeApplyPlan, type ApplyPlanConfig, type ApplyPlanOptions } from './config.js'
import type { PlanHead, PlanStructure } from './document.js'
import { structureDigest } from './make.js'
import { batchesOf } from './batches.js'
import { readHead } from './reader.js'
import type { PlanReport } from './report.js'
import { planSequences, setPlanned, type Planned } from './sequences.js'
import { refuseOverwriting, writeUndo } from './undo.js'
import { planUnits } from './units.js'

/** Rows that are named where some have changed. */
const mostNamed = 20

interface Applying {
  config: ApplyPlanConfig
  plan: PlanHead
  standby: Server
  replica: boolean
  emit: Emit
  signal: AbortSignal
}

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
      const applying = { config, plan, standby: lock.guarded(), replica, emit, signal }
      const { tables, sequences } = await inTransaction(applying)
      const failures = config.dryRun ? [] : await afterwards(applying)
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

function guardStructure({ structure }: PlanHead, { undo, allow }: ApplyPlanConfig): void {
  if (!structure) return
  if (undo !== undefined) {
    throw new ConfigError('the plan changes the structure, which no undo brings back', {
      hint: 'Apply the structure first, by a plan of its own (diff --plan with --sync-data=false), and then a plan of the rows, with --undo.'
    })
  }
  if (structure.strangers.length > 0) {
    throw new GuardError(
      `the structure cannot be changed, because what is outside of the scope rests on it: ${structure.strangers.join('; ')}`,
      {
        hint: 'Make the plan with --schema for its schema as well, or with --all-schemas.'
      }
    )
  }
  const risks = structure.risks.filter(({ hazard }) => !allow.includes('all') && !allow.includes(hazard))
  if (risks.length > 0) {
    const names = [...new Set(risks.map(({ hazard }) => hazard))]
    throw new GuardError(
      `the plan changes the structure at a risk, and nothing was changed:\n${risks.map(({ change, hazard }) => `${change}: ${hazard}`).join('\n')}`,
      { hint: `--allow ${names.join(',')} accepts ${risks.length === 1 ? 'it' : 'them'}.` }
    )
  }
  const { outside, structure: inside, constraints } = structure.script
  const secret = [...outside, ...inside, ...constraints].find(({ sql }) => lacksPassword(sql))
  if (secret) {
    throw new GuardError(`${secret.label} needs a password, which no plan holds`, {
      hint: 'Make it on the standby by hand, and the plan anew; or let sync do it.'
    })
  }
}

/** What a transaction did, for the report. */
type Done = Pick<PlanReport, 'tables' | 'sequences'>

async function inTransaction(applying: Applying): Promise<Done> {
  const { config, plan, standby, replica, emit, signal } = applying
  if (plan.structure) await refuseOther(standby, plan.structure, signal)
  const client = await standby.connect()
  const stop = () =>
    void standby.sql`SELECT pg_catalog.pg_cancel_backend(${(client as unknown as { processID: number }).processID})`.catch(
      () => {}
    )
  signal.addEventListener('abort', stop, { once: true })
  let undone = config.undo
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
    const tables = await countRows(client, plan, patches, config)
    if (config.undo !== undefined && !config.dryRun)
      await writeUndo(
        config.undo,
        client,
        plan,
        patches.byName,
        sequences.filter(({ result }) => result.status === 'set').map(backOf)
      )
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
    signal.removeEventListener('abort', stop)
    await client.end().catch(() => {})
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

async function refuseOther(
  standby: Server,
  { before, schemas, all }: PlanStructure,
  signal: AbortSignal
): Promise<void> {
  if ((await structureDigest(standby, schemas, all, signal)) === before) return
  throw new GuardError(
    'the standby’s structure has changed since the plan was made, and nothing was written',
    {
      hint: 'Make the plan anew with diff --plan.'
    }
  )
}

interface Patches {
  context: WriteContext
  byName: ReadonlyMap<string, Patch>
  /** Parents first. */
  ordered: readonly Patch[]
}

/** Brings the plan's rows to the standby, and keeps other writers out from then on. */
async function stageRows(
  { config, plan, standby, replica, signal }: Applying,
  client: pg.Client
): Promise<Patches> {
  const sql = asQueryable(client)
  const schemas = [...new Set(plan.tables.map(({ schema }) => schema))]
  const tables = plan.tables.length > 0 ? await readTables(sql, standby.can, schemas) : []
  const units = planUnits(plan, tables, standby.can.upsertThroughParent)
  const graph = new ForeignKeyGraph([...units.values()], await readForeignKeys(sql, standby.can))
  const { form, exactFloats } = plan.digest
  const byName = new Map<string, Patch>()
  for (const [name, unit] of units) {
    await client.query(`LOCK TABLE ${unit.relation} IN SHARE ROW EXCLUSIVE MODE`)
    const digest = rowDigestText(form, unit.compared, exactFloats)
    byName.set(name, await openStage(client, unit, digest, byName.size + 1))
  }
  for await (const { table, batches } of batchesOf(config.plan, plan, signal))
    await fillStage(client, byName.get(table)!, batches, signal)
  for (const patch of byName.values()) await closeStage(client, patch)
  const byUnit = new Map([...byName.values()].map(patch => [patch.unit, patch]))
  return {
    context: { pool: { replica }, graph },
    byName,
    ordered: graph.ordered().map(unit => byUnit.get(unit)!)
  }
}

/** @throws GuardError where rows are not as they were, or too many would go. */
async function countRows(
  client: pg.Client,
  plan: PlanHead,
  { byName }: Patches,
  { maxDelete }: ApplyPlanConfig
): Promise<PlanReport['tables']> {
  const changed: string[] = []
  const tooMany: string[] = []
  const tables: PlanReport['tables'] = []
  for (const { name, schema, table } of plan.tables) {
    const patch = byName.get(name)!
    const rows = await changedRows(client, patch, mostNamed + 1)
    changed.push(...rows.map(row => `${name} ${row}`))
    const counts = await countPatch(client, patch)
    tables.push({ schema, table, ...counts })
    // Of fewer no share is asked.
    const whole = counts.delete > allowed(maxDelete, 0) ? await countAll(client, patch) : 0
    if (counts.delete > allowed(maxDelete, whole)) tooMany.push(`${name} (${counts.delete} of ${whole} rows)`)
  }
  if (changed.length > 0) {
    const named = changed.slice(0, mostNamed).join('\n')
    throw new GuardError(
      `rows of the standby have changed since the plan was made, and nothing was written:\n${named}${changed.length > mostNamed ? '\n… and more' : ''}`,
      { hint: 'Make the plan anew with diff --plan, or take those rows out of it.' }
    )
  }
  if (tooMany.length > 0) {
    throw new GuardError(`the plan would delete too much: ${tooMany.join(', ')}`, {
      hint: 'If that is meant, raise --max-delete (a number of rows, or a percentage such as 100%).'
    })
  }
  return tables
}

async function countAll(client: pg.Client, { unit }: Patch): Promise<number> {
  const { rows } = await client.query<{ n: string }>(
    `SELECT pg_catalog.count(*)::text AS n FROM ${unit.source}`
  )
  return Number(rows[0]!.n)
}

const backOf = ({ schema, name, now, to }: Planned): PlanHead['sequences'][number] => ({
  schema,
  name,
  from: to,
  to: now
})

/** What no transaction can hold, and what is made from the rows. */
async function afterwards({ plan, standby, emit, signal }: Applying): Promise<string[]> {
  const failures: string[] = []
  for (const { sql, label } of plan.structure?.script.constraints.filter(isAlone) ?? []) {
    signal.throwIfAborted()
    await standby.sql.unsafe(sql).catch((error: unknown) => failures.push(`${label}: ${messageOf(error)}`))
  }
  const schemas = [...new Set(plan.views.map(({ schema }) => schema))]
  if (schemas.length === 0) return failures
  emit({ type: 'phase', phase: 'views' })
  const retry = { retries: 5, signal, emit, transient: isTransient }
  const populated = plan.views.map(view => ({ ...view, populated: true }))
  const existing = await readMaterializedViews(standby.sql, schemas)
  return [...failures, ...(await refreshViews(standby, populated, existing, retry))]
}
