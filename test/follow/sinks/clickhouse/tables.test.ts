import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ConfigError, FollowError } from '../../../../src/core/errors.js'
import type { FollowedColumn, FollowedTable } from '../../../../src/follow/table.js'
import { Author, column, shape } from '../../../contracts/sink.js'
import { type ClickHouseServer, findClickHouse } from '../../../support/clickhouse.js'
import { linesOf, openSink } from './bench.js'

const never = new AbortController().signal

const plain =
  'boolean,smallint,integer,bigint,real,double precision,numeric(10.2),numeric(60.3),numeric,date,' +
  'timestamp without time zone,timestamp with time zone,uuid,text,jsonb,bytea'
const types = plain.split(',').map((type, i) => column(`c${i}`, type.replace('.', ',')))
types.push(
  column('mood', 'mood', { kind: 'e', builtin: false }),
  column('tags', 'text[]', { array: true }),
  column('tags!', 'text[]', { array: true, notNull: true }),
  column('days!', 'date[]', { array: true, notNull: true }),
  column('filled', 'mood', { kind: 'e', builtin: false, notNull: true })
)
const everything: FollowedTable = {
  schema: 'public',
  name: 'every thing',
  columns: [column('a`b', 'integer', { notNull: true }), column('k', 'text', { notNull: true }), ...types],
  keyLength: 2
}

