/** Puts the entries into an order in which they can be made, the same wherever the objects are the same. */
import type { RawEntry } from '../entry.js'
import type { Item, Items } from './items.js'

/** pg_dump's own order of kinds. */
const kinds = [
  ['SCHEMA'],
  ['COLLATION'],
  ['EXTENSION'],
  ['TYPE', 'DOMAIN'],
  ['CAST'],
  ['FUNCTION', 'PROCEDURE'],
  ['AGGREGATE'],
  ['TABLE', 'FOREIGN TABLE', 'VIEW', 'MATERIALIZED VIEW', 'SEQUENCE', 'SEQUENCE OWNED BY'],
  ['TABLE ATTACH'],
  ['DEFAULT'],
  ['CONSTRAINT', 'CHECK CONSTRAINT'],
  ['INDEX'],
  ['INDEX ATTACH'],
  ['STATISTICS'],
  ['RULE'],
  ['TRIGGER'],
  ['FK CONSTRAINT'],
  ['ROW SECURITY'],
  ['POLICY'],
  ['PUBLICATION'],
  ['PUBLICATION TABLE'],
  ['PUBLICATION TABLES IN SCHEMA'],
  ['DEFAULT ACL'],
  ['EVENT TRIGGER']
]

const places = new Map(kinds.flatMap((names, place) => names.map(name => [name, place] as const)))

/** Say something of another entry and stand right behind it. */
const behind = new Set(['COMMENT', 'ACL'])

export function inOrder(items: Items): RawEntry[] {
  const list = items.list.filter(item => !items.isHidden(item))
  const sayings = new Map<Item, Item[]>()
  const loose: Item[] = []
  for (const item of list.filter(each => behind.has(each.kind)).toSorted(compare)) {
    const about = items.needsOf(item)[0]
    if (!about || items.isHidden(about)) loose.push(item)
    else if (sayings.has(about)) sayings.get(about)!.push(item)
    else sayings.set(about, [item])
  }
  const pre = [...loose]
  const post: Item[] = []
  const met = new Set<Item>()
  const visit = (item: Item): void => {
    met.add(item)
    for (const needed of items.needsOf(item).toSorted(compare)) if (!met.has(needed)) visit(needed)
    // What rests on something that comes after the rows comes after them as well.
    if (item.section === 2 && items.needsOf(item).some(needed => needed.section === 4)) item.section = 4
    if (items.isHidden(item)) return
    const part = item.section === 4 ? post : pre
    part.push(item, ...(sayings.get(item) ?? []))
  }
  for (const item of list.filter(each => !behind.has(each.kind)).toSorted(compare)) {
    if (!met.has(item)) visit(item)
  }
  return numbered(items, [...pre, ...post])
}

function numbered(items: Items, ordered: readonly Item[]): RawEntry[] {
  const numbers = new Map(ordered.map((item, index) => [item, index + 1]))
  return ordered.map(item => {
    const { needs: _needs, label: _label, ...rest } = item
    const dependencies = [...new Set(items.needsOf(item).flatMap(needed => numbers.get(needed) ?? []))]
    return { ...rest, dumpId: numbers.get(item)!, dependencies }
  })
}

function compare(one: Item, other: Item): number {
  return (
    (places.get(one.kind) ?? -1) - (places.get(other.kind) ?? -1) ||
    order(one.schema, other.schema) ||
    order(one.name, other.name) ||
    order(one.kind, other.kind) ||
    order(one.owner, other.owner) ||
    order(one.definition, other.definition)
  )
}

function order(one: string, other: string): number {
  return one < other ? -1 : one > other ? 1 : 0
}
