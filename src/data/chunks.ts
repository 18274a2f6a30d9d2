/**
 * Compares a table in ranges of its key, spread over the pairs. Digests first; where the first chunks of a table
 * all differ, they are a waste, and the comparison goes straight to keys and row hashes, until chunks are clean again.
 */
import { inRange, ranges } from './bounds.js'
import type { DataContext } from './context.js'
import { retrying } from '../core/retry.js'
import { digests, sameDigest, type Digest } from './digest.js'
import type { Chunk } from './mend.js'
import type { Pair } from './pairs.js'
import { countDiff, type Tally } from './tally.js'
import type { Unit } from './unit.js'
import { chunkDiff, type ChunkDiff } from './vector.js'

/** Rows of a chunk at most: beyond it the keys of one would not stay small in memory. */
export const maxChunk = 20_000
/** Chunks whose digests one statement takes: fewer round trips to a server far away. */
const perStatement = 8
/** Chunks in a row that differ (or not) before the comparison changes its way. */
const enough = 8

/** What is done with a chunk that differs, while its pair is still held. */
export type Visit = (pair: Pair, chunk: Chunk & { diff: ChunkDiff }) => Promise<void>

export async function compareRanges(
  context: DataContext,
  unit: Unit,
  tally: Tally,
  visit: Visit
): Promise<void> {
  const size = Math.min(context.chunkSize, maxChunk)
  const work = new Work(context, unit, tally, visit)
  const borrow: Parameters<typeof ranges>[0] = use =>
    retrying(unit.name, context.retry, () => context.pool.run(pair => use(pair.main)))
  let seen = 0
  for await (const batch of ranges(borrow, unit, size)) {
    const conditions = batch.map(range => inRange(unit, range))
    while (conditions.length > 0) {
      // The first ones by themselves, so that little is done in vain where all differ.
      const group = conditions.splice(0, seen < enough ? 1 : perStatement)
      await work.add(group, seen)
      seen += group.length
    }
  }
  await work.finish()
}

/** Compares chunks that are known to differ, and visits each that still does. */
export async function visitChunks(
  context: DataContext,
  unit: Unit,
  conditions: readonly string[],
  tally: Tally,
  visit: Visit
) {
  const work = new Work(context, unit, tally, visit, true)
  for (const [at, condition] of conditions.entries()) await work.add([condition], at)
  await work.finish()
}

/** Groups of chunks under way on the pairs: a few more than there are pairs, so that none waits. */
class Work {
  readonly #running = new Set<Promise<void>>()
  /** Positive: so many chunks in a row differed; negative: so many did not. */
  #streak = 0
  #failure: unknown

  constructor(
    readonly context: DataContext,
    readonly unit: Unit,
    readonly tally: Tally,
    readonly visit: Visit,
    public direct = false
  ) {}

  /** @param first the number of the first of these chunks. */
  async add(conditions: string[], first: number): Promise<void> {
    while (this.#running.size >= this.context.workers + 1) await Promise.race(this.#running)
    this.#throwFailure()
    const task = this.#compare(conditions, first).catch((error: unknown) => {
      this.#failure ??= error
    })
    const tracked: Promise<void> = task.finally(() => this.#running.delete(tracked))
    this.#running.add(tracked)
  }

  async finish(): Promise<void> {
    await Promise.all(this.#running)
    this.#throwFailure()
  }

  #throwFailure(): void {
    if (this.#failure !== undefined) throw this.#failure
  }

  async #compare(conditions: string[], first: number): Promise<void> {
    const { context, unit } = this
    const pending = new Set(conditions)
    await retrying(unit.name, context.retry, () =>
      context.pool.run(async pair => {
        const chunks = [...pending]
        const known = this.direct ? undefined : await this.#digests(pair, chunks)
        for (const [i, condition] of chunks.entries()) {
          if (this.#failure !== undefined) return
          await this.#one(pair, condition, first + conditions.indexOf(condition), known?.[i])
          pending.delete(condition)
        }
      })
    )
  }

  async #digests(pair: Pair, conditions: string[]) {
    const [main, standby] = await Promise.all([
      digests(pair.main, this.unit, conditions),
      digests(pair.standby, this.unit, conditions)
    ])
    const rows = main.reduce((sum, digest) => sum + digest.count, 0)
    await this.context.pace.rows(pair.main, this.unit, rows)
    return conditions.map((_, i) => ({ main: main[i]!, standby: standby[i]! }))
  }

  async #one(
    pair: Pair,
    condition: string,
    number: number,
    known: { main: Digest; standby: Digest } | undefined
  ) {
    const { context, unit, tally } = this
    if (known && sameDigest(known.main, known.standby)) {
      this.#seen(false)
      this.#count(number, known.main.count, known.standby.count)
      return
    }
    const diff = await chunkDiff(context, pair, unit, condition)
    const clean = [diff.insert, diff.update, diff.delete].every(keys => keys[0]!.length === 0)
    this.#seen(!clean)
    if (!clean) {
      await this.visit(pair, { unit, condition, diff })
      tally.dirty.push(condition)
    }
    this.#count(number, diff.main.count, diff.standbyCount, diff)
    countDiff(tally, diff)
    context.signal.throwIfAborted()
  }

  #seen(different: boolean): void {
    this.#streak = different ? Math.max(1, this.#streak + 1) : Math.min(-1, this.#streak - 1)
    if (this.#streak >= enough) this.direct = true
    if (this.#streak <= -enough) this.direct = false
  }

  #count(number: number, main: number, standby: number, diff?: ChunkDiff): void {
    this.tally.main += main
    this.tally.standby += standby
    this.tally.drift.add(number, Math.max(main, standby), diff)
    this.context.emit({ type: 'rows', table: this.unit.name, rows: Math.max(main, standby) })
  }
}
