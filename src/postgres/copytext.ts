/**
 * COPY's text form: a line a row, a tab between values, `\N` for NULL, and backslashes before what would be taken for
 * those. Values stay the text that PostgreSQL printed, which it has checked to be UTF-8. (PostgreSQL's documentation of COPY, "Text Format".)
 */

export type TextRow = (string | null)[]

const lineEnd = 0x0a
const tab = 0x09
const piece = 256 * 1024
const meanings: Record<string, string> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v' }

/** The values of a row, given as its line without the end. */
export function valuesOf(line: string): TextRow {
  const values = line.split('\t')
  return line.includes('\\') ? values.map(unescaped) : values
}

function unescaped(value: string): string | null {
  if (value === '\\N') return null
  return value.includes('\\') ? value.replace(/\\(.)/g, (_, c: string) => meanings[c] ?? c) : value
}

/** One row as its line, without the end. */
export function lineOf(values: readonly (string | null)[]): string {
  return values.map(escape).join('\t')
}

/** Rows as COPY's input, some 256 kB at a time. Bytes are written where they stay: no text is put together first. */
export function* copyText(rows: readonly (readonly unknown[])[]): Generator<Buffer> {
  let buffer = Buffer.allocUnsafe(piece)
  let at = 0
  for (const row of rows) {
    for (let i = 0; i < row.length; i++) {
      const value = row[i]
      const text = escape(typeof value === 'string' ? value : textOf(value))
      // What UTF-8 takes at most, counted only where that is much.
      const room = (text.length < piece ? text.length * 3 : Buffer.byteLength(text)) + 1
      if (at + room > buffer.length) {
        if (at > 0) yield buffer.subarray(0, at)
        buffer = Buffer.allocUnsafe(Math.max(piece, room))
        at = 0
      }
      at += buffer.write(text, at)
      buffer[at++] = i < row.length - 1 ? tab : lineEnd
    }
  }
  if (at > 0) yield buffer.subarray(0, at)
}

const spellings: Record<string, string> = { '\\': '\\\\', '\n': '\\n', '\r': '\\r', '\t': '\\t' }

function escape(value: string | null): string {
  if (value === null) return '\\N'
  const special = value.includes('\\') || value.includes('\n') || value.includes('\t') || value.includes('\r')
  return special ? value.replace(/[\\\n\r\t]/g, c => spellings[c]!) : value
}

/** A value that did not come from COPY, as PostgreSQL reads it. */
function textOf(value: unknown): string | null {
  if (value === null || value === undefined) return null
  if (value instanceof Date) return value.toISOString()
  if (value instanceof Uint8Array) return `\\x${Buffer.from(value).toString('hex')}`
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}
