import { describe, expect, test } from 'vitest'
import type { FollowEvent } from '../../../src/core/events.js'
import { addSecret } from '../../../src/core/redact.js'
import { snapshotOf } from '../../../src/cli/serve/snapshot.js'
import { begin, fold, lagSeconds, rates, remarkOf } from '../../../src/cli/serve/status.js'
import { about, batch } from './events.js'

/** Events at their milliseconds. */
const told = (...events: [number, FollowEvent][]) =>
  events.reduce((status, [now, event]) => fold(status, event, now), begin(0))

describe('fold', () => {
  test('adds up changes by table and operation', () => {
    const status = told(
      [1000, { type: 'state', state: 'following' }],
      [
        2000,
        batch({ a: { insert: 2, delete: 1 }, b: { truncate: 1 } }, { position: '1', committedAt: 1900 })
      ],
      [3000, batch({ a: { insert: 1, update: 5 } }, { position: '2' })],
      [4000, batch({}, { position: '3' })]
    )
    expect(status.tables).toEqual(
      new Map([
        ['a', { insert: 3, update: 5, delete: 1, truncate: 0, copy: undefined }],
        ['b', { insert: 0, update: 0, delete: 0, truncate: 1, copy: undefined }]
      ])
    )
    expect(status).toMatchObject({
      state: 'following',
      stateSince: 1000,
      changes: 10,
      // The third only moved the position.
      batches: 2,
      position: '3',
      progressAt: 4000,
      levelAt: 4000,
      committedAt: 1900
    })
  })

  test('leaves the earlier status as it was', () => {
    const before = told([1, batch({ a: { insert: 1 } })])
    const kept = structuredClone(before)
    fold(before, batch({ a: { insert: 1 }, b: { update: 2 } }), 2)
    fold(before, { type: 'copy-start', table: 'a', rows: 7 }, 2)
    expect(before).toEqual(kept)
  })

  test('follows a first copy, and one that is made again', () => {
    const half = told(
      [1, { type: 'copy-start', table: 'a', rows: 50 }],
      [2, { type: 'copy-bytes', table: 'a', bytes: 100 }],
      [3, { type: 'copy-bytes', table: 'a', bytes: 11 }]
    )
    expect(half.tables.get('a')!.copy).toEqual({ bytes: 111, estimate: 50, rows: undefined })
    const again = fold(half, { type: 'copy-start', table: 'a', rows: 60 }, 4)
    expect(again.tables.get('a')!.copy).toEqual({ bytes: 0, estimate: 60, rows: undefined })
    const done = fold(again, { type: 'copy-end', table: 'a', rows: 61 }, 5)
    expect(done.tables.get('a')!.copy).toEqual({ bytes: 0, estimate: 60, rows: 61 })
    expect(done.progressAt).toBe(5)
  })

  test('keeps the last remarks, the newest first', () => {
    const events = Array.from({ length: 25 }, (_, n): [number, FollowEvent] => [
      n,
      { type: 'note', message: `note ${n}` }
    ])
    const { remarks, retries } = told(...events, [
      99,
      { type: 'retry', what: 'main', attempt: 2, delay: 400, reason: 'gone' }
    ])
    expect(remarks).toHaveLength(20)
    expect(remarks.slice(0, 2)).toEqual([
      { at: 99, kind: 'retry', text: 'main: try 2 failed, again in 400 ms: gone' },
      { at: 24, kind: 'note', text: 'note 24' }
    ])
    expect(retries).toBe(1)
  })
})

test('sentences name their table once', () => {
  expect(remarkOf({ type: 'note', message: 'it has no key', table: 'a.b' })).toBe('a.b: it has no key')
  expect(remarkOf({ type: 'note', message: 'a.b has no key', table: 'a.b' })).toBe('a.b has no key')
  expect(remarkOf({ type: 'schema', table: 'a.b', added: ['c', 'd'] })).toBe('a.b: columns c, d added')
})

test('rates are those of the last 60 whole seconds', () => {
  const status = told(
    [1_000, batch({ a: { insert: 9 } })],
    [30_100, batch({ a: { insert: 1 } })],
    [30_900, batch({ a: { insert: 2 } })],
    [80_000, batch({ a: { insert: 4 } })],
    [89_999, batch({ a: { insert: 8 } })],
    [90_000, batch({ a: { insert: 16 } })]
  )
  const seen = rates(status, 90_500)
  expect(seen).toHaveLength(60)
  expect(seen.flatMap((n, at) => (n > 0 ? [[at, n]] : []))).toEqual([
    [0, 3],
    [50, 4],
    [59, 8]
  ])
  expect(rates(status, 91_000).at(-1)).toBe(16)
  expect(status.seconds[0]!.second).toBe(30)
})

describe('lagSeconds', () => {
  const lag = (bytes: number): FollowEvent => ({ type: 'lag', lag: { bytes } })

  test('is not known before anybody told', () => {
    expect(lagSeconds(begin(0), 5000)).toBeUndefined()
    expect(lagSeconds(told([1, { type: 'lag', lag: { retainedBytes: 5 } }]), 5000)).toBeUndefined()
    expect(lagSeconds(told([1000, lag(5)]), 5000)).toBeUndefined()
  })

  test('counts from the moment up to which nothing is missing', () => {
    expect(lagSeconds(told([1000, lag(0)], [3000, lag(0)]), 9000)).toBe(0)
    expect(lagSeconds(told([1000, lag(0)], [3000, lag(9)]), 9000)).toBe(8)
    const moving = told(
      [1000, lag(0)],
      [3000, lag(9)],
      [8000, batch({ a: { insert: 1 } }, { committedAt: 7500 })]
    )
    expect(lagSeconds(moving, 9000)).toBe(1.5)
    // The position moved, and there was nothing to write.
    expect(lagSeconds(fold(moving, batch({}), 8800), 9000)).toBe(0.2)
    // Main's clock is ahead of ours.
    expect(lagSeconds(fold(moving, batch({ a: { insert: 1 } }, { committedAt: 9500 }), 8900), 9000)).toBe(0)
  })
})

test('a snapshot tells ages, sorts tables, and keeps secrets', () => {
  addSecret('sesame-99')
  const status = told(
    [1000, batch({ 'b\u202e': { insert: 1 }, a: { update: 2 } })],
    [2000, { type: 'note', message: 'could not log in with sesame-99' }],
    [3000, { type: 'lag', lag: { rows: 4 } }]
  )
  const seen = snapshotOf(about, status, 8_400)
  expect(seen).toMatchObject({
    about,
    state: 'connecting',
    stateAge: 8,
    upAge: 8,
    trouble: null,
    lag: { bytes: null, rows: 4, seconds: null, retainedBytes: null },
    changes: 3,
    progressAge: 7,
    remarks: [{ age: 6, kind: 'note', text: 'could not log in with ***' }]
  })
  expect(seen.tables.map(one => one.table)).toEqual(['a', 'b\\u{202e}'])
})
