/**
 * The steps by which things leave the standby, each told with the change of the object that it is of: those before main's
 * objects are made, and those behind everything else.
 */
import type { Changes } from './changes.js'
import type { Decision } from './decide.js'
import { catalogs } from './dependents.js'
import type { Relation } from './details/details.js'
import type { Entry } from './entry.js'
import { sql, type Sql } from './handlers/handler.js'
import type { Step } from './step.js'

export class DepartureList {
  readonly first: Step[] = []
  readonly last: Step[] = []

  constructor(
    readonly decision: Decision,
    readonly changes: Changes
  ) {}

  /** `of` is the object whose change the statements are told with. */
  push(list: Step[], of: Entry, ...statements: Sql[]): void {
    if (statements.length === 0) return
    const drop = this.decision.fate.drops.get(of)
    const onMain = this.decision.main.byKey.has(of.key)
    const action = !drop
      ? 'alter'
      : drop.cause === 'aside' && onMain
        ? 'rewrite'
        : onMain || drop.cause === 'dependent'
          ? 'replace'
          : 'drop'
    list.push(this.changes.step(of, this.changes.of(of, action, drop?.reason), statements))
  }

  /** A statement of what becomes of a table that stays. */
  about(relation: Relation, text: string): void {
    const entry = this.decision.standby.find(catalogs.relation, relation.oid)
    if (entry) this.push(this.first, entry, sql(text))
  }
}
