/**
 * Runs units over several connections at once: each as soon as what it needs is there and nobody holds its tables
 * against it, so that no connection sits in a lock's queue and no two can wait for each other.
 */
import { labelOf } from './change.js'
import { type Runner, StepFailure } from './runner.js'
import type { Unit } from './units.js'

/** Others (the user's own sessions) may hold a lock on it, or make a deadlock of it. */
const tries = 3

/**
 * @param failed what was not made: dump id → its name; added to
 * @param done called for each unit when it has ended, well or not
 * @throws only what ends them all, such as an abort or a lost connection; the units that run are waited for.
 */
export async function runUnits(
  units: readonly Unit[],
  runners: readonly Runner[],
  failed: Map<number, string>,
  done: (unit: Unit) => void
): Promise<void> {
  const pending = new Set(units)
  const running = new Set<Unit>()
  let wake: (() => void)[] = []
  let fatal: unknown
  const lane = async (runner: Runner): Promise<void> => {
    while (pending.size > 0 && fatal === undefined) {
      const unit = nextOf(pending, running)
      if (!unit) {
        await new Promise<void>(resolve => wake.push(resolve))
        continue
      }
      pending.delete(unit)
      running.add(unit)
      try {
        await runUnit(unit, runner, failed)
        done(unit)
      } catch (error) {
        fatal ??= error ?? new Error('stopped')
      } finally {
        running.delete(unit)
        const waiting = wake
        wake = []
        for (const resolve of waiting) resolve()
      }
    }
  }
  await Promise.all(runners.map(lane))
  if (fatal !== undefined) throw fatal
}

function nextOf(pending: ReadonlySet<Unit>, running: ReadonlySet<Unit>): Unit | undefined {
  const ahead = new Set([...pending, ...running].flatMap(unit => [...unit.makes]))
  for (const unit of pending) {
    if (unit.serial) return running.size === 0 ? unit : undefined
    const waits = [...unit.needs].some(id => ahead.has(id) && !unit.makes.has(id))
    if (!waits && ![...running].some(other => conflict(unit, other))) return unit
  }
  // Nothing runs that could be waited for: a circle, which the server will judge.
  return running.size === 0 ? [...pending][0] : undefined
}

function conflict(unit: Unit, other: Unit): boolean {
  if (unit.shared && other.shared) return false
  return [...unit.locks].some(table => other.locks.has(table))
}

async function runUnit(unit: Unit, runner: Runner, failed: Map<number, string>): Promise<void> {
  const missing = [...unit.needs].find(id => failed.has(id))
  try {
    if (missing !== undefined)
      throw new StepFailure(undefined, `it needs ${failed.get(missing)}, which failed`)
    await withTries(() => runner.run(unit.steps))
  } catch (error) {
    // What is there then has to be read again.
    if (!(error instanceof StepFailure) || error.wasLost) throw error
    const { entry, change } = unit.steps[0]!
    const culprit = error.step?.entry ?? entry
    unit.failure = culprit.kind === change.kind ? error.message : `${labelOf(culprit)}: ${error.message}`
    for (const id of unit.makes) failed.set(id, labelOf(entry))
  }
}

async function withTries(work: () => Promise<void>): Promise<void> {
  for (let count = 1; ; count++) {
    try {
      return await work()
    } catch (error) {
      const waited = error instanceof StepFailure && error.wasBlocked
      if (!waited || count === tries) throw error
    }
  }
}
