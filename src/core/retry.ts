/** Another try of what may succeed the next time, after a delay that grows and is never the same for two workers. */
import pRetry from 'p-retry'
import { messageOf } from './errors.js'
import type { RunEvent } from './events.js'

export interface RetryPolicy {
  /** Tries after the first. */
  retries: number
  signal: AbortSignal
  emit(event: Extract<RunEvent, { type: 'retry' }>): void
  /** Whether this error is worth another try. */
  transient(error: unknown): boolean
}

/**
 * Runs `work`; its last error comes back as it is, or the reason of an abort. Delays: 0.2 s, doubled each time, at
 * most 10 s.
 */
export async function retrying<T>(
  what: string,
  policy: RetryPolicy,
  work: (attempt: number) => Promise<T>
): Promise<T> {
  return pRetry(work, {
    retries: policy.retries,
    minTimeout: 200,
    maxTimeout: 10_000,
    factor: 2,
    randomize: true,
    signal: policy.signal,
    shouldRetry: ({ error }) => !policy.signal.aborted && policy.transient(error),
    onFailedAttempt: ({ error, attemptNumber, retriesLeft }) => {
      if (retriesLeft === 0 || !policy.transient(error)) return
      policy.emit({
        type: 'retry',
        what,
        attempt: attemptNumber,
        delay: Math.min(10_000, 200 * 2 ** (attemptNumber - 1)),
        reason: messageOf(error)
      })
    }
  }).catch((error: unknown) => {
    throw policy.signal.aborted ? policy.signal.reason : error
  })
}
