/**
 * What main has, in main's order: made where the standby lacks it or had to let it go, altered where it stands. What
 * the rows must satisfy comes after them; so does what comes after rows in a dump, save the indexes of a partition
 * that is to be attached to a parent that has its own already.
 */
import { parseName } from '../postgres/names.js'
import { ident, qualified } from '../postgres/quote.js'
import type { Hazard, SchemaOptions } from './change.js'
import type { Changes } from './changes.js'
import { type Decision, handlerOf, isChanged, isGone } from './decide.js'
import { catalogs } from './dependents.js'
import { type Entry, nameWithin, satelliteKinds } from './entry.js'
import { ArrivingGrants } from './arrivalgrants.js'
import { sql, type Alteration, type Sql } from './handlers/handler.js'
import { copyStatements } from './rewrites.js'
import { relationOf, type Side } from './side.js'
import { creation, ownerStatement, removal } from './statements.js'
import { describeTableDifference } from './wording.js'
import type { Step } from './step.js'

export interface Arrivals {
  /** Before the transaction, each by itself. */
  readonly outside: Step[]
  /** Before the rows. */
  readonly structure: Step[]
  /** After the rows: NOT NULL and checks. */
  readonly late: Step[]
  /** After the rows: entries of main that are made. */
  readonly after: Step[]
}

type Options = Pick<SchemaOptions, 'owners' | 'privileges' | 'cleanExtra'>

export async function arrivals(
  decision: Decision,
  changes: Changes,
  user: string,
  options: Options
): Promise<Arrivals> {
  return new Arriving(decision, changes, user, options).write()
}

class Arriving {
  readonly #outside: Step[] = []
  readonly #first: Step[] = []
  readonly #structure: Step[] = []
  readonly #late: Step[] = []
  readonly #after: Step[] = []
  /** Main's index of a partition → that of the table above it. */
  readonly #indexAbove: ReadonlyMap<Entry, Entry>
  /** Partitions that wait until their own indexes are there, by main's dump id. */
  readonly #waiting = new Map<number, Entry>()
  readonly #created = new Set<number>()
  readonly #grants: ArrivingGrants

  constructor(
    readonly decision: Decision,
    readonly changes: Changes,
    readonly user: string,
    readonly options: Options
  ) {
    this.#grants = new ArrivingGrants(decision, options)
    this.#indexAbove = indexesAbove(decision.main)
  }

  async write(): Promise<Arrivals> {
    const { main } = this.decision
    for (const { entry, statements } of this.#grants.suspend())
      this.#push(this.#first, entry, 'alter', statements)
    for (const entry of main.entries) await this.#entry(entry)
    this.#pairWaiting()
    this.#attachWaiting()
    this.#copyRows()
    await this.#extras()
    for (const { entry, action, statements } of this.#grants.settled(this.#created))
      this.#push(this.#structure, entry, action, statements)
    return {
      outside: this.#outside,
      structure: [...this.#first, ...this.#structure],
      late: this.#late,
      after: this.#after
    }
  }

  async #entry(entry: Entry): Promise<void> {
    const { decision } = this
    if (decision.made.has(entry)) return void this.#created.add(entry.dumpId)
    const there = decision.pairs.get(entry)?.standby
    const absent = !there || isGone(there, decision)
    if (entry.kind === 'ACL' || entry.kind === 'DEFAULT ACL') return this.#grants.of(entry, there, absent)
    if (satelliteKinds.has(entry.kind)) return this.#satellite(entry, there, absent)
    if (absent) return await this.#create(entry, there)
    await this.#alter(entry, there)
  }

  #push(
    list: Step[],
    entry: Entry,
    action: 'create' | 'alter',
    statements: readonly Sql[],
    reason?: string
  ): void {
    if (statements.length === 0) return
    list.push(this.changes.step(entry, this.changes.of(entry, action, reason), statements))
  }

  #listOf(entry: Entry): Step[] {
    return entry.section === 'pre-data' || this.#isWaited(entry) ? this.#structure : this.#after
  }

