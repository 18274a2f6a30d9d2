/**
 * What becomes of the standby's objects: which are dropped, which columns change their type, which types and tables
 * are put aside for new ones, and, followed through pg_depend to the end, what else that touches. What is dropped
 * here and is on main as well is made again from main's definition.
 */
import { labelOf } from './change.js'
import { catalogs, type Dependent } from './dependents.js'
import type { Check, Column, DomainCheck, Relation, TypeDetail } from './details/details.js'
import type { Entry } from './entry.js'
import { isContained } from './handlers/contained.js'
import type { Standby } from './side.js'

/**
 * extra: main does not have it; inTheWay: main has something else of that name; changed: made anew as main has it;
 * dependent: rests on what changes; aside: renamed, its successor takes over; whole: goes with the object it is on.
 */
export type Cause = 'extra' | 'inTheWay' | 'changed' | 'dependent' | 'aside' | 'whole'

export interface Drop {
  readonly cause: Cause
  readonly reason: string
}

export interface SwappedType {
  /** Undefined for a collation. */
  readonly type: TypeDetail | undefined
  readonly entry: Entry
  /** The name it has until nothing uses it any more. */
  readonly aside: string
  readonly reason: string
}

export interface RewrittenTable {
  readonly relation: Relation
  readonly entry: Entry
  readonly aside: string
  readonly reason: string
}

/** retype: by ALTER COLUMN TYPE; regenerate: a generated column, dropped and added. */
export type ColumnFate = 'retype' | 'regenerate'

type Mode = 'drop' | 'retype'

interface Seed {
  catalog: number
  oid: number
  /** A column, or 0 for the whole. */
  part: number
  mode: Mode
}

/** Dropping these in the middle would take with them what is still needed: they go last, or are renamed aside. */
const heldBack = new Set(['EXTENSION', 'SCHEMA', 'COLLATION'])

export class Fate {
  readonly drops = new Map<Entry, Drop>()
  readonly columns = new Map<number, Map<number, ColumnFate>>()
  readonly defaults = new Map<number, { relation: Relation; column: Column }>()
  readonly checks = new Map<number, { relation: Relation; check: Check }>()
  readonly domainChecks = new Map<number, { type: TypeDetail; check: DomainCheck }>()
  readonly domainDefaults = new Set<TypeDetail>()
  /** By OID; collations by their negative OID. */
  readonly types = new Map<number, SwappedType>()
  readonly tables = new Map<number, RewrittenTable>()
  /** Relations outside of the scope that rest on what changes, and how. */
  readonly strangers = new Map<string, string>()
  /** Typed tables that must let go of their type for a while. */
  readonly untyped = new Set<Relation>()
  #seeds: Seed[] = []
  readonly #seen = new Set<string>()
  #names = 0

  /** @param taken names that are somebody's. */
  constructor(
    readonly standby: Standby,
    readonly taken: ReadonlySet<string>
  ) {}

  /** A name that nobody else has. */
  nextName(): string {
    let name: string
    do name = `pgsyncer_aside_${++this.#names}`
    while (this.taken.has(name))
    return name
  }

  drop(entry: Entry, cause: Cause, reason: string): void {
    if (this.drops.has(entry)) return
    this.drops.set(entry, { cause, reason })
    const { catalog, oid } = entry.catalogId
    if (oid !== 0) this.follow(catalog, oid)
  }

