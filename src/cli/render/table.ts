/** Columns under headings, without lines; the first column gives way where the terminal is narrow. */
import Table from 'cli-table3'
import stringWidth from 'string-width'
import type { Paint } from './paint.js'
import { fit } from './words.js'

export interface Column {
  heading: string
  /** Numbers stand at the right. */
  right?: boolean
  paint?(cell: string): string
}

const gap = 2
const none = {
  top: '', 'top-mid': '', 'top-left': '', 'top-right': '', bottom: '', 'bottom-mid': '', 'bottom-left': '',
  'bottom-right': '', left: '', 'left-mid': '', mid: '', 'mid-mid': '', right: '', 'right-mid': '', middle: ''
} // prettier-ignore

/** The rows as lines, indented by two, in at most `width` columns (but never less than 12 for the first column). */
export function table(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  width: number,
  paint: Paint
): string {
  const natural = columns.map((column, at) =>
    Math.max(...[column.heading, ...rows.map(row => row[at]!)].map(cell => stringWidth(cell)))
  )
  const others = natural.slice(1).reduce((sum, cells) => sum + cells + gap, 0)
  const first = Math.min(natural[0]!, Math.max(12, width - gap - others - gap))
  const drawn = new Table({
    head: columns.map(column => paint.dim(column.heading)),
    colAligns: columns.map(column => (column.right ? 'right' : 'left')),
    chars: none,
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': gap }
  })
  for (const row of rows) {
    drawn.push(row.map((cell, at) => (columns[at]!.paint ?? String)(at === 0 ? fit(cell, first) : cell)))
  }
  const lines = drawn.toString().split('\n')
  return lines.map(line => `  ${line.replace(/\s+$/, '')}`).join('\n')
}
