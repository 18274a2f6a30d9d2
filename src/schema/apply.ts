/**
 * Carries out a plan on the standby. What tables need to be there is made in one transaction, before the rows; what
 * comes after the rows is made object by object, each whole or not at all, and none waits for the failure of another
 * that it does not rest on. The status of every change is kept up to date in place.
 */
import { SchemaError } from '../core/errors.js'
import type { Server } from '../postgres/server.js'
import { labelOf, type SchemaChange, type SchemaOptions } from './change.js'
import type { Step } from './compare.js'
import type { PlannedStep, SchemaPlan } from './plan.js'
import { makeRunner, type Runner, StepFailure } from './runner.js'
import { runUnits } from './schedule.js'
import { readSizes, unitsOf } from './units.js'

/**
 * Extensions, schemas, types, tables, functions and views that the standby lacks, in one transaction. What rests on
 * something that differs and is left alone comes after that, each alone, and may fail.
 * @throws SchemaError that names what failed; then nothing was changed.
 */
export async function applyPreData(plan: SchemaPlan, standby: Server, options: SchemaOptions): Promise<void> {
  if (plan.preData.length === 0) return
  const runner = await makeRunner(plan, standby, options)
  try {
    const strict = plan.preData.filter(step => !step.loose)
    if (strict.length > 0) {
      await runner.run(strict).catch((error: unknown) => {
        throw error instanceof StepFailure ? refusal(strict, error) : error
      })
    }
    const failed = new Set<number>()
    for (const step of plan.preData.filter(each => each.loose)) await runLoose(runner, step, failed, plan)
  } finally {
    await runner.close()
  }
  settle(plan.preData)
}

/**
 * Indexes, primary keys and unique constraints first, over several connections; then foreign keys; then triggers,
 * rules, policies and the rest in the order of the dump. Nothing throws but an abort: failures are in the changes.
 */
export async function applyPostData(
  plan: SchemaPlan,
  standby: Server,
  options: SchemaOptions
): Promise<void> {
  if (plan.postData.length === 0) return
  const sizes = await readSizes(standby.sql, plan.postData)
  const failed = new Map<number, string>()
  for (const { entry, change } of plan.preData) {
    if (change.status === 'failed') failed.set(entry.dumpId, labelOf(change))
  }
  const runners: Runner[] = []
  try {
    for (const units of unitsOf(plan.postData, sizes)) {
      const lanes = Math.min(options.workers, units.some(unit => unit.serial) ? 1 : units.length)
      while (runners.length < lanes) runners.push(await makeRunner(plan, standby, options))
      await runUnits(units, runners.slice(0, lanes), failed, unit => {
        if (unit.failure !== undefined) fail(unit.steps[0]!.change, unit.failure)
      })
    }
  } finally {
    await Promise.all(runners.map(runner => runner.close()))
  }
  settle(plan.postData)
}

/**
 * Drops what only the standby has, in one transaction and never with CASCADE: where something else rests on one of
 * them nothing is dropped, and the changes say why.
 */
export async function dropExtra(plan: SchemaPlan, standby: Server, options: SchemaOptions): Promise<void> {
  if (!options.cleanExtra || plan.drops.length === 0) return
  const runner = await makeRunner(plan, standby, options)
  try {
    await runner.run(plan.drops)
    for (const { change } of plan.drops) change.status = 'applied'
  } catch (error) {
    if (!(error instanceof StepFailure)) throw error
    const culprit = error.step?.change
    for (const { change } of plan.drops) {
      change.status = 'left'
      change.reason = culprit
        ? `nothing was dropped, because ${labelOf(culprit)} could not be`
        : `nothing was dropped: ${error.message}`
    }
    const named = culprit ?? plan.drops[0]!.change
    fail(named, error.message)
  } finally {
    await runner.close()
  }
}

async function runLoose(
  runner: Runner,
  step: PlannedStep,
  failed: Set<number>,
  plan: SchemaPlan
): Promise<void> {
  const missing = step.entry.dependencies.find(id => failed.has(id))
  const cause = missing === undefined ? undefined : plan.preData.find(other => other.entry.dumpId === missing)
  try {
    if (cause) throw new StepFailure(step, `it needs ${labelOf(cause.entry)}, which failed`)
    await runner.run([step])
  } catch (error) {
    if (!(error instanceof StepFailure)) throw error
    failed.add(step.entry.dumpId)
    fail(
      step.change,
      step.change.kind === step.entry.kind ? error.message : `${labelOf(step.entry)}: ${error.message}`
    )
  }
}

function refusal(steps: readonly Step[], failure: StepFailure): SchemaError {
  const { step, message, hint, sqlstate } = failure
  for (const { change } of steps) {
    change.status = 'left'
    change.reason = step
      ? `nothing was created, because ${labelOf(step.entry)} could not be`
      : 'nothing was created'
  }
  if (step) fail(step.change, message)
  const what = step ? labelOf(step.entry) : 'the structure'
  const advice = hint ?? hintFor(step)
  return new SchemaError(`${what} could not be created on the standby, and nothing was changed: ${message}`, {
    ...(advice !== undefined && { hint: advice }),
    ...(sqlstate !== undefined && { sqlstate }),
    cause: failure
  })
}

function hintFor(step: Step | undefined): string | undefined {
  if (step?.entry.kind !== 'FOREIGN TABLE') return undefined
  return 'Foreign servers are not copied: create the server on the standby, or leave the table out with -T.'
}

/** The first failure of a change is the one that it tells of. */
function fail(change: SchemaChange, reason: string): void {
  if (change.status === 'failed') return
  change.status = 'failed'
  change.reason = reason
}

/** Steps of one change are all of one section, so that it is done when they are. */
function settle(steps: readonly Step[]): void {
  for (const { change } of steps) if (change.status === 'pending') change.status = 'applied'
}
