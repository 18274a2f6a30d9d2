/**
 * The grants of what main has. Objects are made without the standby's default privileges; which grants each ends with is
 * said when all are there. Where grants are not compared, what is made anew keeps those it had.
 */
import type { Hazard, SchemaOptions } from './change.js'
import { type Decision, isGone } from './decide.js'
import type { Entry } from './entry.js'
import { grantsReset, grantsTurned, losesGrants } from './grants.js'
import { sql, type Sql } from './handlers/handler.js'

interface Said {
  readonly entry: Entry
  readonly action: 'create' | 'alter'
  readonly statements: readonly Sql[]
}

export class ArrivingGrants {
  /** Keys of the standby's default privileges that are taken back while objects are made. */
  readonly #suspended = new Set<string>()
  readonly #differing: { wanted?: Entry; there?: Entry }[] = []

  constructor(
    readonly decision: Decision,
    readonly options: Pick<SchemaOptions, 'privileges'>
  ) {}

  /** What is made would be given the standby's default privileges, and not what main's has: they come back at the end. */
  suspend(): Said[] {
    const { main, pairs, standby } = this.decision
    const makes = main.entries.some(entry => {
      const there = pairs.get(entry)?.standby
      return !there || isGone(there, this.decision)
    })
    if (!this.options.privileges || !makes) return []
    const defaults = standby.entries.filter(entry => entry.kind === 'DEFAULT ACL')
    for (const { key } of defaults) this.#suspended.add(key)
    return defaults.map(entry => ({
      entry,
      action: 'alter',
      statements: grantsReset(entry, undefined).map(text => sql(text, 'authorization'))
    }))
  }

  /** @param absent the standby does not have what it is granted on, or makes it anew */
  of(wanted: Entry, there: Entry | undefined, absent: boolean): void {
    if (!this.options.privileges) return
    if (absent || this.#suspended.has(wanted.key)) this.#differing.push({ wanted })
    else if (there && there.definition !== wanted.definition) this.#differing.push({ wanted, there })
  }

  /** What main does not grant. */
  extra(there: Entry): void {
    if (this.options.privileges && !this.#suspended.has(there.key)) this.#differing.push({ there })
  }

  /** @param created dump ids of what was made of main's */
  settled(created: ReadonlySet<number>): Said[] {
    return this.options.privileges ? this.#turned() : this.#kept(created)
  }

  #kept(created: ReadonlySet<number>): Said[] {
    const { main, standby, fate } = this.decision
    return standby.entries.flatMap(({ kind, parent, definition }): Said[] => {
      if (kind !== 'ACL' || !parent || !fate.drops.has(parent)) return []
      const twin = main.byKey.get(parent.key)
      const returns = twin ? created.has(twin.dumpId) : fate.drops.get(parent)?.cause === 'dependent'
      return returns ? [{ entry: parent, action: 'alter', statements: [sql(definition.trim())] }] : []
    })
  }

  #turned(): Said[] {
    return this.#differing.map(({ wanted, there }) => {
      const entry = (wanted ?? there)!
      const isMade =
        entry.kind === 'DEFAULT ACL' || (entry.parent !== undefined && entry.name !== 'SCHEMA public')
      const texts = isMade
        ? [...(there ? grantsReset(there, wanted) : []), ...(wanted ? [wanted.definition.trim()] : [])]
        : grantsTurned(there, wanted)
      const hazards: Hazard[] =
        there && losesGrants(there, wanted) ? ['authorization', 'loses-grants'] : ['authorization']
      return {
        entry,
        action: there ? 'alter' : 'create',
        statements: texts.map((text, i) => ({
          ...sql(text, ...(i === 0 ? hazards : (['authorization'] as const))),
          extra: true
        }))
      }
    })
  }
}
