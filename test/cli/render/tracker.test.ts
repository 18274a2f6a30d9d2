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
  now = 2000
  // A table by itself counts as 10,000 rows: 130,000 in all, 15,000 of them done, and 12,000 of those by work.
  expect(tracker.share).toBeCloseTo(15 / 130)
  expect(tracker.summary()).toBe('1 of 12 tables, 2,000 rows, 1,000 rows/s, about 19.2 s left')
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
  expect(tracker.share).toBeCloseTo(500 / 10_500)
})

test('many small tables move it on, and what is passed over unread does too', () => {
  const tracker = new Tracker(() => 0)
  tracker.add({ type: 'phase', phase: 'rows' })
  tracker.add({ type: 'plan', tables: 100, rows: 1_000_000 })
  expect(tracker.share).toBe(0)
  for (let table = 0; table < 100; table++) {
    tracker.add({ type: 'table-start', table: `t${table}`, rows: 10_000 })
    if (table < 50) tracker.add({ type: 'rows', table: `t${table}`, rows: 10_000 })
    tracker.add({ type: 'table-end', table: `t${table}`, status: 'identical' })
    expect(tracker.share).toBeCloseTo((table + 1) / 100)
  }
})

test('the share never goes beyond 1, however wrong the estimates were', () => {
  const tracker = new Tracker(() => 0)
  expect(tracker.share).toBe(0)
  tracker.add({ type: 'phase', phase: 'copy' })
  tracker.add({ type: 'plan', tables: 1, rows: 10 })
  tracker.add({ type: 'table-start', table: 'a', rows: 10 })
  tracker.add({ type: 'rows', table: 'a', rows: 1_000_000 })
  expect(tracker.share).toBeLessThan(1)
  tracker.add({ type: 'rows', table: 'b', rows: 1000 })
  tracker.add({ type: 'table-end', table: 'a', status: 'synced' })
  expect(tracker.share).toBe(1)
})
