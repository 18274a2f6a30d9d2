import { describe, expect, test } from 'vitest'
import type { FollowEvent, FollowState } from '../../../src/core/events.js'
import { healthOf } from '../../../src/cli/serve/health.js'
import { begin, fold } from '../../../src/cli/serve/status.js'
import { batch } from './events.js'

const state = (name: FollowState): FollowEvent => ({ type: 'state', state: name })
const lag = (bytes: number): FollowEvent => ({ type: 'lag', lag: { bytes } })
const retry: FollowEvent = {
  type: 'retry',
  what: 'the sink',
  attempt: 3,
  delay: 5000,
  reason: 'postgres://u:geheim@h/d refused'
}
const second = 1000

/** Whether it is healthy `now` seconds after the start, having seen events at their seconds. */
function health(now: number, events: [number, FollowEvent][], stale?: number) {
  const status = events.reduce((status, [at, event]) => fold(status, event, at * second), begin(0))
  return healthOf(status, now * second, stale)
}
const reason = (...call: Parameters<typeof health>) => health(...call).reason

describe('healthOf', () => {
  test('an idle follower without lag is healthy for ever', () => {
    expect(
      reason(100_000, [
        [1, state('following')],
        [2, lag(0)]
      ])
    ).toBeNull()
    expect(reason(100_000, [[1, state('following')]])).toBeNull()
  })

  test('one that never gets to work is not', () => {
    expect(reason(60, [])).toBeNull()
    expect(reason(61, [])).toBe('it has not been able to work for 61 s (now: connecting)')
    expect(reason(31, [], 30)).toBe('it has not been able to work for 31 s (now: connecting)')
    expect(
      reason(61, [
        [1, state('following')],
        [40, state('waiting')]
      ])
    ).toBeNull()
    expect(
      reason(101, [
        [1, state('following')],
        [40, state('waiting')],
        [41, retry]
      ])
    ).toBe(
      'it has not been able to work for 61 s (now: waiting); the sink: try 3 failed, again in 5 s: postgres://u:***@h/d refused'
    )
  })

  test('short times of work without progress are no work', () => {
    const flapping: [number, FollowEvent][] = Array.from({ length: 10 }, (_, n) => [
      [n * 8, state('following')] as [number, FollowEvent],
      [n * 8 + 1, state('waiting')] as [number, FollowEvent]
    ]).flat()
    expect(reason(59, flapping)).toBeNull()
    expect(reason(74, flapping)).toMatch(/^it has not been able to work for 74 s/)
    // Just come up: that is not believed yet; it is when it lasts, or writes.
    const up: [number, FollowEvent][] = [...flapping, [80, state('following')]]
    expect(reason(85, up)).toMatch(/^it has not been able to work for 85 s/)
    expect(reason(90, up)).toBeNull()
    expect(reason(82, [...up, [81, batch({ a: { insert: 1 } })]])).toBeNull()
  })

  test('what waits must be written', () => {
    const behind: [number, FollowEvent][] = [
      [1, state('following')],
      [1000, lag(7)]
    ]
    expect(reason(1060, behind)).toBeNull()
    expect(reason(1061, behind)).toBe('changes are waiting, and nothing was written for 61 s')
    expect(reason(1061, [...behind, [1030, batch({ a: { insert: 1 } })]])).toBeNull()
    expect(reason(1091, [...behind, [1030, batch({ a: { insert: 1 } })]])).toMatch(/^changes are waiting/)
    // Looking again is no progress; being level is.
    expect(reason(1061, [...behind, [1050, lag(9)]])).toMatch(/^changes are waiting/)
    expect(reason(1070, [...behind, [1040, lag(0)], [1050, lag(9)]])).toBeNull()
    // The position moved.
    expect(reason(1070, [...behind, [1050, batch({})]])).toBeNull()
  })

  test('a first copy must move', () => {
    const copying: [number, FollowEvent][] = [
      [1, state('copying')],
      [2, lag(1_000_000)],
      [5, { type: 'copy-start', table: 'a', rows: 9 }]
    ]
    expect(reason(65, copying)).toBeNull()
    expect(reason(66, copying)).toBe('the first copy has not moved for 61 s')
    expect(reason(100, [...copying, [60, { type: 'copy-bytes', table: 'a', bytes: 1 }]])).toBeNull()
  })

  test('says how it stands', () => {
    const events: [number, FollowEvent][] = [
      [1, state('following')],
      [2, lag(0)],
      [3, batch({ a: { insert: 1 } }, { position: '17' })],
      [5, lag(4)]
    ]
    expect(health(6, events, 45)).toEqual({
      ok: true,
      reason: null,
      state: 'following',
      stateSince: '1970-01-01T00:00:01.000Z',
      lastProgress: '1970-01-01T00:00:03.000Z',
      lag: { bytes: 4, seconds: 4 },
      position: '17',
      staleAfterSeconds: 45
    })
  })
})
