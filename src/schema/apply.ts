/**
 * Carries out a plan on the standby. The structure is made in one transaction, before the rows; what the rows must
 * satisfy is made object by object after them, each whole or not at all, and none waits for the failure of another
 * that it does not rest on. The status of every change is kept up to date in place.
 */
import { SchemaError } from '../core/errors.js'
import { retrying } from '../core/retry.js'
import { qualified } from '../postgres/quote.js'
import type { Server } from '../postgres/server.js'
import { labelOf, type SchemaChange, type SchemaOptions } from './change.js'
import { nameWithin } from './entry.js'
import type { SchemaPlan } from './plan.js'
import { makeRunner, type Runner, StepFailure } from './runner.js'
import { runUnits } from './schedule.js'
import type { PlannedStep, Step } from './step.js'
import { readSizes, unitsOf, type TableSizes } from './units.js'

/** Tries of the transaction, where another session holds a lock that it needs. */
const lockTries = 5

/**
 * What comes before the rows: what cannot be in a transaction first, then all else in one.
 * @throws SchemaError that names what failed; then nothing was changed but what had to be committed before.
 */
export async function applyStructure(
  plan: SchemaPlan,
  standby: Server,
  options: SchemaOptions
): Promise<void> {
  refuseStrangers(plan)
  const runner = await makeRunner(plan, standby, options)
  const policy = {
    retries: lockTries,
    signal: options.signal,
    emit: options.emit,
    transient: (error: unknown) => error instanceof StepFailure && error.wasBlocked
  }
  const done: Step[] = []
  try {
    for (const step of plan.outside) {
      await retrying('the structure', policy, () => runner.run([step]))
      done.push(step)
    }
    if (plan.structure.length > 0) await retrying('the structure', policy, () => runner.run(plan.structure))
  } catch (error) {
    if (!(error instanceof StepFailure)) throw error
    throw refusal(plan, error, done)
  } finally {
    await runner.close()
  }
  const later = new Set(plan.constraints.map(step => step.change))
  for (const { change } of [...plan.outside, ...plan.structure]) {
    if (!later.has(change) && change.status === 'pending') change.status = 'applied'
  }
  await makeKeys(plan, standby, options)
}

function refuseStrangers({ strangers, changes }: SchemaPlan): void {
  if (strangers.length === 0) return
  for (const change of changes) {
    if (change.status !== 'pending') continue
    change.status = 'left'
    change.reason = 'nothing was changed'
  }
  throw new SchemaError(
    `the structure was not changed, because what is outside of the scope rests on it: ${strangers.join('; ')}`,
    { hint: 'Name its schema with --schema as well, or take all of them with --all-schemas.' }
  )
}

/** What keys were made before the rows: they are not made again. */
const early = new WeakMap<SchemaPlan, Set<PlannedStep>>()

/**
 * Rows that are there are matched by their key: so a key that a table lacks is made before the rows are compared,
 * where these allow it. Where they do not, it waits with the other constraints.
 */
async function makeKeys(plan: SchemaPlan, standby: Server, options: SchemaOptions): Promise<void> {
  if (options.forcePsql || !options.rows) return
  const isKey = ({ entry }: PlannedStep) =>
    entry.kind === 'CONSTRAINT' && / (PRIMARY KEY|UNIQUE) /.test(entry.definition)
  const keys = plan.constraints.filter(isKey)
  if (keys.length === 0) return
  const sizes = await readSizes(standby.sql, keys)
  const wanted = keys.filter(step => sizeOf(step, sizes) > 0)
  const made = new Set<PlannedStep>()
  const runner = await makeRunner(plan, standby, options)
  try {
    for (const step of wanted) {
      await runner.run([step]).then(
        () => made.add(step),
        (error: unknown) => {
          if (!(error instanceof StepFailure) || error.wasLost) throw error
        }
      )
    }
  } finally {
    await runner.close()
  }
  early.set(plan, made)
}

/**
 * NOT NULL, checks, indexes and keys first, over several connections; then foreign keys; then triggers, rules,
 * policies and the rest in the order of the dump. Nothing throws but an abort or a lost connection: failures are in the changes.
 */
export async function applyConstraints(
  plan: SchemaPlan,
  standby: Server,
  options: SchemaOptions
): Promise<void> {
  const done = early.get(plan)
  const steps = plan.constraints.filter(step => !done?.has(step))
  if (steps.length === 0) return settle(plan.constraints)
  const sizes = await readSizes(standby.sql, steps)
  const failed = new Map<number, string>()
  const runners: Runner[] = []
  try {
    for (const units of unitsOf(
      steps.map(step => concurrently(step, sizes, options)),
      sizes
    )) {
      const lanes = Math.min(options.workers, units.some(unit => unit.serial) ? 1 : units.length)
      while (runners.length < lanes) runners.push(await makeRunner(plan, standby, options))
      await runUnits(units, runners.slice(0, lanes), failed, unit => {
        if (unit.failure !== undefined) fail(unit.steps[0]!.change, unit.failure)
      })
    }
  } finally {
    await Promise.all(runners.map(runner => runner.close()))
  }
  settle(plan.constraints)
}

