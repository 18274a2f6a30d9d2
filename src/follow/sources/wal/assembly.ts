/**
 * Changes become batches. A batch ends where a transaction ends, so that a transaction that fits into a batch is never cut; a larger one is
 * cut where the batch is full.
 */
import type { Change, ChangeBatch, Position } from '../../ports.js'

/** Characters of rows in a batch, about. */
const large = 8 * 1024 * 1024

export class Assembly {
  #changes: Change[] = []
  #size = 0
  /** Changes, and characters, of transactions that have ended. */
  #whole = 0
  #wholeSize = 0
  #wholePosition: Position = ''
  #wholeCommittedAt = 0
  #committedAt = 0

  /** @param limit changes of a batch at most. */
  constructor(private readonly limit: number) {}

  get isEmpty(): boolean {
    return this.#changes.length === 0
  }

  /** @param committedAt of its transaction, in milliseconds since 1970. */
  add(change: Change, committedAt: number): void {
    this.#changes.push(change)
    this.#size += (change.row?.length ?? 0) + (change.old?.length ?? 0)
    this.#committedAt = committedAt
  }

  /** The transaction ends. */
  end(position: Position): void {
    this.#whole = this.#changes.length
    this.#wholeSize = this.#size
    this.#wholePosition = position
    this.#wholeCommittedAt = this.#committedAt
  }

  /** A batch, if there is enough for one. */
  takeFull(): ChangeBatch | undefined {
    if (this.#changes.length < this.limit && this.#size < large) return undefined
    return this.takeWhole() ?? this.takeAll()
  }

  /** All of the transactions that have ended. */
  takeWhole(): ChangeBatch | undefined {
    if (this.#whole === 0) return undefined
    const rest = this.#changes.splice(this.#whole)
    const batch = {
      changes: this.#changes,
      position: this.#wholePosition,
      committedAt: this.#wholeCommittedAt
    }
    this.#changes = rest
    this.#size -= this.#wholeSize
    this.#whole = 0
    return batch
  }

  /** All, in the midst of a transaction. */
  takeAll(): ChangeBatch | undefined {
    const last = this.#changes.at(-1)
    if (!last) return undefined
    const batch = { changes: this.#changes, position: last.position, committedAt: this.#committedAt }
    this.#changes = []
    this.#size = 0
    this.#whole = 0
    return batch
  }
}