  /** Whatever rests on this object, or on this column of it, must go for a while. */
  follow(catalog: number, oid: number, part = 0, mode: Mode = 'drop'): void {
    const key = [catalog, oid, part, mode].join(':')
    if (this.#seen.has(key)) return
    this.#seen.add(key)
    this.#seeds.push({ catalog, oid, part, mode })
  }

  columnFate(relation: Relation, column: Column): ColumnFate | undefined {
    return this.columns.get(relation.oid)?.get(column.number)
  }

  changeColumn(oid: number, number: number, reason: string): void {
    const relation = this.standby.details.relations.get(oid)
    if (!relation) return
    if (relation.kind === 'v' || relation.kind === 'm') {
      const entry = this.standby.find(catalogs.relation, oid)
      if (entry) this.drop(entry, 'dependent', reason)
      return
    }
    if (relation.kind === 'c') {
      const type = [...this.standby.details.types.values()].find(each => each.relation === oid)
      if (type) this.swapType(type.oid, reason)
      return
    }
    if (!this.standby.find(catalogs.relation, oid)) {
      this.strangers.set(nameOf(relation), reason)
      return
    }
    const fates = this.columns.get(oid) ?? new Map<number, ColumnFate>()
    this.columns.set(oid, fates)
    if (fates.has(number)) return
    // PostgreSQL converts no value that it computes.
    const isGenerated = relation.columns.find(column => column.number === number)?.generated
    fates.set(number, isGenerated ? 'regenerate' : 'retype')
    this.follow(catalogs.relation, oid, number, isGenerated ? 'drop' : 'retype')
  }

  /** Puts a type aside: what uses it is retyped to its successor. */
  swapType(oid: number, reason: string): void {
    if (this.types.has(oid)) return
    const type = this.standby.details.types.get(oid)
    const entry = this.standby.find(catalogs.type, oid)
    if (!type || !entry) return
    this.types.set(oid, { type, entry, aside: this.nextName(), reason })
    this.drops.set(entry, { cause: 'aside', reason })
    for (const each of [oid, type.array, type.multirange]) if (each !== 0) this.follow(catalogs.type, each)
  }

  swapCollation(entry: Entry, reason: string): void {
    const { oid } = entry.catalogId
    if (this.types.has(-oid)) return
    this.types.set(-oid, { type: undefined, entry, aside: this.nextName(), reason })
    this.drops.set(entry, { cause: 'aside', reason })
    this.follow(catalogs.collation, oid)
  }

  /** Puts a table aside, and its children: their rows move to new ones. */
  rewrite(oid: number, reason: string): void {
    if (this.tables.has(oid)) return
    const { relations } = this.standby.details
    const relation = relations.get(oid)
    const entry = this.standby.find(catalogs.relation, oid)
    if (!relation || !entry) return
    this.tables.set(oid, { relation, entry, aside: this.nextName(), reason })
    this.drops.set(entry, { cause: 'aside', reason })
    this.follow(catalogs.relation, oid)
    for (const child of relations.values()) {
      if (child.parentOids.includes(oid)) this.rewrite(child.oid, `it is a child of ${relation.sql}`)
    }
  }

  /** `TABLE public.t, whose column c changes its type`. */
  #because({ catalog, oid, part, mode }: Seed): string {
    const { details } = this.standby
    const relation = catalog === catalogs.relation ? details.relations.get(oid) : undefined
    const entry = this.standby.find(catalog, oid)
    const type = catalog === catalogs.type ? details.types.get(oid) : undefined
    const what = entry ? labelOf(entry) : (relation?.sql ?? (type ? `type ${type.sql}` : 'what changes'))
    const column = relation?.columns.find(each => each.number === part)?.name
    if (column === undefined) return `it rests on ${what}`
    return mode === 'retype'
      ? `it rests on ${what}, whose column ${column} changes its type`
      : `it rests on column ${column} of ${what}`
  }

  /** What is outside of the scope is not ours to drop and make again. */
  #stranger(oid: number, seed: Seed): void {
    const relation = this.standby.details.relations.get(oid)
    if (relation) this.strangers.set(nameOf(relation), this.#because(seed))
  }

  /** Follows everything that was marked to its end. */
  close(): void {
    for (let seed = this.#seeds.pop(); seed; seed = this.#seeds.pop()) {
      for (const dependent of this.standby.dependents.of(seed.catalog, seed.oid)) {
        if (seed.part !== 0 && dependent.on !== seed.part) continue
        const itself = dependent.catalog === seed.catalog && dependent.oid === seed.oid
        if (itself && dependent.part === 0) continue
        if (this.#survives(seed, dependent)) continue
        this.#touch(seed, dependent)
      }
    }
  }

  #survives(seed: Seed, dependent: Dependent): boolean {
    const { dependents, details } = this.standby
    const isSequence =
      dependent.catalog === catalogs.relation && details.relations.get(dependent.oid)?.kind === 'S'
    if (seed.mode === 'retype') {
      // ALTER COLUMN TYPE rebuilds keys, plain indexes and statistics itself.
      if (dependent.catalog === catalogs.statistics || isSequence) return true
      const constraint =
        dependent.catalog === catalogs.constraint ? dependents.constraints.get(dependent.oid) : undefined
      if (constraint && 'pux'.includes(constraint.kind)) return !this.#carries(dependent.oid, seed.part)
      const index =
        dependent.catalog === catalogs.relation && dependent.part === 0
          ? dependents.indexes.get(dependent.oid)
          : undefined
      return index !== undefined && !index.hasExpressions
    }
    // A sequence that a table owns is let go before the table is.
    return seed.catalog === catalogs.relation && seed.part === 0 && isSequence
  }

