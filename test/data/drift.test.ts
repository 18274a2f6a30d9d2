/** Where differences lie is told in a bounded number of cells, and none of them is lost on the way. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Drift } from '../../src/data/drift.js'

const keys = (count: number) => [Array.from({ length: count }, String)]
const diffOf = (insert: number, update: number, remove: number) => ({
  insert: keys(insert),
  update: keys(update),
  delete: keys(remove)
})

test('chunks in any order end in at most 128 cells, whose sums are theirs', () => {
  const chunk = fc.tuple(fc.nat(1000), fc.nat(3), fc.nat(3), fc.nat(3))
  fc.assert(
    fc.property(
      fc.array(chunk, { minLength: 1, maxLength: 700 }),
      fc.infiniteStream(fc.nat()),
      (chunks, order) => {
        const drift = new Drift()
        const left = [...chunks.entries()]
        while (left.length > 0) {
          const [[at, [rows, ...counts]]] = left.splice(order.next().value! % left.length, 1) as [
            (typeof left)[0]
          ]
          drift.add(at, rows, diffOf(...counts))
        }
        const sums = (cells: readonly (readonly number[])[]) =>
          cells.reduce((all, cell) => all.map((sum, i) => sum + cell[i]!), [0, 0, 0, 0])
        expect(drift.cells.length).toBeLessThanOrEqual(128)
        expect(drift.cells.length).toBeGreaterThanOrEqual(Math.min(chunks.length, 64))
        expect(sums(drift.cells)).toEqual(sums(chunks))
      }
    ),
    { numRuns: 50 }
  )
})

test('a cell is where its chunks are', () => {
  const drift = new Drift()
  drift.add(999, 10, diffOf(0, 0, 1))
  drift.add(0, 10, diffOf(1, 0, 0))
  drift.add(500, 10, diffOf(0, 2, 0))
  // 8 chunks a cell.
  expect(drift.cells.length).toBe(125)
  expect(drift.cells[0]).toEqual([10, 1, 0, 0])
  expect(drift.cells[62]).toEqual([10, 0, 2, 0])
  expect(drift.cells[124]).toEqual([10, 0, 0, 1])
  expect(drift.cells[1]).toEqual([0, 0, 0, 0])
})
