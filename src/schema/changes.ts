/** The changes of a plan, one for each object: what says something of an object is told with it where both are new. */
import type { Hazard, SchemaChange } from './change.js'
import { type Entry, satelliteKinds } from './entry.js'
import type { Sql } from './handlers/handler.js'
import type { Step } from './step.js'

type Action = SchemaChange['action']

/** The stronger word stays. */
const strength: Action[] = ['alter', 'create', 'replace', 'rewrite', 'drop']

export class Changes {
  readonly #byKey = new Map<string, SchemaChange>()
  /** Refused unless `--clean-extra` or `--allow` lets them: change → hazards. */
  readonly risks: { change: SchemaChange; hazard: Hazard; extra: boolean }[] = []

  /** Keys with their changes, in the order in which they were first told. */
  get byKey(): [string, SchemaChange][] {
    return [...this.#byKey]
  }

  /** The entry's change, made or strengthened. */
  of(entry: Entry, action: Action, reason?: string): SchemaChange {
    const home = this.#home(entry)
    if (home) return home
    const known = this.#byKey.get(entry.key)
    if (known) {
      if (strength.indexOf(action) > strength.indexOf(known.action)) {
        known.action = action
        if (reason !== undefined) known.reason = reason
      } else if (reason !== undefined && known.reason === undefined) {
        known.reason = reason
      }
      return known
    }
    const { kind, schema, name } = entry
    const change: SchemaChange = {
      kind,
      schema,
      name,
      action,
      status: 'pending',
      sql: [],
      hazards: [],
      ...(reason !== undefined && { reason })
    }
    this.#byKey.set(entry.key, change)
    return change
  }

  /** The object is not as on main, and stays so. */
  leave(entry: Entry, action: Action, reason: string): void {
    this.of(entry, action, reason).status = 'left'
  }

  step(entry: Entry, change: SchemaChange, statements: readonly Sql[]): Step {
    for (const { sql, hazards, extra = false } of statements) {
      change.sql.push(sql)
      for (const hazard of hazards) {
        if (!change.hazards.includes(hazard)) change.hazards.push(hazard)
        this.risks.push({ change, hazard, extra })
      }
    }
    return {
      entry,
      change,
      statements: statements.map(({ sql }) => sql),
      hazards: statements.map(({ hazards }) => hazards)
    }
  }

  /** The change of the object that a comment, a default, … belongs to, if that is made or goes as well. */
  #home({ kind, parent, section }: Entry): SchemaChange | undefined {
    if (!parent || !satelliteKinds.has(kind) || parent.section !== section) return undefined
    const change = this.#byKey.get(parent.key)
    return change && change.action !== 'alter' && change.status !== 'left' ? change : undefined
  }
}
