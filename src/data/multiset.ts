/**
 * Tables without a usable key: compared as multisets of row hashes, and mended by deleting and inserting the exact
 * number of copies, by ctid, in one transaction that keeps other writers out.
 */
import type pg from 'pg'
import { DataError } from '../core/errors.js'
import { retrying } from '../core/retry.js'
import { bucketDigests, bucketExpression, bucketPairs, digestBuckets, mainDigests } from './buckets.js'
import { refuseDeletes } from './constraints.js'
import type { DataContext } from './context.js'
import { addDigests, emptyDigest, sameDigest, type Digest } from './digest.js'
import { ctid, decodeKey, keyIn, tableoid, type KeyColumn, type KeyTexts } from './key.js'
import { copyMover } from './move.js'
import type { Pair } from './pairs.js'
import { sampleRows } from './samples.js'
import { countDiff, newTally, type Tally } from './tally.js'
import type { Unit } from './unit.js'
import { keyCount, rowDigest, type ChunkDiff, type Vector } from './vector.js'

/** The unit with its rows' places as keys: all that reads or moves rows by key then works by ctid. */
export const byPlace = (unit: Unit): Unit => ({ ...unit, key: places(unit) })

const places = ({ main, standby }: Unit): KeyColumn[] =>
  main.kind === 'p' || standby.kind === 'p' ? [tableoid, ctid] : [ctid]

/** Counts and samples of what differs. */
export async function compareMultiset(context: DataContext, unit: Unit, tally: Tally): Promise<void> {
  await retrying(unit.name, context.retry, async () => {
    Object.assign(tally, newTally(unit))
    await context.pool.run(pair => digestBuckets(context, pair, unit, tally))
    if (tally.dirty.length === 0) return
    await context.pool.run(async pair => {
      const reading = await context.pool.open()
      try {
        for await (const diff of differences(context, reading, unit, tally)) {
          countDiff(tally, diff)
          tally.drift.add(diff.bucket, 0, diff)
          const samples = await sampleRows(pair, byPlace(unit), diff, context.samples - tally.samples.length)
          tally.samples.push(...samples.map(sample => ({ ...sample, key: {} })))
        }
      } finally {
        await context.pool.discard(reading)
      }
    })
  })
}

/**
 * What differs now, after a comparison found it; the standby's places are good for as long as `visit` has the pair.
 * @param tally that of the comparison: counts nothing.
 */
export async function visitCopies(
  context: DataContext,
  unit: Unit,
  tally: Tally,
  visit: (pair: Pair, diff: ChunkDiff) => Promise<void>
): Promise<void> {
  await context.pool.run(async pair => {
    await pair.standby.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY')
    for await (const diff of written(context, pair, unit, tally)) await visit(pair, diff)
    await pair.standby.query('COMMIT')
  })
}

/**
 * In a transaction that keeps other writers out: deletes the copies that are too many, if any may go.
 * @returns the digests of those that were left, by bucket.
 */
export async function removeCopies(
  context: DataContext,
  pair: Pair,
  unit: Unit,
  tally: Tally,
  deletes: boolean
): Promise<Map<string, Digest>> {
  const kept = new Map<string, Digest>()
  for await (const diff of written(context, pair, unit, tally)) {
    if (!deletes) kept.set(String(diff.bucket), diff.extra)
    if (!deletes || keyCount(diff.delete) === 0) continue
    const gone = keyIn(places(unit), diff.delete)
    await refuseDeletes(context, pair, unit, gone)
    await pair.standby.query(`DELETE FROM ${unit.source} WHERE ${gone}`)
  }
  return kept
}

/** Then, when all that goes has gone (a unique value may come in one bucket and go in another): inserts what is missing. */
export async function addCopies(context: DataContext, pair: Pair, unit: Unit, tally: Tally): Promise<void> {
  for await (const diff of written(context, pair, unit, tally)) {
    if (keyCount(diff.insert) === 0) continue
    await copyMover.move(pair, byPlace(unit), keyIn(places(unit), diff.insert), unit.relation, context.pace)
  }
}

