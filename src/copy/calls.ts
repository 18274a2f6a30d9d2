/**
 * The calls of one copy. A call's own time-out is tried again, `retriesDelay` later and at most `maxRetries` times; nothing else
 * is. The full time-out and the caller's signal end everything at once: also a call, also a delay.
 */
import { bounded, pause, TimedOut } from './call.js'
import { AbortError, CallTimeoutError, FullCopyTimeoutError, type CallName, type IdRange } from './errors.js'
import { after } from './timer.js'
import type { CopyConfig, Database } from './types.js'

export interface Call {
  name: Exclude<CallName, 'close'>
  /** The name that its database was, or is to be, connected by. */
  database: string
  range?: IdRange
}

export class Calls {
  readonly #ending = new AbortController()
  /** From here on neither the full time-out nor the caller's signal counts. */
  readonly stop: () => void

  /** @param onRetry told before each further try. */
  constructor(
    private readonly config: CopyConfig,
    caller: AbortSignal | undefined,
    private readonly onRetry: () => void
  ) {
    const end = this.#ending
    const abort = () => end.abort(new AbortError(caller?.reason))
    const forget = after(config.fullCopyTimeout, () =>
      end.abort(new FullCopyTimeoutError(config.fullCopyTimeout))
    )
    caller?.addEventListener('abort', abort, { once: true })
    if (caller?.aborted) abort()
    this.stop = () => {
      forget()
      caller?.removeEventListener('abort', abort)
    }
  }

  /**
   * Makes one call, and again where it took too long.
   * @param late takes what a given-up try brings later.
   * @throws CallTimeoutError, FullCopyTimeoutError, AbortError, or the call's own error as it is.
   */
  async make<T>(
    call: Call,
    work: (signal: AbortSignal) => Promise<T>,
    late?: (result: T) => void
  ): Promise<T> {
    const run = this.#ending.signal
    const { callTimeout, maxRetries, retriesDelay } = this.config
    for (let attempt = 1; ; attempt++) {
      try {
        return await bounded({ milliseconds: callTimeout, run, ...(late && { late }) }, work)
      } catch (error) {
        if (!(error instanceof TimedOut)) throw error
        if (attempt > maxRetries)
          throw new CallTimeoutError(call.name, call.database, attempt, call.range, callTimeout)
      }
      this.onRetry()
      await pause(retriesDelay, run)
    }
  }

  /**
   * Closes once, whatever has happened, and waits for it no longer than for any call.
   * @throws CallTimeoutError, or the error of `close`.
   */
  async close(database: Database, name: string): Promise<void> {
    const { callTimeout } = this.config
    try {
      await bounded({ milliseconds: callTimeout, run: undefined }, () => database.close())
    } catch (error) {
      throw error instanceof TimedOut ? new CallTimeoutError('close', name, 1, undefined, callTimeout) : error
    }
  }
}
