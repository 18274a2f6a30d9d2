/** Adds up a run's events: what is busy, what is done, how fast, and how long it may still take. */
import type { Phase, RunEvent } from '../../core/events.js'
import { count, some, time } from './words.js'

export interface Busy {
  rows: number
  /** The server's estimate; 0 where it has none. */
  estimate: number
}

const phases: Record<Phase, string> = {
  connect: 'connecting',
  structure: 'comparing structure',
  compare: 'comparing rows',
  rows: 'comparing and copying rows',
  constraints: 'indexes, constraints, triggers',
  sequences: 'sequences',
  views: 'materialized views',
  proof: 'proving the structure',
  copy: 'copying rows'
}

/** A phase in words. */
export function phaseText(phase: Phase): string {
  return phases[phase]
}

export class Tracker {
  readonly busy = new Map<string, Busy>()
  phase: Phase = 'connect'
  rows = 0
  tablesDone = 0
  #plan: { tables: number; rows: number } | undefined
  #started = 0

  constructor(private readonly now: () => number = () => performance.now()) {}

  /** Takes note of an event. */
  add(event: RunEvent): void {
    if (event.type === 'phase') this.#begin(event.phase)
    else if (event.type === 'plan') this.#plan = { tables: event.tables, rows: event.rows }
    else if (event.type === 'table-start')
      this.busy.set(event.table, { rows: 0, estimate: Math.max(0, event.rows) })
    else if (event.type === 'rows') {
      this.rows += event.rows
      const table = this.busy.get(event.table)
      if (table) table.rows += event.rows
    } else if (event.type === 'table-end' && this.busy.delete(event.table)) this.tablesDone++
  }

  /** Rows are counted anew in each phase: a table may be read in one and written in the next. */
  #begin(phase: Phase): void {
    this.phase = phase
    this.busy.clear()
    this.rows = 0
    this.tablesDone = 0
    this.#plan = undefined
    this.#started = this.now()
  }

  /** All rows to be expected, as far as that is known. */
  get expected(): number {
    const busy = [...this.busy.values()].reduce(
      (sum, { rows, estimate }) => sum + Math.max(0, estimate - rows),
      0
    )
    return Math.max(this.#plan?.rows ?? 0, this.rows + busy)
  }

  /** `3 of 12 tables, 1,200,000 rows, 350,000 rows/s, about 12 s left` */
  summary(): string {
    const tables = this.#plan
      ? `${count(this.tablesDone)} of ${some(this.#plan.tables, 'table')}`
      : some(this.tablesDone, 'table')
    const elapsed = this.now() - this.#started
    const parts = [tables, some(this.rows, 'row')]
    if (elapsed < 500 || this.rows === 0) return parts.join(', ')
    const rate = this.rows / elapsed
    parts.push(`${count(Math.round(rate * 1000))} rows/s`)
    const left = (this.#plan?.rows ?? 0) - this.rows
    if (left > 0) parts.push(`about ${time(left / rate)} left`)
    return parts.join(', ')
  }

  /** Whether the phase moves rows, so that there is something to count. */
  get counting(): boolean {
    return this.phase === 'compare' || this.phase === 'rows' || this.phase === 'copy'
  }
}
