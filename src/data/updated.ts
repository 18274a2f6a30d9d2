/**
 * `--use-updated-at`: only main's rows whose `updated_at` is later than the last run are looked at, and each is
 * compared with the standby's row of the same key. Deleted rows leave no trace in such a column: they are found by
 * comparing keys alone, and only where they may be deleted.
 */
import { retrying } from '../core/retry.js'
import { ident, literal } from '../postgres/quote.js'
import { inRange, ranges } from './bounds.js'
import { maxChunk, type Visit } from './chunks.js'
import type { DataContext } from './context.js'
import { emptyDigest } from './digest.js'
import { keyIn } from './key.js'
import { countDiff, type Tally } from './tally.js'
import type { Unit } from './unit.js'
import { compareVectors, emptyVector, keyCount, vector, type ChunkDiff } from './vector.js'

/** Whether the table can be compared this way: a key to match rows by, and a column of a time type. */
export function hasUpdatedAt(unit: Unit): boolean {
  const column = unit.compared.find(one => one.name === 'updated_at')
  return unit.key.length > 0 && column !== undefined && /^(date|timestamp)/.test(column.base)
}

/** @param since a time, as PostgreSQL reads it. */
export async function compareUpdated(
  context: DataContext,
  unit: Unit,
  since: string,
  tally: Tally,
  visit: Visit
): Promise<void> {
  const column = unit.compared.find(one => one.name === 'updated_at')!
  const later = `t.${ident('updated_at')} > ${literal(since)}::timestamptz${column.base.endsWith('with time zone') ? '' : " AT TIME ZONE 'UTC'"}`
  const borrow: Parameters<typeof ranges>[0] = use =>
    retrying(unit.name, context.retry, () => context.pool.run(pair => use(pair.main)))
  const size = Math.min(context.chunkSize, maxChunk)
  for await (const batch of ranges(borrow, unit, size, undefined, later)) {
    await Promise.all(
      batch.map(range =>
        retrying(unit.name, context.retry, () =>
          context.pool.run(async pair => {
            const main = await vector(pair.main, unit, `${later} AND ${inRange(unit, range)}`)
            if (main.digest.count === 0) return
            const keys = compareVectors(unit, main, emptyVector(unit)).insert
            const condition = keyIn(unit.key, keys)
            const diff = compareVectors(unit, main, await vector(pair.standby, unit, condition))
            if (keyCount(diff.insert) + keyCount(diff.update) > 0)
              await visit(pair, { unit, condition, diff })
            countDiff(tally, diff)
            tally.main += diff.main.count
            tally.standby += diff.standbyCount
            context.emit({ type: 'rows', table: unit.name, rows: diff.main.count })
          })
        )
      )
    )
  }
}

/** The unit with nothing but its key compared. */
export function keyOnly(unit: Unit, hashes: string[]): Unit {
  return { ...unit, hashes }
}

/** A visit for a key-only comparison: of what differs, only the standby's extra rows are handed on. */
export function extraRows(unit: Unit, tally: Tally, visit: Visit): Visit {
  return async (pair, chunk) => {
    const { length } = chunk.diff.delete[0]!
    if (length === 0) return
    const none = unit.key.map(() => [])
    const diff: ChunkDiff = { ...chunk.diff, main: emptyDigest(chunk.unit), insert: none, update: none }
    await visit(pair, { unit: chunk.unit, condition: keyIn(unit.key, chunk.diff.delete), diff })
    tally.delete += length
  }
}
