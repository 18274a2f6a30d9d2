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

/** Whether the table can be compared this way, by a key and a column of a time type, and whether that has a zone. */
export function hasUpdatedAt(unit: Unit): 'zoned' | 'local' | undefined {
  const column = unit.compared.find(one => one.name === 'updated_at')
  if (unit.key.length === 0 || column === undefined || !/^(date|timestamp)/.test(column.base))
    return undefined
  return column.base === 'timestamp with time zone' ? 'zoned' : 'local'
}

/** The condition of later rows, over `t`. A date tells no more than the day, and all of it is looked at. */
function laterThan(unit: Unit, since: string): string {
  const { base } = unit.compared.find(one => one.name === 'updated_at')!
  const column = `t.${ident('updated_at')}`
  const time = `${literal(since)}::timestamptz`
  if (base === 'timestamp with time zone') return `${column} > ${time}`
  return base === 'date'
    ? `${column} >= (${time} AT TIME ZONE 'UTC')::date`
    : `${column} > ${time} AT TIME ZONE 'UTC'`
}

/** @param since a time, as PostgreSQL reads it. */
export async function compareUpdated(
  context: DataContext,
  unit: Unit,
  since: string,
  tally: Tally,
  visit: Visit
): Promise<void> {
  const later = laterThan(unit, since)
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
            await context.pace.rows(pair.main, unit, main.digest.count)
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