  /** A key that only carries the column (INCLUDE): PostgreSQL cannot rebuild it below a foreign key. */
  #carries(constraint: number, column: number): boolean {
    const indexes = [...this.standby.dependents.indexes.values()]
    return indexes.some(index => index.constraint === constraint && index.included.includes(column))
  }

  #touch(seed: Seed, dependent: Dependent): void {
    const { standby } = this
    const { catalog, oid, part } = dependent
    const entry = standby.find(catalog, oid)
    switch (catalog) {
      case catalogs.rewrite:
        return this.#touchRule(seed, oid, entry)
      case catalogs.default:
        return this.#touchDefault(seed, oid, entry)
      case catalogs.constraint:
        return this.#touchConstraint(seed, oid, entry)
      case catalogs.trigger:
        if (entry && !standby.dependents.ownTriggers.has(oid))
          this.drop(entry, 'dependent', this.#because(seed))
        return
      case catalogs.type:
        return this.#touchType(seed, dependent, entry)
      case catalogs.relation:
        if (part > 0) {
          if (seed.catalog !== catalogs.relation || seed.oid !== oid) {
            this.changeColumn(oid, part, this.#because(seed))
            // While it waits as text, no index or key of it can stand.
            if (this.#isParked(seed)) this.follow(catalogs.relation, oid, part)
          }
          return
        }
        return this.#touchRelation(seed, dependent, entry)
      default:
        if (!entry) return this.follow(catalog, oid)
        if (entry.kind === 'DEFAULT ACL')
          this.drops.set(entry, { cause: 'whole', reason: this.#because(seed) })
        else if (!heldBack.has(entry.kind)) this.drop(entry, 'dependent', this.#because(seed))
    }
  }

  #isParked({ catalog, oid }: Seed): boolean {
    if (catalog !== catalogs.type) return false
    const { types } = this.standby.details
    const owner = [...types.values()].find(
      type => type.oid === oid || type.array === oid || type.multirange === oid
    )
    return owner !== undefined && (owner.kind === 'r' || (owner.kind === 'b' && owner.oid === oid))
  }

  #touchRule(seed: Seed, oid: number, entry: Entry | undefined): void {
    const rule = this.standby.dependents.rules.get(oid)
    const target = rule?.isView ? this.standby.find(catalogs.relation, rule.relation) : entry
    if (target) this.drop(target, 'dependent', this.#because(seed))
    else if (rule) this.#stranger(rule.relation, seed)
  }

  #touchDefault(seed: Seed, oid: number, entry: Entry | undefined): void {
    const place = this.standby.dependents.defaults.get(oid)
    const relation = place && this.standby.details.relations.get(place.relation)
    const column = relation?.columns.find(each => each.number === place?.column)
    if (!relation || !column) return
    if (column.generated) {
      this.changeColumn(relation.oid, column.number, this.#because(seed))
      return
    }
    this.defaults.set(oid, { relation, column })
    if (entry) this.drops.set(entry, { cause: 'whole', reason: this.#because(seed) })
  }

  #touchConstraint(seed: Seed, oid: number, entry: Entry | undefined): void {
    if (entry) return this.drop(entry, 'dependent', this.#because(seed))
    const constraint = this.standby.dependents.constraints.get(oid)
    if (!constraint) return
    if (constraint.kind === 'f' && constraint.parent === 0) return this.#stranger(constraint.relation, seed)
    const { relations, types } = this.standby.details
    if (constraint.kind === 'c' && constraint.relation !== 0) {
      const relation = relations.get(constraint.relation)
      const check = relation?.checks.find(each => each.oid === oid)
      if (relation && check && !constraint.inherited) this.checks.set(oid, { relation, check })
      return
    }
    const type = types.get(constraint.type)
    const check = type?.checks.find(each => each.oid === oid)
    if (!type || !check) return
    this.domainChecks.set(oid, { type, check })
    if (isContained(type.oid, this.standby)) this.swapType(type.oid, this.#because(seed))
  }

  #touchType(seed: Seed, dependent: Dependent, entry: Entry | undefined): void {
    const type = this.standby.details.types.get(dependent.oid)
    // A table's row type, an array's: those who use it are looked for in turn.
    if (!type || !entry || type.kind === 'c' || dependent.how === 'i') {
      return this.follow(catalogs.type, dependent.oid)
    }
    // Its default calls a function.
    if (type.kind === 'd' && seed.catalog === catalogs.routine) this.domainDefaults.add(type)
    else this.swapType(dependent.oid, this.#because(seed))
  }

  #touchRelation(seed: Seed, { oid, how }: Dependent, entry: Entry | undefined): void {
    if (!entry) {
      const relation = this.standby.details.relations.get(oid)
      const owner = this.standby.dependents.indexes.get(oid)?.constraint
      const key = owner ? this.standby.find(catalogs.constraint, owner) : undefined
      if (key) this.drop(key, 'dependent', this.#because(seed))
      if (relation && 'rpf'.includes(relation.kind) && how === 'n') return this.#stranger(oid, seed)
      return this.follow(catalogs.relation, oid)
    }
    if (entry.kind === 'SEQUENCE') return
    if (entry.kind !== 'TABLE') return this.drop(entry, 'dependent', this.#because(seed))
    const relation = this.standby.details.relations.get(oid)
    if (!relation) return
    if (seed.catalog === catalogs.type && relation.ofType !== null) this.untyped.add(relation)
    // A partition key that calls a function, or has a collation.
    else if (how === 'n' && seed.catalog !== catalogs.relation && relation.partitionKey !== null) {
      this.rewrite(oid, 'its partition key rests on what changes')
    }
  }
}

const kinds: Record<string, string> = { v: 'VIEW', m: 'MATERIALIZED VIEW', f: 'FOREIGN TABLE', c: 'TYPE' }

function nameOf({ kind, schema, name }: Relation): string {
  return labelOf({ kind: kinds[kind] ?? 'TABLE', schema, name })
}
