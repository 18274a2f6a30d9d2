/**
 * Buckets: chunks by a hash instead of a range, for keys that the two servers may sort differently, and for tables
 * without a key. One scan a side takes every bucket's digest; a second one, over the buckets that differ, brings
 * their keys and row hashes, sorted and packed by the server, one bucket at a time.
 */
import type pg from 'pg'
import { retrying } from '../core/retry.js'
import { columnList, ident, literal } from '../postgres/quote.js'
import { cursorRows, streamRows } from '../postgres/stream.js'
import type { Visit } from './chunks.js'
import type { DataContext } from './context.js'
import { Drift } from './drift.js'
import {
  addDigests,
  digestItems,
  emptyDigest,
  fence,
  hashColumns,
  parseDigest,
  sameDigest,
  type Digest
} from './digest.js'
import { bucketOf } from './hash.js'
import { keyIn } from './key.js'
import type { Pair } from './pairs.js'
import { countDiff, type Tally } from './tally.js'
import type { Unit } from './unit.js'
import {
  chunkDiff,
  compareVectors,
  emptyVector,
  keyCount,
  parseVector,
  vectorColumns,
  vectorItems,
  type Vector
} from './vector.js'

/** Compares a table whose keys the servers may sort differently. `only`: just these buckets, known to differ. */
export async function compareBuckets(
  context: DataContext,
  unit: Unit,
  tally: Tally,
  visit: Visit,
  only?: readonly string[]
) {
  if (!only) {
    await retrying(unit.name, context.retry, () =>
      context.pool.run(pair => digestBuckets(context, pair, unit, tally))
    )
  }
  const pending = new Set(only ?? tally.dirty)
  if (pending.size === 0) return
  const bucket = bucketExpression(unit, tally.buckets)
  await retrying(unit.name, context.retry, async () => {
    // The streams hold their connections while chunks are visited on the pool's.
    const reading = await context.pool.open()
    try {
      await context.pace.scan(reading.main, unit)
      for await (const found of bucketPairs(reading, unit, bucket, [...pending])) {
        const diff = compareVectors(unit, found.main, found.standby)
        const rows = unit.key.map((_, i) => [...diff.insert[i]!, ...diff.update[i]!, ...diff.delete[i]!])
        if (keyCount(rows) > 0) {
          // The chunk is the rows that differ, by their keys, which an index serves; a bucket would be a scan.
          const condition = keyIn(unit.key, rows)
          await context.pool.run(async pair =>
            visit(pair, { unit, condition, diff: await chunkDiff(context, pair, unit, condition) })
          )
        }
        countDiff(tally, diff)
        tally.drift.add(found.bucket, 0, diff)
        pending.delete(String(found.bucket))
      }
    } finally {
      await context.pool.discard(reading)
    }
  })
}

/** Takes both sides' digests of all buckets: counts every row, and leaves the buckets that differ in `tally.dirty`. */
export async function digestBuckets(
  context: DataContext,
  pair: Pair,
  unit: Unit,
  tally: Tally
): Promise<void> {
  tally.buckets = bucketCount(await countRows(context, pair.main, unit), context.chunkSize)
  const bucket = bucketExpression(unit, tally.buckets)
  const [main, standby] = await Promise.all([
    mainDigests(context, pair.main, unit, bucket),
    bucketDigests(pair.standby, unit, bucket)
  ])
  const count = (side: Map<string, Digest>) =>
    [...side.values()].reduce((sum, digest) => sum + digest.count, 0)
  tally.main = count(main)
  tally.standby = count(standby)
  const names = [...new Set([...main.keys(), ...standby.keys()])]
  tally.drift = new Drift()
  for (const name of names)
    tally.drift.add(Number(name), Math.max(main.get(name)?.count ?? 0, standby.get(name)?.count ?? 0))
  tally.dirty = names
    .filter(name => !sameDigest(main.get(name) ?? emptyDigest(unit), standby.get(name) ?? emptyDigest(unit)))
    .sort((a, b) => Number(a) - Number(b))
  context.emit({ type: 'rows', table: unit.name, rows: Math.max(tally.main, tally.standby) })
}

/** A row's bucket: by the hash of its key, or, where it has none, by the hash of the row. */
export function bucketExpression(unit: Unit, count: number): string {
  if (unit.strategy === 'multiset') return bucketOf(unit.hashes[0]!, count)
  const row = `ROW(${unit.key.map(column => `t.${ident(column.name)}::text`).join(', ')})::text`
  const hex = `pg_catalog.substr(pg_catalog.md5(pg_catalog.convert_to(${row}, 'UTF8')), 1, 16)`
  return bucketOf(`('x' || ${hex})::bit(64)::bigint`, count)
}

