/** A row's line made of pgoutput's bytes is the one that its values make. */
import { expect, test } from 'vitest'
import { readLine, readTuple } from '../../../src/follow/sources/wal/tuple.js'
import { lineOf } from '../../../src/postgres/copytext.js'
import { randomOf } from '../../support/random.js'

/** As pgoutput writes it; undefined: did not change. */
function tuple(values: readonly (string | null | undefined)[]): Buffer {
  const parts = [Buffer.from([values.length >> 8, values.length & 255])]
  for (const value of values) {
    if (value === null) parts.push(Buffer.from('n'))
    else if (value === undefined) parts.push(Buffer.from('u'))
    else {
      const text = Buffer.from(value)
      const head = Buffer.from('t0000')
      head.writeUInt32BE(text.length, 1)
      parts.push(head, text)
    }
  }
  return Buffer.concat(parts)
}

const slowly = (bytes: Buffer, columns: number) =>
  lineOf(
    readTuple(
      bytes,
      0,
      Array.from({ length: columns }, (_, i) => i)
    ).values
  )

test('whatever the values are', () => {
  const random = randomOf(7)
  const alphabet = ['a', 'Z', '0', ' ', '\t', '\n', '\r', '\\', '\b', '\u0001', 'ü', '€', '😀', '\ufeff', 'N']
  for (let i = 0; i < 3000; i++) {
    const values = Array.from({ length: 1 + Math.floor(random() * 6) }, () =>
      random() < 0.2
        ? null
        : Array.from(
            { length: Math.floor(random() * 12) },
            () => alphabet[Math.floor(random() * alphabet.length)]!
          ).join('')
    )
    const bytes = tuple(values)
    expect(readLine(bytes, 0, values.length)).toBe(slowly(bytes, values.length))
  }
})

test('what did not change, and what is long, is left to others', () => {
  expect(readLine(tuple(['1', undefined]), 0, 2)).toBeUndefined()
  expect(readLine(tuple(['x'.repeat(40_000)]), 0, 1)).toBeUndefined()
  const fits = tuple(['\\'.repeat(30_000), null])
  expect(readLine(fits, 0, 2)).toBe(slowly(fits, 2))
})
