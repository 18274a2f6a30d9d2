/** Numbers, times and foreign text as a person reads them: whatever a database holds, a terminal only ever shows it. */
import stringWidth from 'string-width'

const digits = new Intl.NumberFormat('en-US')

/** `1,234,567` */
export function count(n: number): string {
  return digits.format(n)
}

/** `1 table`, `2,000 tables` */
export function some(n: number, one: string, many = `${one}s`): string {
  return `${count(n)} ${n === 1 ? one : many}`
}

/** `850 ms`, `12.3 s`, `4 min 5 s`, `2 h 10 min` */
export function time(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`
  const seconds = Math.round(ms / 1000)
  if (ms < 59_950) return `${(ms / 1000).toFixed(1)} s`
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`
  return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`
}

/** `850 B`, `12.3 kB`, `4.5 MB`: thousands, as the metrics count. */
export function bytes(n: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB']
  let at = 0
  let size = n
  while (size >= 999.95 && at < units.length - 1) {
    size /= 1000
    at++
  }
  return `${at === 0 ? size : size.toFixed(1)} ${units[at]}`
}

/** Joined by commas and a last `and`. */
export function listed(items: readonly string[]): string {
  return new Intl.ListFormat('en-GB', { type: 'conjunction' }).format(items)
}

// Control characters, line separators, and what turns the direction of writing around.
const unsafe = /[\p{Cc}\p{Cs}\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu
const short: Record<string, string> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' }

/** On one line, and with nothing in it that a terminal would obey. */
export function shown(text: string): string {
  return text.replace(unsafe, c => short[c] ?? `\\u{${c.codePointAt(0)!.toString(16)}}`)
}

/** A column's value: NULL, a bare word or number, or quoted where it could be taken for something else. */
export function value(text: string | null | undefined): string {
  if (text === null || text === undefined) return 'NULL'
  if (/^[^\s'",=→…()]+$/u.test(text) && !/^null$/i.test(text)) return shown(text)
  return `'${shown(text).replaceAll("'", "''")}'`
}

const segmenter = new Intl.Segmenter()

/** At most `width` columns of a terminal, the cut marked by `…`. */
export function fit(text: string, width: number): string {
  if (stringWidth(text) <= width) return text
  let result = ''
  let used = 1
  for (const { segment } of segmenter.segment(text)) {
    used += stringWidth(segment)
    if (used > width) break
    result += segment
  }
  return `${result}…`
}

/** At most `width` columns of a terminal, of both ends as much: names often differ in their last letters. */
export function fitMiddle(text: string, width: number): string {
  if (stringWidth(text) <= width) return text
  const segments = [...segmenter.segment(text)].map(({ segment }) => segment)
  const half = Math.floor((width - 1) / 2)
  const end = taken(segments.toReversed(), half).toReversed().join('')
  return `${taken(segments, width - 1 - stringWidth(end)).join('')}…${end}`
}

/** As many of the first as `width` columns hold. */
function taken(segments: readonly string[], width: number): string[] {
  let used = 0
  const end = segments.findIndex(segment => (used += stringWidth(segment)) > width)
  return end < 0 ? [...segments] : segments.slice(0, end)
}

/** Filled up with spaces to `width` columns of a terminal. */
export function pad(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - stringWidth(text)))
}

/** Lines of whole words in at most `width` columns, each after `indent`; a word that is too long stands alone. */
export function wrap(text: string, width: number, indent = ''): string[] {
  const lines: string[] = []
  for (const word of text.split(' ')) {
    const longer = `${lines.at(-1)} ${word}`
    if (lines.length > 0 && stringWidth(longer) <= width) lines[lines.length - 1] = longer
    else lines.push(indent + word)
  }
  return lines
}
