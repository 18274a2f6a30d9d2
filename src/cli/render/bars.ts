/** Bars on a terminal: the run as a whole, and below it a line for each busy table, as many as there is room for. */
import cliProgress from 'cli-progress'
import type { RunEvent } from '../../core/events.js'
import { widthOf, type Output } from '../io.js'
import { phaseText, type Tracker } from './tracker.js'
import { count, fit, shown } from './words.js'

const nameWidth = 30
const barWidth = 24

interface Payload {
  label: string
  /** Empty where there is nothing to count. */
  text(): string
}

export class Bars {
  readonly #multi: cliProgress.MultiBar
  readonly #total: cliProgress.SingleBar
  readonly #tables = new Map<string, cliProgress.SingleBar>()

  constructor(
    private readonly stream: Output,
    private readonly tracker: Tracker
  ) {
    this.#multi = new cliProgress.MultiBar({
      stream: stream as unknown as NodeJS.WritableStream,
      format: (options, { progress }, { label, text }: Payload) => {
        const words = text()
        const bar = words === '' ? '' : cliProgress.Format.BarFormat(progress, options)
        return fit(`${label.padEnd(nameWidth)} ${bar} ${words}`, widthOf(this.stream) - 1)
      },
      barsize: barWidth,
      barCompleteChar: '█',
      barIncompleteChar: '░',
      hideCursor: true,
      clearOnComplete: true,
      forceRedraw: true,
      fps: 5
    })
    this.#total = this.#multi.create(1, 0, {
      label: '',
      text: () => (tracker.counting ? tracker.summary() : '')
    })
  }

  /** Redraws for an event that the tracker already knows. */
  take(event: RunEvent): void {
    if (event.type === 'phase') this.#begin()
    else if (event.type === 'table-start') this.#open(event.table)
    else if (event.type === 'table-end') this.#close(event.table)
    else if (event.type === 'rows') this.#advance(event.table)
    this.#total.setTotal(Math.max(1, this.tracker.expected))
    this.#total.update(this.tracker.rows, { label: phaseText(this.tracker.phase) })
  }

  /** A line above the bars. */
  log(line: string): void {
    this.#multi.log(line)
  }

  stop(): void {
    // What was logged last is written by an update, and by nothing else.
    this.#multi.update()
    this.#multi.stop()
  }

  #begin(): void {
    for (const table of this.#tables.keys()) this.#close(table)
  }

  #open(table: string): void {
    const busy = this.tracker.busy.get(table)
    const room = (this.stream.rows ?? 24) - 3
    if (!busy || this.#tables.size >= room) return
    const text = () =>
      count(busy.rows) +
      (busy.estimate > 0 ? ` of about ${count(Math.max(busy.estimate, busy.rows))} rows` : ' rows')
    const label = fit(`  ${shown(table)}`, nameWidth)
    this.#tables.set(table, this.#multi.create(Math.max(1, busy.estimate), 0, { label, text }))
  }

  #advance(table: string): void {
    const bar = this.#tables.get(table)
    const busy = this.tracker.busy.get(table)
    if (!bar || !busy) return
    bar.setTotal(Math.max(1, busy.estimate, busy.rows))
    bar.update(busy.rows)
  }

  #close(table: string): void {
    const bar = this.#tables.get(table)
    if (!bar) return
    this.#multi.remove(bar)
    this.#tables.delete(table)
  }
}
