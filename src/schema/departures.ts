/**
 * What leaves the standby before main's objects are made or altered, in the reverse of the order in which it was made:
 * first what columns and domains are told by expressions, then objects, then what has a successor is put aside.
 */
import { ident, qualified } from '../postgres/quote.js'
import type { Changes } from './changes.js'
import type { Decision } from './decide.js'
import { DepartureList } from './departurelist.js'
import { catalogs } from './dependents.js'
import type { Entry } from './entry.js'
import { sql } from './handlers/handler.js'
import { identityOf } from './handlers/sequence.js'
import { isParked, putAside } from './putaside.js'
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
  return new Leaving(new DepartureList(decision, changes)).write()
}

class Leaving {
  readonly decision: Decision
  /** Partitions that are tables by themselves from now on. */
  readonly #detached = new Set<Entry>()
  /** `schema\0name` of indexes that belong to a partitioned one. */
  readonly #attached = new Set<string>()

  constructor(readonly list: DepartureList) {
    this.decision = list.decision
  }

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
    putAside(this.list)
    return this.list
  }

  /** A column that goes would take its sequence with it. */
  #sequences(): void {
    const { fate, main, standby } = this.decision
    for (const entry of standby.entries) {
      if (entry.kind !== 'SEQUENCE OWNED BY' || !entry.parent || fate.drops.has(entry.parent)) continue
      const twin = main.byKey.get(entry.key)
      if (twin?.definition === entry.definition || !main.byKey.has(entry.parent.key)) continue
      this.list.push(
        this.list.first,
        entry,
        sql(`ALTER SEQUENCE ${qualified(entry.schema, entry.name)} OWNED BY NONE;`)
      )
    }
  }

  /** One that main has as well is made anew. */
  #invalidIndexes(): void {
    const { main, standby } = this.decision
    for (const { schema, name } of standby.dependents.invalidIndexes) {
      const entry = main.entries.find(
        each => each.kind === 'INDEX' && each.schema === schema && each.name === name
      )
      if (entry)
        this.list.push(this.list.first, entry, sql(`DROP INDEX IF EXISTS ${qualified(schema, name)};`))
    }
  }

  #expressions(): void {
    const { fate, standby } = this.decision
    for (const relation of fate.untyped) this.list.about(relation, `ALTER TABLE ${relation.sql} NOT OF;`)
    for (const { relation, column } of fate.defaults.values()) {
      this.list.about(
        relation,
        `ALTER TABLE ONLY ${relation.sql} ALTER COLUMN ${ident(column.name)} DROP DEFAULT;`
      )
    }
    for (const { relation, check } of fate.checks.values()) {
      this.list.about(relation, `ALTER TABLE ${relation.sql} DROP CONSTRAINT IF EXISTS ${ident(check.name)};`)
    }
    for (const type of fate.domainDefaults) {
      const entry = standby.find(catalogs.type, type.oid)
      if (entry) this.list.push(this.list.first, entry, sql(`ALTER DOMAIN ${type.sql} DROP DEFAULT;`))
    }
    for (const { type, check } of fate.domainChecks.values()) {
      const entry = standby.find(catalogs.type, type.oid)
      if (!entry) continue
      this.list.push(
        this.list.first,
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
        this.list.about(theirs, `ALTER TABLE ${theirs.sql} NO INHERIT ${parent};`)
    }
  }

  /** Before their indexes go: those of a partition cannot go alone. */
  async #detach(): Promise<void> {
    const { fate, standby } = this.decision
    for (const { relation, entry } of fate.tables.values()) {
      if (!relation.isPartition || relation.parentOids.some(oid => fate.tables.has(oid))) continue
      this.list.push(
        this.list.first,
        entry,
        sql(`ALTER TABLE ${relation.parents[0]} DETACH PARTITION ${relation.sql};`)
      )
      this.#detached.add(entry)
    }
    for (const entry of standby.entries) {
      const child = entry.parent
      if (entry.kind !== 'TABLE ATTACH' || !child || fate.drops.has(child) || !fate.drops.has(entry)) continue
      const statements = await removal(entry, new Set(), new Set())
      this.list.push(this.list.first, entry, ...statements.map(text => sql(text)))
      this.#detached.add(child)
    }
    for (const entry of standby.entries) {
      const table = entry.parent?.parent
      const isFree = table === undefined || this.#detached.has(table)
      if (entry.kind === 'INDEX ATTACH' && !isFree) this.#attached.add([entry.schema, entry.name].join('\0'))
    }
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
      this.list.push(this.list.first, entry, sql(text))
    }
  }

  async #object(entry: Entry): Promise<void> {
    const { fate } = this.decision
    const drop = fate.drops.get(entry)
    if (!drop || drop.cause === 'aside' || drop.cause === 'whole' || this.#goesWithParent(entry)) return
    if (entry.kind === 'TABLE ATTACH') return
    if (entry.kind === 'SHELL TYPE' || isParked(entry, this.decision.standby) || this.#servesBaseType(entry))
      return
    const identity = entry.kind === 'SEQUENCE' ? identityOf(entry) : undefined
    if (identity) {
      const text = `ALTER TABLE ${identity.table} ALTER COLUMN ${identity.column} DROP IDENTITY IF EXISTS;`
      return this.list.push(this.list.first, entry, sql(text))
    }
    const statements = (await removalOf(entry, this.decision, this.#attached)).map(text =>
      sql(text, ...this.#hazards(entry))
    )
    const marked = statements.map(each => ({ ...each, extra: drop.cause === 'extra' }))
    const isType = entry.kind === 'TYPE' || entry.kind === 'DOMAIN'
    const isLast =
      (lastToGo.has(entry.kind) && drop.cause !== 'changed' && (isType || drop.cause !== 'inTheWay')) ||
      (entry.kind === 'TABLE' && this.#rowsAreStored(entry))
    this.list.push(isLast ? this.list.last : this.list.first, entry, ...marked)
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
}
