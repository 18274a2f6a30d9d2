/**
 * A bound on bytes a second. What was read is paid for afterwards, by waiting: so a piece of any size may be read, and over time
 * no more passes than the rate allows.
 */
import { setTimeout as delay } from 'node:timers/promises'

/** Milliseconds. */
export interface Clock {
  now(): number
  /** Rejects with the signal's reason where it is aborted. */
  sleep(time: number, signal: AbortSignal): Promise<void>
}

const realClock: Clock = {
  now: () => performance.now(),
  sleep: (time, signal) =>
    delay(time, undefined, { signal }).catch(() => {
      throw signal.reason
    })
}

/** Milliseconds of debt below which nobody is kept waiting: a timer for every buffer would cost more than it bounds. */
const tolerated = 10
/** The longest timer that there is. */
const longestSleep = 2_147_483_647

export class Rate {
  /** When all that was taken so far is paid for. */
  #paid = 0

  constructor(
    /** Bytes. */
    readonly perSecond: number,
    private readonly clock: Clock = realClock
  ) {}

  /** Takes so many bytes, for whoever reads them, and settles when they are paid for; those who come later wait longer. */
  async take(bytes: number, signal: AbortSignal): Promise<void> {
    this.#paid = Math.max(this.#paid, this.clock.now()) + (bytes / this.perSecond) * 1000
    const until = this.#paid
    for (let left = until - this.clock.now(); left > tolerated; left = until - this.clock.now()) {
      await this.clock.sleep(Math.min(left, longestSleep), signal)
    }
  }
}
