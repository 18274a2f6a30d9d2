/** Which columns rows are matched by, and how keys travel. */
import { describe, expect, test } from 'vitest'
import { commonKey, decodeKey, keyColumn, keyIn, keyRange, ordersAlike } from '../../src/data/key.js'
import type { Column, Key, Table } from '../../src/postgres/tables.js'

const column = (name: string, base: string, more: Partial<Column> = {}): Column => ({
  name,
  type: base,
  base,
  kind: 'b',
  builtin: true,
  foreignElement: false,
  array: false,
  notNull: true,
  generated: '',
  identity: '',
  collation: '',
  deterministic: true,
  ...more
})
const key = (columns: string[], more: Partial<Key> = {}): Key => ({
  columns,
  primary: true,
  immediate: true,
  ...more
})
const table = (columns: Column[], keys: Key[]) => ({ columns, keys }) as Table
const all = (one: Table) => new Set(one.columns.map(({ name }) => name))
const chosen = (main: Table, standby = main) => commonKey(main, standby, all(main))?.columns

describe('the key of both sides', () => {
  test('is the first that both have', () => {
    const columns = [column('id', 'integer'), column('code', 'uuid')]
    const both = table(columns, [key(['id']), key(['code'], { primary: false })])
    expect(chosen(both)).toEqual(['id'])
    expect(chosen(both, table(columns, [key(['code'])]))).toEqual(['code'])
    expect(chosen(both, table(columns, []))).toBeUndefined()
  })

  test('can be an upsert’s arbiter only where the standby checks it at once', () => {
    const columns = [column('id', 'integer')]
    const deferred = table(columns, [key(['id'], { immediate: false })])
    const plain = table(columns, [key(['id'])])
    expect(commonKey(plain, deferred, all(plain))?.immediate).toBe(false)
    expect(commonKey(deferred, plain, all(plain))?.immediate).toBe(true)
  })

  test.each<[string, Column, boolean]>([
    ['numeric', column('k', 'numeric'), true],
    ['an enum', column('k', 'mood', { kind: 'e' }), true],
    ['text', column('k', 'text', { collation: 'C@UTF8' }), true],
    ['text under a nondeterministic collation', column('k', 'text', { deterministic: false }), false],
    ['floats: −0 = 0', column('k', 'double precision'), false],
    ['intervals: 24 hours = 1 day', column('k', 'interval'), false],
    ['jsonb', column('k', 'jsonb'), false],
    ['arrays', column('k', 'integer[]', { array: true }), false]
  ])('of %s', (_, one, usable) => expect(chosen(table([one], [key(['k'])])) !== undefined).toBe(usable))

  test('needs the same type on both sides, and columns that are compared', () => {
    const main = table([column('k', 'integer')], [key(['k'])])
    expect(chosen(main, table([column('k', 'bigint')], [key(['k'])]))).toBeUndefined()
    expect(commonKey(main, main, new Set())).toBeUndefined()
  })
})

describe('whether both sides sort alike', () => {
  const alike = (a: Partial<Column>, b = a) => {
    const side = (more: Partial<Column>) => table([column('k', 'text', more)], [key(['k'])])
    return ordersAlike(side(a), side(b), key(['k']))
  }
  test.each<[string, string, boolean]>([
    ['C@UTF8', 'C@UTF8', true],
    ['C@UTF8', 'C@EUC_JP', false],
    ['i:de::153.120', 'i:de::153.120', true],
    ['i:de::153.120', 'i:de::153.121', false],
    ['i:de::153.120', 'i:sv::153.120', false],
    // No version is known: glibc may sort otherwise on the other machine.
    ['c:en_US.utf8::', 'c:en_US.utf8::', false]
  ])('%s and %s', (a, b, expected) => expect(alike({ collation: a }, { collation: b })).toBe(expected))

  test('an enum never does: its order is that of its making', () => {
    const one = table([column('k', 'mood', { kind: 'e' })], [key(['k'])])
    expect(ordersAlike(one, one, key(['k']))).toBe(false)
  })
})

describe('keys on the wire', () => {
  test('no digit is lost', () => {
    const bytes = Buffer.alloc(8)
    for (const value of ['9223372036854775807', '-9223372036854775808', '0', '-1']) {
      bytes.writeBigInt64BE(BigInt(value))
      expect(decodeKey(keyColumn(column('id', 'bigint')), bytes, 0, 8)).toBe(value)
    }
  })

  test('a uuid, a place and a text', () => {
    const uuid = '01234567-89ab-cdef-0123-456789abcdef'
    expect(
      decodeKey(keyColumn(column('k', 'uuid')), Buffer.from(uuid.replaceAll('-', ''), 'hex'), 0, 16)
    ).toBe(uuid)
    expect(
      decodeKey(
        { name: 'ctid', type: 'tid', width: 6, encoded: '' },
        Buffer.from('000000010002', 'hex'),
        0,
        6
      )
    ).toBe('(1,2)')
    expect(decodeKey(keyColumn(column('k', 'text')), Buffer.from('xä日y', 'utf8'), 1, 6)).toBe('ä日')
  })
})

describe('conditions', () => {
  const [a, b] = [keyColumn(column('a', 'integer')), keyColumn(column('b"', 'text'))]
  test('a range is half open, and open where it has no bound; composite keys compare as rows', () => {
    expect(keyRange([a], ['1'], ['9'])).toBe(`t."a" >= '1'::integer AND t."a" < '9'::integer`)
    expect(keyRange([a], undefined, undefined)).toBe('true')
    expect(keyRange([a, b], ['1', "it's"], undefined)).toBe(
      `(t."a", t."b""") >= ('1'::integer, 'it''s'::text)`
    )
  })

  test('a list', () => {
    expect(keyIn([a], [['1', '2']])).toBe(`t."a" = ANY ('{"1","2"}'::integer[])`)
    expect(keyIn([a, b], [['1'], ['x"y']])).toContain('IN (SELECT * FROM unnest(')
  })
})
