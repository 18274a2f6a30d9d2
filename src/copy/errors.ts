/** The three ways in which time or the caller ends a copy. Each names what to do; the command line exits with 1. */
import { PgsyncerError } from '../core/errors.js'

/** The half-open range of ids that a call was about. */
export interface IdRange {
  minId: bigint
  maxId: bigint
}

export type CallName = 'connect' | 'getMaxId' | 'loadRows' | 'saveRows' | 'close'

/** A call took longer than `callTimeout`, as often as it was tried. */
export class CallTimeoutError extends PgsyncerError {
  /**
   * @param database the name that it was connected by.
   * @param attempts how often it was tried: `maxRetries` + 1, or 1 for `close`.
   * @param range of loadRows and saveRows.
   * @param milliseconds callTimeout
   */
  constructor(
    readonly call: CallName,
    readonly database: string,
    readonly attempts: number,
    readonly range: IdRange | undefined,
    milliseconds: number
  ) {
    const ids = range ? ` for the ids from ${range.minId} to ${range.maxId - 1n}` : ''
    const tries = attempts === 1 ? '' : `, ${attempts} times`
    super(`${call} on ${database}${ids} took longer than ${milliseconds} ms${tries}`, {
      hint: 'Raise --call-timeout, or lower --batch-size; a lock, a slow disk or a slow network may be the cause.'
    })
  }
}

/** The copy took longer than `fullCopyTimeout`. */
export class FullCopyTimeoutError extends PgsyncerError {
  constructor(milliseconds: number) {
    super(`the copy took longer than ${milliseconds} ms`, {
      hint: 'Raise --full-copy-timeout; with --resume it goes on behind the last row that was copied.'
    })
  }
}

/** The caller's signal ended the copy; its reason is the cause. */
export class AbortError extends PgsyncerError {
  constructor(reason: unknown) {
    super('the copy was aborted', { cause: reason })
  }
}
