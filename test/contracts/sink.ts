/**
 * What every sink must do, told once and run over each adapter on a real server. Whatever it makes of a batch inside, its rows must end
 * as those of a model that takes the changes one by one, and its position must be where its rows are.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { Change, ChangeBatch, Operation, Sink } from '../../src/follow/ports.js'
import { keyOf, nameOf, type FollowedColumn, type FollowedTable } from '../../src/follow/table.js'
import { lineOf, valuesOf } from '../../src/postgres/copytext.js'

/** One place that sinks write to; `drop` ends what is left open and takes it away. */
export interface SinkBench {
  /** A sink for the stream of this name. */
  open(stream: string): Promise<Sink>
  /** Makes the table, with its key, where the sink expects to find it. */
  create(table: FollowedTable): Promise<void>
  /** What the sink's table has, as lines in the order of the shape; in any order. */
  lines(table: FollowedTable): Promise<string[]>
  drop(): Promise<void>
}

export interface SinkTraits {
  /** A batch or load that fails or is given up leaves no row behind; else only the position stays where it was. */
  atomic: boolean
  /** Its types hold all that PostgreSQL's hold: infinite dates, NaN as a numeric. */
  everyValue: boolean
}

const never = new AbortController().signal

/** A column whose type is one that PostgreSQL brings. */
export function column(name: string, type: string, more: Partial<FollowedColumn> = {}): FollowedColumn {
  const base = type.replace(/\(.*\)/, '')
  return { name, type, base, kind: 'b', builtin: true, array: false, notNull: false, missing: null, ...more }
}

/** The first column is the key. */
export function shape(name: string, ...columns: FollowedColumn[]): FollowedTable {
  const [key, ...others] = columns as [FollowedColumn, ...FollowedColumn[]]
  return { schema: 'public', name, columns: [{ ...key, notNull: true }, ...others], keyLength: 1 }
}

let made = 0
/** A table that no other test has: a number as key, two texts and a number. */
export const itemsTable = (): FollowedTable =>
  shape(
    `items_${++made}`,
    column('id', 'bigint'),
    column('name', 'text'),
    column('note', 'text'),
    column('amount', 'integer')
  )

/** Makes changes and batches, each later than all before it. */
export class Author {
  #version = 0n

  get position(): string {
    return `${this.#version.toString(16).padStart(16, '0')}:00000000`
  }

  change(table: FollowedTable, operation: Operation, more: Partial<Change> = {}): Change {
    return { table, operation, version: ++this.#version, position: this.position, ...more }
  }

  insert(table: FollowedTable, ...values: (string | null)[]): Change {
    return this.change(table, 'insert', { row: lineOf(values) })
  }

  update(table: FollowedTable, ...values: (string | null)[]): Change {
    return this.change(table, 'update', { row: lineOf(values) })
  }

  /** @param old the key that the row had. */
  rename(table: FollowedTable, old: string, ...values: (string | null)[]): Change {
    return this.change(table, 'update', { row: lineOf(values), old: lineOf([old]) })
  }

  remove(table: FollowedTable, key: string): Change {
    return this.change(table, 'delete', { old: lineOf([key]) })
  }

  batch(...changes: Change[]): ChangeBatch {
    this.#version++
    return { changes, position: this.position, committedAt: undefined }
  }
}

/** Takes the changes one by one. */
export class Model {
  readonly #tables = new Map<string, Map<string, string>>()

  of(table: FollowedTable): Map<string, string> {
    const known = this.#tables.get(nameOf(table)) ?? new Map<string, string>()
    this.#tables.set(nameOf(table), known)
    return known
  }

  apply(changes: readonly Change[]): void {
    for (const { table, operation, row, old, absent = [] } of changes) {
      const rows = this.of(table)
      const before = rows.get(keyOf(table, old ?? row ?? ''))
      if (operation === 'truncate') rows.clear()
      else if (old !== undefined) rows.delete(keyOf(table, old))
      if (row === undefined) continue
      const values = valuesOf(row)
      for (const index of absent) values[index] = valuesOf(before!)[index]!
      rows.set(keyOf(table, row), lineOf(values))
    }
  }

