/** What a run of following did, added up from its events. */
import type { FollowEvent } from '../core/events.js'
import type { FollowConfig } from './config.js'
import type { Operation, Position } from './ports.js'
import type { FollowReport } from './report.js'

type Counts = { copied: number } & Record<Operation, number>

export class Tally {
  readonly #started = performance.now()
  readonly #tables = new Map<string, Counts>()
  #retries = 0
  #position: Position | null = null
  /** Batches with changes in them. */
  batches = 0

  constructor(
    private readonly config: Pick<FollowConfig, 'source' | 'name'>,
    private readonly command: FollowReport['command'] = 'follow'
  ) {}

  add(event: FollowEvent): void {
    if (event.type === 'copy-end') this.#of(event.table).copied += event.rows
    else if (event.type === 'retry') this.#retries++
    else if (event.type === 'batch') {
      this.#position = event.position
      if (event.changes > 0) this.batches++
      for (const [table, counts] of Object.entries(event.tables)) {
        const sums = this.#of(table)
        for (const [operation, count] of Object.entries(counts)) sums[operation as Operation] += count
      }
    }
  }

  report(): FollowReport {
    const tables = [...this.#tables].map(([table, counts]) => ({ table, ...counts }))
    return {
      version: 1,
      command: this.command,
      ok: true,
      source: this.command === 'apply' ? null : this.config.source,
      stream: this.config.name,
      tables: tables.sort((a, b) => (a.table < b.table ? -1 : 1)),
      batches: this.batches,
      retries: this.#retries,
      position: this.#position,
      durationMs: Math.round(performance.now() - this.#started)
    }
  }

  #of(table: string): Counts {
    let counts = this.#tables.get(table)
    if (!counts) {
      counts = { copied: 0, insert: 0, update: 0, delete: 0, truncate: 0 }
      this.#tables.set(table, counts)
    }
    return counts
  }
}
