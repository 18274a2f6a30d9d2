/** The order of writing that foreign keys ask for. */
import { describe, expect, test } from 'vitest'
import { ForeignKeyGraph } from '../../src/data/foreignkeys.js'
import type { Unit } from '../../src/data/unit.js'
import type { ForeignKey } from '../../src/postgres/relations.js'

let oid = 0
const unit = (name: string, key = ['id'], root = 0): Unit =>
  ({
    name,
    key: key.map(column => ({ name: column })),
    strategy: key.length > 0 ? 'range' : 'multiset',
    standby: { oid: ++oid, root }
  }) as unknown as Unit

const refers = (child: Unit, parent: Unit, parentColumns = ['id']): ForeignKey =>
  ({
    name: `${child.name}_${parent.name}`,
    child: child.standby.oid,
    parent: parent.standby.oid,
    parentColumns
  }) as unknown as ForeignKey

const names = (units: Iterable<Unit>) => [...units].map(one => one.name)

describe('order', () => {
  test('parents first, whatever the order they come in', () => {
    const [a, b, c, d] = ['a', 'b', 'c', 'd'].map(name => unit(name)) as [Unit, Unit, Unit, Unit]
    const graph = new ForeignKeyGraph([d, c, b, a], [refers(d, c), refers(c, b), refers(d, a), refers(b, a)])
    expect(names(graph.ordered())).toEqual(['a', 'b', 'c', 'd'])
    expect(names(graph.before(d)).sort()).toEqual(['a', 'c'])
    expect([a, b, c, d].some(one => graph.circular(one))).toBe(false)
    expect(names(graph.family(b)).sort()).toEqual(['b', 'c', 'd'])
  })

  test('a circle is one group, and what hangs on it comes after', () => {
    const [a, b, c, before, after] = ['a', 'b', 'c', 'before', 'after'].map(name => unit(name)) as [
      Unit,
      Unit,
      Unit,
      Unit,
      Unit
    ]
    const graph = new ForeignKeyGraph(
      [after, a, b, c, before],
      [refers(a, b), refers(b, c), refers(c, a), refers(a, before), refers(after, c)]
    )
    expect(names(graph.group(a)).sort()).toEqual(['a', 'b', 'c'])
    expect([a, b, c].every(one => graph.circular(one))).toBe(true)
    expect([before, after].some(one => graph.circular(one))).toBe(false)
    const order = names(graph.ordered())
    expect(order[0]).toBe('before')
    expect(order[4]).toBe('after')
    expect(names(graph.before(b))).toEqual(['before'])
  })

  test('a table that refers to itself is a circle of one', () => {
    const tree = unit('tree')
    const graph = new ForeignKeyGraph([tree], [refers(tree, tree)])
    expect(graph.circular(tree)).toBe(true)
    expect(graph.group(tree)).toEqual([tree])
  })

  test('columns that an update may change tie parent and child together', () => {
    const [parent, child] = [unit('parent'), unit('child')]
    const graph = new ForeignKeyGraph([child, parent], [refers(child, parent, ['code'])])
    expect(names(graph.group(parent)).sort()).toEqual(['child', 'parent'])
    expect(graph.circular(parent)).toBe(true)
  })

  test('a key to a partitioned table is one to each of its partitions', () => {
    const [one, two, child] = [unit('one', ['id'], 900), unit('two', ['id'], 900), unit('child')]
    const key = { ...refers(child, one), parent: 900 }
    const graph = new ForeignKeyGraph([child, one, two], [key])
    expect(names(graph.before(child)).sort()).toEqual(['one', 'two'])
  })

  test('keys to and from tables out of scope order nothing', () => {
    const [inside, outside] = [unit('inside'), unit('outside')]
    const graph = new ForeignKeyGraph([inside], [refers(inside, outside), refers(outside, inside)])
    expect(names(graph.ordered())).toEqual(['inside'])
    expect(graph.from(inside)).toHaveLength(1)
    expect(graph.to(inside)).toHaveLength(1)
  })

  test('a chain of thousands', () => {
    const many = Array.from({ length: 3000 }, (_, i) => unit(String(i)))
    const keys = many.slice(1).map((child, i) => refers(child, many[i]!))
    const order = names(new ForeignKeyGraph(many.toReversed(), keys).ordered())
    expect(order).toEqual(names(many))
  })
})
