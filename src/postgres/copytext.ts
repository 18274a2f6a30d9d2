/**
 * COPY's text form: a line a row, a tab between values, `\N` for NULL, and backslashes before what would be taken for
 * those. Values stay the text that PostgreSQL printed, which it has checked to be UTF-8. (PostgreSQL's documentation of COPY, "Text Format".)
 */

export type TextRow = (string | null)[]

const lineEnd = 0x0a
const meanings: Record<string, string> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v' }

/** Takes COPY's output as it comes, cut anywhere, and gives the rows that are complete. */
export class CopyTextParser {
  #rest: Buffer[] = []

  push(chunk: Buffer): TextRow[] {
    const end = chunk.lastIndexOf(lineEnd)
    if (end < 0) {
      this.#rest.push(chunk)
      return []
    }
    const whole = Buffer.concat([...this.#rest, chunk.subarray(0, end)])
    this.#rest = end + 1 < chunk.length ? [chunk.subarray(end + 1)] : []
    return parse(whole.toString('utf8'))
  }
}

function parse(text: string): TextRow[] {
  const lines = text.split('\n')
  if (!text.includes('\\')) return lines.map(line => line.split('\t'))
  return lines.map(line => (line.includes('\\') ? line.split('\t').map(unescaped) : line.split('\t')))
}

function unescaped(value: string): string | null {
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
