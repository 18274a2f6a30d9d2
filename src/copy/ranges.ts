/**
 * Which ids are asked for next. Ranges follow each other in order and together cover all from −2^63 to the greatest id. A dense
 * table is asked for `batchSize` ids at a time. Where nothing is found the range doubles, so that 2^63 missing ids are 50 empty
 * answers, not 9·10^14; where little is found twice it doubles too, and where more is found than fits a batch it narrows again.
 */
import type { IdRange } from './errors.js'
import { idOf, idsEnd, lowestId } from './ids.js'
import type { Row } from './types.js'

export class Ranges {
  #from = lowestId
  #width: bigint
  /** The last answer held little. */
  #sparse = false

  /**
   * @param batch rows of a batch, 1 or more.
   * @param greatest the last id to be asked for.
   */
  constructor(
    private readonly batch: bigint,
    private readonly greatest: bigint
  ) {
    this.#width = batch
  }

  /** The next range; undefined behind the greatest id. */
  next(): IdRange | undefined {
    if (this.#from > this.greatest) return undefined
    // Ids below 1 are rare: the first range is all of them.
    const end = this.#from === lowestId ? 1n : this.#from + this.#width
    return { minId: this.#from, maxId: end <= this.greatest ? end : this.greatest + 1n }
  }

  /**
   * Goes on behind an answer to the range that `next` gave.
   * @returns the greatest id that the answer reaches; undefined where it is empty.
   */
  take({ minId, maxId }: IdRange, rows: readonly Row[]): bigint | undefined {
    if (minId !== lowestId || rows.length > 0) this.#adapt(BigInt(rows.length))
    // An answer may have stopped early; an empty one, or one without ids, is whole.
    const last = rows.length === 0 ? undefined : (greatestOf(rows, minId, maxId) ?? maxId - 1n)
    this.#from = last === undefined ? maxId : last + 1n
    return last
  }

  #adapt(count: bigint): void {
    if (count > this.batch) {
      const fitting = (this.#width * this.batch) / count
      this.#width = fitting > this.batch ? fitting : this.batch
    }
    const little = count * 2n <= this.batch
    if ((count === 0n || (little && this.#sparse)) && this.#width < idsEnd) this.#width *= 2n
    this.#sparse = little
  }
}

function greatestOf(rows: readonly Row[], minId: bigint, maxId: bigint): bigint | undefined {
  let greatest: bigint | undefined
  for (const row of rows) {
    const id = idOf(row)
    // Not what this range asked for: the first column is no id.
    if (id === undefined || id < minId || id >= maxId) return undefined
    if (greatest === undefined || id > greatest) greatest = id
  }
  return greatest
}
