/** ClickHouse's own Kafka engine reads what is published, by the statements that are printed, and ends with what apply writes and main has. */
import pg from 'pg'
import { setTimeout as delay } from 'node:timers/promises'
import { isDeepStrictEqual } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { run } from '../../../../src/cli/run.js'
import { ConfigError } from '../../../../src/core/errors.js'
import { apply } from '../../../../src/follow/apply.js'
import { clickHouseDdl } from '../../../../src/follow/clickhouseddl.js'
import type { FollowOptions } from '../../../../src/follow/config.js'
import { publish } from '../../../../src/follow/publish.js'
import { capture } from '../../../../src/follow/standing.js'
import { fakeIo } from '../../../cli/console.js'
import { type ClickHouseServer, findClickHouse } from '../../../support/clickhouse.js'
import { createDatabase, type Db } from '../../../support/databases.js'
import { findKafka, type KafkaServer } from '../../../support/kafka.js'
import { fittingTable, fittingTypes } from './fitting.js'

const kafka = await findKafka()
const [old, clickhouse] = await findClickHouse()

/** Names that SQL, JSON and the views themselves have a use for. */
const odd = `it's "a\\ t\`ab;\nle`
const oddColumns = [
  'record',
  'version',
  'm_t0',
  'mm_e',
  'table',
  'q\'u"o`t\\e',
  'schema',
  'x',
  '_offset',
  'place'
]
const quotedName = pg.escapeIdentifier
const N = String.raw`\N`
const hostile = [
  '',
  ' ',
  '\\N',
  'NULL',
  'null',
  '{}',
  `a"b'c\\d\`e`,
  'tab\tline\nend\r',
  '\u0001\u2028😀',
  '","new_record":{"id":9}'
]

