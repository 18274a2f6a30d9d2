/** (d) Peak memory of our own process, at three sizes: it must be under the limit at each, and so not grow. */
import { drift, timed } from './contests.mjs'
import { ours } from './contestants.mjs'
import { say } from './measure.mjs'

/** Bytes: 150 MB. */
const limit = 150e6
const target = 'bench_target'
const count = new Intl.NumberFormat('en')
const kinds = ['diff', 'load', 'mend']

export class Memory {
  /** rows → kind → bytes */
  #peaks = new Map()

  constructor(bench) {
    this.bench = bench
  }

  saw(rows, kind, bytes) {
    const peaks = this.#peaks.get(rows) ?? {}
    this.#peaks.set(rows, { ...peaks, [kind]: Math.max(bytes, peaks[kind] ?? 0) })
  }

  /** Runs what the contests did not run at these sizes, once. */
  async measure(sizes) {
    say('▸ (d) peak memory')
    for (const rows of sizes) {
      const missing = kinds.filter(kind => this.#peaks.get(rows)?.[kind] === undefined)
      if (missing.length === 0) continue
      const { database } = await this.bench.fill(rows)
      for (const kind of missing) this.saw(rows, kind, await this.#peak(kind, database))
      await this.bench.drop(database)
    }
    return sizes.map(rows => ({
      what: `(d) peak memory, 2 × ${count.format(rows)} rows`,
      peaks: Object.fromEntries(kinds.map(kind => [kind, this.#peaks.get(rows)[kind]])),
      limit
    }))
  }

  async #peak(kind, database) {
    const { bench } = this
    if (kind === 'load') await bench.fresh(target)
    if (kind === 'mend') await drift(bench, database)
    const command = kind === 'diff' ? 'diff' : 'sync'
    const { peak } = await timed(
      bench,
      kind,
      ours(bench, command, database, kind === 'load' ? target : database)
    )
    await bench.drop(target)
    return peak
  }
}
