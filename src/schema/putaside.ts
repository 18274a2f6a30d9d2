/**
 * Types and tables that have a successor: renamed, so that columns and rows can move from the one to the other, and dropped
 * behind everything else, when nothing uses them any more.
 */
import { ident, qualified } from '../postgres/quote.js'
import { inOrderOfUse } from './asides.js'
import type { Decision } from './decide.js'
import type { DepartureList } from './departurelist.js'
import { catalogs } from './dependents.js'
import type { Column, Relation } from './details/details.js'
import type { Entry } from './entry.js'
import type { RewrittenTable, SwappedType } from './fate.js'
import { sql } from './handlers/handler.js'
import { losesRows } from './rewrites.js'
import type { Standby } from './side.js'
import type { Step } from './step.js'

/** Ranges and base types cannot be renamed: they go at once, and their columns wait as text. */
export function isParked(entry: Entry, { details }: Standby): boolean {
  const type = details.types.get(entry.catalogId.oid)
  return entry.kind === 'TYPE' && (type?.kind === 'r' || type?.kind === 'b')
}

/** After all that uses them has left. */
export function putAside(list: DepartureList): void {
  new PuttingAside(list).write()
}

class PuttingAside {
  readonly decision: Decision

  constructor(readonly list: DepartureList) {
    this.decision = list.decision
  }

  write(): void {
    this.#parkColumns()
    this.#renameTypes()
    this.#renameTables()
    this.#dropAsides()
  }

  /** A range's constructors keep its name when it is renamed, and a base type's functions rest on it. */
  #parkColumns(): void {
    const { fate, standby } = this.decision
    const parked = standby.entries.filter(entry => fate.drops.has(entry) && isParked(entry, standby))
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
      this.list.push(this.list.first, entry, {
        ...sql(text),
        extra: fate.drops.get(entry)?.cause === 'extra'
      })
    }
  }

  #stays(relation: Relation): boolean {
    const entry = this.decision.standby.find(catalogs.relation, relation.oid)
    const drop = entry && this.decision.fate.drops.get(entry)
    return entry !== undefined && (!drop || drop.cause === 'aside')
  }

  #park(relation: Relation, column: Column): void {
    const alter = `ALTER TABLE ${relation.sql} ALTER COLUMN ${ident(column.name)}`
    if (column.default !== null) this.list.about(relation, `${alter} DROP DEFAULT;`)
    this.list.about(relation, `${alter} TYPE text USING ${ident(column.name)}::text;`)
  }

  #renameTypes(): void {
    const { fate, main } = this.decision
    for (const swapped of fate.types.values()) {
      const { type, entry, aside } = swapped
      if (type && isParked(entry, this.decision.standby)) continue
      const name = qualified(entry.schema, entry.name)
      this.list.push(
        this.list.first,
        entry,
        sql(`ALTER ${kindOf(swapped)} ${name} RENAME TO ${ident(aside)};`)
      )
    }
    // What goes at the end, but whose name is needed before.
    const names = new Set([...main.details.types.values()].map(type => type.sql))
    for (const [i, step] of this.list.last.entries()) {
      const { entry, statements, change } = step
      const isNeeded = ['TYPE', 'DOMAIN'].includes(entry.kind) || entry.kind === 'TABLE'
      if (!isNeeded || !names.has(qualified(entry.schema, entry.name))) continue
      const aside = fate.nextName()
      const name = qualified(entry.schema, entry.name)
      this.list.push(this.list.first, entry, sql(`ALTER ${entry.kind} ${name} RENAME TO ${ident(aside)};`))
      const drop = `DROP ${entry.kind} ${qualified(entry.schema, aside)};`
      this.list.last[i] = { ...step, statements: [drop] }
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
      // A child that main does not have goes with its rows, as what shares no column with main's table.
      const hazards = losesRows(table, this.decision) ? (['deletes-data'] as const) : []
      const text = `DROP TABLE ${qualified(entry.schema, aside)};`
      this.list.push(asides, entry, { ...sql(text, ...hazards), extra: true })
    }
    for (const swapped of fate.types.values()) {
      const { type, entry, aside } = swapped
      if (type && isParked(entry, this.decision.standby)) continue
      this.list.push(asides, entry, sql(`DROP ${kindOf(swapped)} ${qualified(entry.schema, aside)};`))
    }
    const homes = this.list.last.filter(({ entry }) => entry.kind === 'SCHEMA' || entry.kind === 'EXTENSION')
    const others = this.list.last.filter(step => !homes.includes(step))
    const ordered = inOrderOfUse([...others, ...asides.toReversed()], this.decision.standby)
    this.list.last.splice(0, this.list.last.length, ...ordered, ...homes)
  }

  #renameTables(): void {
    const { fate } = this.decision
    for (const table of fate.tables.values()) {
      const { relation, entry, aside } = table
      this.#releaseSequences(table)
      this.list.push(
        this.list.first,
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
        this.list.push(this.list.first, entry, sql(`ALTER SEQUENCE ${sequence.sql} OWNED BY NONE;`))
        const said = standby.entries.find(each => each.kind === 'SEQUENCE OWNED BY' && each.parent === itself)
        if (said) fate.drops.set(said, { cause: 'whole', reason: 'its table is made anew' })
      }
      const column = relation.columns.find(each => each.number === dependent.on)
      if (dependent.how !== 'i' || !column || !itself) continue
      const alter = `ALTER TABLE ${relation.sql} ALTER COLUMN ${ident(column.name)}`
      this.list.push(this.list.first, entry, sql(`${alter} DROP IDENTITY IF EXISTS;`))
      fate.drops.set(itself, { cause: 'whole', reason: 'its table is made anew' })
    }
  }
}

function kindOf({ type, entry }: SwappedType): string {
  return !type ? 'COLLATION' : entry.kind === 'DOMAIN' ? 'DOMAIN' : 'TYPE'
}
