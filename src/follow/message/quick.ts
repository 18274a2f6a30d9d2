/**
 * A message as our own encoder writes it, read without an object between: from JSON's text to the row's line, piece by piece, at a quarter of the
 * time. What is written in any other way, be it as good JSON, is not for here: it is left to the decoder, which alone says what is wrong.
 */
import { lineOf } from '../../postgres/copytext.js'
import type { Change, Operation } from '../ports.js'
import type { FollowedTable } from '../table.js'
import type { ValueKind } from './message.js'

/** What is known of messages that begin with the same text, up to their operation. */
export interface Opening {
  readonly stream: string
  readonly table: FollowedTable
  /** `{"first":`, `,"second":` … in the order of the table's columns. */
  readonly names: readonly string[]
  readonly kinds: readonly ValueKind[]
}

interface Quick {
  readonly change: Change
  readonly committedAt: number | undefined
}

const operations: Readonly<Record<string, Operation>> = {
  INSERT: 'insert',
  UPDATE: 'update',
  DELETE: 'delete'
}

export const operationMark = '","operation":"'
const positionMark = '","position":"'
const versionMark = '","row_version":"'
const timeMark = '","committed_at":'
const keyMark = ',"key":'
const newMark = ',"new_record":'
const oldMark = ',"old_record":'

// oxlint-disable-next-line no-control-regex -- JSON does not allow them in texts
const control = /[\u0000-\u001f]/
/** In what is taken as it stands. */
const needsCare = /["\\]/
const plainText = /^"[^"\\]+"$/
const version = /^\d{1,18}$/
const whole = /^(?:0|-?[1-9]\d{0,14})$/
/** As PostgreSQL prints it: no zero at a fraction's end. */
const fraction = /^-?(?:0|[1-9]\d*)(?:\.\d*[1-9])?(?:e[+-]\d{2,3})?$/

/** Reads one text. What does not stand as it should makes it stop for good. */
class Scan {
  at: number

  constructor(
    readonly text: string,
    from: number
  ) {
    this.at = from
  }

  /** Passes these words. */
  skip(words: string): boolean {
    if (!this.text.startsWith(words, this.at)) return false
    this.at += words.length
    return true
  }

  /** What stands before these words, which are passed too. */
  until(words: string): string | undefined {
    const end = this.text.indexOf(words, this.at)
    if (end === -1) return undefined
    const before = this.text.slice(this.at, end)
    this.at = end + words.length
    return before
  }

  /** An object of all columns, or of the first so many alone, as their line. */
  record({ names, kinds }: Opening, least: number): string | undefined {
    let line = ''
    for (let i = 0; i < names.length; i++) {
      if (i === least && this.skip('}')) return line
      if (!this.skip(names[i]!)) return undefined
      const value = this.#value(kinds[i]!)
      if (value === undefined) return undefined
      line += i === 0 ? value : `\t${value}`
    }
    return this.skip('}') ? line : undefined
  }

  /** As COPY writes it. */
  #value(kind: ValueKind): string | undefined {
    const { text } = this
    if (text.charCodeAt(this.at) === quote) return this.#string()
    if (this.skip('null')) return '\\N'
    let end = this.at
    for (let code = text.charCodeAt(end); code !== comma && code !== brace; code = text.charCodeAt(++end))
      if (end >= text.length) return undefined
    const token = text.slice(this.at, end)
    this.at = end
    if (kind === 'whole') return whole.test(token) ? token : undefined
    if (kind === 'fraction') return token === '-0.0' ? '-0' : fraction.test(token) ? token : undefined
    if (kind !== 'flag') return undefined
    return token === 'true' ? 't' : token === 'false' ? 'f' : undefined
  }

  #string(): string | undefined {
    const { text } = this
    const begin = this.at + 1
    let end = text.indexOf('"', begin)
    while (end !== -1 && isEscaped(text, end)) end = text.indexOf('"', end + 1)
    if (end === -1) return undefined
    this.at = end + 1
    const value = text.slice(begin, end)
    if (!value.includes('\\')) return value
    try {
      return lineOf([JSON.parse(`"${value}"`) as string])
    } catch {
      return undefined
    }
  }
}

const [quote, comma, brace, backslash] = [0x22, 0x2c, 0x7d, 0x5c]

/** Whether an odd number of backslashes stands before it. */
function isEscaped(text: string, at: number): boolean {
  let from = at
  while (text.charCodeAt(from - 1) === backslash) from--
  return (at - from) % 2 === 1
}

export class QuickReader {
  #time: string | undefined = ''
  #committedAt = NaN

  /**
   * An insert, update or delete with its rows whole; undefined: read it in the other way.
   * @param from where its operation begins.
   */
  read(text: string, from: number, opening: Opening): Quick | undefined {
    if (control.test(text)) return undefined
    const scan = new Scan(text, from)
    const operation = operations[scan.until(positionMark) ?? '']
    const position = scan.until(versionMark)
    const number = scan.until(timeMark)
    if (operation === undefined || position === undefined || needsCare.test(position)) return undefined
    if (number === undefined || !version.test(number)) return undefined
    const committedAt = this.#at(scan.until(keyMark))
    if (Number.isNaN(committedAt)) return undefined

    const { table } = opening
    const { keyLength, columns } = table
    const keyed = keyLength > 0 ? scan.record(opening, keyLength) !== undefined : scan.skip('null')
    if (!keyed || !scan.skip(newMark)) return undefined
    const row = scan.skip('null') ? undefined : scan.record(opening, columns.length)
    if (!scan.skip(oldMark)) return undefined
    const old = scan.skip('null') ? undefined : scan.record(opening, keyLength || columns.length)
    if (!scan.skip('}') || scan.at !== text.length) return undefined
    if (operation === 'delete' ? old === undefined || row !== undefined : row === undefined) return undefined

    const rows = { ...(row !== undefined && { row }), ...(old !== undefined && { old }) }
    return { change: { table, operation, version: BigInt(number), position, ...rows }, committedAt }
  }

  /** Milliseconds since 1970 of JSON's text; undefined: null; NaN: neither. Messages that follow each other often have the same. */
  #at(text: string | undefined): number | undefined {
    if (text === 'null') return undefined
    if (text !== this.#time) {
      this.#time = text
      this.#committedAt = text !== undefined && plainText.test(text) ? Date.parse(text.slice(1, -1)) : NaN
    }
    return this.#committedAt
  }
}