function sizeOf({ entry }: PlannedStep, sizes: TableSizes): number {
  const { parent } = entry
  return parent ? (sizes.get([parent.schema, parent.name].join('\0')) ?? 0) : 0
}

/** An index on a table that has rows may be made while others write to it. */
function concurrently(
  step: PlannedStep,
  sizes: TableSizes,
  { concurrentIndexes, forcePsql }: SchemaOptions
): PlannedStep {
  const { entry, statements, change } = step
  if (!concurrentIndexes || forcePsql || entry.kind !== 'INDEX' || sizeOf(step, sizes) === 0) return step
  const [first = '', ...rest] = statements
  const build = first.replace(/^CREATE (UNIQUE )?INDEX /, 'CREATE $1INDEX CONCURRENTLY ')
  if (build === first || / ON ONLY /.test(first)) return step
  // One that was stopped leaves an invalid index of its name behind.
  const cleanup = `DROP INDEX CONCURRENTLY IF EXISTS ${qualified(entry.schema, nameWithin(entry))};`
  change.hazards = [...change.hazards.filter(hazard => hazard !== 'blocks-writes'), 'not-transactional']
  change.sql = change.sql.map(text => (text === first ? build : text))
  return { ...step, statements: [cleanup, build, ...rest], alone: true }
}

function refusal(plan: SchemaPlan, failure: StepFailure, done: readonly Step[]): SchemaError {
  const { step, message, hint, sqlstate } = failure
  const kept = new Set(done.map(each => each.change))
  for (const change of plan.changes) {
    if (change.status !== 'pending') continue
    change.status = 'left'
    change.reason = step
      ? `nothing was changed, because ${labelOf(step.entry)} could not be`
      : 'nothing was changed'
  }
  for (const change of kept) change.status = 'applied'
  if (step) fail(step.change, message)
  const what = step ? labelOf(step.entry) : 'the structure'
  const verb =
    step?.change.action === 'create' ? 'created' : step?.change.action === 'drop' ? 'dropped' : 'changed'
  const rest = failure.wasLost
    ? 'whether it was changed is not known'
    : kept.size > 0
      ? `nothing was changed but ${[...kept].map(labelOf).join(', ')}, whose new values stay`
      : 'nothing was changed'
  const advice = hint ?? hintFor(step, sqlstate)
  return new SchemaError(`${what} could not be ${verb} on the standby, and ${rest}: ${message}`, {
    ...(advice !== undefined && { hint: advice }),
    ...(sqlstate !== undefined && { sqlstate }),
    cause: failure
  })
}

const unconvertible =
  'Rows hold a value that the type on main cannot take, in the primary key, an identity or within other values: delete them, or change it, on the standby.'

/** A value that is none of the type, or out of its range. */
const tableHints: Record<string, string> = {
  '22P02': unconvertible,
  '22003': unconvertible,
  '22007': unconvertible,
  '22008': unconvertible
}

function hintFor(step: Step | undefined, sqlstate: string | undefined): string | undefined {
  if (sqlstate === '55P03')
    return 'Another session holds a lock on it: wait until it has ended, or raise --lock-timeout.'
  if (sqlstate === '42501') {
    return 'The role must own what it changes: run as its owner or as a superuser, or leave the structure alone with --sync-schema=false.'
  }
  if ((sqlstate === '23502' || sqlstate === '23514') && step?.change.action === 'rewrite') {
    return 'Rows that only the standby has fit nowhere in the table as main has it: delete them, or change them, there.'
  }
  if (sqlstate === '23514' && step?.entry.kind === 'TABLE ATTACH') {
    return 'Rows of the standby’s table are outside of its bounds on main: delete them, or change them, there.'
  }
  const ofTable = step?.entry.kind === 'TABLE' ? tableHints[sqlstate ?? ''] : undefined
  if (ofTable !== undefined) return ofTable
  if (sqlstate === '54011')
    return 'Columns that were dropped count too: drop the table on the standby, or make it anew there, and run again.'
  if (step?.entry.kind !== 'FOREIGN TABLE') return undefined
  return 'Foreign servers are copied only with --all-schemas: create the server on the standby, or leave the table out with -T.'
}

/** The first failure of a change is the one that it tells of. */
function fail(change: SchemaChange, reason: string): void {
  if (change.status === 'failed') return
  change.status = 'failed'
  change.reason = reason
}

function settle(steps: readonly Step[]): void {
  for (const { change } of steps) if (change.status === 'pending') change.status = 'applied'
}
