/** Another try of what may succeed the next time, after a delay that grows and is never the same for two workers. */
import { setTimeout as wait } from 'node:timers/promises'
import pRetry from 'p-retry'
import { messageOf } from './errors.js'
import type { RunEvent } from './events.js'
import type { Outage } from './outage.js'

export interface RetryPolicy {
  /** Tries after the first. */
  retries: number
  signal: AbortSignal
  emit(event: Extract<RunEvent, { type: 'retry' }>): void
  /** Whether this error is worth another try. */
  transient(error: unknown): boolean
  /** Waits for a server that is away count by their time, and not among the tries. */
  outage?: Outage
}

/** Milliseconds before the second try, and at most. */
const [first, most] = [200, 10_000]

/**
 * Runs `work`; its last error comes back as it is, or the reason of an abort. Delays: 0.2 s to 0.4 s, doubled each time, at
 * most 10 s.
 * @throws also, at once, what the outage was given up with.
 */
export async function retrying<T>(
  what: string,
  policy: RetryPolicy,
  work: (attempt: number) => Promise<T>
): Promise<T> {
  const { signal, outage } = policy
  let counted = 0
  const goOn = async (error: unknown, attempt: number): Promise<boolean> => {
    if (signal.aborted || !policy.transient(error)) return false
    const left = outage?.left(error)
    if (left === undefined && counted++ >= policy.retries) return false
    const grown = first * 2 ** (attempt - 1) * (1 + Math.random())
    const delay = Math.round(Math.min(most, grown, left ?? most))
    policy.emit({ type: 'retry', what, attempt, delay, reason: messageOf(error) })
    await wait(delay, undefined, { signal })
    return true
  }
  const once = async (attempt: number) => {
    outage?.check()
    const result = await work(attempt)
    outage?.ended()
    return result
  }
  return pRetry(once, {
    retries: Infinity,
    minTimeout: 0,
    signal,
    shouldRetry: ({ error, attemptNumber }) => goOn(error, attemptNumber)
  }).catch((error: unknown) => {
    throw signal.aborted ? signal.reason : error
  })
}