  lines(table: FollowedTable): string[] {
    return [...this.of(table).values()].sort()
  }
}

async function* pieces(text: string, size: number): AsyncGenerator<Buffer> {
  const bytes = Buffer.from(text)
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

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

const texts = ['', 'one', 'a\tb', 'line\nend\r', 'back\\slash \\N \\.', 'zwölf 😀', 'it\'s "quoted"', null]

/** Changes as a database could have made them. */
function randomChanges(
  author: Author,
  model: Model,
  tables: readonly FollowedTable[],
  random: () => number,
  partial: boolean
): Change[] {
  const pick = <T>(values: readonly T[]): T => values[Math.floor(random() * values.length)]!
  return Array.from({ length: Math.floor(random() * 15) }, () => {
    const table = pick(tables)
    const keys = [...model.of(table).keys()]
    const free = ['1', '2', '3', '4', '5', '6', '7', '8'].filter(key => !keys.includes(key))
    const values = () => [pick(texts), pick(texts), pick(['1', '-2147483648', null])]
    const choice = random()
    const change = (): Change => {
      if (choice < 0.03) return author.change(table, 'truncate')
      if (keys.length === 0 || (choice < 0.4 && free.length > 0))
        return author.insert(table, pick(free), ...values())
      if (choice < 0.6) return author.remove(table, pick(keys))
      const old = pick(keys)
      const key = choice < 0.75 && free.length > 0 ? pick(free) : old
      const made =
        key === old ? author.update(table, key, ...values()) : author.rename(table, old, key, ...values())
      if (!partial || random() < 0.6) return made
      const absent = [1, 2, 3].filter(() => random() < 0.4)
      const row = valuesOf(made.row!).map((value, i) => (absent.includes(i) ? null : value))
      return { ...made, row: lineOf(row), absent }
    }
    const next = change()
    model.apply([next])
    return next
  })
}

export function sinkContract(name: string, setup: () => Promise<SinkBench>, traits: SinkTraits): void {
  describe(`${name}: the sink contract`, () => {
    let bench: SinkBench
    const open: Sink[] = []
    let streams = 0

    beforeAll(async () => void (bench = await setup()))
    afterEach(async () => void (await Promise.all(open.splice(0).map(sink => sink.close()))))
    afterAll(() => bench?.drop())

    const openSink = async (stream: string): Promise<Sink> => {
      const sink = await bench.open(stream)
      open.push(sink)
      return sink
    }
    const closeSink = async (sink: Sink): Promise<void> => {
      open.splice(open.indexOf(sink), 1)
      await sink.close()
    }
    /** A sink of a new stream, whose state is remembered, and tables that it is ready to write. */
    const begin = async (...tables: FollowedTable[]) => {
      const stream = `contract_${++streams}`
      const sink = await openSink(stream)
      for (const table of tables) {
        await bench.create(table)
        await sink.prepare(table)
      }
      await sink.remember({ origin: 'contract', position: null, tables: {} })
      return { sink, stream, author: new Author() }
    }
    const lines = async (table: FollowedTable) => (await bench.lines(table)).sort()
    const expectRows = async (table: FollowedTable, ...rows: (string | null)[][]) =>
      expect(await lines(table)).toEqual(rows.map(lineOf).sort())

    test('rows are inserted, updated and deleted', async () => {
      const items = itemsTable()
      const { sink, author } = await begin(items)
      const first = Array.from({ length: 5 }, (_, i) => author.insert(items, String(i), `n${i}`, null, '7'))
      await sink.write(author.batch(...first), never)
      await sink.write(
        author.batch(
          author.update(items, '1', 'new', 'there', '8'),
          author.remove(items, '2'),
          author.insert(items, '9', '', null, null)
        ),
        never
      )
      await expectRows(
        items,
        ['0', 'n0', null, '7'],
        ['1', 'new', 'there', '8'],
        ['3', 'n3', null, '7'],
        ['4', 'n4', null, '7'],
        ['9', '', null, null]
      )
    })

    test('a thousand rows in a batch, and all of them again', async () => {
      const items = itemsTable()
      const { sink, author } = await begin(items)
      const batch = (value: string, make: 'insert' | 'update') =>
        author.batch(
          ...Array.from({ length: 1000 }, (_, i) => author[make](items, String(i), value, null, '1'))
        )
      await sink.write(batch('a', 'insert'), never)
      await sink.write(batch('b', 'update'), never)
      const removed = Array.from({ length: 998 }, (_, i) => author.remove(items, String(i)))
      await sink.write(author.batch(...removed), never)
      await expectRows(items, ['998', 'b', null, '1'], ['999', 'b', null, '1'])
    })

    test('of many changes of one row in a batch, the last one counts', async () => {
      const items = itemsTable()
      const { sink, author } = await begin(items)
      await sink.write(
        author.batch(
          author.insert(items, '1', 'first', null, null),
          author.remove(items, '1'),
          author.insert(items, '1', 'second', null, null),
          author.insert(items, '2', 'gone', null, null),
          author.update(items, '1', 'third', null, null),
          author.remove(items, '2')
        ),
        never
      )
      await expectRows(items, ['1', 'third', null, null])
      const again = [author.remove(items, '1'), author.insert(items, '1', 'fourth', null, null)]
      await sink.write(author.batch(...again), never)
      await expectRows(items, ['1', 'fourth', null, null])
    })

    test('a row takes another key', async () => {
      const items = itemsTable()
      const { sink, author } = await begin(items)
      const rows = ['1', '2', '3'].map(key => author.insert(items, key, `was ${key}`, null, null))
      await sink.write(author.batch(...rows), never)
      await sink.write(author.batch(author.rename(items, '1', '10', 'was 1', null, null)), never)
      await expectRows(
        items,
        ['10', 'was 1', null, null],
        ['2', 'was 2', null, null],
        ['3', 'was 3', null, null]
      )
      await sink.write(
        author.batch(
          author.rename(items, '2', '99', 'was 2', null, null),
          author.rename(items, '3', '2', 'was 3', null, null),
          author.rename(items, '99', '3', 'was 2', null, null)
        ),
        never
      )
      await expectRows(
        items,
        ['10', 'was 1', null, null],
        ['2', 'was 3', null, null],
        ['3', 'was 2', null, null]
      )
    })

    test('a truncate in the middle of a batch takes what was before it', async () => {
      const [items, others] = [itemsTable(), itemsTable()]
      const { sink, author } = await begin(items, others)
      const rows = [items, others].map(table => author.insert(table, '1', 'old', null, null))
      await sink.write(author.batch(...rows), never)
      await sink.write(
        author.batch(
          author.insert(items, '2', 'before', null, null),
          author.insert(others, '2', 'stays', null, null),
          author.change(items, 'truncate'),
          author.insert(items, '3', 'after', null, null)
        ),
        never
      )
      await expectRows(items, ['3', 'after', null, null])
      await expectRows(others, ['1', 'old', null, null], ['2', 'stays', null, null])
    })

    test('the same batch twice does no harm', async () => {
      const items = itemsTable()
      const { sink, author } = await begin(items)
      const model = new Model()
      const batches = [
        author.batch(author.insert(items, '1', 'a', null, null), author.insert(items, '2', 'b', null, null)),
        author.batch(
          author.update(items, '1', 'c', null, null),
          author.remove(items, '2'),
          author.insert(items, '3', 'd', null, null),
          author.rename(items, '1', '4', 'c', null, null),
          author.insert(items, '1', 'e', null, null)
        )
      ]
      for (const batch of batches) {
        model.apply(batch.changes)
        await sink.write(batch, never)
        await sink.write(batch, never)
      }
      expect(await lines(items)).toEqual(model.lines(items))
    })

    test('what it remembers is there when it is opened again', async () => {
      const items = itemsTable()
      const { sink, stream, author } = await begin(items)
      const state = {
        origin: 'a "source"',
        position: null,
        tables: { 'public.items': null, 'public."O t"': '7' }
      }
      await sink.remember(state)
      expect(await sink.recall()).toEqual(state)
      const batch = author.batch(author.insert(items, '1', 'a', null, null))
      await sink.write(batch, never)
      expect(await sink.recall()).toEqual({ ...state, position: batch.position })
      await closeSink(sink)
      const again = await openSink(stream)
      expect(await again.recall()).toEqual({ ...state, position: batch.position })
      const other = { origin: 'b', position: 'x', tables: {} }
      await again.remember(other)
      expect(await again.recall()).toEqual(other)
      expect(await (await openSink(`${stream}_new`)).recall()).toBeUndefined()
    })

    test('after it is opened again it goes on', async () => {
      const items = itemsTable()
      const { sink, stream, author } = await begin(items)
      await sink.write(author.batch(author.insert(items, '1', 'a', null, null)), never)
      await closeSink(sink)
      const again = await openSink(stream)
      await again.recall()
      await again.prepare(items)
      const batch = author.batch(
        author.update(items, '1', 'b', null, null),
        author.insert(items, '2', 'c', null, null)
      )
      await again.write(batch, never)
      await expectRows(items, ['1', 'b', null, null], ['2', 'c', null, null])
      expect((await again.recall())?.position).toBe(batch.position)
    })

    test('an empty batch moves the position alone', async () => {
      const items = itemsTable()
      const { sink, author } = await begin(items)
      await sink.write(author.batch(author.insert(items, '1', 'a', null, null)), never)
      const empty = author.batch()
      await sink.write(empty, never)
      expect((await sink.recall())?.position).toBe(empty.position)
      await expectRows(items, ['1', 'a', null, null])
    })

    test('a batch that fails does not move the position', async () => {
      const items = itemsTable()
      const { sink, stream, author } = await begin(items)
      const good = author.batch(author.insert(items, '1', 'a', null, '1'))
      await sink.write(good, never)
      const bad = author.batch(
        author.insert(items, '2', 'b', null, '1'),
        author.insert(items, '3', 'c', null, 'many')
      )
      await expect(sink.write(bad, never)).rejects.toThrow(items.name)
      await closeSink(sink)
      const again = await openSink(stream)
      expect((await again.recall())?.position).toBe(good.position)
      if (traits.atomic) await expectRows(items, ['1', 'a', null, '1'])
      await again.prepare(items)
      await again.write(author.batch(author.insert(items, '2', 'b', null, '2')), never)
      await expectRows(items, ['1', 'a', null, '1'], ['2', 'b', null, '2'])
    })

    test('a copy is loaded, and changes go on from there', async () => {
      const items = itemsTable()
      const { sink, author } = await begin(items)
      expect(await sink.hasRows(items)).toBe(false)
      const rows = Array.from({ length: 3000 }, (_, i) => [String(i), `zwölf\t${i}`, null, String(i)])
      const text = rows.map(row => `${lineOf(row)}\n`).join('')
      expect(await sink.load(items, pieces(text, 1001), never)).toBe(3000)
      expect(await sink.hasRows(items)).toBe(true)
      expect(await lines(items)).toEqual(rows.map(lineOf).sort())
      const batch = author.batch(
        author.update(items, '0', 'changed', null, null),
        author.remove(items, '1'),
        author.insert(items, '3000', 'new', null, null)
      )
      await sink.write(batch, never)
      const now = [['0', 'changed', null, null], ...rows.slice(2), ['3000', 'new', null, null]]
      expect(await lines(items)).toEqual(now.map(lineOf).sort())
      await sink.clear(items)
      expect(await sink.hasRows(items)).toBe(false)
      expect(await lines(items)).toEqual([])
      expect(await sink.load(items, pieces('', 1), never)).toBe(0)
    })

    test('tables are loaded in an order that names each once', async () => {
      const tables = [itemsTable(), itemsTable(), itemsTable()]
      const { sink } = await begin(...tables)
      expect(new Set(sink.loadOrder(tables))).toEqual(new Set(tables))
      expect(sink.loadOrder(tables)).toHaveLength(3)
    })

    test('a load that fails is its error', async () => {
      const items = itemsTable()
      const { sink, stream } = await begin(items)
      const broken = async function* () {
        yield Buffer.from('1\ta\t\\N\t1\n')
        throw new Error('main is gone')
      }
      await expect(sink.load(items, broken(), never)).rejects.toThrow('main is gone')
      await closeSink(sink)
      const again = await openSink(stream)
      await again.prepare(items)
      if (traits.atomic) expect(await again.hasRows(items)).toBe(false)
      await again.clear(items)
      expect(await again.load(items, pieces('1\ta\t\\N\t1\n', 4), never)).toBe(1)
      await expectRows(items, ['1', 'a', null, '1'])
    })

    test('what is given up ends at once', async () => {
      const items = itemsTable()
      const { sink, stream, author } = await begin(items)
      const gone = AbortSignal.abort(new Error('given up'))
      const batch = author.batch(author.insert(items, '1', 'a', null, null))
      await expect(sink.write(batch, gone)).rejects.toThrow('given up')
      const stop = new AbortController()
      let asked = 0
      const endless = async function* () {
        for (;;) {
          if (++asked === 3) stop.abort(new Error('given up'))
          if (asked === 3) await delay(60_000, undefined, { ref: false })
          yield Buffer.from(`${asked}\ta\t\\N\t1\n`)
        }
      }
      await expect(sink.load(items, endless(), stop.signal)).rejects.toThrow('given up')
      await closeSink(sink)
      const again = await openSink(stream)
      await again.prepare(items)
      if (traits.atomic) await expectRows(items)
      expect((await again.recall())?.position).toBeNull()
    })

    test('two streams stand side by side', async () => {
      const [left, right] = [await begin(itemsTable()), await begin(itemsTable())]
      const [mine, theirs] = [itemsTable(), itemsTable()]
      for (const [sink, table] of [
        [left.sink, mine],
        [right.sink, theirs]
      ] as const) {
        await bench.create(table)
        await sink.prepare(table)
      }
      const first = left.author.batch(left.author.insert(mine, '1', 'left', null, null))
      right.author.batch()
      const second = right.author.batch(right.author.insert(theirs, '1', 'right', null, null))
      await Promise.all([left.sink.write(first, never), right.sink.write(second, never)])
      expect((await left.sink.recall())?.position).toBe(first.position)
      expect((await right.sink.recall())?.position).toBe(second.position)
      await expectRows(mine, ['1', 'left', null, null])
      await expectRows(theirs, ['1', 'right', null, null])
    })

    test('values come through as they are', async () => {
      const table = shape(
        `exact_${++made}`,
        column('id', 'bigint'),
        column('t', 'text'),
        column('d', 'double precision'),
        column('n', 'numeric(20,5)'),
        column('ts', 'timestamp without time zone')
      )
      const { sink, author } = await begin(table)
      const rows: (string | null)[][] = [
        ...texts.map((text, i) => [String(i), text, null, null, null]),
        [
          '-9223372036854775808',
          'x'.repeat(100_000),
          '0.1',
          '-123456789012345.12345',
          '1969-12-31 23:59:59.999999'
        ],
        ['9223372036854775807', '\u0001\u007f\u2028\ufeff', '1e-05', '0.00001', '2099-01-01 00:00:00.000001']
      ]
      if (traits.everyValue) {
        rows.push(['100', 'bounds', 'NaN', 'NaN', 'infinity'])
        rows.push(['101', 'bounds', '-Infinity', null, '4713-01-01 00:00:00 BC'])
      }
      const changes = rows.map(row => author.insert(table, ...row))
      await sink.write(author.batch(...changes), never)
      await expectRows(table, ...rows)
      await sink.write(author.batch(...rows.map(row => author.update(table, ...row))), never)
      await expectRows(table, ...rows)
      await sink.clear(table)
      const text = rows.map(row => `${lineOf(row)}\n`).join('')
      expect(await sink.load(table, pieces(text, 999), never)).toBe(rows.length)
      await expectRows(table, ...rows)
    })

    test('names and keys may be any', async () => {
      const table: FollowedTable = {
        schema: 'public',
        name: `The "Items" ${++made}`,
        columns: [
          column('Key', 'text', { notNull: true }),
          column('second key', 'integer', { notNull: true }),
          column('select', 'text')
        ],
        keyLength: 2
      }
      const { sink, author } = await begin(table)
      await sink.write(
        author.batch(
          author.insert(table, 'a\tb', '1', 'one'),
          author.insert(table, 'a\tb', '2', 'two'),
          author.insert(table, "'\\", '1', 'three')
        ),
        never
      )
      await sink.write(
        author.batch(
          author.update(table, 'a\tb', '1', 'ONE'),
          author.change(table, 'delete', { old: lineOf(['a\tb', '2']) }),
          author.change(table, 'update', {
            old: lineOf(["'\\", '1', 'three']),
            row: lineOf(["'\\", '3', null])
          })
        ),
        never
      )
      await expectRows(table, ['a\tb', '1', 'ONE'], ["'\\", '3', null])
    })

    test('absent values stay what they are', async context => {
      const items = itemsTable()
      const { sink, author } = await begin(items)
      if (!sink.capabilities.partial) return context.skip()
      const big = 'large '.repeat(1000)
      const rows = ['1', '2', '3'].map(key => author.insert(items, key, 'a', big, '1'))
      await sink.write(author.batch(...rows), never)
      const absent = [2]
      await sink.write(
        author.batch(
          { ...author.update(items, '1', 'b', null, '2'), absent },
          author.insert(items, '4', 'c', 'new', '3'),
          { ...author.update(items, '4', 'd', null, '4'), absent },
          { ...author.update(items, '3', 'f', null, null), absent: [2, 3] },
          { ...author.update(items, '3', null, 'known', '6'), absent: [1] }
        ),
        never
      )
      const moved = author.rename(items, '2', '20', 'e', null, '5')
      await sink.write(author.batch({ ...moved, absent }), never)
      await expectRows(
        items,
        ['1', 'b', big, '2'],
        ['4', 'd', 'new', '4'],
        ['20', 'e', big, '5'],
        ['3', 'f', 'known', '6']
      )
      const lost = author.batch({ ...author.update(items, '77', 'g', null, '7'), absent })
      await expect(sink.write(lost, never)).rejects.toThrow(/items_\d+.*77/)
    })

    test('a hundred random histories', async () => {
      const tables = [itemsTable(), itemsTable()]
      const { sink, author } = await begin(...tables)
      for (let seed = 1; seed <= 100; seed++) {
        for (const table of tables) await sink.clear(table)
        const random = randomFrom(seed)
        const model = new Model()
        const history: string[] = []
        for (let i = 0; i < 4; i++) {
          const changes = randomChanges(author, model, tables, random, sink.capabilities.partial)
          const batch = author.batch(...changes)
          const times = random() < 0.2 ? 2 : 1
          for (let time = 0; time < times; time++) await sink.write(batch, never)
          history.push(
            ...changes.map(({ table, operation, old, row }) => [table.name, operation, old, row].join(' ')),
            `written ${times} times`
          )
        }
        for (const table of tables) {
          const found = await lines(table)
          expect(found, `seed ${seed}:\n${history.join('\n')}`).toEqual(model.lines(table))
        }
      }
    })
  })
}
