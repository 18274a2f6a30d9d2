/**
 * Decides the fate of everything on the standby that is not as on main. Marks are made by the handlers, then followed
 * through the standby's dependencies, again and again until nothing new comes of it.
 */
import { labelOf, type SchemaOptions } from './change.js'
import { type Entry, nameWithin, satelliteKinds } from './entry.js'
import { Fate } from './fate.js'
import { extensionHandler } from './handlers/extension.js'
import type { Handler, Pair, Situation } from './handlers/handler.js'
import { indexHandler } from './handlers/indexes.js'
import { routineHandler } from './handlers/routine.js'
import { sequenceHandler } from './handlers/sequence.js'
import { alterTable } from './handlers/table/alter.js'
import { markTable, rewriteReason } from './handlers/table/mark.js'
import { collationHandler, typeHandler } from './handlers/type.js'
import { viewHandler } from './handlers/view.js'
import { relationOf, type Side, type Standby } from './side.js'

const handlers: Record<string, Handler> = {
  TABLE: { mark: markTable, alter: alterTable },
  VIEW: viewHandler,
  SEQUENCE: sequenceHandler,
  TYPE: typeHandler,
  DOMAIN: typeHandler,
  COLLATION: collationHandler,
  EXTENSION: extensionHandler,
  INDEX: indexHandler,
  CONSTRAINT: indexHandler,
  FUNCTION: routineHandler,
  PROCEDURE: routineHandler
}

export function handlerOf(entry: Entry): Handler | undefined {
  return handlers[entry.kind]
}

export interface Decision extends Situation {
  /** By main's entry: what both sides have. */
  readonly pairs: ReadonlyMap<Entry, Pair>
  /** What only the standby has, in its order. */
  readonly extras: readonly Entry[]
}

export function decide(main: Side, standby: Standby, options: Pick<SchemaOptions, 'cleanExtra'>): Decision {
  const names = [...main.entries, ...standby.entries].map(entry => entry.name)
  const fate = new Fate(standby, new Set(names))
  const situation: Situation = { main, standby, fate, made: new Set(), bared: new Set(), unfit: new Set() }
  const pairs = new Map<Entry, Pair>()
  const extras: Entry[] = []
  const inTheWay = clashes(main, standby)
  for (const entry of standby.entries) {
    const twin = main.byKey.get(entry.key)
    if (twin) pairs.set(twin, { main: twin, standby: entry })
    else extras.push(entry)
  }
  for (const entry of extras) {
    if (satelliteKinds.has(entry.kind) || entry.kind === 'DEFAULT ACL') continue
    if (inTheWay.has(entry))
      fate.drop(entry, 'inTheWay', `main has a ${inTheWay.get(entry)!.kind} of this name`)
    else if (isPartOfTable(entry, main)) fate.drop(entry, 'changed', 'main has it as a part of its table')
    else if (options.cleanExtra) fate.drop(entry, 'extra', 'it is only on the standby')
  }
  for (const pair of pairs.values()) mark(pair, situation)
  for (const { main: wanted, standby: there } of pairs.values()) {
    // Rows that the new bound excludes find their place when they move through the root.
    if (wanted.kind !== 'TABLE ATTACH' || wanted.definition === there.definition || !there.parent) continue
    fate.rewrite(there.parent.catalogId.oid, 'its bound differs')
  }
  fate.close()
  for (const entry of standby.entries) if (entry.kind === 'INDEX ATTACH') followParent(entry, standby, fate)
  fate.close()
  for (let again = true; again;) {
    again = false
    for (const pair of pairs.values()) {
      if (pair.main.kind !== 'TABLE' || fate.drops.has(pair.standby)) continue
      const reason = rewriteReason(pair, situation)
      if (reason === undefined) continue
      fate.rewrite(pair.standby.catalogId.oid, reason)
      fate.close()
      again = true
    }
  }
  for (const entry of standby.entries) {
    if (entry.kind === 'TABLE ATTACH') detach(entry, main, fate)
    if (entry.kind === 'RULE' && entry.name.endsWith(' _RETURN')) release(entry, main, fate)
  }
  return { ...situation, pairs, extras }
}

/** A partition whose bound, or whose parent, is another one on main; or that is a table by itself there. */
function detach(entry: Entry, main: Side, fate: Fate): void {
  const child = entry.parent
  if (!child || fate.drops.has(child) || !main.byKey.has(child.key)) return
  if (main.byKey.get(entry.key)?.definition === entry.definition) return
  // A table by itself on main only lets go of its parent.
  fate.drops.set(entry, { cause: 'changed', reason: 'its bound differs' })
}