for (const kind of await findClickHouse()) {
  describe.skipIf(kind.skipReason)(`tables in ClickHouse: ${kind.title}`, () => {
    let server: ClickHouseServer
    beforeAll(async () => {
      server = await kind.start()
    })
    afterAll(() => server?.close())

    test('are made from the definition of main', async () => {
      const database = await server.createDatabase()
      const sink = await openSink(server.url(database))
      expect(await sink.prepare(everything)).toEqual([])
      const [made] = await server.query(
        `SELECT create_table_query FROM system.tables WHERE database = '${database}'`
      )
      expect(made![0]!.replace(database, 'DATABASE').replaceAll('\\', '')).toMatchSnapshot()
      await sink.close()
      const again = await openSink(server.url(database))
      expect(await again.prepare(everything)).toEqual([])
      await again.close()
    })

    test('have the name of the schema too where there are more', async () => {
      const database = await server.createDatabase()
      const sink = await openSink(server.url(database), { schemas: ['shop', 'shop_a'] })
      const id = column('id', 'integer', { notNull: true })
      const first: FollowedTable = { schema: 'shop', name: 'a_b', columns: [id], keyLength: 1 }
      await sink.prepare(first)
      expect(await server.query('SHOW TABLES', database)).toEqual([['shop_a_b']])
      await expect(sink.prepare({ ...first, schema: 'shop_a', name: 'b' })).rejects.toThrow(
        'shop.a_b and shop_a.b are both shop_a_b in ClickHouse'
      )
      await sink.close()
    })

    test('without a key, or with names that are taken, are refused', async () => {
      const sink = await openSink(server.url(await server.createDatabase()))
      const table = shape('t', column('id', 'integer'), column('_version', 'text'))
      await expect(sink.prepare({ ...table, keyLength: 0 })).rejects.toThrow('public.t has no primary key')
      await expect(sink.prepare(table)).rejects.toThrow('has a column _version, which is ours')
      await expect(sink.prepare({ ...table, name: 'pgsyncer_stream' })).rejects.toThrow(ConfigError)
      await sink.close()
    })

    test.each([
      ['its engine is MergeTree', 'id Int32, _version UInt64, _is_deleted UInt8', 'MergeTree ORDER BY id'],
      [
        'its engine is ReplacingMergeTree',
        'id Int32, _version UInt64, _is_deleted UInt8',
        'ReplacingMergeTree ORDER BY id'
      ],
      [
        'it has no columns _version UInt64 and _is_deleted UInt8',
        'id Int32, _version UInt64',
        'ReplacingMergeTree(_version) ORDER BY id'
      ],
      [
        'it is ordered by name',
        'id Int32, name String, _version UInt64, _is_deleted UInt8',
        'ReplacingMergeTree(_version) ORDER BY name'
      ],
      [
        'it is ordered by',
        'id Int32, _version UInt64, _is_deleted UInt8',
        'ReplacingMergeTree(_version) ORDER BY intDiv(id, 10)'
      ]
    ])('that are there are refused where %s', async (why, columns, engine) => {
      const database = await server.createDatabase()
      await server.query(`CREATE TABLE t (${columns}) ENGINE = ${engine}`, database)
      const sink = await openSink(server.url(database))
      const refused = sink.prepare(shape('t', column('id', 'integer')))
      await expect(refused).rejects.toThrow(
        `${database}.t is there, but changes cannot be written to it: ${why}`
      )
      await expect(refused).rejects.toMatchObject({ hint: expect.stringContaining('CREATE TABLE') })
      await sink.close()
    })

    const before = () => shape('items', column('id', 'integer'), column('name', 'text'))
    const after = (more: Partial<FollowedColumn> = {}) => {
      const { columns, ...rest } = before()
      return {
        ...rest,
        columns: [...columns, column("it's", 'integer', { notNull: true, missing: '7', ...more })]
      }
    }
    /** A table with one row, whose first shape is written. */
    async function begin(onSchemaChange: 'add' | 'stop') {
      const database = await server.createDatabase()
      const sink = await openSink(server.url(database), { onSchemaChange })
      const author = new Author()
      await sink.prepare(before())
      const table = before()
      await sink.prepare(table)
      await sink.write(author.batch(author.insert(table, '1', 'old')), never)
      return { database, sink, author }
    }

    test('get the columns that main gets, with what older rows hold there', async () => {
      const { database, sink, author } = await begin('add')
      const table = after()
      expect(await sink.prepare(table)).toEqual(["it's"])
      await sink.write(author.batch(author.insert(table, '2', 'new', '8')), never)
      expect((await linesOf(server, database, table)).sort()).toEqual(['1\told\t7', '2\tnew\t8'])
      const more = {
        ...table,
        columns: [...table.columns, column('t', 'text', { missing: `it's \\ "so"` }), column('n', 'text')]
      }
      expect(await sink.prepare(more)).toEqual(['t', 'n'])
      expect((await linesOf(server, database, more)).sort()).toEqual([
        String.raw`1	old	7	it's \\ "so"	\N`,
        String.raw`2	new	8	it's \\ "so"	\N`
      ])
      await sink.close()
    })

    test('that may have another name now are not added', async () => {
      const { sink, database } = await begin('add')
      const renamed = shape('items', column('id', 'integer'), column('title', 'text'))
      const refused = sink.prepare(renamed)
      await expect(refused).rejects.toThrow(/column title, which may be ClickHouse's name/)
      await expect(refused).rejects.toMatchObject({ hint: expect.stringContaining('RENAME COLUMN') })
      const other = shape('items', column('id', 'integer'), column('n', 'integer', { missing: null }))
      expect(await sink.prepare(other)).toEqual(['n'])
      await server.query('TRUNCATE TABLE items', database)
      expect(await sink.prepare(renamed)).toEqual(['title'])
      await sink.close()
    })

    test('do not, where that is not wanted or cannot be told', async () => {
      const stopped = await begin('stop')
      const refused = stopped.sink.prepare(after())
      await expect(refused).rejects.toThrow("public.items has got columns that ClickHouse has not: it's")
      await expect(refused).rejects.toMatchObject({ hint: expect.stringContaining('ADD COLUMN') })
      await stopped.sink.close()
      const { sink, database } = await begin('add')
      const { missing: _, ...unknown } = column('u', 'text')
      const table = before()
      const untold = { ...table, columns: [...table.columns, unknown] }
      await expect(sink.prepare(untold)).rejects.toThrow(
        'public.items has got column u, and main cannot tell'
      )
      await sink.clear(table)
      expect(await sink.prepare(untold)).toEqual(['u'])
      expect(
        await server.query(
          `SELECT count() FROM system.columns WHERE table = 'items' AND name = 'u'`,
          database
        )
      ).toEqual([['1']])
      await sink.close()
    })

    test('of a user keep their types and their own columns', async () => {
      const database = await server.createDatabase()
      const engine = 'ReplacingMergeTree(_version) PARTITION BY id % 2 ORDER BY (id)'
      await server.query(
        `CREATE TABLE items (own String DEFAULT 'mine', name String, id UInt64, made Int32 MATERIALIZED 5, _version UInt64 DEFAULT 0, _is_deleted UInt8 DEFAULT 0) ENGINE = ${engine}`,
        database
      )
      const sink = await openSink(server.url(database))
      const table = before()
      await sink.prepare(table)
      const author = new Author()
      await sink.write(
        author.batch(
          author.insert(table, '1', 'a'),
          author.insert(table, '2', 'b'),
          author.remove(table, '2')
        ),
        never
      )
      expect(
        await server.query('SELECT own, name, id, made FROM items FINAL WHERE _is_deleted = 0', database)
      ).toEqual([['mine', 'a', '1', '5']])
      const batch = author.batch(author.insert(table, '-1', 'c'))
      await expect(sink.write(batch, never)).rejects.toThrow(FollowError)
      expect((await sink.recall())?.position).not.toBe(batch.position)
      await sink.close()
    })

    test('are not read through the eyes of a profile', async () => {
      const database = await server.createDatabase()
      const url = new URL(server.url(database))
      if (kind.name === 'chdb') {
        url.searchParams.set('input_format_tsv_detect_header', '1')
        url.searchParams.set('input_format_null_as_default', '1')
        url.searchParams.set('async_insert', '1')
        url.searchParams.set('wait_for_async_insert', '0')
      }
      url.searchParams.set('input_format_allow_errors_num', '10')
      const sink = await openSink(url.href)
      const table = shape('names', column('id', 'text'), column('name', 'text'))
      await sink.prepare(table)
      const author = new Author()
      await sink.write(
        author.batch(author.insert(table, 'id', 'name'), author.insert(table, '2', 'b')),
        never
      )
      expect((await linesOf(server, database, table)).sort()).toEqual(['2\tb', 'id\tname'])
      await expect(
        sink.write(author.batch({ ...author.insert(table, '3'), row: '3' }), never)
      ).rejects.toThrow(`${database}.names`)
      await sink.close()
    })
  })
}
