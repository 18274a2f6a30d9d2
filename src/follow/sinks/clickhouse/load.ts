/** The first copy's rows as they pass, untouched: joined to larger pieces, counted, and looked through for values that do not fit. */
import { mark } from './values.js'

/** Bytes that are worth a piece of their own on the wire. */
const piece = 128 * 1024
const lineEnd = 0x0a
const needle = Buffer.from(mark)

export class Passing {
  /** So far; a row ends with its line. */
  rows = 0

  /**
   * @param marks the rows may hold the mark.
   * @param refusal the error of a row that does, given as its line.
   */
  constructor(
    private readonly marks: boolean,
    private readonly refusal: (line: string) => Error
  ) {}

  async *pass(text: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    let rest: Buffer[] = []
    let size = 0
    let ends = false
    for await (const part of text) {
      rest.push(part)
      size += part.length
      // A row of many pieces is put together once, when its end is there.
      ends ||= part.includes(lineEnd)
      if (size < piece || !ends) continue
      const bytes = rest.length === 1 ? part : Buffer.concat(rest, size)
      const end = bytes.lastIndexOf(lineEnd) + 1
      rest = end < bytes.length ? [bytes.subarray(end)] : []
      size = bytes.length - end
      ends = false
      yield this.#look(bytes.subarray(0, end))
    }
    if (size > 0) yield this.#look(Buffer.concat(rest, size))
  }

  /** Of whole rows. */
  #look(bytes: Buffer): Buffer {
    const found = this.marks ? bytes.indexOf(needle) : -1
    if (found !== -1) {
      const from = bytes.lastIndexOf(lineEnd, found) + 1
      const to = bytes.indexOf(lineEnd, found)
      throw this.refusal(bytes.toString('utf8', from, to === -1 ? bytes.length : to))
    }
    for (let at = bytes.indexOf(lineEnd); at !== -1; at = bytes.indexOf(lineEnd, at + 1)) this.rows++
    return bytes
  }
}
