/** The value that applyPlan returns. A plan is applied wholly or not at all: there is nothing in between to tell of. */
import type { PlanHead } from './document.js'

export interface PlanReport {
  version: 1
  command: 'apply-plan'
  kind: PlanHead['kind']
  /** False: it was only looked at. */
  applied: boolean
  /** False where something that came after the transaction failed. */
  ok: boolean
  standby: { address: string; version: string }
  /** The moment that the plan is of. */
  cut: string
  tables: { schema: string; table: string; insert: number; update: number; delete: number }[]
  /** Changes of the structure, such as `alter TABLE shop.orders`. */
  structure: string[]
  sequences: { schema: string; name: string; status: 'set' | 'left'; value: string; reason?: string }[]
  /** What the plan did not hold. */
  missing: string[]
  /** Path of the undo that was written. */
  undo?: string
  failures: string[]
  notes: string[]
  durationMs: number
}
