/** What is encoded is decoded as the same change, is what docs/message.schema.json says, and what is no message is refused in words. */
import { readFileSync } from 'node:fs'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { describe, expect, test, vi } from 'vitest'
import { FollowError } from '../../../src/core/errors.js'
import { Decoder } from '../../../src/follow/message/decode.js'
import { Encoder } from '../../../src/follow/message/encode.js'
import { floatText } from '../../../src/follow/message/floats.js'
import type { Change } from '../../../src/follow/ports.js'
import { keyOf, nameOf, type FollowedTable } from '../../../src/follow/table.js'
import { Reader } from '../../../src/follow/transports/broker.js'
import { lineOf, valuesOf } from '../../../src/postgres/copytext.js'
import { createDatabase } from '../../support/databases.js'
import { column } from '../../contracts/sink.js'

const schema = JSON.parse(readFileSync('docs/message.schema.json', 'utf8')) as object
const fits = new Ajv2020({ allErrors: true, allowUnionTypes: true }).compile(schema)

const all: FollowedTable = {
  schema: 'public',
  name: 'every "type"',
  columns: [
    column('id', 'bigint', { notNull: true }),
    column('code "x"', 'text', { notNull: true }),
    column('small', 'smallint'),
    column('whole', 'integer'),
    column('flag', 'boolean'),
    column('single', 'real'),
    column('double', 'double precision'),
    column('amount', 'numeric(30,10)'),
    column('body', 'text'),
    column('at', 'timestamp with time zone'),
    column('data', 'jsonb'),
    column('tags', 'text[]', { base: 'text[]', array: true }),
    column('mood', 'mood', { kind: 'e', builtin: false }),
    column('__proto__', 'integer')
  ],
  keyLength: 2
}
const items: FollowedTable = {
  schema: 'public',
  name: 'items',
  columns: [column('id', 'integer', { notNull: true }), column('name', 'text')],
  keyLength: 1
}
const log: FollowedTable = {
  schema: 'audit',
  name: 'log',
  columns: [column('line', 'text')],
  keyLength: 0
}
const tables = [all, items, log]
const decoder = new Decoder((schema, name) =>
  tables.find(table => table.schema === schema && table.name === name)
)
const encoder = new Encoder({ stream: 'default' })

const through = (change: Change, committedAt?: number, by = encoder): Change[] =>
  by.encode({ changes: [change], position: 'p', committedAt }).map(({ json }) => {
    expect(fits(JSON.parse(json)) ? [] : fits.errors).toEqual([])
    const decoded = decoder.decode(json)
    // Another's JSON, which only looks otherwise, is the same to it.
    expect(decoder.decode(json.replace('{', '{ '))).toEqual(decoded)
    return decoded.change
  })

const first = (by: Encoder, change: Change, committedAt: number) =>
  by.encode({ changes: [change], position: 'p', committedAt })[0]!

/** Numbers from 0 up to but not including 1, the same for the same seed (mulberry32). */
function randomFrom(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}

const texts = [
  '',
  'plain',
  '\\N',
  'tab\tnew\nline\rback\\slash',
  '"quoted" \b\f\v\u0001\u007f',
  'zwölf 😀 \u2028',
  '{"a": 1}',
  'null',
  '1e5'
]
const bits = new DataView(new ArrayBuffer(8))

/** A value of the column's type as PostgreSQL prints it. */
function randomValue(random: () => number, { base, notNull, builtin }: FollowedTable['columns'][number]) {
  const pick = <T>(...values: T[]): T => values[Math.floor(random() * values.length)]!
  const whole = (limit: number) => String(Math.floor((random() * 2 - 1) * limit))
  const double = () => {
    for (let i = 0; i < 8; i++) bits.setUint8(i, Math.floor(random() * 256))
    const value = pick(bits.getFloat64(0), (random() - 0.5) * 10 ** Math.floor(random() * 20 - 5))
    return Number.isFinite(value) ? floatText(value, 15) : 'NaN'
  }
  if (!notNull && random() < 0.15) return null
  if (!builtin) return pick('happy', 'so "so"')
  switch (base) {
    case 'smallint':
      return pick(whole(2 ** 15), '-32768', '0')
    case 'integer':
      return pick(whole(2 ** 31), '2147483647')
    case 'bigint':
      return pick(String(BigInt(whole(2 ** 53)) * 1021n), '9223372036854775807', '-9223372036854775808')
    case 'boolean':
      return pick('t', 'f')
    case 'real':
      return pick('0.1', '1e+06', '123456', '1e-05', '-0', 'NaN', 'Infinity', '3.4028235e+38', '1e-45')
    case 'double precision':
      return pick(double(), double(), '-0', '1e+15', '0.0001', 'Infinity', '-Infinity', 'NaN')
    case 'numeric':
      return pick('12345678901234567890.0123456789', '0.0000000000', 'NaN', '-1')
    case 'timestamp with time zone':
      return pick('infinity', '2026-01-02 03:04:05.678901+00', '0044-03-15 00:00:00+00 BC')
    default:
      return pick(...texts)
  }
}

