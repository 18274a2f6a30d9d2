import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { FollowError } from '../../../../src/core/errors.js'
import type { FollowConfig } from '../../../../src/follow/config.js'
import type { FollowedTable } from '../../../../src/follow/table.js'
import { type ClickHouseServer, findClickHouse } from '../../../support/clickhouse.js'
import { openSink } from './bench.js'
import { fittingRows, fittingTable, fittingTypes, quoted } from './fitting.js'
import { createMain, load, type Main, write } from './main.js'

for (const kind of await findClickHouse()) {
  describe.skipIf(kind.skipReason)(`values into ClickHouse: ${kind.title}`, () => {
    let server: ClickHouseServer
    let main: Main
    beforeAll(async () => {
      server = await kind.start()
      main = await createMain()
      await main.exec(fittingTypes)
    })
    afterAll(async () => {
      await server?.close()
      await main?.drop()
    })
    const isNew = () => kind.name === 'chdb'

    /** All that the table has, as ClickHouse prints it. */
    const read = async (database: string, { name, columns }: FollowedTable) =>
      (
        await server.query(
          `SELECT ${columns.map(column => `\`${column.name}\``).join(', ')} FROM ${name} FINAL ORDER BY id`,
          database
        )
      ).map(row => Object.fromEntries(row.map((value, i) => [columns[i]!.name, value])))

    /** What both ways make of the table: the same. `ddl` is run in the database before. */
    async function both(table: FollowedTable, unfit: FollowConfig['unfit'] = 'error', ddl?: string) {
      const results: (Record<string, string>[] | Error)[] = []
      for (const way of [load, write]) {
        const database = await server.createDatabase()
        if (ddl) await server.query(ddl, database)
        const sink = await openSink(server.url(database), { unfit })
        try {
          await sink.prepare(table)
          await way(main, sink, table)
          results.push(await read(database, table))
        } catch (error) {
          results.push(error as Error)
        } finally {
          await sink.close()
        }
      }
      const [first, second] = results
      if (first instanceof Error && second instanceof Error) expect(first.message).toBe(second.message)
      else expect(first).toEqual(second)
      return first!
    }

    async function rows(table: FollowedTable, unfit: FollowConfig['unfit'] = 'error', ddl?: string) {
      const result = await both(table, unfit, ddl)
      if (result instanceof Error) throw result
      return result
    }

    test('come through both ways as they are', async () => {
      await main.exec(fittingTable('everything'))
      const table = await main.shape('everything')
      const found = await rows(table)
      expect(found).toHaveLength(fittingRows)
      const shown = table.columns.slice(1).map(({ name }) => ({
        [name]: [...new Set(found.map(row => row[name]))]
      }))
      expect(shown).toMatchSnapshot()
    })

    test('keys of any text', async () => {
      const keys = ['', 'id', 'a\tb', '\\N', ' ']
      await main.exec(
        `CREATE TABLE keys (id text COLLATE "C" PRIMARY KEY); INSERT INTO keys VALUES ${keys.map(key => `(${quoted(key)})`).join(', ')}`
      )
      const found = await rows(await main.shape('keys'))
      expect(found.map(({ id }) => id)).toEqual(['', ' ', String.raw`\\N`, String.raw`a\tb`, 'id'])
    })

    /** Makes a table of these two columns and these rows. */
    async function tableOf(name: string, type: string, values: (string | null)[]): Promise<FollowedTable> {
      const list = values.map((value, i) => `(${i}, ${quoted(value)})`)
      await main.exec(
        `CREATE TABLE ${name} (id integer PRIMARY KEY, v ${type}); INSERT INTO ${name} VALUES ${list.join(', ')}`
      )
      return main.shape(name)
    }
    const engine = 'ENGINE = ReplacingMergeTree(_version) ORDER BY id'
    const ddl = (name: string, type: string) =>
      `CREATE TABLE ${name} (id Int32, v ${type}, _version UInt64 DEFAULT 0, _is_deleted UInt8 DEFAULT 0) ${engine}`

    interface Case {
      /** PostgreSQL's. */
      type: string
      /** ClickHouse's; undefined: the one that is chosen. */
      target?: string
      values: (string | null)[]
      /** The value that is named; undefined: all fit. */
      error?: string
      null?: string[]
      clamp?: string[]
      /** A type that old servers do not have. */
      modern?: true
    }
    const N = String.raw`\N`
    const cases: Record<string, Case> = {
      'dates beyond': {
        type: 'date',
        values: [
          '2024-01-01',
          'infinity',
          '-infinity',
          '0044-03-15 BC',
          '1899-12-31',
          '2300-01-01',
          '12345-01-01'
        ],
        error: 'infinity',
        null: ['2024-01-01', N, N, N, N, N, N],
        clamp: [
          '2024-01-01',
          '2299-12-31',
          '1900-01-01',
          '1900-01-01',
          '1900-01-01',
          '2299-12-31',
          '2299-12-31'
        ],
        modern: true
      },
      'times beyond': {
        type: 'timestamptz',
        values: [
          '2024-01-01 00:00:00+00',
          'infinity',
          '-infinity',
          '0044-03-15 00:00:00+00 BC',
          '2300-01-01 00:00:00+00',
          '12345-01-01 00:00:00+00'
        ],
        error: 'infinity',
        null: ['2024-01-01 00:00:00.000000', N, N, N, N, N],
        clamp: [
          '2024-01-01 00:00:00.000000',
          '2299-12-31 23:59:59.999999',
          '1900-01-01 00:00:00.000000',
          '1900-01-01 00:00:00.000000',
          '2299-12-31 23:59:59.999999',
          '2299-12-31 23:59:59.999999'
        ],
        modern: true
      },
      'a NaN': {
        type: 'numeric(10,2)',
        values: ['1.5', 'NaN'],
        error: 'NaN',
        null: ['1.50', N],
        clamp: ['1.50', N]
      },
      'a NaN that cannot be NULL': { type: 'numeric(10,2) NOT NULL', values: ['NaN'], error: 'NaN' },
      'more digits': {
        type: 'numeric',
        target: 'Nullable(Decimal(5, 2))',
        values: [
          '1.50',
          '999.99',
          '1000',
          '-1000.5',
          '1.005',
          '999.995',
          'NaN',
          'Infinity',
          '-Infinity',
          '2.5000'
        ],
        error: '1000',
        null: ['1.50', '999.99', N, N, N, N, N, N, N, '2.50'],
        clamp: ['1.50', '999.99', '999.99', '-999.99', '1.01', '999.99', N, '999.99', '-999.99', '2.50']
      },
      'a wider Decimal': {
        type: 'numeric(5,2)',
        target: 'Nullable(Decimal(12, 4))',
        values: ['1.25'],
        null: ['1.2500'],
        clamp: ['1.2500']
      },
      'whole numbers': {
        type: 'bigint',
        target: 'Nullable(UInt8)',
        values: ['0', '255', '256', '-1', '9223372036854775807'],
        error: '256',
        null: ['0', '255', N, N, N],
        clamp: ['0', '255', '255', '0', '255']
      },
      'numerics as whole numbers': {
        type: 'numeric',
        target: 'Nullable(Int16)',
        values: ['1.00', '1.5', '-2.5', '40000', 'NaN'],
        error: '1.5',
        null: ['1', N, N, N, N],
        clamp: ['1', '2', '-3', '32767', N]
      },
      'times without fractions': {
        type: 'timestamptz',
        target: `Nullable(DateTime('UTC'))`,
        values: ['2024-01-01 00:00:00+00', '2024-01-01 00:00:00.5+00', '1969-12-31 23:59:59+00', 'infinity'],
        error: '2024-01-01 00:00:00.5+00',
        null: ['2024-01-01 00:00:00', N, N, N],
        clamp: ['2024-01-01 00:00:00', '2024-01-01 00:00:00', '1970-01-01 00:00:00', '2105-12-31 23:59:59']
      },
      'times in milliseconds': {
        type: 'timestamp',
        target: `Nullable(DateTime64(3, 'UTC'))`,
        values: [
          '2024-01-01 00:00:00.123',
          '2024-01-01 00:00:00.123999',
          '1960-01-01 00:00:00.9999',
          '2024-01-01'
        ],
        error: '2024-01-01 00:00:00.123999',
        null: ['2024-01-01 00:00:00.123', N, N, '2024-01-01 00:00:00.000'],
        clamp: [
          '2024-01-01 00:00:00.123',
          '2024-01-01 00:00:00.123',
          '1960-01-01 00:00:00.999',
          '2024-01-01 00:00:00.000'
        ],
        modern: true
      },
      'NULL where none can be': { type: 'text', target: 'String', values: ['a', null], error: 'NULL' },
      'arrays of more dimensions': {
        type: 'integer[] NOT NULL',
        values: ['{1}', '{{1,2},{3,4}}'],
        error: '{{1,2},{3,4}}'
      },
      'arrays with NULL': {
        type: 'integer[] NOT NULL',
        target: 'Array(Int32)',
        values: ['{1}', '{1,NULL}'],
        error: '{1,NULL}'
      },
      'NULL arrays': {
        type: 'integer[]',
        target: 'Array(Nullable(Int32))',
        values: ['{1}', null, '{}'],
        null: ['[1]', '[]', '[]'],
        clamp: ['[1]', '[]', '[]']
      },
      'elements beyond': {
        type: 'integer[] NOT NULL',
        target: 'Array(Nullable(Int8))',
        values: ['{1,NULL,128}'],
        error: '{1,NULL,128}',
        null: ['[1,NULL,NULL]'],
        clamp: ['[1,NULL,127]']
      }
    }

    let made = 0
    test.each(Object.entries(cases))('%s', async (_, { type, target, values, modern, ...expected }) => {
      if (modern && !isNew()) return
      const name = `case_${++made}`
      const table = await tableOf(name, type, values)
      const own = target && ddl(name, target)
      for (const unfit of ['error', 'null', 'clamp'] as const) {
        const wanted = unfit === 'error' ? undefined : expected[unfit]
        if (wanted || expected.error === undefined) {
          const found = await rows(table, unfit, own)
          // How an old server prints the first moment that it has.
          const shown = found.map(({ v }) => (v === '0000-00-00 00:00:00' ? '1970-01-01 00:00:00' : v!))
          expect(shown.map(v => padded(v, type, target))).toEqual(wanted ?? expected.null)
          continue
        }
        const error = await both(table, unfit, own)
        expect(error).toBeInstanceOf(FollowError)
        const at = values.indexOf(expected.error === 'NULL' ? null : expected.error)
        const message = (error as Error).message
        expect(message).toContain(`public.${name}: ClickHouse's `)
        expect(message).toContain(` of column v cannot hold ${expected.error} (where id = ${at})`)
      }
    })

    /** New servers leave the noughts of a Decimal out. */
    function padded(value: string, type: string, target = ''): string {
      const scale = /Decimal\(\d+, (\d+)\)/.exec(target)?.[1] ?? /numeric\(\d+,(\d+)\)/.exec(type)?.[1]
      if (scale === undefined || !/^-?\d/.test(value)) return value
      const [whole, fraction = ''] = value.split('.')
      return `${whole}.${fraction.padEnd(Number(scale), '0')}`
    }

    test('a type that would change values is refused before anything is written', async () => {
      const refused: [string, string][] = [
        ['double precision', 'Float32'],
        ['timestamptz', `DateTime('Europe/Berlin')`],
        ['text', 'Int32'],
        ['integer', 'Date'],
        ['integer[]', 'Array(Array(Int32))']
      ]
      for (const [type, target] of refused) {
        const name = `refused_${++made}`
        const table = await tableOf(name, type, [null])
        const database = await server.createDatabase()
        await server.query(ddl(name, target), database)
        const sink = await openSink(server.url(database))
        await expect(sink.prepare(table)).rejects.toThrow(`column v is ${target} in ClickHouse`)
        await sink.close()
      }
    })
  })
}
