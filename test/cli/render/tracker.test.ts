import { expect, test } from 'vitest'
import { Tracker } from '../../../src/cli/render/tracker.js'

test('counts rows and tables, and tells the rate and the time left', () => {
  let now = 0
  const tracker = new Tracker(() => now)
  tracker.add({ type: 'phase', phase: 'rows' })
  expect(tracker.summary()).toBe('0 tables, 0 rows')
  tracker.add({ type: 'plan', tables: 12, rows: 10_000 })
  tracker.add({ type: 'table-start', table: 'a', rows: 5000 })
  tracker.add({ type: 'rows', table: 'a', rows: 2000 })
  tracker.add({ type: 'table-end', table: 'a', status: 'synced' })
  tracker.add({ type: 'table-start', table: 'b', rows: 9000 })
  expect(tracker.expected).toBe(11_000)
  now = 2000
  expect(tracker.summary()).toBe('1 of 12 tables, 2,000 rows, 1,000 rows/s, about 8.0 s left')
  tracker.add({ type: 'phase', phase: 'constraints' })
  expect([tracker.summary(), tracker.counting]).toEqual(['0 tables, 0 rows', false])
})

test('without a plan there is no time left, and an estimate too low is none', () => {
  let now = 0
  const tracker = new Tracker(() => now)
  tracker.add({ type: 'phase', phase: 'compare' })
  tracker.add({ type: 'table-start', table: 'a', rows: -1 })
  tracker.add({ type: 'rows', table: 'a', rows: 500 })
  now = 1000
  expect(tracker.summary()).toBe('0 tables, 500 rows, 500 rows/s')
  expect(tracker.busy.get('a')).toEqual({ rows: 500, estimate: 0 })
  tracker.add({ type: 'plan', tables: 1, rows: 100 })
  expect(tracker.expected).toBe(500)
})
