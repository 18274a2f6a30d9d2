/** In which order what was put aside can go: whoever uses another one, before it. */
import { catalogs } from './dependents.js'
import type { Fate, RewrittenTable, SwappedType } from './fate.js'

export type Aside = SwappedType | RewrittenTable

export function inOrderOfUse(fate: Fate): Aside[] {
  const { dependents, details } = fate.standby
  const typeOfRelation = new Map([...details.types.values()].map(type => [type.relation, type.oid]))
  const order: Aside[] = []
  const seen = new Set<Aside>()
  const visitUsers = (type: number, visited: Set<number>): void => {
    if (visited.has(type)) return
    visited.add(type)
    const array = details.types.get(type)?.array ?? 0
    for (const each of [type, array].filter(Boolean)) {
      for (const { catalog, oid, part } of dependents.of(catalogs.type, each)) {
        if (catalog === catalogs.type) reach(oid, visited)
        else if (catalog === catalogs.relation && part > 0) {
          const table = fate.tables.get(oid)
          if (table) visit(table)
          else reach(typeOfRelation.get(oid) ?? 0, visited)
        }
      }
    }
  }
  const reach = (type: number, visited: Set<number>): void => {
    const swapped = fate.types.get(type)
    if (swapped) visit(swapped)
    else if (type !== 0) visitUsers(type, visited)
  }
  const visit = (aside: Aside): void => {
    if (seen.has(aside)) return
    seen.add(aside)
    if ('relation' in aside) visitUsers(aside.relation.rowType, new Set())
    else if (aside.type) visitUsers(aside.type.oid, new Set())
    order.push(aside)
  }
  // Of a circle the server will say what it is. Otherwise, what was marked last rests on what was marked first.
  for (const aside of [...fate.tables.values(), ...fate.types.values()].toReversed()) visit(aside)
  return order
}
