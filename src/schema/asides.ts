/** In which order what is dropped at the end can go: whoever uses another one, before it. */
import { catalogs } from './dependents.js'
import type { Standby } from './side.js'
import type { Step } from './step.js'

interface Item {
  readonly step: Step
  /** `catalog:OID` of all that is the object: a table is its row type as well. */
  readonly nodes: readonly (readonly [catalog: number, oid: number])[]
}

/** @param steps each drops the object of its entry */
export function inOrderOfUse(steps: readonly Step[], standby: Standby): Step[] {
  const items = steps.map(step => ({ step, nodes: nodesOf(step, standby) }))
  const owners = new Map(items.flatMap(item => item.nodes.map(node => [node.join(':'), item] as const)))
  const order: Step[] = []
  const seen = new Set<Item>()
  const visit = (item: Item): void => {
    if (seen.has(item)) return
    seen.add(item)
    const passed = new Set<string>()
    for (const [catalog, oid] of item.nodes) visitUsers(catalog, oid, item, passed)
    order.push(item.step)
  }
  const visitUsers = (catalog: number, oid: number, item: Item, passed: Set<string>): void => {
    for (const user of standby.dependents.of(catalog, oid)) {
      const node = `${user.catalog}:${user.oid}`
      const owner = owners.get(node)
      if (owner && owner !== item) visit(owner)
      // By way of what stays, or of an array.
      else if (!owner && !passed.has(node)) {
        passed.add(node)
        visitUsers(user.catalog, user.oid, item, passed)
      }
    }
  }
  // Of a circle the server will say what it is.
  for (const item of items) visit(item)
  return order
}

function nodesOf({ entry }: Step, { details }: Standby): [number, number][] {
  const { catalog, oid } = entry.catalogId
  const relation = catalog === catalogs.relation ? details.relations.get(oid) : undefined
  const type = details.types.get(relation ? relation.rowType : catalog === catalogs.type ? oid : 0)
  const types = type ? [type.oid, type.array, type.multirange].filter(each => each !== 0) : []
  return [
    [catalog, oid],
    ...types.map((each): [number, number] => [catalogs.type, each]),
    ...(type && type.relation !== 0 ? [[catalogs.relation, type.relation] as [number, number]] : [])
  ]
}