test('is the same change on the other side, whatever its values', () => {
  const random = randomFrom(6)
  for (let n = 1; n <= 5000; n++) {
    const table = tables[n % tables.length]!
    const row = table.columns.map(one => randomValue(random, one))
    const before = [...row.slice(0, table.keyLength), ...row.slice(table.keyLength).map(() => null)]
    const common = { table, version: BigInt(n) * 2n ** 40n, position: n % 7 === 0 ? `p"${n}` : `p${n}` }
    const absent = random() < 0.3 && table.keyLength > 0 ? [table.keyLength, table.columns.length - 1] : []
    const known = row.map((value, at) => (absent.includes(at) ? null : value))
    const key = lineOf(row.slice(0, table.keyLength))
    const changes: Change[] = [
      { ...common, operation: 'insert', row: lineOf(row) },
      { ...common, operation: 'truncate' },
      ...(table.keyLength === 0
        ? []
        : ([
            {
              ...common,
              operation: 'update',
              row: lineOf(known),
              ...(absent.length > 0 && { absent: [...new Set(absent)] }),
              ...(random() < 0.5 && { old: random() < 0.5 ? key : lineOf(before) })
            },
            { ...common, operation: 'delete', old: random() < 0.5 ? key : lineOf(row) }
          ] as Change[]))
    ]
    for (const change of changes) expect(through(change, n)).toEqual([change])
  }
})

test('of a table that it knows, it reads what an encoder wrote without parsing JSON', () => {
  const change: Change = {
    table: all,
    operation: 'update',
    row: '7\tk\t1\t-2\tt\t0.1\t-0\t1.50\t\\N\tinfinity\t[1]\t{a}\thappy\t0',
    version: 9n,
    position: '12'
  }
  expect(through(change)).toEqual([change])
  const { json } = first(encoder, change, 1)
  const parse = vi.spyOn(JSON, 'parse')
  expect(decoder.decode(json).change).toEqual(change)
  expect(parse).not.toHaveBeenCalled()
  parse.mockRestore()
})

test('a message with one wrong letter is what it would be for JSON’s own parser', () => {
  const random = randomFrom(9)
  const change: Change = {
    table: items,
    operation: 'update',
    row: '12\ta\\tb"c',
    old: '12\tx',
    version: 3n,
    position: '3'
  }
  const { json } = first(encoder, change, 1)
  const read = (text: string) => {
    try {
      return decoder.decode(text)
    } catch (error) {
      return (error as Error).message
    }
  }
  let taken = 0
  for (let n = 0; n < 20_000; n++) {
    const at = Math.floor(random() * json.length)
    const letter = '"\\{},:0-9atn\n '[Math.floor(random() * 15)]!
    const text = json.slice(0, at) + letter + json.slice(at + (random() < 0.7 ? 1 : 0))
    if (!text.startsWith('{')) continue
    const result = read(text)
    if (typeof result !== 'string') taken++
    expect({ text, result }).toEqual({ text, result: read(text.replace('{', '{ ')) })
  }
  expect(taken).toBeGreaterThan(1000)
})

test('has the four fields of a change by their names, and values that any reader takes', () => {
  const row = [
    '7',
    'k',
    '1',
    '-2',
    't',
    '0.1',
    '-0',
    '1.50',
    'a"b',
    '2026-01-02 03:04:05+00',
    '{}',
    '{a}',
    'happy',
    null
  ]
  const { json } = first(
    encoder,
    { table: all, operation: 'insert', row: lineOf(row), version: 9n, position: '12' },
    Date.UTC(2026, 0, 2)
  )
  expect(json).toBe(
    '{"version":1,"stream":"default","schema":"public","table":"every \\"type\\"","operation":"INSERT","position":"12",' +
      '"row_version":"9","committed_at":"2026-01-02T00:00:00.000Z","key":{"id":"7","code \\"x\\"":"k"},' +
      '"new_record":{"id":"7","code \\"x\\"":"k","small":1,"whole":-2,"flag":true,"single":0.1,"double":-0.0,"amount":"1.50",' +
      '"body":"a\\"b","at":"2026-01-02 03:04:05+00","data":"{}","tags":"{a}","mood":"happy","__proto__":null},"old_record":null}'
  )
})

test('a change of the key is the old key’s delete and then the new key’s insert', () => {
  const change: Change = {
    table: items,
    operation: 'update',
    old: '1\told',
    row: '2\t\\N',
    absent: [1],
    version: 5n,
    position: '5'
  }
  const encoded = encoder.encode({ changes: [change], position: '5', committedAt: undefined })
  expect(encoded.map(({ key }) => key)).toEqual(['public.items\n1', 'public.items\n2'])
  expect(through(change)).toEqual([
    { table: items, operation: 'delete', old: '1\told', version: 5n, position: '5' },
    { table: items, operation: 'insert', row: '2\told', version: 5n, position: '5' }
  ])
  expect(() => through({ ...change, old: '1' })).toThrow(/REPLICA IDENTITY FULL|does not tell all/)
})

