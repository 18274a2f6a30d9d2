/**
 * What leaves the standby before main's objects are made or altered, in the reverse of the order in which it was made:
 * first what columns and domains are told by expressions, then objects; types and tables that have a successor are
 * only renamed, so that columns and rows can move from the one to the other.
 */
import { ident, qualified } from '../postgres/quote.js'
import { inOrderOfUse } from './asides.js'
import type { Changes } from './changes.js'
import type { Decision } from './decide.js'
import type { Column, Relation } from './details/details.js'
import { catalogs } from './dependents.js'
import type { Entry } from './entry.js'
import type { RewrittenTable, SwappedType } from './fate.js'
import { sql, type Sql } from './handlers/handler.js'
import { identityOf } from './handlers/sequence.js'
import { losesRows } from './rewrites.js'
import { relationOf } from './side.js'
import { removalOf } from './removals.js'
import { removal } from './statements.js'
import type { Step } from './step.js'

/** Dropped behind everything else, when nothing uses them any more. */
const lastToGo = new Set([
  'TYPE',
  'SHELL TYPE',
  'DOMAIN',
  'COLLATION',
  'EXTENSION',
  'SCHEMA',
  'SEQUENCE',
  'ACCESS METHOD',
  'TEXT SEARCH PARSER',
  'TEXT SEARCH TEMPLATE',
  'PROCEDURAL LANGUAGE'
])

export interface Departures {
  /** In order. */
  readonly first: Step[]
  readonly last: Step[]
}

export async function departures(decision: Decision, changes: Changes): Promise<Departures> {
  return new Leaving(decision, changes).write()
}

class Leaving {
  readonly #first: Step[] = []
  readonly #last: Step[] = []
  /** Partitions that are tables by themselves from now on. */
  readonly #detached = new Set<Entry>()
  /** `schema\0name` of indexes that belong to a partitioned one. */
  readonly #attached = new Set<string>()

  constructor(
    readonly decision: Decision,
    readonly changes: Changes
  ) {}

