/** Columns under headings, without lines; where the terminal is narrow the first column gives way, then those that are told elsewhere too. */
import Table from 'cli-table3'
import stringWidth from 'string-width'
import type { Paint } from './paint.js'
import { fitMiddle } from './words.js'

export interface Column {
  heading: string
  /** Numbers stand at the right. */
  right?: boolean
  /** Left out, with all others that are, where lines would become too long. */
  optional?: boolean
  paint?(cell: string): string
}

/** The first column is cut to no less. */
const least = 12

const gap = 2
const none = {
  top: '', 'top-mid': '', 'top-left': '', 'top-right': '', bottom: '', 'bottom-mid': '', 'bottom-left': '',
  'bottom-right': '', left: '', 'left-mid': '', mid: '', 'mid-mid': '', right: '', 'right-mid': '', middle: ''
} // prettier-ignore

/** The rows as lines, indented by two, in at most `width` columns; the names of the first column are cut in their middle. */
export function table(
  all: readonly Column[],
  cells: readonly (readonly string[])[],
  width: number,
  paint: Paint
): string {
  const natural = all.map((column, at) =>
    Math.max(...[column.heading, ...cells.map(row => row[at]!)].map(cell => stringWidth(cell)))
  )
  const widthOf = (columns: readonly number[]) => columns.reduce((sum, at) => sum + gap + natural[at]!, 0)
  const every = all.map((_, at) => at)
  const fits = gap + least + widthOf(every.slice(1)) <= width
  const kept = fits ? every : every.filter(at => !all[at]!.optional)
  const first = Math.min(natural[0]!, Math.max(least, width - gap - widthOf(kept.slice(1))))
  const columns = kept.map(at => all[at]!)
  const rows = cells.map(row => kept.map(at => row[at]!))
  const drawn = new Table({
    head: columns.map(column => paint.dim(column.heading)),
    colAligns: columns.map(column => (column.right ? 'right' : 'left')),
    chars: none,
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': gap }
  })
  for (const row of rows) {
    drawn.push(
      row.map((cell, at) => (columns[at]!.paint ?? String)(at === 0 ? fitMiddle(cell, first) : cell))
    )
  }
  const lines = drawn.toString().split('\n')
  return lines.map(line => `  ${line.replace(/\s+$/, '')}`).join('\n')
}
