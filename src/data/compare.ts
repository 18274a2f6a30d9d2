/** Compares one unit by whichever way fits it, and hands each chunk that differs to a visitor. */
import { compareBuckets } from './buckets.js'
import { compareRanges, visitChunks, type Visit } from './chunks.js'
import type { DataContext } from './context.js'
import { compareMultiset } from './multiset.js'
import { sampleRows } from './samples.js'
import { newTally, type Tally } from './tally.js'
import type { Unit } from './unit.js'
import { compareUpdated, extraRows, keyOnly } from './updated.js'

/** Reads only: exact counts, samples, and where the differences are. */
export async function compareUnit(context: DataContext, unit: Unit, tally: Tally): Promise<void> {
  await visitUnit(context, unit, tally, keepSamples(context, tally))
}

/** A visit that keeps samples of what differs, and then hands the chunk on. */
export function keepSamples(context: DataContext, tally: Tally, next?: Visit): Visit {
  return async (pair, chunk) => {
    const room = context.samples - tally.samples.length
    const samples = room > 0 ? await sampleRows(pair, tally.unit, chunk.diff, room) : []
    await next?.(pair, chunk)
    // Only now: a chunk that fails is tried again, and would be here twice.
    tally.samples.push(...samples.slice(0, context.samples - tally.samples.length))
  }
}

/** Compares all of the unit, and visits each chunk that differs as soon as it is found. */
export async function visitUnit(context: DataContext, unit: Unit, tally: Tally, visit: Visit): Promise<void> {
  const since = context.since.get(unit)
  if (unit.strategy === 'multiset') await compareMultiset(context, unit, tally)
  else if (since === undefined) await visitAll(context, unit, tally, visit)
  else {
    await compareUpdated(context, unit, since, tally, visit)
    if (context.deletes) await visitExtra(context, unit, tally, visit)
  }
}

function visitAll(context: DataContext, unit: Unit, tally: Tally, visit: Visit): Promise<void> {
  return unit.strategy === 'range'
    ? compareRanges(context, unit, tally, visit)
    : compareBuckets(context, unit, tally, visit)
}

async function visitExtra(context: DataContext, unit: Unit, tally: Tally, visit: Visit): Promise<void> {
  const names = new Set(unit.key.map(column => column.name))
  const keys = keyOnly(unit, context.hash(unit.compared.filter(column => names.has(column.name))))
  const own = newTally(keys)
  await visitAll(context, keys, own, extraRows(keys, tally, visit))
  Object.assign(tally, { main: own.main, standby: own.standby })
}

/** Visits the chunks that an earlier comparison found to differ; counts nothing. */
export async function revisitUnit(
  context: DataContext,
  unit: Unit,
  tally: Tally,
  visit: Visit
): Promise<void> {
  const uncounted = { ...newTally(unit), buckets: tally.buckets }
  if (context.since.has(unit)) await visitUnit(context, unit, uncounted, visit)
  else if (unit.strategy === 'range') await visitChunks(context, unit, tally.dirty, uncounted, visit)
  else await compareBuckets(context, unit, uncounted, visit, tally.dirty)
}