  async write(): Promise<Departures> {
    this.#sequences()
    this.#invalidIndexes()
    this.#expressions()
    this.#parents()
    const entries = this.decision.standby.entries.toReversed()
    // Before partitions let go of their parent: each would keep its share of the foreign key.
    for (const entry of entries) if (entry.kind === 'FK CONSTRAINT') await this.#object(entry)
    await this.#detach()
    for (const entry of entries) {
      if (entry.kind === 'TABLE') this.#generatedColumns(entry)
      if (entry.kind !== 'FK CONSTRAINT') await this.#object(entry)
    }
    this.#parkColumns()
    this.#renameTypes()
    this.#renameTables()
    this.#dropAsides()
    return { first: this.#first, last: this.#last }
  }

  /** `of` is the object whose change the statements are told with. */
  #push(list: Step[], of: Entry, ...statements: Sql[]): void {
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

  /** A column that goes would take its sequence with it. */
  #sequences(): void {
    const { fate, main, standby } = this.decision
    for (const entry of standby.entries) {
      if (entry.kind !== 'SEQUENCE OWNED BY' || !entry.parent || fate.drops.has(entry.parent)) continue
      const twin = main.byKey.get(entry.key)
      if (twin?.definition === entry.definition || !main.byKey.has(entry.parent.key)) continue
      this.#push(
        this.#first,
        entry,
        sql(`ALTER SEQUENCE ${qualified(entry.schema, entry.name)} OWNED BY NONE;`)
      )
    }
  }

  #tableOf(relation: Relation): Entry | undefined {
    return this.decision.standby.find(catalogs.relation, relation.oid)
  }

  /** One that main has as well is made anew. */
  #invalidIndexes(): void {
    const { main, standby } = this.decision
    for (const { schema, name } of standby.dependents.invalidIndexes) {
      const entry = main.entries.find(
        each => each.kind === 'INDEX' && each.schema === schema && each.name === name
      )
      if (entry) this.#push(this.#first, entry, sql(`DROP INDEX IF EXISTS ${qualified(schema, name)};`))
    }
  }

  #expressions(): void {
    const { fate, standby } = this.decision
    for (const relation of fate.untyped) this.#about(relation, `ALTER TABLE ${relation.sql} NOT OF;`)
    for (const { relation, column } of fate.defaults.values()) {
      this.#about(
        relation,
        `ALTER TABLE ONLY ${relation.sql} ALTER COLUMN ${ident(column.name)} DROP DEFAULT;`
      )
    }
    for (const { relation, check } of fate.checks.values()) {
      this.#about(relation, `ALTER TABLE ${relation.sql} DROP CONSTRAINT IF EXISTS ${ident(check.name)};`)
    }
    for (const type of fate.domainDefaults) {
      const entry = standby.find(catalogs.type, type.oid)
      if (entry) this.#push(this.#first, entry, sql(`ALTER DOMAIN ${type.sql} DROP DEFAULT;`))
    }
    for (const { type, check } of fate.domainChecks.values()) {
      const entry = standby.find(catalogs.type, type.oid)
      if (!entry) continue
      this.#push(
        this.#first,
        entry,
        sql(`ALTER DOMAIN ${type.sql} DROP CONSTRAINT IF EXISTS ${ident(check.name)};`)
      )
    }
  }

  /** Children let go before a parent goes. */
  #parents(): void {
    const { fate, main, pairs } = this.decision
    for (const { main: wanted, standby: there } of pairs.values()) {
      const ours = relationOf(main, wanted)
      const theirs = relationOf(this.decision.standby, there)
      if (wanted.kind !== 'TABLE' || !ours || !theirs || ours.isPartition || theirs.isPartition) continue
      // One that was put aside must not follow what its parent becomes.
      const isAside = fate.tables.has(theirs.oid)
      if (!isAside && (fate.drops.has(there) || ours.parents.join('\0') === theirs.parents.join('\0')))
        continue
      for (const parent of theirs.parents)
        this.#about(theirs, `ALTER TABLE ${theirs.sql} NO INHERIT ${parent};`)
    }
  }

  /** Before their indexes go: those of a partition cannot go alone. */
  async #detach(): Promise<void> {
    const { fate, standby } = this.decision
    for (const { relation, entry } of fate.tables.values()) {
      if (!relation.isPartition || relation.parentOids.some(oid => fate.tables.has(oid))) continue
      this.#push(
        this.#first,
        entry,
        sql(`ALTER TABLE ${relation.parents[0]} DETACH PARTITION ${relation.sql};`)
      )
      this.#detached.add(entry)
    }
    for (const entry of standby.entries) {
      const child = entry.parent
      if (entry.kind !== 'TABLE ATTACH' || !child || fate.drops.has(child) || !fate.drops.has(entry)) continue
      const statements = await removal(entry, new Set(), new Set())
      this.#push(this.#first, entry, ...statements.map(text => sql(text)))
      this.#detached.add(child)
    }
    for (const entry of standby.entries) {
      const table = entry.parent?.parent
      const isFree = table === undefined || this.#detached.has(table)
      if (entry.kind === 'INDEX ATTACH' && !isFree) this.#attached.add([entry.schema, entry.name].join('\0'))
    }
  }

  #about(relation: Relation, text: string): void {
    const entry = this.#tableOf(relation)
    if (entry) this.#push(this.#first, entry, sql(text))
  }

  /** Generated columns whose expression rests on what goes. */
  #generatedColumns(entry: Entry): void {
    const { fate, main, standby } = this.decision
    const relation = standby.details.relations.get(entry.catalogId.oid)
    const fates = fate.columns.get(entry.catalogId.oid)
    if (!relation || !fates || (fate.drops.has(entry) && !fate.tables.has(relation.oid))) return
    const wanted = main.details.relations.get(main.byKey.get(entry.key)?.catalogId.oid ?? 0)
    for (const [number, what] of fates) {
      const column = relation.columns.find(each => each.number === number)
      if (what !== 'regenerate' || !column || (relation.isPartition && column.parents > 0)) continue
      const twin = wanted?.columns.find(each => each.name === column.name)
      // Its values are kept where main has them as a plain column.
      const text =
        twin && !twin.generated
          ? `ALTER TABLE ${relation.sql} ALTER COLUMN ${ident(column.name)} DROP EXPRESSION IF EXISTS;`
          : `ALTER TABLE ${relation.sql} DROP COLUMN IF EXISTS ${ident(column.name)};`
      this.#push(this.#first, entry, sql(text))
    }
  }

  async #object(entry: Entry): Promise<void> {
    const { fate } = this.decision
    const drop = fate.drops.get(entry)
    if (!drop || drop.cause === 'aside' || drop.cause === 'whole' || this.#goesWithParent(entry)) return
    if (entry.kind === 'TABLE ATTACH') return
    if (entry.kind === 'SHELL TYPE' || this.#isParked(entry) || this.#servesBaseType(entry)) return
    const identity = entry.kind === 'SEQUENCE' ? identityOf(entry) : undefined
    if (identity) {
      const text = `ALTER TABLE ${identity.table} ALTER COLUMN ${identity.column} DROP IDENTITY IF EXISTS;`
      return this.#push(this.#first, entry, sql(text))
    }
    const statements = (await removalOf(entry, this.decision, this.#attached)).map(text =>
      sql(text, ...this.#hazards(entry))
    )
    const marked = statements.map(each => ({ ...each, extra: drop.cause === 'extra' }))
    const isType = entry.kind === 'TYPE' || entry.kind === 'DOMAIN'
    const isLast =
      (lastToGo.has(entry.kind) && drop.cause !== 'changed' && (isType || drop.cause !== 'inTheWay')) ||
      (entry.kind === 'TABLE' && this.#rowsAreStored(entry))
    this.#push(isLast ? this.#last : this.#first, entry, ...marked)
  }

  /** Ranges and base types cannot be renamed: they go at once, and their columns wait as text. */
  #isParked(entry: Entry): boolean {
    const type = this.decision.standby.details.types.get(entry.catalogId.oid)
    return entry.kind === 'TYPE' && (type?.kind === 'r' || type?.kind === 'b')
  }

  /** A base type and the functions that read and write it rest on each other: these go with it. */
  #servesBaseType(entry: Entry): boolean {
    const { fate, standby } = this.decision
    return (
      entry.kind === 'FUNCTION' &&
      standby.entries.some(
        other =>
          other.kind === 'TYPE' &&
          other.dependencies.includes(entry.dumpId) &&
          fate.drops.has(other) &&
          standby.details.types.get(other.catalogId.oid)?.kind === 'b'
      )
    )
  }

  /** Columns of other tables hold rows of it, and are retyped later. */
  #rowsAreStored(entry: Entry): boolean {
    const { standby } = this.decision
    const type = standby.details.types.get(relationOf(standby, entry)?.rowType ?? 0)
    return [type?.oid, type?.array].some(
      oid =>
        oid &&
        standby.dependents
          .of(catalogs.type, oid)
          .some(other => other.catalog === catalogs.relation && other.part > 0)
    )
  }

  #hazards(entry: Entry) {
    const drop = this.decision.fate.drops.get(entry)
    if (drop?.cause === 'dependent') return ['recreates-dependents'] as const
    const again = this.decision.main.byKey.has(entry.key)
    if (entry.kind === 'TABLE' && !again) return ['deletes-data'] as const
    return again && ['INDEX', 'CONSTRAINT'].includes(entry.kind) ? (['index-rebuild'] as const) : []
  }

  /** Indexes, keys and the like of a table that is dropped for good go with it. */
  #goesWithParent(entry: Entry): boolean {
    const { fate } = this.decision
    const { parent } = entry
    const drop = parent && fate.drops.get(parent)
    const isGone = drop?.cause === 'extra' || drop?.cause === 'inTheWay'
    return (
      isGone && parent?.kind === 'TABLE' && ['INDEX', 'CONSTRAINT', 'CHECK CONSTRAINT'].includes(entry.kind)
    )
  }

  /** A range's constructors keep its name when it is renamed, and a base type's functions rest on it. */
  #parkColumns(): void {
    const { fate, standby } = this.decision
    const parked = standby.entries.filter(entry => fate.drops.has(entry) && this.#isParked(entry))
    for (const entry of parked) {
      const type = standby.details.types.get(entry.catalogId.oid)!
      const made = new Set([type.oid, type.array, type.multirange])
      for (const [oid, columns] of fate.columns) {
        const relation = standby.details.relations.get(oid)
        for (const number of columns.keys()) {
          const column = relation?.columns.find(each => each.number === number)
          if (relation && column && made.has(column.typeOid) && this.#stays(relation))
            this.#park(relation, column)
        }
      }
    }
    // Those that others are made of go after these.
    for (const entry of parked.toReversed()) {
      const type = standby.details.types.get(entry.catalogId.oid)!
      const text = `DROP TYPE ${type.sql}${type.kind === 'b' ? ' CASCADE' : ''};`
      this.#push(this.#first, entry, { ...sql(text), extra: fate.drops.get(entry)?.cause === 'extra' })
    }
  }

  #stays(relation: Relation): boolean {
    const entry = this.#tableOf(relation)
    const drop = entry && this.decision.fate.drops.get(entry)
    return entry !== undefined && (!drop || drop.cause === 'aside')
  }

  #park(relation: Relation, column: Column): void {
    const alter = `ALTER TABLE ${relation.sql} ALTER COLUMN ${ident(column.name)}`
    if (column.default !== null) this.#about(relation, `${alter} DROP DEFAULT;`)
    this.#about(relation, `${alter} TYPE text USING ${ident(column.name)}::text;`)
  }

  #renameTypes(): void {
    const { fate, main } = this.decision
    for (const swapped of fate.types.values()) {
      const { type, entry, aside } = swapped
      if (type && this.#isParked(entry)) continue
      const name = qualified(entry.schema, entry.name)
      this.#push(this.#first, entry, sql(`ALTER ${kindOf(swapped)} ${name} RENAME TO ${ident(aside)};`))
    }
    // What goes at the end, but whose name is needed before.
    const names = new Set([...main.details.types.values()].map(type => type.sql))
    for (const [i, step] of this.#last.entries()) {
      const { entry, statements, change } = step
      const isNeeded = ['TYPE', 'DOMAIN'].includes(entry.kind) || entry.kind === 'TABLE'
      if (!isNeeded || !names.has(qualified(entry.schema, entry.name))) continue
      const aside = fate.nextName()
      const name = qualified(entry.schema, entry.name)
      this.#push(this.#first, entry, sql(`ALTER ${entry.kind} ${name} RENAME TO ${ident(aside)};`))
      const drop = `DROP ${entry.kind} ${qualified(entry.schema, aside)};`
      this.#last[i] = { ...step, statements: [drop] }
      change.sql = change.sql.map(text => (statements.includes(text) ? drop : text))
    }
  }

  /** When rows and columns have moved; and what they are in, last of all. */
  #dropAsides(): void {
    const { fate } = this.decision
    const asides: Step[] = []
    for (const table of fate.tables.values()) {
      const { relation, entry, aside } = table
      if (relation.isPartition && relation.parentOids.some(oid => fate.tables.has(oid))) continue
      // A child that main does not have goes with its rows.
      const hazards = losesRows(table, this.decision) ? (['deletes-data'] as const) : []
      const text = `DROP TABLE ${qualified(entry.schema, aside)};`
      this.#push(asides, entry, { ...sql(text, ...hazards), extra: true })
    }
    for (const swapped of fate.types.values()) {
      const { type, entry, aside } = swapped
      if (type && this.#isParked(entry)) continue
      this.#push(asides, entry, sql(`DROP ${kindOf(swapped)} ${qualified(entry.schema, aside)};`))
    }
    const homes = this.#last.filter(({ entry }) => entry.kind === 'SCHEMA' || entry.kind === 'EXTENSION')
    const others = this.#last.filter(step => !homes.includes(step))
    const ordered = inOrderOfUse([...others, ...asides.toReversed()], this.decision.standby)
    this.#last.splice(0, this.#last.length, ...ordered, ...homes)
  }

  #renameTables(): void {
    const { fate } = this.decision
    for (const table of fate.tables.values()) {
      const { relation, entry, aside } = table
      this.#releaseSequences(table)
      this.#push(
        this.#first,
        entry,
        sql(`ALTER TABLE ${relation.sql} RENAME TO ${ident(aside)};`, 'rewrites-table', 'blocks-reads')
      )
    }
  }

  #releaseSequences({ relation, entry }: RewrittenTable): void {
    const { fate, standby } = this.decision
    for (const dependent of standby.dependents.of(catalogs.relation, relation.oid)) {
      const sequence = standby.details.relations.get(dependent.oid)
      if (dependent.catalog !== catalogs.relation || sequence?.kind !== 'S') continue
      const itself = standby.find(catalogs.relation, sequence.oid)
      if (dependent.how === 'a') {
        this.#push(this.#first, entry, sql(`ALTER SEQUENCE ${sequence.sql} OWNED BY NONE;`))
        const said = standby.entries.find(each => each.kind === 'SEQUENCE OWNED BY' && each.parent === itself)
        if (said) fate.drops.set(said, { cause: 'whole', reason: 'its table is made anew' })
      }
      const column = relation.columns.find(each => each.number === dependent.on)
      if (dependent.how !== 'i' || !column || !itself) continue
      const alter = `ALTER TABLE ${relation.sql} ALTER COLUMN ${ident(column.name)}`
      this.#push(this.#first, entry, sql(`${alter} DROP IDENTITY IF EXISTS;`))
      fate.drops.set(itself, { cause: 'whole', reason: 'its table is made anew' })
    }
  }
}

function kindOf({ type, entry }: SwappedType): string {
  return !type ? 'COLLATION' : entry.kind === 'DOMAIN' ? 'DOMAIN' : 'TYPE'
}
