/**
 * ALTER TABLE from the standby's table to main's, in the order that lets each step stand on the one before: what goes,
 * types, what comes, defaults, parents. What the rows must satisfy (NOT NULL, CHECK) is left for after them.
 */
import { ident } from '../../../postgres/quote.js'
import { catalogs } from '../../dependents.js'
import type { Column, Relation } from '../../details/details.js'
import type { Entry } from '../../entry.js'
import { relationOf } from '../../side.js'
import { alteration, sql, type Alteration, type Pair, type Situation, type Sql } from '../handler.js'
import { identityOf } from '../sequence.js'
import { conversion } from './casts.js'
import { columnDefinition, storageOf } from './columns.js'
import { isRegenerated, sameParents, sameType } from './mark.js'
import { identityChanges, storageChanges } from './settings.js'

export function alterTable(pair: Pair, situation: Situation): Alteration {
  const wanted = relationOf(situation.main, pair.main)
  const there = relationOf(situation.standby, pair.standby)
  if (!wanted || !there) return alteration()
  const table = new TableChange(pair, situation, wanted, there)
  return table.write()
}

class TableChange {
  readonly structure: Sql[] = []
  readonly late: Sql[][] = []
  /** `ALTER TABLE x`, with and without the children. */
  readonly alter: string
  readonly only: string
  /** Parents pass their columns on: only what is the table's own is said here. */
  readonly inherits: boolean
  /** So does a type to the tables that are made of it. */
  readonly typed: boolean
  readonly #wanted: ReadonlyMap<string, Column>
  readonly #there: ReadonlyMap<string, Column>
  /** Columns whose default was dropped for the change of their type. */
  readonly #bare = new Set<string>()

  constructor(
    readonly pair: Pair,
    readonly situation: Situation,
    readonly wanted: Relation,
    readonly there: Relation
  ) {
    this.alter = `ALTER TABLE ${wanted.sql}`
    this.only = `ALTER TABLE ONLY ${wanted.sql}`
    const { untyped } = situation.fate
    this.inherits = sameParents(wanted, there)
    this.typed = there.ofType !== null && there.ofType === wanted.ofType && !untyped.has(there)
    this.#wanted = new Map(wanted.columns.map(column => [column.name, column]))
    this.#there = new Map(there.columns.map(column => [column.name, column]))
  }

  write(): Alteration {
    const { wanted, there, pair, structure } = this
    structure.push(...storageChanges(pair.main, pair.standby, wanted, there))
    this.#dropChecks()
    this.#dropColumns()
    this.#releaseColumns()
    this.#retypeColumns()
    this.#addColumns()
    for (const column of wanted.columns) this.#settle(column)
    this.#parents()
    this.#addChecks()
    if (
      wanted.ofType !== null &&
      (wanted.ofType !== there.ofType || this.situation.fate.untyped.has(there))
    ) {
      structure.push(sql(`${this.alter} OF ${wanted.ofType};`))
    }
    structure.push(...identityChanges(wanted, there))
    return alteration({ structure, late: this.late })
  }

