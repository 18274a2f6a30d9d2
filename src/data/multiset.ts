/**
 * Tables without a usable key: compared as multisets of row hashes, and mended by deleting and inserting the exact
 * number of copies, by ctid, in one transaction that keeps other writers out.
 */
import { DataError } from '../core/errors.js'
import { retrying } from '../core/retry.js'
import { bucketDigests, bucketExpression, bucketPairs, digestBuckets } from './buckets.js'
import {
  checkChildren,
  checkReferrers,
  deferConstraints,
  refuseDeletes,
  restoreConstraints
} from './constraints.js'
import type { DataContext } from './context.js'
import { addDigests, emptyDigest, sameDigest, type Digest } from './digest.js'
import { ctid, decodeKey, keyIn } from './key.js'
import { copyMover } from './move.js'
import type { Pair } from './pairs.js'
import { sampleRows } from './samples.js'
import { countDiff, differs, newTally, type Tally } from './tally.js'
import type { Unit } from './unit.js'
import { keyCount, rowDigest, type ChunkDiff, type Vector } from './vector.js'

/** The unit with its rows' places as keys: all that reads or moves rows by key then works by ctid. */
const byPlace = (unit: Unit): Unit => ({ ...unit, key: [ctid] })

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

/** Makes the standby's copies as many as main's: all in one transaction, proved before its commit. */
export async function mendMultiset(context: DataContext, unit: Unit, tally: Tally): Promise<void> {
  if (!differs(tally) || (tally.insert === 0 && !context.deletes)) return
  await retrying(unit.name, context.retry, () =>
    context.pool.run(async pair => {
      await pair.standby.query('BEGIN')
      try {
        await pair.standby.query(`LOCK TABLE ${unit.relation} IN SHARE ROW EXCLUSIVE MODE`)
        const deferred = await deferConstraints(context, pair, [unit], true)
        await rewrite(context, pair, unit, tally)
        await restoreConstraints(pair, deferred)
        await checkChildren(context, pair, unit, unit.source)
        await checkReferrers(context, pair, unit, true)
        await pair.standby.query('COMMIT')
      } catch (error) {
        await pair.standby.query('ROLLBACK').catch(() => {})
        throw error
      }
    })
  )
}

async function rewrite(context: DataContext, pair: Pair, unit: Unit, tally: Tally): Promise<void> {
  const bucket = bucketExpression(unit, tally.buckets)
  const kept = new Map<string, Digest>()
  const remove = async (diff: Difference) => {
    if (!context.deletes) kept.set(String(diff.bucket), diff.extra)
    if (!context.deletes || keyCount(diff.delete) === 0) return
    const gone = keyIn([ctid], diff.delete)
    await refuseDeletes(context, pair, unit, gone)
    await pair.standby.query(`DELETE FROM ${unit.source} WHERE ${gone}`)
  }
  const add = async (diff: Difference) => {
    if (keyCount(diff.insert) === 0) return
    await copyMover.move(pair, byPlace(unit), keyIn([ctid], diff.insert), unit.relation, context.pace)
  }
  // A unique value may come in one bucket and go in another: then all that goes must go first, which takes a scan more.
  const passes =
    context.deletes && unit.standby.uniques > 0
      ? [remove, add]
      : [async (diff: Difference) => remove(diff).then(() => add(diff))]
  for (const pass of passes) {
    const reading = await context.pool.open()
    try {
      for await (const diff of differences(context, reading, unit, tally)) await pass(diff)
    } finally {
      await context.pool.discard(reading)
    }
  }
  const [main, standby] = await Promise.all([
    bucketDigests(pair.main, unit, bucket),
    bucketDigests(pair.standby, unit, bucket)
  ])
  await context.pace.scan(pair.main, unit)
  for (const name of new Set([...main.keys(), ...standby.keys()])) {
    const expected = addDigests(main.get(name) ?? emptyDigest(unit), kept.get(name) ?? emptyDigest(unit))
    if (sameDigest(expected, standby.get(name) ?? emptyDigest(unit))) continue
    throw new DataError(`the rows written to ${unit.name} are not what main has`, {
      table: unit.name,
      hint: 'A trigger, a rule or a column that cannot hold the value changed them; the table was left as it was.'
    })
  }
}

type Difference = ChunkDiff & { bucket: number }

/** Per bucket, the ctids of main's rows that are missing, and of the standby's copies that are too many. */
async function* differences(
  { pace }: DataContext,
  reading: Pair,
  unit: Unit,
  tally: Tally
): AsyncGenerator<Difference> {
  await pace.scan(reading.main, unit)
  const bucket = bucketExpression(unit, tally.buckets)
  for await (const { bucket: number, main, standby } of bucketPairs(
    reading,
    byPlace(unit),
    bucket,
    tally.dirty
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
      insert: [insert],
      update: [[]],
      delete: [surplus]
    }
  }
}

/** Row hash → the places of its copies, and the digest of one copy. */
function placesByHash(side: Vector): Map<string, { places: string[]; digest: Digest }> {
  const found = new Map<string, { places: string[]; digest: Digest }>()
  const key = side.keys[0]!
  for (let row = 0; row < side.digest.count; row++) {
    const hash = side.hashes.map(bytes => bytes.toString('latin1', row * 8, row * 8 + 8)).join('')
    const place = decodeKey(key.column, key.bytes, key.start(row), key.end(row))
    const known = found.get(hash)
    if (known) known.places.push(place)
    else found.set(hash, { places: [place], digest: rowDigest(side, row) })
  }
  return found
}
