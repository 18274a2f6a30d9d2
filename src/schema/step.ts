/** Statements that belong together and to one object: what is run, retried and blamed as one. */
import type { Hazard, SchemaChange } from './change.js'
import type { Entry } from './entry.js'

export interface Step {
  readonly entry: Entry
  /** What the report shows it as part of; its status is kept up to date in place. */
  readonly change: SchemaChange
  readonly statements: readonly string[]
  /** Of each statement. */
  readonly hazards: readonly (readonly Hazard[])[]
}

/** A step, and the tables (by main's dump ids) that it locks. */
export interface PlannedStep extends Step {
  readonly locks: ReadonlySet<number>
  /** What is not an entry of its own, and comes with the indexes and keys. */
  readonly stage?: 0
  /** Each statement by itself: none of them may run within a transaction. */
  readonly alone?: boolean
}
