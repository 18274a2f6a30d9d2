/**
 * How long servers may be away in the midst of a run: one clock for all of its work, so that a thousand tables wait no longer than
 * one does. It stands as long as anything succeeds.
 */
import { ConnectionError, messageOf } from './errors.js'

export class Outage {
  #since: number | undefined
  #error: ConnectionError | undefined

  /**
   * @param limit milliseconds.
   * @param isAway whether an error says that a server cannot be reached for now.
   */
  constructor(
    readonly limit: number,
    private readonly isAway: (error: unknown) => boolean
  ) {}

  /** It was waited for in vain: nothing is tried any more. */
  get isGivenUp(): boolean {
    return this.#error !== undefined
  }

  /**
   * Milliseconds that may still be waited; undefined for an error of another kind.
   * @throws ConnectionError where the time is over.
   */
  left(error: unknown): number | undefined {
    if (!this.isAway(error)) return undefined
    this.check()
    this.#since ??= performance.now()
    const left = this.#since + this.limit - performance.now()
    if (left > 0) return left
    if (this.limit === 0) throw error
    const details = { hint: 'Run again when it is back: what is done is done.', cause: error }
    const seconds = Math.round(this.limit / 100) / 10
    throw (this.#error = new ConnectionError(`${messageOf(error)}, and did so for ${seconds} s`, details))
  }

  /** @throws what it was given up with. */
  check(): void {
    if (this.#error) throw this.#error
  }

  /** Something succeeded. */
  ended(): void {
    this.#since = undefined
  }
}