describe.skipIf(kafka.skipReason ?? clickhouse!.skipReason)(
  `${clickhouse!.title} reads from ${kafka.title}`,
  () => {
    let broker: KafkaServer
    let server: ClickHouseServer
    let main: Db
    let options: Partial<FollowOptions>
    /** Where ClickHouse reads itself, and where apply writes. */
    let [own, applied] = ['', '']

    beforeAll(async () => {
      ;[broker, server, main] = await Promise.all([
        kafka.start(),
        clickhouse!.start(),
        createDatabase('main')
      ])
      own = await server.createDatabase()
      applied = await server.createDatabase()
      await main.exec(fittingTypes)
      await main.exec(`
      CREATE TABLE items (id bigint PRIMARY KEY, name text DEFAULT 'none', price numeric(12,2) NOT NULL, rest numeric, ratio double precision, at timestamptz);
      ALTER TABLE items ADD COLUMN more integer DEFAULT 7;
      CREATE TABLE places (country text, number integer, words text[] NOT NULL, PRIMARY KEY (number, country));
      CREATE TABLE ${quotedName(odd)} (${oddColumns.map((name, i) => `${quotedName(name)} ${i === 0 ? 'text PRIMARY KEY' : 'text'}`).join(', ')})`)
      options = {
        main: main.url,
        source: 'outbox',
        tables: ['*'],
        name: 'shop',
        via: `kafka://${broker.address}`
      }
      await capture(options, 'install', false)
      await main.exec(fittingTable('everything'))
      await capture(options, 'install', false)
      await main.exec(`UPDATE everything SET id = id`)
    }, 120_000)
    afterAll(async () => {
      await server?.close()
      await broker?.close()
      await main?.drop()
    })

    const published = () => publish({ ...options, once: true, partitions: 1 })
    const toClickHouse = (database: string, group: string) =>
      apply({ ...options, to: server.url(database), group, once: true })

    async function script(...more: string[]): Promise<string> {
      const io = fakeIo()
      const args = ['--maindsn', main.url, '--via', options.via!, '-t', '*', '--name', 'shop', ...more]
      const code = await run(['clickhouse-ddl', ...args], io)
      expect([code, io.err()]).toEqual([0, ''])
      return io.out()
    }

    const tables = ['items', 'places', 'everything', odd]
    const relation = (database: string, table: string) => `${database}.\`${table.replace(/[\\`]/g, '\\$&')}\``

    /** All rows that count, with their versions. */
    const rows = async (database: string, table: string) =>
      (await server.query(`SELECT * FROM ${relation(database, table)} FINAL`))
        .map(row => row.join('\t'))
        .sort()

    /** What the engine could not take. */
    const refused = async () =>
      (await server.query(`SELECT exceptions.text FROM system.kafka_consumers WHERE database = '${own}'`))
        .flat()
        .join()

    async function until(what: () => Promise<boolean>): Promise<void> {
      for (const deadline = Date.now() + 30_000; !(await what());) {
        if (Date.now() > deadline)
          throw new Error(`it did not come to that; ClickHouse says: ${await refused()}`)
        await delay(100)
      }
    }

    /** Waits until both ways have brought the same, and compares. */
    async function same(): Promise<void> {
      await main.exec(
        `INSERT INTO items VALUES (0, 'the last', 0) ON CONFLICT (id) DO UPDATE SET price = items.price + 1`
      )
      await published()
      await toClickHouse(applied, 'applier')
      const all = async (database: string) => {
        const found = []
        for (const table of tables) found.push(await rows(database, table))
        return found
      }
      const wanted = await all(applied)
      expect(wanted.every(found => found.length > 0)).toBe(true)
      // Each table has its view, and they do not write at once.
      await until(async () => isDeepStrictEqual(await all(own), wanted)).catch(() => {})
      expect(await all(own)).toEqual(wanted)
      expect((await server.query(ofClickHouse, own)).flat()).toEqual(
        (await main.query<{ row: string }>(ofMain)).map(({ row }) => row)
      )
    }

    /** The rows of items as texts that both databases print alike. */
    const [ofMain, ofClickHouse] = [
      `SELECT concat_ws('|', id, coalesce(name, '-'), price, coalesce(rest::text, '-'), coalesce(encode(float8send(ratio), 'hex'), '-'),
         coalesce(to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US'), '-'), more) AS row FROM items ORDER BY id`,
      `SELECT concat(toString(id), '|', ifNull(name, '-'), '|', toDecimalString(price, 2), '|', ifNull(rest, '-'), '|',
         ifNull(leftPad(lower(hex(reinterpretAsUInt64(ratio))), 16, '0'), '-'), '|', ifNull(toString(at), '-'), '|', toString(more))
       FROM items FINAL ORDER BY id`
    ]

    test('what apply writes', async () => {
      await main.exec(`
      INSERT INTO items SELECT n, 'item ' || n, n / 7.0, 1 / n::numeric, 1 / n::double precision, timestamptz '2024-02-29' + n * interval '1.000001 h' FROM generate_series(1, 500) n;
      INSERT INTO items VALUES (9007199254740993, NULL, 9999999999.99, 12345678901234567890.12345678901234567890, '1e-300', NULL), (-9223372036854775808, 'x', -0.01, 'NaN', '-Infinity', '1900-01-01');
      UPDATE items SET price = price + 0.01, name = NULL WHERE id % 3 = 0 AND id < 1000;
      UPDATE items SET id = -id WHERE id % 7 = 0 AND id < 400;
      DELETE FROM items WHERE id % 5 = 0;
      INSERT INTO items VALUES (5, 'again', 1);
      INSERT INTO places VALUES ('x''y', 1, '{}'), ('b', 2, '{a,NULL,"NULL","c,\\"d"}'), ('c', 3, '{a}');
      UPDATE places SET words = '{z}' WHERE number = 3;
      UPDATE places SET country = 'other', number = number + 10 WHERE number < 3`)
      for (const [i, text] of hostile.entries()) {
        const values = oddColumns.map((_, at) => pg.escapeLiteral(at === 0 ? `${i}${text}` : text)).join(', ')
        await main.exec(`INSERT INTO ${quotedName(odd)} VALUES (${values})`)
      }
      await main.exec(`DELETE FROM ${quotedName(odd)} WHERE record LIKE '3%'`)
      await published()
      await server.query(await script('--to', server.url(own)))
      await same()
    }, 120_000)

    type Unfit = NonNullable<FollowOptions['unfit']>
    const made = new Map<Unfit, Promise<string>>()

    /** A database where the views get messages by an INSERT: the same statements, but for the Kafka table. */
    async function byHand(unfit: Unfit): Promise<string> {
      const database = await server.createDatabase()
      const { statements } = await clickHouseDdl({
        ...options,
        tables: ['items'],
        to: server.url(database),
        unfit
      })
      const source = statements.findIndex(({ sql }) => sql.includes('ENGINE = Kafka'))
      for (const [i, { sql }] of statements.entries()) {
        const columns = '(message String, _partition UInt64, _offset UInt64)'
        await server.query(
          i === source ? `CREATE TABLE pgsyncer_shop_topic ${columns} ENGINE = Null` : sql,
          database
        )
      }
      return database
    }

    /** What the views make of one message: the rows of items, or an error. */
    async function told(message: string, unfit: Unfit = 'error'): Promise<string> {
      if (!made.has(unfit)) made.set(unfit, byHand(unfit))
      const database = await made.get(unfit)!
      const text = `'${message.replace(/[\\']/g, '\\$&')}'`
      try {
        await server.query(`INSERT INTO pgsyncer_shop_topic VALUES (${text}, 3, 77)`, database)
      } catch (error) {
        return (error as Error).message
      }
      return (await rows(database, 'items')).join('\n')
    }

    const message = (more: Record<string, unknown>) =>
      JSON.stringify({
        version: 1,
        stream: 'shop',
        schema: 'public',
        table: 'items',
        operation: 'INSERT',
        position: '1',
        row_version: '5',
        committed_at: null,
        key: { id: '1' },
        new_record: { id: '1', name: 'a', price: '1.00', rest: null, ratio: 1, at: null },
        old_record: null,
        ...more
      })
    const record = (more: Record<string, unknown>) => ({
      new_record: { id: '1', name: 'a', price: '1.00', rest: null, ratio: 1, at: null, ...more }
    })

    test('takes a message of the kind that the following are not', async () => {
      expect(await told(message({}))).toBe(['1', 'a', '1', N, '1', N, '7', '5', '0'].join('\t'))
      const gone = message({ operation: 'DELETE', new_record: null, row_version: '6' })
      expect(await told(gone)).toBe('')
    })

    test.each([
      ['what is not JSON', '{"version":1', /partition 3 offset 77: the message is not JSON/],
      ['another version', message({ version: 2 }), /the message is not of version 1/],
      ['another operation', message({ operation: 'MERGE' }), /has no operation/],
      ['no version of the row', message({ row_version: '-1' }), /has no row_version/],
      [
        'a key alone',
        message({ new_record: null }),
        /public.items \(id = NULL\), partition 3 offset 77: .*--payload row/
      ],
      ['another key', message({ key: { id: '1', name: 'a' } }), /its key on main is id, name, not id/],
      [
        'values that main did not send',
        message({ absent: ['rest'] }),
        /main did not send what had not changed, rest,/
      ],
      ['a column more', message(record({ color: 'red' })), /has columns that are not known here, .*: color/],
      [
        'a column less',
        message({ new_record: { id: '1', price: '1.00', rest: null, ratio: 1, at: null } }),
        /the message lacks columns: name/
      ],
      ['a NULL', message(record({ price: null })), /here no NULL may be in price/],
      [
        'a number of another type',
        message(record({ id: '9223372036854775808' })),
        /cannot hold id = 9223372036854775808/
      ],
      ['NaN', message(record({ price: 'NaN' })), /cannot hold price = NaN/],
      ['a digit more', message(record({ price: '12345678901.00' })), /cannot hold price = 12345678901.00/],
      ['a year beyond', message(record({ at: '2300-01-01 00:00:00+00' })), /cannot hold at = 2300/],
      [
        'a TRUNCATE',
        message({ operation: 'TRUNCATE', key: null, new_record: null }),
        /truncated on main.*DETACH TABLE pgsyncer_shop_topic.*--group default/
      ]
    ])('refuses %s', async (_, text, expected) => {
      expect(await told(text)).toMatch(expected)
    })

    test('what does not fit may be the nearest', async () => {
      const beyond = message(record({ at: 'infinity' }))
      expect(await told(beyond, 'null')).toContain(['1', 'a', '1', N, '1', N].join('\t'))
      expect(await told(beyond, 'clamp')).toContain('2299-12-31 23:59:59.999999')
    })

    test('logs in with a password that is not in the script', async () => {
      const [database, { guarded, password }] = [await server.createDatabase(), broker]
      const via = `kafka://tester:${password}@${guarded}?mechanism=plain`
      const shown = await script('--via', via, '--group', 'guarded')
      expect(shown).not.toContain(password)
      await server.query(`CREATE NAMED COLLECTION pgsyncer_shop_kafka AS kafka_sasl_password = '${password}'`)
      await server.query(shown, database)
      await until(async () => (await rows(database, 'items')).length > 0)
      expect(await rows(database, 'items')).toEqual(await rows(own, 'items'))
    }, 60_000)

    test('tables that are there otherwise are refused', async () => {
      const database = await server.createDatabase()
      await server.query(
        `CREATE TABLE items (id Int64, name Nullable(String), price Decimal(12, 2), rest Nullable(String), ratio Nullable(Float64), at Nullable(String),
           _version UInt64, _is_deleted UInt8) ENGINE = ReplacingMergeTree(_version, _is_deleted) ORDER BY id`,
        database
      )
      const ddl = () => clickHouseDdl({ ...options, tables: ['items'], to: server.url(database) })
      await expect(ddl()).rejects.toMatchObject({
        message: 'public.items has got columns that ClickHouse has not: more',
        hint: expect.stringContaining('ADD COLUMN `more` Nullable(Int32)')
      })
      await server.query('ALTER TABLE items ADD COLUMN more Nullable(Int32)', database)
      await expect(ddl()).rejects.toThrow(
        /column at is Nullable\(String\) in ClickHouse, and views would write Nullable\(DateTime64/
      )
    })

    test('a TRUNCATE stops it', async () => {
      await main.exec(
        `TRUNCATE places; INSERT INTO places VALUES ('new', 1, '{b}'); INSERT INTO items VALUES (600, 'after', 1)`
      )
      await published()
      await until(async () => (await refused()).includes('it was truncated on main'))
      expect(await refused()).toContain('public.places')
    }, 60_000)

    // Kafka takes 45 s to notice that ClickHouse has left the group.
    test.skipIf(process.env.CHAOS !== 'all')(
      'apply takes over as the same group, and gives it back',
      async () => {
        await server.query('DETACH TABLE pgsyncer_shop_topic', own)
        await toClickHouse(own, 'default')
        expect(await rows(own, 'places')).toHaveLength(1)
        await server.query('ATTACH TABLE pgsyncer_shop_topic', own)
        await same()
      },
      120_000
    )
  }
)

describe.skipIf(old!.skipReason)(`${old!.title} and its topics`, () => {
  test('is too old', async () => {
    const [server, main] = await Promise.all([old!.start(), createDatabase('main')])
    try {
      await main.exec('CREATE TABLE items (id integer PRIMARY KEY)')
      const given = { main: main.url, tables: ['items'], via: 'kafka://127.0.0.1' }
      await expect(clickHouseDdl({ ...given, to: server.url() })).rejects.toMatchObject({
        constructor: ConfigError,
        message: expect.stringContaining('ClickHouse 18.16.1'),
        hint: expect.stringContaining('pgsyncer apply')
      })
    } finally {
      await server.close()
      await main.drop()
    }
  }, 60_000)
})
