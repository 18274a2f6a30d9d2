/** Compares all units, or writes them: the two things that a run does with rows. Each unit's outcome is a result. */
import pLimit from 'p-limit'
import { attempt, type UnitResult } from './attempt.js'
import { compareUnit } from './compare.js'
import type { DataContext } from './context.js'
import { differs, newTally } from './tally.js'
import { bySize, type Unit } from './unit.js'
import { Writing } from './writing.js'

export type { UnitResult }

/** Compares every unit; writes nothing. */
export async function compareUnits(context: DataContext, units: readonly Unit[]): Promise<UnitResult[]> {
  const limit = pLimit(context.workers)
  return Promise.all(
    bySize(units).map(unit =>
      limit(() =>
        attempt(context, unit, newTally(unit), async tally => {
          await compareUnit(context, unit, tally)
          return differs(tally) ? 'differs' : 'identical'
        })
      )
    )
  )
}

/**
 * Writes every unit.
 * @param empty units whose table on the standby has no row: they are loaded, not compared.
 * @param compared what compareUnits found, for the units that it was run on: only their differing chunks are visited.
 */
export async function writeUnits(
  context: DataContext,
  units: readonly Unit[],
  empty: ReadonlySet<Unit>,
  compared: ReadonlyMap<Unit, UnitResult>
): Promise<UnitResult[]> {
  const run = new Writing(context, empty, compared)
  return run.all(units)
}

/** Units that must be compared before anything is written: in a circle, or where rows may be deleted. */
export function comparedFirst(context: DataContext, unit: Unit): boolean {
  return context.deletes || context.graph.circular(unit)
}
