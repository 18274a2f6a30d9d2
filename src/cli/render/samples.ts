/** Differing rows, one a line: `~` changes, `+` is missing on the standby, `-` is missing on main. */
import type { RowSample } from '../../data/samples.js'
import type { Paint } from './paint.js'
import { fit, shown, value } from './words.js'

const marks = { insert: ['+', 'good'], update: ['~', 'differs'], delete: ['-', 'bad'] } as const

/** `~ id=7  status: open → paid`, in at most `width` columns. */
export function sampleLine(sample: RowSample, paint: Paint, width: number): string {
  const [mark, style] = marks[sample.kind]
  const named = (names: [string, string | null | undefined][]) =>
    names.map(([name, text]) => `${shown(name)}=${value(text)}`).join(' ')
  // A row's place is no key to a person.
  const keys = Object.entries(sample.key).filter(([name]) => name !== 'ctid' || name in sample.columns)
  const columns = Object.entries(sample.columns)
  const rest =
    sample.kind === 'update'
      ? columns.map(([name, { main, standby }]) => `${shown(name)}: ${change(standby, main)}`).join(', ')
      : named(
          columns
            .filter(([name]) => !keys.some(([key]) => key === name))
            .map(([name, side]) => [name, side.main ?? side.standby])
        )
  const line = fit([named(keys), rest].filter(Boolean).join('  '), width - 6)
  return `    ${paint[style](mark)} ${line}`
}

const long = 24
const before = 8

/** Old and new; of long values only what begins shortly before they part. */
function change(old: string | null | undefined, now: string | null | undefined): string {
  if (typeof old !== 'string' || typeof now !== 'string') return `${value(old)} → ${value(now)}`
  let same = 0
  if (Math.max(old.length, now.length) > long) while (same < old.length && old[same] === now[same]) same++
  const from = same - before
  const part = (text: string) => fit(from > 0 ? `…${shown(text.slice(from))}` : value(text), 2 * long)
  return `${part(old)} → ${part(now)}`
}
