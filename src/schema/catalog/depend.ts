/** pg_depend: who needs whom, and what therefore cannot stand within CREATE TABLE. */
import { addCheck } from './constraints.js'
import { classes, type Item, type Reading, ref } from './items.js'
import type { Relation } from './relations.js'

interface Edge {
  from: string
  to: string
  type: string
}

export async function readEdges(reading: Reading): Promise<Edge[]> {
  return reading.query<Edge>(`
    SELECT DISTINCT classid::int8 || ':' || objid::int8 AS from, refclassid::int8 || ':' || refobjid::int8 AS to, deptype::text AS type
    FROM pg_depend WHERE deptype <> 'p' AND objid >= 16384 AND (refobjid >= 16384 OR refclassid = ${classes.namespace})
      AND (classid, objid) <> (refclassid, refobjid) AND classid <> 'pg_amop'::regclass AND classid <> 'pg_amproc'::regclass
    ORDER BY 1, 2, 3`)
}

/** What is told of within an entry stands for it: row types, arrays, a view's rule, a constraint's index, an extension's members. */
export function aliasParts(reading: Reading, edges: readonly Edge[]): void {
  const { items } = reading
  // A part of a part: as often as there is something new.
  for (let found = true; found;) {
    found = false
    for (const { from, to, type } of edges) {
      if (!(type === 'i' || type === 'e') || items.get(from)) continue
      const owner = items.get(to)
      if (!owner) continue
      items.alias(from, owner)
      found = true
    }
  }
}

/**
 * Defaults and checks of a table that need what needs the table (a serial's sequence, a function of its rows) are
 * entries of their own, and so are those that it does not print itself.
 * @returns the defaults that stand apart
 */
export function standingApart(
  reading: Reading,
  relations: ReadonlyMap<number, Relation>,
  edges: readonly Edge[]
): Set<string> {
  const { items } = reading
  const needs = new Map<string, string[]>()
  for (const { from, to, type } of edges) {
    if (type === 'e') continue
    const list = needs.get(from)
    if (list) list.push(to)
    else needs.set(from, [to])
  }
  const byItem = new Map<Item, string[]>()
  for (const [from, to] of needs) {
    const item = items.get(from)
    if (!item) continue
    const list = byItem.get(item)
    if (list) list.push(...to)
    else byItem.set(item, [...to])
  }
  const leadsTo = (start: readonly string[], goal: Item): boolean => {
    const seen = new Set<Item>()
    const open = start.flatMap(name => items.get(name) ?? []).filter(item => item !== goal)
    for (let item = open.pop(); item; item = open.pop()) {
      if (item === goal) return true
      if (seen.has(item)) continue
      seen.add(item)
      open.push(...(byItem.get(item) ?? []).flatMap(name => items.get(name) ?? []))
    }
    return false
  }
  const apart = new Set<string>()
  for (const table of relations.values()) {
    for (const column of table.columns) {
      if (column.default === null) continue
      const key = ref(classes.attrdef, column.default.oid)
      const printed = table.kind !== 'v' && table.kind !== 'm' && (column.local || table.partition)
      if (!printed && column.generated !== '') continue
      if (!printed || leadsTo(needs.get(key) ?? [], table.item)) apart.add(key)
    }
    const inline = table.checks
    table.checks = inline.filter(
      check => !leadsTo(needs.get(ref(classes.constraint, check.oid)) ?? [], table.item)
    )
    for (const check of inline) if (!table.checks.includes(check)) addCheck(reading, table, check)
  }
  return apart
}

/** Adds what pg_depend knows to what the entries need. */
export function addNeeds(reading: Reading, edges: readonly Edge[]): void {
  const { items } = reading
  for (const { from, to, type } of edges) {
    if (type === 'e') continue
    const item = items.get(from)
    const needed = items.get(to)
    if (item && needed && item !== needed && !item.needs.includes(needed)) item.needs.push(needed)
  }
}
