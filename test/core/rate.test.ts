/** A rate over a clock that the test sets: what is taken, by whomever and in whatever pieces, is paid for by waiting. */
import { expect, test } from 'vitest'
import { Rate, type Clock } from '../../src/core/rate.js'

/** Sleepers wake in the order of their times, and nothing else moves the clock. */
class Stepped implements Clock {
  time = 0
  sleeps: number[] = []
  readonly #sleepers: { at: number; wake: () => void }[] = []

  now = () => this.time

  sleep(time: number, signal: AbortSignal): Promise<void> {
    this.sleeps.push(time)
    return new Promise((resolve, reject) => {
      const stop = () => reject(signal.reason)
      signal.addEventListener('abort', stop)
      const wake = () => {
        signal.removeEventListener('abort', stop)
        resolve()
      }
      this.#sleepers.push({ at: this.time + time, wake })
    })
  }

  /** Lets time pass from sleeper to sleeper until all of `work` has settled. */
  async until(work: Promise<unknown>): Promise<void> {
    let over = false
    void work.finally(() => (over = true)).catch(() => {})
    for (;;) {
      await new Promise(resolve => setImmediate(resolve))
      if (over) return
      this.#sleepers.sort((a, b) => a.at - b.at)
      const next = this.#sleepers.shift()
      if (!next) continue
      this.time = Math.max(this.time, next.at)
      next.wake()
    }
  }
}

const { signal } = new AbortController()

test('what is taken is paid for, one after the other, and at the same time', async () => {
  const clock = new Stepped()
  const rate = new Rate(1000, clock)
  await clock.until(rate.take(5000, signal))
  expect(clock.time).toBe(5000)
  await clock.until(Promise.all([rate.take(1000, signal), rate.take(2000, signal), rate.take(3000, signal)]))
  expect(clock.time).toBe(11_000)
})

test('time in which nothing was taken saves nothing up', async () => {
  const clock = new Stepped()
  const rate = new Rate(1000, clock)
  clock.time = 1_000_000
  await clock.until(rate.take(1000, signal))
  expect(clock.time).toBe(1_001_000)
})

test('small pieces wait together, and not less', async () => {
  const clock = new Stepped()
  const rate = new Rate(1_000_000, clock)
  const all = (async () => {
    for (let piece = 0; piece < 1000; piece++) await rate.take(1000, signal)
  })()
  await clock.until(all)
  expect(clock.time).toBeGreaterThanOrEqual(990)
  expect(clock.sleeps.length).toBeLessThan(101)
})

test('a wait of years is slept in parts, and ends at once when it is given up', async () => {
  const clock = new Stepped()
  const rate = new Rate(1, clock)
  await clock.until(rate.take(5_000_000, signal))
  expect(clock.time).toBe(5_000_000_000)
  expect(Math.max(...clock.sleeps)).toBeLessThan(2 ** 31)
  const given = new AbortController()
  const work = new Rate(1).take(5_000_000, given.signal)
  given.abort(new Error('enough'))
  await expect(work).rejects.toThrow('enough')
})
