/** One unit's work: begun and ended in the run's events, and its failure made a result, so that the others go on. */
import type { DataContext } from './context.js'
import { explain } from './explain.js'
import type { Tally } from './tally.js'
import type { Unit } from './unit.js'

export interface UnitResult {
  unit: Unit
  tally: Tally
  status: 'identical' | 'differs' | 'synced' | 'failed'
  reason?: string
  hint?: string
  /** The SQLSTATE that it failed with. */
  sqlstate?: string
}

export async function attempt(
  context: DataContext,
  unit: Unit,
  tally: Tally,
  work: (tally: Tally) => Promise<UnitResult['status']>
): Promise<UnitResult> {
  context.emit({ type: 'table-start', table: unit.name, rows: Math.round(unit.main.estimate) })
  let result: UnitResult
  try {
    context.signal.throwIfAborted()
    result = { unit, tally, status: await work(tally) }
  } catch (error) {
    if (context.signal.aborted) throw context.signal.reason
    result = { unit, tally, status: 'failed', ...explain(error) }
  }
  context.emit({ type: 'table-end', table: unit.name, status: result.status })
  return result
}
