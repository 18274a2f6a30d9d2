/** Mends one unit: its chunks one by one as they are found, and those that need each other's rows gone, together. */
import { retrying } from '../core/retry.js'
import { bucketExpression } from './buckets.js'
import type { Visit } from './chunks.js'
import { compareUnit, keepSamples, revisitUnit, visitUnit } from './compare.js'
import type { DataContext } from './context.js'
import { mend, type Chunk, type MendRules } from './mend.js'
import { copyMover } from './move.js'
import { differs, type Tally } from './tally.js'
import type { Unit } from './unit.js'

export interface UnitRules {
  /** Rows that main does not have are deleted now. */
  deletes: boolean
  /** The tally is that of an earlier comparison: only what it found is looked at again. */
  compared: boolean
}

export async function mendUnit(
  context: DataContext,
  unit: Unit,
  tally: Tally,
  { deletes, compared }: UnitRules
): Promise<void> {
  if (unit.strategy === 'multiset') {
    if (!compared) await compareUnit(context, unit, tally)
    if (!differs(tally) || (tally.insert === 0 && !deletes)) return
    return inOneTransaction(context, dirtyChunks(unit, tally), { deletes, replace: false })
  }
  const conflicts: Chunk[] = []
  const visit: Visit = async (pair, chunk) => {
    const rules = { deletes, replace: false }
    let outcome = await mend(context, pair, [chunk], rules)
    // Rows that did not come from the cut may be newer than it.
    if (outcome === 'conflict' && !context.mover.ofCut)
      outcome = await mend({ ...context, mover: copyMover }, pair, [chunk], rules)
    if (outcome === 'conflict') conflicts.push({ unit, condition: chunk.condition })
  }
  if (compared) await revisitUnit(context, unit, tally, visit)
  else await visitUnit(context, unit, tally, keepSamples(context, tally, visit))
  if (conflicts.length > 0)
    await inOneTransaction(context, conflicts, { deletes: context.deletes, replace: true })
}

/** Upserts the chunks, or, where unique values are swapped between rows, deletes and inserts again. */
export async function inOneTransaction(
  context: DataContext,
  chunks: readonly Chunk[],
  rules: MendRules
): Promise<void> {
  const names = [...new Set(chunks.map(({ unit }) => unit.name))].join(', ')
  const outcome = await retrying(names, context.retry, () =>
    context.pool.run(pair => mend({ ...context, mover: copyMover }, pair, chunks, rules))
  )
  if (outcome === 'conflict') await inOneTransaction(context, chunks, { ...rules, replace: true })
}

/** The chunks that an earlier comparison found to differ; a table without a key is one. */
export function dirtyChunks(unit: Unit, tally: Tally): Chunk[] {
  if (unit.strategy === 'multiset')
    return tally.dirty.length > 0 ? [{ unit, condition: 'true', copies: tally }] : []
  return tally.dirty.map(dirty => ({
    unit,
    condition: unit.strategy === 'bucket' ? `${bucketExpression(unit, tally.buckets)} = ${dirty}` : dirty
  }))
}
