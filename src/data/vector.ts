/**
 * A chunk's keys and row hashes as a few byte strings, in key order, made by the server: 16 bytes a row for an
 * integer key. Two such vectors are compared with memcmp, so that JavaScript looks only at what differs.
 */
import type pg from 'pg'
import { copyRows } from '../postgres/copy.js'
import { columnList } from '../postgres/quote.js'
import type { DataContext } from './context.js'
import { addDigests, digestItems, emptyDigest, hashColumns, parseDigest, type Digest } from './digest.js'
import { decodeKey, type KeyColumn, type KeyTexts } from './key.js'
import type { Pair } from './pairs.js'
import type { Unit } from './unit.js'

export interface Vector {
  digest: Digest
  /** Per key column, and where each value starts and ends in it. */
  keys: { column: KeyColumn; bytes: Buffer; start(row: number): number; end(row: number): number }[]
  /** Per hash: 8 bytes a row. */
  hashes: Buffer[]
}

export interface ChunkDiff {
  /** Of main's rows. */
  main: Digest
  /** Of the standby's rows that main does not have. */
  extra: Digest
  standbyCount: number
  insert: KeyTexts
  update: KeyTexts
  delete: KeyTexts
}

/** SELECT items after digestItems, over the columns of vectorColumns: every one bytea. */
export function vectorItems(unit: Unit): string {
  const keys = unit.key.map((column, i) => {
    const item = column.width > 0 ? `k${i}` : `pg_catalog.int4send(pg_catalog.octet_length(k${i})) || k${i}`
    return `pg_catalog.string_agg(${item}, '')`
  })
  return [
    ...keys,
    ...unit.hashes.map((_, i) => `pg_catalog.string_agg(pg_catalog.int8send(h${i}), '')`)
  ].join(', ')
}

export function vectorColumns(unit: Unit): string {
  return [...unit.key.map((column, i) => `${column.encoded} AS k${i}`), hashColumns(unit)].join(', ')
}

/** Reads one row of digestItems (text, or its bytes) and vectorItems. */
export function parseVector(unit: Unit, row: readonly unknown[]): Vector {
  const sums = 1 + 2 * unit.hashes.length
  const digest = parseDigest(unit, row.slice(0, sums).map(String))
  const blobs = row.slice(sums).map(blob => (blob as Buffer | null) ?? Buffer.alloc(0))
  return {
    digest,
    keys: unit.key.map((column, i) => indexed(column, blobs[i]!, digest.count)),
    hashes: blobs.slice(unit.key.length)
  }
}

export function emptyVector(unit: Unit): Vector {
  const none = Buffer.alloc(0)
  return {
    digest: emptyDigest(unit),
    keys: unit.key.map(column => indexed(column, none, 0)),
    hashes: unit.hashes.map(() => none)
  }
}

/** Keys and hashes of the rows under a condition, in the key's order. */
export async function vector(client: pg.Client, unit: Unit, condition: string): Promise<Vector> {
  const order = columnList(
    unit.key.map(column => column.name),
    't.'
  )
  const text = `SELECT ${digestItems(unit)}, ${vectorItems(unit)} FROM (SELECT ${vectorColumns(unit)}
    FROM ${unit.source} WHERE ${unit.filter} AND ${condition} ORDER BY ${order}) s`
  const [row] = await copyRows(client, text)
  return parseVector(unit, row!)
}

/** What differs in a chunk now. */
export async function chunkDiff(
  { pace }: Pick<DataContext, 'pace'>,
  pair: Pair,
  unit: Unit,
  condition: string
): Promise<ChunkDiff> {
  const [main, standby] = await Promise.all([
    vector(pair.main, unit, condition),
    vector(pair.standby, unit, condition)
  ])
  await pace.rows(pair.main, unit, main.digest.count)
  return compareVectors(unit, main, standby)
}

function indexed(column: KeyColumn, bytes: Buffer, count: number): Vector['keys'][number] {
  if (column.width > 0) {
    return { column, bytes, start: row => row * column.width, end: row => (row + 1) * column.width }
  }
  const starts = new Uint32Array(count + 1)
  let at = 0
  for (let row = 0; row < count; row++) {
    starts[row] = at + 4
    at += 4 + bytes.readUInt32BE(at)
  }
  starts[count] = at + 4
  return { column, bytes, start: row => starts[row]!, end: row => starts[row + 1]! - 4 }
}

/** Rows compared by one memcmp before single ones are looked at: few enough to be clean where 1% of the rows differ. */
const block = 16
/** How far one side may run ahead before rows are matched by a map. */
const lookahead = 16

