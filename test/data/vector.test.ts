/** The comparison of two sides' keys and hashes, against the plainest one that there is. */
import { describe, expect, test } from 'vitest'
import type { KeyColumn } from '../../src/data/key.js'
import type { Unit } from '../../src/data/unit.js'
import { compareVectors, parseVector, type ChunkDiff } from '../../src/data/vector.js'

const integer: KeyColumn = { name: 'id', type: 'bigint', width: 8, encoded: '' }
const text: KeyColumn = { name: 'k', type: 'text', width: 0, encoded: '' }
const unitOf = (key: KeyColumn[]) => ({ key, hashes: ['h'] }) as unknown as Unit

type Row = { key: string[]; hash: bigint }

/** A side as the server would pack it. */
function side(unit: Unit, rows: readonly Row[]) {
  const keys = unit.key.map((column, i) =>
    Buffer.concat(
      rows.map(({ key }) => {
        const value = Buffer.alloc(column.width)
        if (column.width > 0) {
          value.writeBigInt64BE(BigInt(key[i]!))
          return value
        }
        const bytes = Buffer.from(key[i]!, 'utf8')
        const length = Buffer.alloc(4)
        length.writeUInt32BE(bytes.length)
        return Buffer.concat([length, bytes])
      })
    )
  )
  const hashes = Buffer.alloc(rows.length * 8)
  rows.forEach(({ hash }, i) => hashes.writeBigInt64BE(hash, i * 8))
  const xor = rows.reduce((all, { hash }) => all ^ hash, 0n)
  const sum = rows.reduce((all, { hash }) => all + hash, 0n)
  return parseVector(unit, [String(rows.length), String(xor), String(sum), ...keys, hashes])
}

const sorted = (diff: ChunkDiff) =>
  (['insert', 'update', 'delete'] as const).map(kind =>
    diff[kind][0]!.map((_, row) => diff[kind].map(column => column[row]!).join('|')).sort()
  )

function plainly(main: readonly Row[], standby: readonly Row[]) {
  const name = ({ key }: Row) => key.join('|')
  const there = new Map(standby.map(row => [name(row), row.hash]))
  const here = new Set(main.map(name))
  return [
    main
      .filter(row => !there.has(name(row)))
      .map(name)
      .sort(),
    main
      .filter(row => there.has(name(row)) && there.get(name(row)) !== row.hash)
      .map(name)
      .sort(),
    standby
      .filter(row => !here.has(name(row)))
      .map(name)
      .sort()
  ]
}

/** Numbers that look random and are the same every time (Numerical Recipes' generator). */
function dice(seed: number) {
  let state = seed
  return (sides: number) => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) % sides
}

describe.each<[string, KeyColumn[], (n: number) => string[]]>([
  ['integer keys', [integer], n => [String(n - 50)]],
  ['text keys', [text], n => ['ä'.repeat(n % 5) + n]],
  ['composite keys', [text, integer], n => [`k${n % 7}`, String(n)]]
])('%s', (_, key, keyOf) => {
  const unit = unitOf(key)

  test.each(Array.from({ length: 40 }, (_unused, seed) => seed))('drift %i', seed => {
    const roll = dice(seed + 1)
    const size = roll(3) === 0 ? roll(5) : roll(600)
    const spread = 1 + roll(40)
    const row = (n: number, hash: number): Row => ({ key: keyOf(n), hash: BigInt(hash) - 5n })
    const main: Row[] = []
    const standby: Row[] = []
    for (let n = 0; n < size; n++) {
      const what = roll(spread)
      if (what !== 0) main.push(row(n, n))
      if (what !== 1) standby.push(row(n, what === 2 ? n + 1 : n))
    }
    // The two sides need not even be in the same order.
    if (roll(2) === 0) standby.sort(() => roll(3) - 1)
    if (roll(4) === 0) main.reverse()
    const diff = compareVectors(unit, side(unit, main), side(unit, standby))
    expect(sorted(diff)).toEqual(plainly(main, standby))
    expect(diff.standbyCount).toBe(standby.length)
    const extra = standby.filter(one => !main.some(other => other.key.join('|') === one.key.join('|')))
    expect(diff.extra.count).toBe(extra.length)
    expect(diff.extra.sums[0]).toEqual([
      extra.reduce((all, { hash }) => all ^ hash, 0n),
      extra.reduce((all, { hash }) => all + hash, 0n)
    ])
  })
})
