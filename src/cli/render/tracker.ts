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

/** What a table costs however few rows it has: about as much as so many rows. */
const tableCost = 10_000

export class Tracker {
  readonly busy = new Map<string, Busy>()
  phase: Phase = 'connect'
  rows = 0
  tablesDone = 0
  /** In rows: of tables that are done their estimate, even where they were not read. */
  #done = 0
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
      else this.#done += event.rows
    } else if (event.type === 'table-end') this.#end(event.table)
  }

  /** Rows are counted anew in each phase: a table may be read in one and written in the next. */
  #begin(phase: Phase): void {
    this.phase = phase
    this.busy.clear()
    this.rows = 0
    this.tablesDone = 0
    this.#done = 0
    this.#plan = undefined
    this.#started = this.now()
  }

  #end(table: string): void {
    const busy = this.busy.get(table)
    if (!busy) return
    this.busy.delete(table)
    this.tablesDone++
    this.#done += Math.max(busy.rows, busy.estimate) + tableCost
  }

  /** How much of the phase is done, and how much there is, both in rows; a table counts as some rows by itself. */
  get #work(): { done: number; all: number } {
    const busy = [...this.busy.values()]
    const done = busy.reduce((sum, { rows }) => sum + rows, this.#done)
    const left = busy.reduce((sum, { rows, estimate }) => sum + Math.max(0, estimate - rows) + tableCost, 0)
    const { tables = 0, rows = 0 } = this.#plan ?? {}
    return { done, all: Math.max(rows + tables * tableCost, done + left) }
  }

  /** From 0 to 1, as far as estimates are right. */
  get share(): number {
    const { done, all } = this.#work
    return all === 0 ? 0 : done / all
  }

  /** `3 of 12 tables, 1,200,000 rows, 350,000 rows/s, about 12 s left` */
  summary(): string {
    return this.parts().join(', ')
  }

  /** What the summary says: tables, rows, the rate, and the time left; without the last two where they are not known. */
  parts(): string[] {
    const tables = this.#plan
      ? `${count(this.tablesDone)} of ${some(this.#plan.tables, 'table')}`
      : some(this.tablesDone, 'table')
    const elapsed = this.now() - this.#started
    const parts = [tables, some(this.rows, 'row')]
    if (elapsed < 500 || this.rows === 0) return parts
    parts.push(`${count(Math.round((this.rows / elapsed) * 1000))} rows/s`)
    const { done, all } = this.#work
    // What was passed over says nothing about how fast the rest will be.
    const rate = (this.rows + this.tablesDone * tableCost) / elapsed
    if (this.#plan && all > done) parts.push(`about ${time((all - done) / rate)} left`)
    return parts
  }

  /** Whether the phase moves rows, so that there is something to count. */
  get counting(): boolean {
    return this.phase === 'compare' || this.phase === 'rows' || this.phase === 'copy'
  }
}