/** How many buckets hold about `size` rows each: a power of two, 2^20 at most. */
function bucketCount(rows: number, size: number): number {
  return 2 ** Math.min(20, Math.ceil(Math.log2(Math.max(1, rows / size))))
}

/** How many rows main has. */
export async function countRows(
  { pace }: Pick<DataContext, 'pace'>,
  main: pg.Client,
  unit: Unit
): Promise<number> {
  let count = 0
  for await (const piece of pace.pieces(main, unit)) {
    const { rows } = await main.query<{ n: string }>(
      `SELECT pg_catalog.count(*)::text AS n FROM ${unit.source} WHERE ${unit.filter} AND ${piece}`
    )
    count += Number(rows[0]!.n)
  }
  return count
}

/** Every bucket's digest on main, at the pace that is allowed there. */
export async function mainDigests(
  { pace }: Pick<DataContext, 'pace'>,
  main: pg.Client,
  unit: Unit,
  bucket: string
): Promise<Map<string, Digest>> {
  const all = new Map<string, Digest>()
  for await (const piece of pace.pieces(main, unit)) {
    for (const [name, digest] of await bucketDigests(main, unit, bucket, piece)) {
      all.set(name, addDigests(all.get(name) ?? emptyDigest(unit), digest))
    }
  }
  return all
}

/** Every bucket's digest, by one scan. */
export async function bucketDigests(
  client: pg.Client,
  unit: Unit,
  bucket: string,
  piece = 'true'
): Promise<Map<string, Digest>> {
  const { rows } = await client.query<string[]>({
    text: `SELECT b::text, ${digestItems(unit)} FROM (SELECT ${bucket} AS b, ${hashColumns(unit)}
      FROM ${unit.source} WHERE ${unit.filter} AND ${piece} ${fence}) s GROUP BY b`,
    rowMode: 'array'
  })
  return new Map(rows.map(([name, ...row]) => [name!, parseDigest(unit, row)]))
}

/**
 * Both sides' vectors of each bucket named, in order; an empty one where a side has no row in it.
 * @param writing the standby's session with an open transaction that changes the table meanwhile: the rows are read there then.
 */
export async function* bucketPairs(
  pair: Pair,
  unit: Unit,
  bucket: string,
  dirty: readonly string[],
  writing?: pg.Client
): AsyncGenerator<{ bucket: number; main: Vector; standby: Vector }> {
  const main = bucketVectors(pair.main, unit, bucket, dirty)
  const standby = writing
    ? bucketVectors(writing, unit, bucket, dirty, cursorRows)
    : bucketVectors(pair.standby, unit, bucket, dirty)
  let [a, b] = await Promise.all([main.next(), standby.next()])
  while (!a.done || !b.done) {
    const number = Math.min(a.done ? Infinity : a.value.bucket, b.done ? Infinity : b.value.bucket)
    const take = (side: typeof a) =>
      !side.done && side.value.bucket === number ? side.value.vector : undefined
    const [here, there] = [take(a), take(b)]
    yield { bucket: number, main: here ?? emptyVector(unit), standby: there ?? emptyVector(unit) }
    ;[a, b] = await Promise.all([here ? main.next() : a, there ? standby.next() : b])
  }
}

interface BucketVector {
  bucket: number
  vector: Vector
}

async function* bucketVectors(
  client: pg.Client,
  unit: Unit,
  bucket: string,
  dirty: readonly string[],
  read = streamRows
): AsyncGenerator<BucketVector, undefined> {
  // By s.b, the number: b alone would be the first column, its text. Packed group by group as they come sorted: one bucket in the server's memory, not all.
  await client.query(`SET ${read === cursorRows ? 'LOCAL ' : ''}enable_hashagg = off`)
  const keys = columnList(unit.key.map((_, i) => `k${i}`))
  const text = `SELECT b::text, ${digestItems(unit)}, ${vectorItems(unit)} FROM (
    SELECT * FROM (SELECT ${bucket} AS b, ${vectorColumns(unit)} FROM ${unit.source} WHERE ${unit.filter}) r
    WHERE b = ANY (${literal(`{${dirty.join(',')}}`)}::bigint[]) ORDER BY b, ${keys}) s GROUP BY s.b ORDER BY s.b`
  for await (const row of read(client, text)) {
    yield { bucket: Number(row[0]), vector: parseVector(unit, row.slice(1)) }
  }
  return undefined
}