/** What differs between the two sides of a chunk; exact in any order of the rows. */
export function compareVectors(unit: Unit, main: Vector, standby: Vector): ChunkDiff {
  const none = (): KeyTexts => unit.key.map(() => [])
  const diff: ChunkDiff = {
    main: main.digest,
    extra: emptyDigest(unit),
    standbyCount: standby.digest.count,
    insert: none(),
    update: none(),
    delete: none()
  }
  const put = (texts: KeyTexts, side: Vector, row: number) => {
    side.keys.forEach((key, i) =>
      texts[i]!.push(decodeKey(key.column, key.bytes, key.start(row), key.end(row)))
    )
  }
  const [m, n] = [main.digest.count, standby.digest.count]
  const aligned = main.keys.every((key, i) => key.bytes.equals(standby.keys[i]!.bytes))
  if (aligned && m === n) {
    eachDifference(main.hashes, standby.hashes, m, row => put(diff.update, main, row))
    return diff
  }
  const leftMain: number[] = []
  const leftStandby: number[] = []
  let [i, j] = [0, 0]
  while (i < m && j < n) {
    if (sameKey(main, i, standby, j)) {
      if (!sameHash(main, i, standby, j)) put(diff.update, main, i)
      i++
      j++
      continue
    }
    const [di, dj] = resync(main, i, m, standby, j, n)
    for (let k = 0; k < di; k++) leftMain.push(i++)
    for (let k = 0; k < dj; k++) leftStandby.push(j++)
  }
  while (i < m) leftMain.push(i++)
  while (j < n) leftStandby.push(j++)
  matchRest(main, leftMain, standby, leftStandby, {
    both: (a, b) => {
      if (!sameHash(main, a, standby, b)) put(diff.update, main, a)
    },
    main: row => put(diff.insert, main, row),
    standby: row => {
      put(diff.delete, standby, row)
      diff.extra = addDigests(diff.extra, rowDigest(standby, row))
    }
  })
  return diff
}

function eachDifference(
  a: readonly Buffer[],
  b: readonly Buffer[],
  count: number,
  found: (row: number) => void
): void {
  const same = (from: number, to: number) =>
    a.every((bytes, i) => bytes.compare(b[i]!, from * 8, to * 8, from * 8, to * 8) === 0)
  for (let from = 0; from < count; from += block) {
    const to = Math.min(from + block, count)
    if (same(from, to)) continue
    for (let row = from; row < to; row++) if (!same(row, row + 1)) found(row)
  }
}

function sameKey(a: Vector, i: number, b: Vector, j: number): boolean {
  return a.keys.every((key, k) => {
    const other = b.keys[k]!
    return key.bytes.compare(other.bytes, other.start(j), other.end(j), key.start(i), key.end(i)) === 0
  })
}

function sameHash(a: Vector, i: number, b: Vector, j: number): boolean {
  return a.hashes.every((bytes, k) => bytes.compare(b.hashes[k]!, j * 8, j * 8 + 8, i * 8, i * 8 + 8) === 0)
}

/** How many rows of either side to step over until both are at the same key again; 1 and 1 where that is not near. */
function resync(a: Vector, i: number, m: number, b: Vector, j: number, n: number): [number, number] {
  for (let ahead = 1; ahead <= lookahead; ahead++) {
    if (i + ahead < m && sameKey(a, i + ahead, b, j)) return [ahead, 0]
    if (j + ahead < n && sameKey(a, i, b, j + ahead)) return [0, ahead]
  }
  return [1, 1]
}

interface Matches {
  both(main: number, standby: number): void
  main(row: number): void
  standby(row: number): void
}

function matchRest(
  a: Vector,
  rowsA: readonly number[],
  b: Vector,
  rowsB: readonly number[],
  found: Matches
): void {
  const name = (side: Vector, row: number) =>
    side.keys.map(key => key.bytes.toString('latin1', key.start(row), key.end(row))).join('\u0100')
  const standby = new Map(rowsB.map(row => [name(b, row), row]))
  for (const row of rowsA) {
    const key = name(a, row)
    const other = standby.get(key)
    if (other === undefined) found.main(row)
    else {
      standby.delete(key)
      found.both(row, other)
    }
  }
  for (const row of standby.values()) found.standby(row)
}

/** The digest of one row of a vector. */
export function rowDigest(side: Vector, row: number): Digest {
  const two = side.hashes.length > 1
  return {
    count: 1,
    sums: side.hashes.map(bytes => {
      const hash = bytes.readBigInt64BE(row * 8)
      return [two ? 0n : hash, hash]
    })
  }
}

/** How many keys. */
export function keyCount(keys: KeyTexts): number {
  return keys[0]?.length ?? 0
}
