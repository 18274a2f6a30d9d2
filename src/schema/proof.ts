/** The proof at the end: the standby is read again, and what still differs from main as the plan knew it is named. */
import type { Server } from '../postgres/server.js'
import { labelOf, type SchemaChange, type SchemaOptions, type SchemaScope } from './change.js'
import { planSchema, type SchemaPlan } from './plan.js'

/**
 * Compares the structure once more, and adds to the plan's changes what is not as on main: a change that was applied and
 * still differs has failed. What was left alone, or has failed already, is known.
 */
export async function proveSchema(
  plan: SchemaPlan,
  main: Server,
  standby: Server,
  scope: SchemaScope,
  options: SchemaOptions
): Promise<void> {
  const left = await planSchema(main, standby, scope, { ...options, emit: () => {} }, plan.main)
  const known = new Map(plan.changes.map(change => [labelOf(change), change]))
  const isExplained = plan.changes.some(change => change.status === 'failed')
  for (const change of left.changes) {
    const before = known.get(labelOf(change))
    if (before?.status === 'left' || before?.status === 'failed') continue
    // Only the standby has it: it had to go for a while, and stands as it did.
    if (before && change.status === 'left') continue
    // What rests on a failure differs because of it.
    if (!before && isExplained) continue
    const reason = `it still differs after the sync${change.reason ? `: ${change.reason}` : ''}`
    if (before) Object.assign(before, { status: 'failed', reason } satisfies Partial<SchemaChange>)
    else plan.changes.push({ ...change, status: 'failed', reason })
  }
  // A partition's columns come with its parent's: no statement was its own.
  for (const change of plan.changes) if (change.status === 'pending') change.status = 'applied'
}