test('with the key alone, all else is absent', () => {
  const keys = new Encoder({ stream: 'default', payload: 'key' })
  const common = { table: items, version: 5n, position: '5' }
  const change: Change = { ...common, operation: 'update', row: '1\tsecret', old: '1\told' }
  const { json } = first(keys, change, 1)
  expect(json).not.toContain('secret')
  expect(through(change, 1, keys)).toEqual([{ ...common, operation: 'update', row: '1\t\\N', absent: [1] }])
  expect(through({ ...common, operation: 'delete', old: '1\tx' }, 1, keys)).toEqual([
    { ...common, operation: 'delete', old: '1' }
  ])
})

test('a message from before a column was there has what rows had then', () => {
  const change: Change = { table: items, operation: 'insert', row: '1\ta', version: 1n, position: '1' }
  const { json } = first(encoder, change, 1)
  const wider = {
    ...items,
    columns: [
      ...items.columns,
      column('known', 'integer', { missing: '7' }),
      { ...column('unknown', 'integer'), missing: undefined as never }
    ]
  }
  expect(new Decoder(() => wider).decode(json).change).toMatchObject({ row: '1\ta\t7\t\\N', absent: [3] })
})

describe('what is no message is refused:', () => {
  const good = {
    version: 1,
    stream: 's',
    schema: 'public',
    table: 'items',
    operation: 'INSERT',
    position: '1',
    row_version: '1',
    committed_at: null,
    key: { id: 1 },
    new_record: { id: 1, name: 'a' },
    old_record: null
  }
  test.each([
    ['not JSON', '{', /is not JSON/],
    ['no object', '[]', /no JSON object/],
    ['another version', { ...good, version: 2 }, /has the version 2/],
    ['no position', { ...good, position: undefined }, /no position/],
    ['another operation', { ...good, operation: 'MERGE' }, /no operation/],
    ['a version that is no number', { ...good, row_version: '-1' }, /no row_version/],
    ['a table that is not known', { ...good, table: 'others' }, /public\.others is not known/],
    ['a column that is not known', { ...good, new_record: { id: 1, nope: 2 } }, /no column nope/],
    [
      'a value of another type',
      { ...good, new_record: { id: 1.5, name: 'a' } },
      /1\.5 is no value of the column id/
    ],
    ['a row without its key', { ...good, new_record: { name: 'a' } }, /lacks id/],
    [
      'a delete without its key',
      { ...good, operation: 'DELETE', new_record: null, old_record: { name: 'a' } },
      /lacks a column/
    ],
    ['neither key nor row', { ...good, key: null, new_record: null }, /neither a key nor a row/]
  ])('%s', (_, message, reason) => {
    const text = typeof message === 'string' ? message : JSON.stringify(message)
    expect(() => decoder.decode(text)).toThrow(reason)
    expect(() => decoder.decode(text)).toThrow(FollowError)
  })
  test('to whom it comes is told where it lies, and what to do', () => {
    const judged = new Reader({ shapeOf: () => items }).judge({ content: Buffer.from('{'), where: 'q at 7' })
    expect(judged).toMatchObject({
      poison: {
        message: 'a message is not JSON (q at 7)',
        hint: expect.stringContaining('--dead-letter-after')
      }
    })
    const other = JSON.stringify({ ...good, version: 2 })
    expect(
      new Reader({ shapeOf: () => items }).judge({ content: Buffer.from(other), where: 'q' })
    ).toMatchObject({
      poison: { hint: expect.stringContaining('the same pgsyncer') }
    })
  })
  test('while the good one is taken', () => {
    expect(decoder.decode(JSON.stringify(good)).change.row).toBe('1\ta')
  })
})

test('real and double precision are printed as PostgreSQL prints them', async () => {
  const database = await createDatabase('floats')
  try {
    const random = randomFrom(1)
    const powers = Array.from({ length: 60 }, (_, at) => at - 30)
    const values = powers.flatMap(power => [
      random() * 10 ** power,
      -1.5 * 10 ** power,
      Math.fround(random()) * 10 ** power
    ])
    const rows = await database.query<{ double: string; single: string }>(
      `SELECT v::text AS double, v::real::text AS single FROM unnest($1::float8[]) AS v`,
      [values]
    )
    for (const [at, { double, single }] of rows.entries()) {
      expect(floatText(values[at]!, 15)).toBe(double)
      expect(floatText(Number(single), 6)).toBe(single)
    }
    // It does not round to even where that would be shorter: other digits, the same number.
    expect(Number(floatText(1e23, 15))).toBe(Number('9.999999999999999e+22'))
  } finally {
    await database.drop()
  }
})

test('keys are the same text on both sides', () => {
  const change: Change = { table: items, operation: 'insert', row: '1\ta\\tb', version: 1n, position: '1' }
  const { key, table } = first(encoder, change, 1)
  expect(table).toBe(nameOf(items))
  expect(key).toBe(`public.items\n${keyOf(items, through(change)[0]!.row!)}`)
  expect(valuesOf(through(change)[0]!.row!)).toEqual(['1', 'a\tb'])
})