  #dropChecks(): void {
    for (const check of this.there.checks) {
      if (this.situation.fate.checks.has(check.oid) || (this.inherits && check.parents > 0)) continue
      const twin = this.wanted.checks.find(other => other.name === check.name)
      if (twin?.definition === check.definition && twin.local === check.local) continue
      this.structure.push(sql(`${this.alter} DROP CONSTRAINT IF EXISTS ${ident(check.name)};`))
    }
  }

  #dropColumns(): void {
    for (const column of this.there.columns) {
      const twin = this.#wanted.get(column.name)
      const again = twin !== undefined && this.#isRegenerated(twin)
      if ((twin && !again) || this.#isGiven(column)) continue
      // The planner has done so already, before what its expression rests on went.
      if (this.situation.fate.columnFate(this.there, column) === 'regenerate') continue
      const text = `${this.alter} DROP COLUMN ${ident(column.name)};`
      if (again && column.generated) this.structure.push(sql(text))
      else this.structure.push({ ...sql(text, 'deletes-data'), extra: !again })
    }
  }

  #isGiven(column: Column): boolean {
    return this.typed || (this.inherits && column.parents > 0)
  }

  /** What a column was by its own rule: generated, or an identity. */
  #releaseColumns(): void {
    for (const column of this.wanted.columns) {
      const was = this.#there.get(column.name)
      if (!was || this.#isRegenerated(column)) continue
      const alter = `${this.alter} ALTER COLUMN ${ident(column.name)}`
      const released = this.situation.fate.columnFate(this.there, was) === 'regenerate'
      if (was.generated && !column.generated && !released)
        this.structure.push(sql(`${alter} DROP EXPRESSION;`))
      if (was.identity && !column.identity) this.structure.push(sql(`${alter} DROP IDENTITY IF EXISTS;`))
    }
  }

  #retypeColumns(): void {
    const clauses: string[] = []
    let lossy = false
    for (const wanted of this.wanted.columns) {
      const there = this.#there.get(wanted.name)
      if (!there || this.#isRegenerated(wanted) || this.#isGiven(wanted)) continue
      const marked = this.situation.fate.columnFate(this.there, there) === 'retype'
      if (sameType(wanted, there) && !marked) continue
      const alter = `ALTER COLUMN ${ident(wanted.name)}`
      const gone = there.defaultOid !== null && this.situation.fate.defaults.has(there.defaultOid)
      if (there.default !== null && !there.generated && !gone) {
        this.structure.push(sql(`${this.alter} ${alter} DROP DEFAULT;`))
      }
      this.#bare.add(wanted.name)
      this.situation.bared.add(`${this.there.oid}:${wanted.name}`)
      const change = conversion(wanted, there, this.there, this.situation)
      // A value that has no counterpart becomes NULL until the rows are synced.
      if (change.empties && there.notNull) {
        this.structure.push(sql(`${this.alter} ${alter} DROP NOT NULL;`))
        if (wanted.notNull) this.late.push([sql(`${this.alter} ${alter} SET NOT NULL;`, 'blocks-reads')])
      }
      lossy ||= change.lossy
      const collation = wanted.collation ? ` COLLATE ${wanted.collation}` : ''
      clauses.push(`${alter} TYPE ${wanted.type}${collation} USING ${change.expression}`)
    }
    if (clauses.length === 0) return
    const hazards = ['rewrites-table', 'blocks-reads', ...(lossy ? (['deletes-data'] as const) : [])] as const
    this.structure.push(sql(`${this.alter} ${clauses.join(', ')};`, ...hazards))
  }

  #addColumns(): void {
    for (const column of this.wanted.columns) {
      const isNew = !this.#there.has(column.name) || this.#isRegenerated(column)
      if (!isNew || this.#isGiven(column)) continue
      const own = !this.#isSeparate(column)
      const filled = column.generated !== '' || (column.default !== null && own) || column.identity !== ''
      const definition = columnDefinition(column, {
        default: own,
        notNull: column.notNull && filled && !column.identity
      })
      // Only with its column does an identity number the rows that are there.
      const identity = column.identity ? this.#identity(column) : ''
      const rewrites = column.generated === 's' || column.identity !== ''
      const hazards = rewrites ? (['rewrites-table', 'blocks-reads'] as const) : []
      if (identity !== '' && this.#hasChildren()) {
        this.structure.push(
          ...this.#identityOfMany(column, definition, identity).map(text => sql(text, ...hazards))
        )
      } else this.structure.push(sql(`${this.alter} ADD COLUMN ${definition}${identity};`, ...hazards))
      if (column.notNull && !filled) this.#notNull(column)
    }
  }

  #hasChildren(): boolean {
    const { oid } = this.there
    return [...this.situation.standby.details.relations.values()].some(one => one.parentOids.includes(oid))
  }

  /** PostgreSQL adds no identity to a table and its children at once: their rows are numbered first, as one would. */
  #identityOfMany({ name }: Column, definition: string, identity: string): string[] {
    const numbers = 'pg_temp.pgsyncer_numbers'
    return [
      `CREATE TEMPORARY SEQUENCE pgsyncer_numbers;`,
      `${this.alter} ADD COLUMN ${definition} DEFAULT pg_catalog.nextval('${numbers}') NOT NULL;`,
      `${this.alter} ALTER COLUMN ${ident(name)} DROP DEFAULT;`,
      `DROP SEQUENCE ${numbers};`,
      `${this.only} ALTER COLUMN ${ident(name)} ADD${identity};`
    ]
  }

  #identity(column: Column): string {
    const { main, made } = this.situation
    for (const entry of main.entries) {
      if (entry.kind !== 'SEQUENCE' || !entry.dependencies.includes(this.pair.main.dumpId)) continue
      const found = identityOf(entry)
      if (found?.column !== ident(column.name) && found?.column !== column.name) continue
      made.add(entry)
      return ` ${found.generated}`
    }
    return ''
  }

  #settle(wanted: Column): void {
    const isNew = !this.#there.has(wanted.name) || this.#isRegenerated(wanted)
    const there = isNew ? undefined : this.#there.get(wanted.name)
    const alter = `${this.only} ALTER COLUMN ${ident(wanted.name)}`
    if (there && !wanted.generated) this.#default(wanted, there, alter)
    if (isNew && this.#isGiven(wanted) && !wanted.generated) this.#ownDefault(wanted, alter)
    if (there && there.notNull !== wanted.notNull) {
      if (wanted.notNull) this.#notNull(wanted)
      else if (!this.#isKept(there)) {
        this.structure.push(
          sql(
            `${this.wanted.kind === 'p' ? this.alter : this.only} ALTER COLUMN ${ident(wanted.name)} DROP NOT NULL;`
          )
        )
      }
    }
    if (there?.notNull && wanted.notNull && this.#parentLetsGo(wanted.name)) {
      this.structure.push(sql(`${alter} SET NOT NULL;`, 'blocks-reads'))
    }
    this.structure.push(...storageOf(this.wanted, wanted, there))
  }

  /** DROP NOT NULL of a partitioned table is one of its partitions' as well, even of those that keep it. */
  #parentLetsGo(name: string): boolean {
    if (!this.wanted.isPartition || !this.inherits) return false
    const { main, standby } = this.situation
    const isNotNull = (relation: Relation | undefined) =>
      relation?.columns.find(column => column.name === name)?.notNull ?? false
    const [ours, theirs] = [main, standby].map((side, i) =>
      side.details.relations.get((i === 0 ? this.wanted : this.there).parentOids[0] ?? 0)
    )
    return isNotNull(theirs) && !isNotNull(ours)
  }

  /** A primary key that stays keeps its columns NOT NULL. */
  #isKept(column: Column): boolean {
    const { dependents } = this.situation.standby
    return dependents.of(catalogs.relation, this.there.oid).some(dependent => {
      if (dependent.on !== column.number || dependent.catalog !== catalogs.constraint) return false
      const entry = this.situation.standby.find(catalogs.constraint, dependent.oid)
      const isPrimary = dependents.constraints.get(dependent.oid)?.kind === 'p'
      return isPrimary && entry !== undefined && !this.situation.fate.drops.has(entry)
    })
  }

  #default(wanted: Column, there: Column, alter: string): void {
    const { fate } = this.situation
    const gone =
      this.#bare.has(wanted.name) || (there.defaultOid !== null && fate.defaults.has(there.defaultOid))
    const was = there.generated ? null : there.default
    if (was === wanted.default && !gone) return
    if (this.#isSeparate(wanted)) return
    if (wanted.default !== null) this.structure.push(sql(`${alter} SET DEFAULT ${wanted.default};`))
    else if (was !== null && !gone) this.structure.push(sql(`${alter} DROP DEFAULT;`))
  }

  /** A column that came from the parent has its default, if that came with it. */
  #ownDefault(wanted: Column, alter: string): void {
    const { main } = this.situation
    const parent = main.find(catalogs.relation, this.wanted.parentOids[0] ?? 0)
    const isSeparate = parent && main.byKey.has(withinKey('DEFAULT', parent, wanted.name))
    const column = parent && relationOf(main, parent)?.columns.find(each => each.name === wanted.name)
    const came = isSeparate || column?.identity ? null : (column?.default ?? null)
    if (came === wanted.default || this.#isSeparate(wanted)) return
    this.structure.push(
      sql(`${alter} ${wanted.default === null ? 'DROP DEFAULT' : `SET DEFAULT ${wanted.default}`};`)
    )
  }

  /** An identity wants it before it is made. */
  #notNull(column: Column): void {
    const statement = `${this.alter} ALTER COLUMN ${ident(column.name)} SET NOT NULL;`
    if (column.identity) {
      this.structure.push(sql(statement, 'blocks-reads'))
      return
    }
    const fill = `UPDATE ${this.wanted.sql} SET ${ident(column.name)} = DEFAULT WHERE ${ident(column.name)} IS NULL;`
    this.late.push([...(column.default === null ? [] : [sql(fill)]), sql(statement, 'blocks-reads')])
  }

  #parents(): void {
    const { wanted, there } = this
    if (wanted.isPartition || there.isPartition || wanted.parents.join('\0') === there.parents.join('\0'))
      return
    for (const parent of wanted.parents) this.structure.push(sql(`${this.alter} INHERIT ${parent};`))
  }

  #addChecks(): void {
    const { fate } = this.situation
    for (const check of this.wanted.checks) {
      const twin = this.there.checks.find(other => other.name === check.name)
      const stays =
        twin?.definition === check.definition && twin.local === check.local && !fate.checks.has(twin.oid)
      if (stays || (this.inherits && check.parents > 0 && !check.local) || this.#isSeparateCheck(check.name))
        continue
      const text = `${this.alter} ADD CONSTRAINT ${ident(check.name)} ${check.definition};`
      this.late.push([sql(text, 'blocks-reads')])
    }
  }

  #isRegenerated(wanted: Column): boolean {
    const there = this.#there.get(wanted.name)
    if (!there) return false
    return isRegenerated(wanted, there, this.situation.fate.columnFate(this.there, there) === 'regenerate')
  }

  /** The dump sets it by an entry of its own, as a serial's default. */
  #isSeparate(column: Column): boolean {
    return this.#tells('DEFAULT', column.name)
  }

  #isSeparateCheck(name: string): boolean {
    return this.#tells('CHECK CONSTRAINT', name)
  }

  #tells(kind: string, name: string): boolean {
    const { main } = this.pair
    return this.situation.main.byKey.has(withinKey(kind, main, name))
  }
}

/** The key that entry.ts gives to what is named within a table. */
function withinKey(kind: string, table: Entry, name: string): string {
  return [kind, table.schema, table.kind, table.name, name].join('\0')
}