/** @throws DataError where the standby's rows are not main's and those that were kept. */
export async function proveCopies(
  context: DataContext,
  pair: Pair,
  unit: Unit,
  tally: Tally,
  kept: ReadonlyMap<string, Digest>
): Promise<void> {
  const bucket = bucketExpression(unit, tally.buckets)
  const [main, standby] = await Promise.all([
    mainDigests(context, pair.main, unit, bucket),
    bucketDigests(pair.standby, unit, bucket)
  ])
  for (const name of new Set([...main.keys(), ...standby.keys()])) {
    const expected = addDigests(main.get(name) ?? emptyDigest(unit), kept.get(name) ?? emptyDigest(unit))
    if (sameDigest(expected, standby.get(name) ?? emptyDigest(unit))) continue
    throw new DataError(`the rows written to ${unit.name} are not what main has`, {
      table: unit.name,
      hint: 'A trigger, a rule or a column that cannot hold the value changed them; the table was left as it was.'
    })
  }
}

/** The differences as the writing session of the pair sees them; main's are read beside it, which copies rows meanwhile. */
async function* written(
  context: DataContext,
  pair: Pair,
  unit: Unit,
  tally: Tally
): AsyncGenerator<Difference> {
  const reading = await context.pool.open()
  try {
    yield* differences(context, reading, unit, tally, pair.standby)
  } finally {
    await context.pool.discard(reading)
  }
}

type Difference = ChunkDiff & { bucket: number }

/** Per bucket, the ctids of main's rows that are missing, and of the standby's copies that are too many. */
async function* differences(
  { pace }: DataContext,
  reading: Pair,
  unit: Unit,
  tally: Tally,
  writing?: pg.Client
): AsyncGenerator<Difference> {
  await pace.scan(reading.main, unit)
  const bucket = bucketExpression(unit, tally.buckets)
  for await (const { bucket: number, main, standby } of bucketPairs(
    reading,
    byPlace(unit),
    bucket,
    tally.dirty,
    writing
  )) {
    const insert: string[] = []
    const surplus: string[] = []
    let extra = emptyDigest(unit)
    const theirs = placesByHash(standby)
    for (const [hash, rows] of placesByHash(main)) {
      const copies = theirs.get(hash)
      theirs.delete(hash)
      insert.push(...rows.places.slice(copies?.places.length ?? 0))
      if (copies) copies.places.splice(0, rows.places.length)
      if (copies && copies.places.length > 0) theirs.set(hash, copies)
    }
    for (const { places, digest } of theirs.values()) {
      surplus.push(...places)
      for (const _ of places) extra = addDigests(extra, digest)
    }
    yield {
      bucket: number,
      main: main.digest,
      extra,
      standbyCount: standby.digest.count,
      insert: textsOf(unit, insert),
      update: textsOf(unit, []),
      delete: textsOf(unit, surplus)
    }
  }
}

/** Places as keys. */
const textsOf = (unit: Unit, found: readonly string[]): KeyTexts =>
  places(unit).map((_, i) => found.map(place => place.split(' ')[i]!))

/** Row hash → the places of its copies, and the digest of one copy. */
function placesByHash(side: Vector): Map<string, { places: string[]; digest: Digest }> {
  const found = new Map<string, { places: string[]; digest: Digest }>()
  for (let row = 0; row < side.digest.count; row++) {
    const hash = side.hashes.map(bytes => bytes.toString('latin1', row * 8, row * 8 + 8)).join('')
    const place = side.keys
      .map(({ column, bytes, start, end }) => decodeKey(column, bytes, start(row), end(row)))
      .join(' ')
    const known = found.get(hash)
    if (known) known.places.push(place)
    else found.set(hash, { places: [place], digest: rowDigest(side, row) })
  }
  return found
}