  /** An index of a partition that is attached before the rows come, where the parent's index stands: it would else make another. */
  #isWaited(entry: Entry): boolean {
    if (entry.kind === 'COMMENT') return entry.parent !== undefined && this.#isWaited(entry.parent)
    const above = isIndex(entry) && this.#waits(entry.parent) ? this.#indexAbove.get(entry) : undefined
    if (!above) return false
    const there = this.decision.pairs.get(above)?.standby
    return (there !== undefined && !isGone(there, this.decision)) || this.#isWaited(above)
  }

  #waits(table: Entry | undefined): boolean {
    if (table === undefined || this.#waiting.size === 0) return false
    if (this.#waiting.has(table.dumpId)) return true
    const { main } = this.decision
    const relation = relationOf(main, table)
    return (
      relation?.isPartition === true && this.#waits(main.find(catalogs.relation, relation.parentOids[0] ?? 0))
    )
  }

  async #create(entry: Entry, there: Entry | undefined): Promise<void> {
    const { decision, options } = this
    const statements = await creation(entry)
    const isRebuilt = there !== undefined && ['INDEX', 'CONSTRAINT'].includes(entry.kind)
    const hazards = isRebuilt ? (['index-rebuild'] as const) : []
    const blocks =
      entry.section === 'post-data' &&
      this.#isOnOldTable(entry) &&
      !['TRIGGER', 'RULE', 'POLICY'].includes(entry.kind)
        ? (['blocks-writes'] as const)
        : []
    const authorization = entry.kind === 'POLICY' ? (['authorization'] as const) : []
    const owner = options.owners ? entry.owner : there?.owner
    const owned = owner && owner !== this.user ? ownerStatement(entry, owner) : []
    const last =
      entry.kind === 'SEQUENCE' && there
        ? decision.standby.details.sequences.get(there.catalogId.oid)
        : undefined
    const value =
      last === undefined
        ? []
        : [
            sql(
              `SELECT pg_catalog.setval('${qualified(entry.schema, entry.name).replaceAll("'", "''")}', ${last});`
            )
          ]
    this.#created.add(entry.dumpId)
    this.#push(this.#listOf(entry), entry, 'create', [
      ...statements.map(text => sql(text, ...hazards, ...blocks, ...authorization)),
      ...owned.map(text => sql(text)),
      ...value
    ])
  }

  #isOnOldTable({ parent }: Entry): boolean {
    return parent !== undefined && !this.#created.has(parent.dumpId)
  }

  async #alter(entry: Entry, there: Entry): Promise<void> {
    const { decision, options } = this
    const pair = { main: entry, standby: there }
    // Whatever differs is told, also where no handler finds what to do: then the proof will fail.
    if (isChanged(pair)) {
      const words = describeTableDifference(entry.definition, there.definition)
      this.changes.of(entry, 'alter', words ?? 'its definition differs')
    }
    if (entry.kind === 'TABLE' || isChanged(pair) || this.#isTouched(there)) {
      const alteration = handlerOf(entry)?.alter?.(pair, decision)
      if (alteration) this.#apply(entry, alteration)
    }
    if (options.owners && entry.owner !== there.owner) {
      this.#push(
        this.#structure,
        entry,
        'alter',
        ownerStatement(entry, entry.owner).map(text => sql(text, 'authorization')),
        `its owner is ${entry.owner} on main and ${there.owner} on the standby`
      )
    }
    if (entry.tablespace !== there.tablespace && entry.tablespace !== null) this.#moveTablespace(entry)
  }

  #apply(entry: Entry, { outside, structure, late }: Alteration): void {
    for (const statement of outside) this.#push(this.#outside, entry, 'alter', [statement])
    this.#push(this.#structure, entry, 'alter', structure)
    for (const statements of late) this.#push(this.#late, entry, 'alter', statements)
  }

  /** A domain whose checks had to go for a while. */
  #isTouched(there: Entry): boolean {
    const { domainChecks, domainDefaults } = this.decision.fate
    return [...[...domainChecks.values()].map(({ type }) => type), ...domainDefaults].some(
      type => type.oid === there.catalogId.oid
    )
  }

  #moveTablespace(entry: Entry): void {
    const index = entry.kind === 'CONSTRAINT' ? nameWithin(entry) : entry.name
    const kind = entry.kind === 'CONSTRAINT' ? 'INDEX' : entry.kind
    const space = entry.tablespace ? ident(entry.tablespace) : 'pg_default'
    const text = `ALTER ${kind} ${qualified(entry.schema, index)} SET TABLESPACE ${space};`
    this.#push(this.#structure, entry, 'alter', [sql(text, 'blocks-reads')], 'it is in another tablespace')
  }

  #satellite(entry: Entry, there: Entry | undefined, absent: boolean): void {
    switch (entry.kind) {
      case 'TABLE ATTACH':
        if (absent) this.#attach(entry)
        return
      case 'INDEX ATTACH':
        if (absent || entry.dependencies.some(id => this.#created.has(id))) this.#attachIndex(entry)
        return
      case 'DEFAULT':
        if (absent || there?.definition !== entry.definition || this.#isBared(entry)) this.#say(entry, there)
        return
      case 'SEQUENCE OWNED BY':
      case 'ROW SECURITY':
        if (absent || there?.definition !== entry.definition) this.#say(entry, there)
        return
      default:
        if (absent || there?.definition !== entry.definition || this.#isRemade(entry)) this.#say(entry, there)
    }
  }

  /** What it is said of is made in this run, under another entry on the standby. */
  #isRemade(entry: Entry): boolean {
    return this.#isOfLate(entry) || (entry.parent !== undefined && this.#created.has(entry.parent.dumpId))
  }

  /** The comment of a check that is made again after the rows. */
  #isOfLate({ name, parent }: Entry): boolean {
    return (
      name.startsWith('CONSTRAINT ') &&
      parent !== undefined &&
      !this.#created.has(parent.dumpId) &&
      this.#late.some(step => step.entry === parent)
    )
  }

  #say(entry: Entry, there: Entry | undefined): void {
    const hazards = entry.kind === 'ROW SECURITY' ? (['authorization'] as const) : []
    const list = this.#isOfLate(entry) ? this.#after : this.#listOf(entry)
    this.#push(list, entry, there ? 'alter' : 'create', [sql(entry.definition.trim(), ...hazards)])
  }

  /** The column lost its default for a while, or the sequence that it calls is a new one. */
  #isBared(entry: Entry): boolean {
    const { main, pairs, bared } = this.decision
    const table = entry.parent && pairs.get(entry.parent)?.standby
    if (table && bared.has(`${table.catalogId.oid}:${nameWithin(entry)}`)) return true
    return entry.dependencies.some(id => this.#created.has(id) && main.byId.get(id)?.kind === 'SEQUENCE')
  }

  /** To a parent that stands, a partition is attached when it has its indexes: else the parent would make others. */
  #attach(entry: Entry): void {
    const { main, pairs, standby } = this.decision
    const child = entry.parent
    const parents = child ? (relationOf(main, child)?.parentOids ?? []) : []
    const parent = parents.map(oid => main.find(catalogs.relation, oid))[0]
    const old = parent && pairs.get(parent)?.standby
    if (child && old && !isGone(old, this.decision) && standby.find(catalogs.relation, old.catalogId.oid)) {
      this.#waiting.set(child.dumpId, entry)
    } else this.#say(entry, undefined)
  }

  /**
   * Of indexes that are alike ATTACH PARTITION pairs the oldest with the parent's oldest, a key or not: so those of a
   * partition are made in the order of their parents'.
   */
  #pairWaiting(): void {
    const ages = new Map<Entry, number>()
    for (const [entry, above] of this.#indexAbove) {
      const there = this.#isWaited(entry) ? this.decision.pairs.get(above)?.standby : undefined
      if (there) ages.set(entry, there.catalogId.oid)
    }
    const ageOf = ({ entry }: Step) => ages.get(entry.kind === 'COMMENT' ? (entry.parent ?? entry) : entry)
    const places = this.#structure.flatMap((step, i) => (ageOf(step) === undefined ? [] : [i]))
    const inOrder = places.map(i => this.#structure[i]!).sort((a, b) => ageOf(a)! - ageOf(b)!)
    for (const [i, place] of places.entries()) this.#structure[place] = inOrder[i]!
  }

  #attachWaiting(): void {
    for (const entry of this.#waiting.values()) this.#say(entry, undefined)
  }

  #attachIndex(entry: Entry): void {
    const index = entry.parent
    const above = index && this.#indexAbove.get(index)
    // Where the table is to be attached as well, that pairs the two.
    const isPaired = index?.parent !== undefined && this.#waiting.has(index.parent.dumpId)
    const isWithin = above !== undefined && this.#isWaited(above) && !isPaired
    this.#push(isWithin ? this.#structure : this.#after, entry, 'create', [sql(entry.definition.trim())])
  }

  #copyRows(): void {
    for (const { entry, statements, late } of copyStatements(this.decision)) {
      this.#push(this.#structure, entry, 'alter', statements)
      for (const statement of late) this.#push(this.#late, entry, 'alter', [statement])
    }
  }

  /** What only the standby has, and had to go for a while: it comes back as it was. What is only said of things goes. */
  async #extras(): Promise<void> {
    const { decision, options } = this
    for (const entry of decision.extras) {
      const drop = decision.fate.drops.get(entry)
      if (drop?.cause === 'dependent') {
        const statements = (await creation(entry)).map(text => sql(text))
        const owned = entry.owner && entry.owner !== this.user ? ownerStatement(entry, entry.owner) : []
        const list = entry.section === 'pre-data' ? this.#structure : this.#after
        this.#push(list, entry, 'alter', [...statements, ...owned.map(text => sql(text))])
      } else if (this.#returns(entry.parent) && satelliteKinds.has(entry.kind)) {
        // Where grants are not compared, ArrivingGrants sees to them.
        if (entry.kind === 'ACL' && !options.privileges) continue
        this.#push(this.#listOf(entry), entry.parent!, 'alter', [sql(entry.definition.trim())])
      } else if (!drop && !isGone(entry, decision)) await this.#extraSatellite(entry, options.cleanExtra)
    }
  }

  #returns(entry: Entry | undefined): boolean {
    const { fate, main } = this.decision
    return entry !== undefined && fate.drops.get(entry)?.cause === 'dependent' && !main.byKey.has(entry.key)
  }

  async #extraSatellite(entry: Entry, cleanExtra: boolean): Promise<void> {
    const { main } = this.decision
    // Of what initdb or an extension made, a dump has no entry: it is there on both sides.
    const home = entry.parent === undefined || main.byKey.has(entry.parent.key)
    const remove = async (...hazards: Hazard[]) => {
      const texts = await removal(entry, new Set(), new Set())
      this.#push(
        this.#structure,
        entry,
        'alter',
        texts.map(text => sql(text.trim(), ...hazards))
      )
    }
    if (!home) return
    switch (entry.kind) {
      case 'ACL':
      case 'DEFAULT ACL':
        return this.#grants.extra(entry)
      case 'ROW SECURITY':
        return await remove('authorization')
      case 'DEFAULT':
        // The table's handler sees to its columns; of views this is all there is.
        if (entry.parent?.kind === 'VIEW') await remove()
        return
      case 'COMMENT':
      case 'SECURITY LABEL':
        if (cleanExtra) await remove()
        else this.changes.leave(entry, 'drop', 'it is only on the standby')
        return
      default:
    }
  }
}

/** By name: where that index is a key's, pg_dump's dependencies do not lead to it. */
function indexesAbove({ entries }: Side): Map<Entry, Entry> {
  const byName = new Map(
    entries.filter(isIndex).map(entry => [`${entry.schema}\0${nameWithin(entry)}`, entry])
  )
  return new Map(
    entries.flatMap(({ kind, parent, definition }): [Entry, Entry][] => {
      const [, name] = /^ALTER INDEX ((?:"(?:[^"]|"")*"|[^\s"])+) ATTACH /.exec(definition.trim()) ?? []
      const above =
        kind === 'INDEX ATTACH' && name ? byName.get(parseName(name)?.join('\0') ?? '') : undefined
      return parent && above ? [[parent, above]] : []
    })
  )
}

function isIndex({ kind }: Entry): boolean {
  return kind === 'INDEX' || kind === 'CONSTRAINT'
}
