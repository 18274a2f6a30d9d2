import { describe, expect, test, vi } from 'vitest'
import type { RunEvent } from '../../src/core/events.js'
import { retrying } from '../../src/core/retry.js'

function policy(retries: number, signal = new AbortController().signal) {
  const events: RunEvent[] = []
  return {
    events,
    retries,
    signal,
    emit: (event: RunEvent) => events.push(event),
    transient: (error: unknown) => (error as Error).message === 'transient'
  }
}

/** Lets every delay pass at once. */
async function skipping<T>(work: () => Promise<T>): Promise<T> {
  vi.useFakeTimers()
  try {
    const running = work()
    running.catch(() => {})
    await vi.runAllTimersAsync()
    return await running
  } finally {
    vi.useRealTimers()
  }
}

const failing = (...messages: string[]) => {
  let tries = 0
  return {
    get tries() {
      return tries
    },
    work: async () => {
      const message = messages[tries++]
      if (message) throw new Error(message)
      return 'done'
    }
  }
}

describe('another try', () => {
  test('until it works, each told once', async () => {
    const rules = policy(5)
    const job = failing('transient', 'transient')
    expect(await skipping(() => retrying('t', rules, job.work))).toBe('done')
    expect(job.tries).toBe(3)
    expect(rules.events).toMatchObject([
      { type: 'retry', what: 't', attempt: 1, reason: 'transient' },
      { type: 'retry', attempt: 2 }
    ])
  })

  test('as often as allowed; then the last error as it was', async () => {
    const rules = policy(2)
    const job = failing('transient', 'transient', 'transient', 'transient')
    await expect(skipping(() => retrying('t', rules, job.work))).rejects.toThrow('transient')
    expect(job.tries).toBe(3)
    expect(rules.events).toHaveLength(2)
  })

  test('never for what would fail again', async () => {
    const job = failing('for good')
    await expect(skipping(() => retrying('t', policy(5), job.work))).rejects.toThrow('for good')
    expect(job.tries).toBe(1)
  })

  test('never after an abort, whose reason is the error', async () => {
    const stop = new AbortController()
    const job = failing('transient', 'transient')
    const work = async () => {
      stop.abort(new Error('stopped'))
      return job.work()
    }
    await expect(skipping(() => retrying('t', policy(5, stop.signal), work))).rejects.toThrow('stopped')
    expect(job.tries).toBe(1)
  })
})
