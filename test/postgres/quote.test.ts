import { expect, test } from 'vitest'
import { arrayText, columnList, ident, literal, qualified } from '../../src/postgres/quote.js'
import { createDatabase } from '../support/databases.js'

const hostile = [
  'plain',
  "it's",
  'a"b',
  'back\\slash',
  'mixed \'"\\',
  '',
  ' ',
  '{}',
  'NULL',
  'a,b',
  '\n\t',
  '日本',
  '; DROP TABLE t; --',
  '$1',
  '%I'
]

test('whatever is quoted comes back as it was', async () => {
  const db = await createDatabase('quote')
  try {
    for (const value of hostile) {
      expect((await db.query(`SELECT ${literal(value)} AS v`))[0]!.v).toBe(value)
      if (value !== '')
        expect(Object.keys((await db.query(`SELECT 1 AS ${ident(value)}`))[0]!)).toEqual([value])
    }
    const list = [...hostile, null]
    expect((await db.query('SELECT $1::text[] AS v', [arrayText(list)]))[0]!.v).toEqual(list)
    expect((await db.query(`SELECT ${literal(arrayText(list))}::text[] AS v`))[0]!.v).toEqual(list)
  } finally {
    await db.drop()
  }
})

test('names', () => {
  expect(qualified('S', 'a"b')).toBe('"S"."a""b"')
  expect(columnList(['a', 'B"'], 't.')).toBe('t."a", t."B"""')
})
