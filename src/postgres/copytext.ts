/**
 * COPY's text form: a line a row, a tab between values, `\N` for NULL, and backslashes before what would be taken for
 * those. Values stay the text that PostgreSQL printed. (PostgreSQL's documentation of COPY, "Text Format".)
 */
import { isUtf8 } from 'node:buffer'
import { DataError } from '../core/errors.js'

export type TextRow = (string | null)[]

const lineEnd = 0x0a
const meanings: Record<string, string> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v' }

/** Takes COPY's output as it comes, cut anywhere, and gives the rows that are complete. */
export class CopyTextParser {
  #rest: Buffer[] = []

  /** @throws DataError for bytes that are not UTF-8 (a database of encoding SQL_ASCII can hold them). */
  push(chunk: Buffer): TextRow[] {
    const end = chunk.lastIndexOf(lineEnd)
    if (end < 0) {
      this.#rest.push(chunk)
      return []
    }
    const whole = Buffer.concat([...this.#rest, chunk.subarray(0, end)])
    this.#rest = end + 1 < chunk.length ? [chunk.subarray(end + 1)] : []
    if (!isUtf8(whole)) {
      throw new DataError('the table holds text that is not UTF-8', {
        hint: 'Its database has the encoding SQL_ASCII: mend the text, or use pgsyncer sync, which moves bytes.'
      })
    }
    return parse(whole.toString('utf8'))
  }
}

function parse(text: string): TextRow[] {
  const lines = text.split('\n')
  if (!text.includes('\\')) return lines.map(line => line.split('\t'))
  return lines.map(line => (line.includes('\\') ? line.split('\t').map(unescape) : line.split('\t')))
}

function unescape(value: string): string | null {
  if (value === '\\N') return null
  return value.includes('\\') ? value.replace(/\\(.)/g, (_, c: string) => meanings[c] ?? c) : value
}

/** Rows as COPY's input; every line ends. */
export function copyText(rows: readonly (readonly unknown[])[]): string {
  let text = ''
  for (const row of rows) {
    for (let i = 0; i < row.length; i++) {
      const value = row[i]
      if (i > 0) text += '\t'
      text += typeof value === 'string' ? escape(value) : escape(textOf(value))
    }
    text += '\n'
  }
  return text
}

const special = /[\\\n\r\t]/
const spellings: Record<string, string> = { '\\': '\\\\', '\n': '\\n', '\r': '\\r', '\t': '\\t' }

function escape(value: string | null): string {
  if (value === null) return '\\N'
  return special.test(value) ? value.replace(/[\\\n\r\t]/g, c => spellings[c]!) : value
}

/** A value that did not come from COPY, as PostgreSQL reads it. */
function textOf(value: unknown): string | null {
  if (value === null || value === undefined) return null
  if (value instanceof Date) return value.toISOString()
  if (value instanceof Uint8Array) return `\\x${Buffer.from(value).toString('hex')}`
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}
