/**
 * The order that foreign keys ask for, and the check that they hold. Parents are written before children and
 * deleted from after them; tables that refer to each other in a circle are written in one transaction.
 */
import type pg from 'pg'
import { DataError } from '../core/errors.js'
import { ident, qualified } from '../postgres/quote.js'
import type { ForeignKey } from '../postgres/relations.js'
import type { Unit } from './unit.js'

export class ForeignKeyGraph {
  readonly #byChild: Map<number, ForeignKey[]>
  readonly #byParent: Map<number, ForeignKey[]>
  readonly #parents = new Map<Unit, Set<Unit>>()
  readonly #groups = new Map<Unit, Unit[]>()

  /** @param keys those of the standby: it is its constraints that the writes must not break. */
  constructor(
    readonly units: readonly Unit[],
    readonly keys: readonly ForeignKey[]
  ) {
    this.#byChild = grouped(keys, key => key.child)
    this.#byParent = grouped(keys, key => key.parent)
    const byOid = grouped(units, unit => unit.standby.oid)
    for (const unit of units) this.#parents.set(unit, new Set())
    for (const parent of units) {
      for (const key of this.to(parent)) {
        for (const child of byOid.get(key.child) ?? []) {
          this.#parents.get(child)!.add(parent)
          // An update of the parent can break the child as well: neither goes before the other.
          if (!this.byKey(key, parent)) this.#parents.get(parent)!.add(child)
        }
      }
    }
    for (const group of components(units, unit => [...this.#parents.get(unit)!])) {
      for (const unit of group) this.#groups.set(unit, group)
    }
  }

  /** The foreign keys whose child is this unit. */
  from(unit: Unit): ForeignKey[] {
    return this.#byChild.get(unit.standby.oid) ?? []
  }

  /** The foreign keys whose parent is this unit, or the partitioned table that it is a part of. */
  to(unit: Unit): ForeignKey[] {
    const { oid, root } = unit.standby
    return [...(this.#byParent.get(oid) ?? []), ...(root === 0 ? [] : (this.#byParent.get(root) ?? []))]
  }

  /** Units outside this one's circle that must be written before it. */
  before(unit: Unit): Unit[] {
    const group = this.group(unit)
    const parents = group.flatMap(member => [...this.#parents.get(member)!])
    return [...new Set(parents)].filter(parent => !group.includes(parent))
  }

  /** The units that refer to each other in a circle with this one, itself among them. */
  group(unit: Unit): Unit[] {
    return this.#groups.get(unit) ?? [unit]
  }

  /** The key refers to the columns that rows of the parent are matched by: an upsert cannot take them away. */
  byKey(key: ForeignKey, parent: Unit): boolean {
    return key.parentColumns.every(name => parent.key.some(column => column.name === name))
  }

  /**
   * Must be written in one transaction with its group: it refers to itself, stands in a circle of several, or is
   * referred to by columns that an update of it may change.
   */
  circular(unit: Unit): boolean {
    if (this.group(unit).length > 1 || this.#parents.get(unit)!.has(unit)) return true
    return this.to(unit).some(key => !this.byKey(key, unit))
  }

  /** The unit, its circle, and all that refer to them, or to those, and so on, with the other partitions that these refer to. */
  family(unit: Unit): Set<Unit> {
    const found = new Set(this.group(unit))
    for (const member of found) {
      const keys = new Set(this.to(member))
      const children = new Set([...keys].map(key => key.child))
      for (const one of this.units) {
        if (!children.has(one.standby.oid) && !this.to(one).some(key => keys.has(key))) continue
        for (const relative of this.group(one)) found.add(relative)
      }
    }
    return found
  }

  /** Parents first. */
  ordered(): Unit[] {
    const done = new Set<Unit>()
    const visit = (unit: Unit): void => {
      if (done.has(unit)) return
      for (const member of this.group(unit)) done.add(member)
      for (const parent of this.before(unit)) visit(parent)
      order.push(...this.group(unit))
    }
    const order: Unit[] = []
    for (const unit of this.units) visit(unit)
    return order
  }
}

function grouped<T>(values: readonly T[], by: (value: T) => number): Map<number, T[]> {
  const groups = new Map<number, T[]>()
  for (const value of values) groups.set(by(value), [...(groups.get(by(value)) ?? []), value])
  return groups
}

/** Tarjan's strongly connected components (SIAM J. Comput. 1, 1972). */
function components(nodes: readonly Unit[], next: (node: Unit) => Unit[]): Unit[][] {
  const found: Unit[][] = []
  const index = new Map<Unit, number>()
  const low = new Map<Unit, number>()
  const stack: Unit[] = []
  const visit = (node: Unit): void => {
    index.set(node, index.size)
    low.set(node, index.get(node)!)
    stack.push(node)
    for (const other of next(node)) {
      if (!index.has(other)) {
        visit(other)
        low.set(node, Math.min(low.get(node)!, low.get(other)!))
      } else if (stack.includes(other)) low.set(node, Math.min(low.get(node)!, index.get(other)!))
    }
    if (low.get(node) === index.get(node)) found.push(stack.splice(stack.indexOf(node)))
  }
  for (const node of nodes) if (!index.has(node)) visit(node)
  return found
}

/**
 * Fails where a row of `rows` (a FROM item with the alias `t`, and a condition) refers to a parent that is not there.
 * Needed wherever session_replication_role keeps the constraint's own trigger from looking.
 */
export async function checkParents(
  standby: pg.Client,
  key: ForeignKey,
  rows: string,
  condition = 'true'
): Promise<void> {
  const set = key.columns.map(column => `t.${ident(column)} IS NOT NULL`).join(' AND ')
  const match = key.columns
    .map((column, i) => `p.${ident(key.parentColumns[i]!)} = t.${ident(column)}`)
    .join(' AND ')
  const found = await standby.query({
    text: `SELECT ${key.columns.map(column => `t.${ident(column)}::text`).join(', ')} FROM ${rows} WHERE ${condition} AND ${set}
      AND NOT EXISTS (SELECT 1 FROM ${qualified(key.parentSchema, key.parentName)} p WHERE ${match}) LIMIT 1`,
    rowMode: 'array'
  })
  const orphan = found.rows[0] as string[] | undefined
  if (!orphan) return
  const parent = `${key.parentSchema}.${key.parentName}`
  throw new DataError(
    `foreign key ${key.name} would be broken: (${key.columns.join(', ')}) = (${orphan.join(', ')}) is not in ${parent}`,
    {
      table: `${key.childSchema}.${key.childName}`,
      hint: `Bring ${parent} up to date in the same run (it is out of scope, or failed), or remove the child rows first.`,
      sqlstate: '23503'
    }
  )
}
