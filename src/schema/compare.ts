/**
 * Compares the entries of both sides, one by one, by key. Definitions are compared as text: both were printed by
 * the same pg_dump, so that what is the same prints the same.
 */
import type { SchemaChange } from './change.js'
import { describeTableDifference } from './columns.js'
import { type Entry, satelliteKinds } from './entry.js'

/** One entry to be made on the standby, or dropped there, and the change that it is shown as part of. */
export interface Step {
  readonly entry: Entry
  readonly change: SchemaChange
  /** It rests on something that differs and is left alone: it may fail without failing the others. */
  readonly loose: boolean
  /** Filled in by plan.ts. */
  statements: string[]
}

export interface Comparison {
  /** In main's order, then what only the standby has. */
  changes: SchemaChange[]
  creates: Step[]
  /** In the standby's own order: to be dropped from the last to the first. */
  drops: Step[]
}

/** @param schemas those that the standby has; they are not compared any further. */
export function compareEntries(
  main: readonly Entry[],
  standby: readonly Entry[],
  schemas: ReadonlySet<string>
): Comparison {
  const there = new Map(standby.map(entry => [entry.key, entry]))
  const taken = takenNames(standby)
  const clashing = new Set<Entry>()
  /** Dump ids on main of what is not, or may not come to be, as it is there. */
  const unsure = new Set<number>()
  const result: Comparison = { changes: [], creates: [], drops: [] }
  const created = new Map<Entry, SchemaChange>()
  for (const entry of main) {
    if (entry.kind === 'SCHEMA' && schemas.has(entry.name)) continue
    const same = there.get(entry.key)
    const other = same ? undefined : namesOf(entry).flatMap(name => taken.get(name) ?? [])[0]
    const reason = same ? differenceOf(entry, same) : other && `on the standby this name is a ${other.kind}`
    if (reason !== undefined) {
      if (other) clashing.add(other)
      unsure.add(entry.dumpId)
      result.changes.push(changeOf(entry, 'alter', 'left', reason))
    } else if (!same) {
      const loose = entry.dependencies.some(id => unsure.has(id))
      if (loose) unsure.add(entry.dumpId)
      const folded = foldedInto(entry, created)
      const change = folded ?? changeOf(entry, 'create', 'pending')
      if (!folded) result.changes.push(change)
      created.set(entry, change)
      result.creates.push({ entry, change, loose, statements: [] })
    }
  }
  const onMain = new Set(main.map(entry => entry.key))
  const dropped = new Map<Entry, SchemaChange>()
  for (const entry of standby) {
    if (onMain.has(entry.key) || clashing.has(entry) || entry.kind === 'SCHEMA') continue
    const folded = foldedInto(entry, dropped)
    const change = folded ?? changeOf(entry, 'drop', 'pending')
    if (!folded) result.changes.push(change)
    dropped.set(entry, change)
    result.drops.push({ entry, change, loose: false, statements: [] })
  }
  return result
}

export function changeOf(
  entry: Pick<Entry, 'kind' | 'schema' | 'name'>,
  action: SchemaChange['action'],
  status: SchemaChange['status'],
  reason?: string
): SchemaChange {
  const { kind, schema, name } = entry
  return { kind, schema, name, action, status, sql: [], hazards: [], ...(reason !== undefined && { reason }) }
}

/** The change of the object that a comment, default, … belongs to, where that has the same fate at the same time. */
function foldedInto(entry: Entry, fates: ReadonlyMap<Entry, SchemaChange>): SchemaChange | undefined {
  const { parent } = entry
  if (!parent || !satelliteKinds.has(entry.kind) || parent.section !== entry.section) return undefined
  return fates.get(parent)
}

function differenceOf(main: Entry, standby: Entry): string | undefined {
  if (main.definition !== standby.definition) {
    return describeTableDifference(main.definition, standby.definition) ?? 'the definition differs'
  }
  if (main.tablespace !== standby.tablespace) {
    const [here, there] = [main, standby].map(entry => entry.tablespace || "the database's")
    return `its tablespace is ${here} on main and ${there} on the standby`
  }
  if (main.accessMethod !== standby.accessMethod && main.accessMethod && standby.accessMethod) {
    return `its access method is ${main.accessMethod} on main and ${standby.accessMethod} on the standby`
  }
  return undefined
}

/** Kinds that share a space of names: two objects of these, whatever their kind, cannot have the same name. */
const nameSpaces = {
  relation: ['TABLE', 'VIEW', 'MATERIALIZED VIEW', 'FOREIGN TABLE', 'SEQUENCE', 'INDEX'],
  type: ['TYPE', 'DOMAIN', 'TABLE', 'VIEW', 'MATERIALIZED VIEW', 'FOREIGN TABLE'],
  routine: ['FUNCTION', 'PROCEDURE', 'AGGREGATE']
}

function namesOf(entry: Entry): string[] {
  return Object.entries(nameSpaces).flatMap(([space, kinds]) =>
    kinds.includes(entry.kind) ? [[space, entry.schema, entry.name].join('\0')] : []
  )
}

function takenNames(entries: readonly Entry[]): Map<string, Entry> {
  return new Map(entries.flatMap(entry => namesOf(entry).map(name => [name, entry] as const)))
}