/** A partition's key that belongs to a partitioned index goes with it. */
function followParent(entry: Entry, standby: Standby, fate: Fate): void {
  const child = entry.parent
  if (child?.kind !== 'CONSTRAINT') return
  const parent = entry.dependencies.map(id => standby.byId.get(id)).find(other => other?.kind === 'INDEX')
  if (parent && fate.drops.has(parent)) fate.drop(child, 'dependent', `it is a part of ${labelOf(parent)}`)
}

/** A view within a circle is made in two steps, and goes in two: its rule first, which lets go of the others. */
function release(entry: Entry, main: Side, fate: Fate): void {
  const drop = entry.parent && fate.drops.get(entry.parent)
  if (!drop || !entry.parent) return
  const cause = main.byKey.has(entry.parent.key) ? 'changed' : drop.cause
  fate.drops.set(entry, { cause, reason: drop.reason })
}

/** Whether the standby will not have it any more when main's objects are made: itself, or what it is on, goes. */
export function isGone(entry: Entry, { fate, standby }: Pick<Decision, 'fate' | 'standby'>): boolean {
  if (fate.drops.has(entry)) return true
  if (!satelliteKinds.has(entry.kind)) return false
  const others = entry.kind === 'TABLE ATTACH' || entry.kind === 'INDEX ATTACH' ? entry.dependencies : []
  const homes = [entry.parent, ...others.map(id => standby.byId.get(id))]
  return homes.some(home => home !== undefined && isGone(home, { fate, standby }))
}

export function isChanged({ main, standby }: Pair): boolean {
  return (
    !saysTheSame(main, standby) ||
    (main.accessMethod !== standby.accessMethod &&
      main.accessMethod !== null &&
      standby.accessMethod !== null)
  )
}

const printedQueries = new Set(['VIEW', 'MATERIALIZED VIEW', 'RULE'])

/** A query that was dumped and restored may print with other white space than the one it came from. */
function saysTheSame(main: Entry, standby: Entry): boolean {
  if (main.definition === standby.definition) return true
  return printedQueries.has(main.kind) && withoutSpace(main.definition) === withoutSpace(standby.definition)
}

/** Within quotes it counts. */
function withoutSpace(query: string): string {
  return query.replace(/('(?:[^']|'')*'|"(?:[^"]|"")*")|\s+/g, (_, quoted?: string) => quoted ?? '')
}

function mark(pair: Pair, situation: Situation): void {
  const { main, standby } = pair
  if (main.kind === 'TABLE') return markTable(pair, situation)
  if (satelliteKinds.has(main.kind) || main.kind === 'SCHEMA' || !isChanged(pair)) return
  const handler = handlerOf(main)
  if (handler) handler.mark(pair, situation)
  else situation.fate.drop(standby, 'changed', 'its definition differs')
}

/** A check that is an entry of its own on one side (NOT VALID) and a line of its table on the other. */
function isPartOfTable(entry: Entry, main: Side): boolean {
  if (entry.kind !== 'CHECK CONSTRAINT' || !entry.parent) return false
  const owner = main.byKey.get(entry.parent.key)
  const checks = owner && (relationOf(main, owner) ?? main.details.types.get(owner.catalogId.oid))?.checks
  return checks?.some(check => check.name === nameWithin(entry)) ?? false
}

/** Kinds that share a space of names: two objects of these, whatever their kind, cannot have the same name. */
const nameSpaces = {
  relation: ['TABLE', 'VIEW', 'MATERIALIZED VIEW', 'FOREIGN TABLE', 'SEQUENCE', 'INDEX'],
  type: ['TYPE', 'DOMAIN', 'SHELL TYPE', 'TABLE', 'VIEW', 'MATERIALIZED VIEW', 'FOREIGN TABLE'],
  routine: ['FUNCTION', 'PROCEDURE', 'AGGREGATE']
}

function namesOf(entry: Entry): string[] {
  return Object.entries(nameSpaces).flatMap(([space, kinds]) =>
    kinds.includes(entry.kind) ? [[space, entry.schema, entry.name].join('\0')] : []
  )
}

function indexOf(entry: Entry): string[] {
  // A key's index is a relation too.
  return entry.kind === 'CONSTRAINT' && entry.parent
    ? [['relation', entry.schema, nameWithin(entry)].join('\0')]
    : namesOf(entry)
}

/** What only the standby has, and whose name main has for something else: what that is. */
function clashes(main: Side, standby: Side): Map<Entry, Entry> {
  const wanted = new Map(main.entries.flatMap(entry => indexOf(entry).map(name => [name, entry] as const)))
  const found = new Map<Entry, Entry>()
  for (const entry of standby.entries) {
    if (main.byKey.has(entry.key)) continue
    const other = indexOf(entry).flatMap(name => wanted.get(name) ?? [])[0]
    if (other) found.set(entry, other)
  }
  return found
}
