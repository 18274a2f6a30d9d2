/**
 * Progress on a terminal: the run as a whole, and below it a line for each table that keeps it busy. A table that is done at once is never
 * shown, and one that is shown keeps its line until it is done: with hundreds of small tables nothing races by.
 */
import cliProgress from 'cli-progress'
import type { RunEvent } from '../../core/events.js'
import type { Output } from '../io.js'
import { Screen } from './screen.js'
import { phaseText, type Busy, type Tracker } from './tracker.js'
import { count, fitMiddle, pad, shown } from './words.js'

/** Milliseconds between two drawings. */
const interval = 200
/** Milliseconds after which a table is worth a line. */
const patience = 500
const widestName = 48

export class Bars {
  readonly #screen: Screen
  readonly #timer: NodeJS.Timeout
  /** When a table was taken up. */
  readonly #since = new Map<string, number>()
  /** A table's line; undefined: it is free. */
  readonly #lines: (string | undefined)[] = []
  #stopped = false

  constructor(
    private readonly stream: Output,
    private readonly tracker: Tracker,
    private readonly now: () => number = () => performance.now()
  ) {
    this.#screen = new Screen(stream)
    this.#timer = setInterval(() => this.draw(), interval).unref()
  }

  /** Takes note of an event that the tracker already knows; it is seen when it is drawn next. */
  take(event: RunEvent): void {
    if (event.type === 'phase') {
      this.#since.clear()
      this.#lines.length = 0
      this.draw()
    } else if (event.type === 'table-start') this.#since.set(event.table, this.now())
    else if (event.type === 'table-end') {
      this.#since.delete(event.table)
      const at = this.#lines.indexOf(event.table)
      if (at >= 0) this.#lines[at] = undefined
    }
  }

  /** A line above the bars, and one of the screen's own when they have gone. */
  log(line: string): void {
    if (this.#stopped) this.stream.write(line)
    else this.#screen.show(this.#content(), line)
  }

  /** Draws what has changed since. */
  draw(): void {
    if (!this.#stopped) this.#screen.show(this.#content())
  }

  /** Takes all of it away. */
  stop(): void {
    clearInterval(this.#timer)
    this.#screen.clear()
    this.#stopped = true
  }

  #content(): string[] {
    const { tracker } = this
    const phase = phaseText(tracker.phase)
    if (!tracker.counting) return [phase]
    const { width, height } = this.#screen
    const bar = width < 60 ? 0 : width < 100 ? 12 : 24
    // Behind it there is room for `1,280,000,000 of about 1,500,000,000`, or at least for the first of the two.
    const name = Math.max(12, Math.min(widestName, width - bar - (width < 60 ? 20 : 36) - 2))
    const total = [pad(phase, name), barOf(tracker.share, bar), `${Math.floor(tracker.share * 100)}%`]
    const room = Math.max(0, height - 3)
    this.#place(room)
    const tables = this.#lines.map(table => {
      const busy = table === undefined ? undefined : tracker.busy.get(table)
      return table === undefined || busy === undefined ? '' : line(table, busy, name, bar)
    })
    const waiting = this.#worthy().filter(table => !this.#lines.includes(table)).length
    if (waiting > 0 && room > 0) tables.push(`  … and ${count(waiting)} more`)
    while (tables.at(-1) === '') tables.pop()
    return [total.filter(Boolean).join(' '), `  ${this.#summary(width - 2)}`, ...tables]
  }

  /** What keeps the run busy, in the order in which it was taken up. */
  #worthy(): string[] {
    const long = this.now() - patience
    return [...this.#since].filter(([, since]) => since <= long).map(([table]) => table)
  }

  /** Gives lines to tables that have none, as long as there are any; one more is kept for those that go without. */
  #place(room: number): void {
    this.#lines.length = Math.min(this.#lines.length, room)
    for (const table of this.#worthy()) {
      if (this.#lines.includes(table)) continue
      const free = this.#lines.indexOf(undefined)
      if (free >= 0) this.#lines[free] = table
      else if (this.#lines.length < room) this.#lines.push(table)
    }
  }

  /** As much of it as there is room for, in whole parts: how many tables, and how long, goes last. */
  #summary(width: number): string {
    const parts = this.tracker.parts()
    while (parts.length > 1 && parts.join(', ').length > width) parts.splice(-2, 1)
    return parts.join(', ')
  }
}

function line(table: string, { rows, estimate }: Busy, name: number, bar: number): string {
  const all = Math.max(estimate, rows)
  const label = pad(`  ${fitMiddle(shown(table), name - 2)}`, name)
  const done = estimate > 0 ? `${count(rows)} of about ${count(all)}` : `${count(rows)} rows`
  return [label, barOf(estimate > 0 ? rows / all : 0, bar), done].filter(Boolean).join(' ')
}

function barOf(share: number, size: number): string {
  if (size === 0) return ''
  const [barCompleteString, barIncompleteString] = ['█'.repeat(size), '░'.repeat(size)]
  return cliProgress.Format.BarFormat(share, {
    barsize: size,
    barCompleteString,
    barIncompleteString,
    barGlue: ''
  })
}
