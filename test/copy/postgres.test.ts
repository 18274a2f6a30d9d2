/** copyTable over PostgreSQL: what arrives is what was there, whatever the values, the ids and the kinds of tables. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { ThrowawayServer } from '../../src/cli/demo/servers.js'
import { ConfigError, copyTable, DataError, postgresPool, type PostgresPoolOptions } from '../../src/index.js'
import { execBlocking } from '../support/blocking.js'
import { startVersion } from '../support/versions.js'
import { allGone, config, expectSame, until, withPair } from './servers.js'

const never = new AbortController().signal
const simple = 'CREATE TABLE t (id bigint PRIMARY KEY, v text)'
const filled = (n: number) => `INSERT INTO t SELECT n, 'v' || n FROM generate_series(1, ${n}) n`

describe('values', () => {
  const ddl = `CREATE TYPE mood AS ENUM ('sad', 'gl"ad'); CREATE DOMAIN short AS text;
    CREATE TABLE t (b bytea, id bigint PRIMARY KEY, j jsonb, k json, n numeric, f float8, at timestamptz, d date, i interval,
      a text[], m mood, s short, t text, "Odd ""name" text, bool boolean, c char(5), x xml, r int4range)`
  const main = String.raw`INSERT INTO t VALUES
    ('\x00ff5c0a09', 1, '{"a": "x\\y\n\t", "n": 12345678901234567890.10}', '{"b":1,  "b":2}', 0.1000, 'NaN', '2024-01-01 00:00:00.123456+02',
     'infinity', '1 mon -1 day 00:00:00.000001', '{"a,b","\\\"",NULL,"NULL"}', 'gl"ad', E'tab\there', E'line\nfeed\rreturn\\N', E'\\N', true,
     'ab', '<a>&amp;</a>', '[1,5)'),
    ('', 2, 'null', 'null', '-123456789012345678901234567890.12345678901234567890', '-0', '-infinity', '4713-01-01 BC', '-00:00:01', '{}',
     'sad', '', '', E'\\.', false, '', '', 'empty'),
    (NULL, 3, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
    ('\x5c2e', 9007199254740993, '"\u00e4 \ud83d\ude00"', '[]', 'NaN', 5e-324, '2024-06-30 23:59:60+00', '2024-02-29', '0', '{{1,2},{3,4}}', 'sad',
     E'\b\f\v\x01', E'\\', 'äöü 😀 ' || repeat('long ', 50000), NULL, 'ééééé', NULL, '(,)')`

  test.each([false, true])('each is what it was, however odd (opaque: %s)', opaque =>
    withPair({ ddl, main }, async pair => {
      expect(await pair.copy({}, { opaque })).toEqual({
        rows: 4n,
        batches: 2,
        retries: 0,
        lastId: 9007199254740993n
      })
      await expectSame(pair)
      // Once more, now through the stage.
      await pair.main.exec("UPDATE t SET t = t || E'\\\\\\t', n = n + 1, b = b || '\\x0a'")
      expect(await pair.copy({}, { opaque })).toMatchObject({ rows: 4n })
      await expectSame(pair)
    })
  )

  test('rows are text as it is printed, or null, the id first', () =>
    withPair({ ddl, main }, async ({ main, standby }) => {
      const database = await postgresPool({ main: main.url, standby: standby.url, table: 't' }).connect(
        'main',
        never
      )
      const rows = await database.loadRows(1n, 2n ** 63n, never)
      await database.close()
      expect(rows.map(row => row.slice(0, 6))).toEqual([
        [
          '1',
          '\\x00ff5c0a09',
          '{"a": "x\\\\y\\n\\t", "n": 12345678901234567890.10}',
          '{"b":1,  "b":2}',
          '0.1000',
          'NaN'
        ],
        ['2', '\\x', 'null', 'null', '-123456789012345678901234567890.12345678901234567890', '-0'],
        ['3', null, null, null, null, null],
        ['9007199254740993', '\\x5c2e', '"ä 😀"', '[]', 'NaN', '5e-324']
      ])
      expect(rows[0]!.slice(6, 14)).toEqual([
        '2023-12-31 22:00:00.123456+00',
        'infinity',
        '1 mon -1 days +00:00:00.000001',
        '{"a,b","\\\\\\"",NULL,"NULL"}',
        'gl"ad',
        'tab\there',
        'line\nfeed\rreturn\\N',
        '\\N'
      ])
    }))

  test('values of JavaScript are saved too', () =>
    withPair(
      {
        ddl: 'CREATE TABLE t (id bigint PRIMARY KEY, n int, ok bool, at timestamptz, b bytea, j jsonb, v text)'
      },
      async ({ main, standby }) => {
        const pool = postgresPool({ main: main.url, standby: standby.url, table: 't' })
        const database = await pool.connect('standby', never)
        const at = new Date('2024-01-01T00:00:00.123Z')
        await database.saveRows(
          [
            [2n ** 63n - 1n, 7, true, at, Buffer.from([0, 92, 255]), { a: ['\t', null] }, 'x'],
            ['-5', null, false, undefined, new Uint8Array([1]), [1], '\\N']
          ],
          never
        )
        await expect(database.saveRows([['1', 2]], never)).rejects.toThrow(
          'has not the 7 values id, n, ok, at, b, j, v'
        )
        await database.close()
        expect(await standby.query('SELECT id::text, n, ok, at, b::text, j, v FROM t ORDER BY id')).toEqual([
          { id: '-5', n: null, ok: false, at: null, b: '\\x01', j: [1], v: '\\N' },
          { id: '9223372036854775807', n: 7, ok: true, at, b: '\\x005cff', j: { a: ['\t', null] }, v: 'x' }
        ])
      }
    ))

  test('what cannot become text is its own error, and nothing is saved', () =>
    withPair({ ddl: simple }, async ({ main, standby }) => {
      const pool = postgresPool({ main: main.url, standby: standby.url, table: 't' })
      const database = await pool.connect('standby', never)
      const rows = Array.from({ length: 5000 }, (_, i) => [BigInt(i), 'x'.repeat(1000)])
      const broken = [...rows, [5000n, { n: 1n }]]
      await expect(database.saveRows(broken, never)).rejects.toThrow('serialize a BigInt')
      expect(await standby.query('SELECT FROM t')).toEqual([])
      await database.saveRows(rows, never)
      await database.close()
      expect(await standby.query('SELECT FROM t')).toHaveLength(5000)
    }))

  test('opaque rows and values do not mix', () =>
    withPair({ ddl: simple, main: filled(3) }, async ({ main, standby }) => {
      const pool = postgresPool({ main: main.url, standby: standby.url, table: 't', opaque: true })
      const [from, to] = [await pool.connect('main', never), await pool.connect('standby', never)]
      const rows = await from.loadRows(1n, 4n, never)
      expect(rows.map(row => row[0])).toEqual([1n, 2n, 3n])
      await expect(to.saveRows([...rows, [4n, 'v4']], never)).rejects.toThrow('has not the 2 values id, v')
      // In another order, and some left out, they are what they were.
      await to.saveRows([rows[2]!, rows[0]!], never)
      await Promise.all([from.close(), to.close()])
      expect(await standby.query('SELECT id::int, v FROM t ORDER BY id')).toEqual([
        { id: 1, v: 'v1' },
        { id: 3, v: 'v3' }
      ])
    }))

  test('text that is not UTF-8 is refused, not changed', async () => {
    await withPair({ ddl: simple }, async pair => {
      const bad = await ascii(pair.main.url)
      try {
        const copied = pair.copy({}, { main: bad.url })
        await expect(copied).rejects.toThrow(DataError)
        await expect(copied).rejects.toThrow('main: invalid byte sequence for encoding "UTF8"')
      } finally {
        await bad.drop()
      }
    })
  })
})

/** A database without an encoding, and in it a text that is none. */
async function ascii(beside: string) {
  const name = `t_ascii_${Math.random().toString(36).slice(2)}`
  const url = new URL(beside)
  execBlocking(
    beside,
    `CREATE DATABASE ${name} TEMPLATE template0 ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C'`
  )
  url.pathname = `/${name}`
  execBlocking(url.href, simple)
  execBlocking(url.href, String.raw`INSERT INTO t VALUES (1, E'\xff\xfe')`)
  return { url: url.href, drop: async () => void execBlocking(beside, `DROP DATABASE ${name} WITH (FORCE)`) }
}

describe('ids', () => {
  test.each([
    ['none', '(SELECT 1 WHERE false) _(n)', 0],
    [
      'the lowest, the greatest, and some between',
      `unnest('{-9223372036854775808,-7,0,1,9223372036854775807}'::bigint[]) n`,
      5
    ],
    ['sparse', 'generate_series(17::bigint, 10000000000, 9999991) n', 1001],
    ['at the far end', 'generate_series(9223372036854775000, 9223372036854775806) n', 807],
    ['negative', 'generate_series(-1500, -1) n', 1500],
    ['with gaps wider than a batch', 'generate_series(1, 100000) n WHERE n % 1000 < 150', 15_000]
  ])('%s', (_name, source, count) =>
    withPair({ ddl: simple, main: `INSERT INTO t SELECT n, 'v' || n FROM ${source}` }, async pair => {
      const { rows } = await pair.copy()
      expect(rows).toBe(BigInt(count))
      if (count > 0) await expectSame(pair)
    })
  )

  test.each(['smallint', 'integer'])('of type %s', type =>
    withPair(
      {
        ddl: `CREATE TABLE t (v text, id ${type} PRIMARY KEY)`,
        main: `INSERT INTO t SELECT 'v', n FROM generate_series(-300, 300) n; INSERT INTO t VALUES ('max', 32767)`
      },
      async pair => {
        expect(await pair.copy()).toMatchObject({ rows: 602n, lastId: 32767n })
        await expectSame(pair)
      }
    )
  )

  test('an answer is the first rows of its range, whatever ranges are asked for', () =>
    withPair(
      { ddl: simple, main: `INSERT INTO t SELECT n * 3, 'v' FROM generate_series(-20, 60) n` },
      async ({ main, standby }) => {
        const pool = postgresPool({ main: main.url, standby: standby.url, table: 't', batchSize: 7 })
        const database = await pool.connect('main', never)
        const all = Array.from({ length: 81 }, (_, i) => BigInt(i - 20) * 3n)
        const ranges: [bigint, bigint][] = [
          [-1000n, -60n],
          [-1000n, -59n],
          [-59n, 10n],
          [0n, 3n],
          [1n, 3n],
          [3n, 4n],
          [4n, 100n]
        ]
        for (let low = -70n; low < 200n; low += 11n)
          ranges.push([low, low + 10n], [low + 10n, low + 30n], [low, 2n ** 63n])
        for (const [low, high] of ranges) {
          const expected = all.filter(id => id >= low && id < high).map(String)
          const found = (await database.loadRows(low, high, never)).map(([id]) => id)
          expect(found, `${low}:${high}`).toEqual(expected.slice(0, found.length))
          expect(found.length, `${low}:${high}`).toBe(Math.min(7, expected.length))
        }
        await database.close()
      }
    ))

  test('they are found by the index: nothing is read twice', () =>
    withPair({ ddl: simple, main: `${filled(5000)}; ANALYZE t` }, async ({ main, copy }) => {
      await copy()
      const used = await until(async () => {
        const [row] = await main.query<{ idx: string; seq: string }>(
          "SELECT idx_tup_fetch::text AS idx, seq_scan::text AS seq FROM pg_stat_user_tables WHERE relname = 't'"
        )
        return Number(row!.idx) >= 5000 && row!
      })
      expect(used.seq).toBe('0')
      // And few for the greatest id.
      expect(Number(used.idx)).toBeLessThan(5010)
    }))
})

describe('tables', () => {
  test('quoted names, in another schema, whatever the session finds first', () => {
    const ddl = `CREATE SCHEMA "My Shop"; CREATE TABLE "My Shop"."Pro""files" ("Id" bigserial PRIMARY KEY, "Data" jsonb); CREATE TABLE t ()`
    const main = `INSERT INTO "My Shop"."Pro""files" ("Data") SELECT to_jsonb(n) FROM generate_series(1, 250) n`
    return withPair({ ddl, main }, async pair => {
      const table = '"My Shop"."Pro""files"'
      expect(await pair.copy({}, { table, idColumn: '"Id"' })).toMatchObject({ rows: 250n, batches: 3 })
      await expectSame(pair, table)
      await pair.standby.exec(`TRUNCATE ${table}`)
      await pair.copy({}, { table: '"Pro""files"', schema: 'My Shop', idColumn: '"Id"' })
      await expectSame(pair, table)
    })
  })

  test('identity and generated columns', () =>
    withPair(
      {
        ddl: `CREATE TABLE t (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, a int,
                twice int GENERATED ALWAYS AS (a * 2) STORED, other bigint GENERATED BY DEFAULT AS IDENTITY)`,
        main: 'INSERT INTO t (a) SELECT n FROM generate_series(1, 250) n'
      },
      async pair => {
        await pair.copy()
        await expectSame(pair)
        await pair.main.exec('UPDATE t SET a = a + 1, other = other + 1000')
        await pair.copy()
        await expectSame(pair)
      }
    ))

  test('the standby may have its columns in another order, compute some, and have more', () =>
    withPair(
      {
        main: `CREATE TABLE t (id int PRIMARY KEY, a text, total int GENERATED ALWAYS AS (id * 2) STORED, b text);
          INSERT INTO t SELECT n, 'a' || n, DEFAULT, 'b' || n FROM generate_series(1, 150) n`
          .replace(', DEFAULT,', ',')
          .replace('INTO t', 'INTO t (id, a, b)'),
        standby:
          `CREATE TABLE t (loaded text DEFAULT 'yes', total int, b text, a varchar GENERATED ALWAYS AS ('own ' || total) STORED,
          id bigint PRIMARY KEY)`.replace("('own ' || total)", "('own')")
      },
      async ({ standby, copy }) => {
        await copy()
        await copy()
        expect(await standby.query('SELECT * FROM t WHERE id = 150')).toEqual([
          { loaded: 'yes', total: 300, b: 'b150', a: 'own', id: '150' }
        ])
        expect(await standby.query('SELECT FROM t')).toHaveLength(150)
      }
    ))

  test.each([
    [
      'partitioned',
      `CREATE TABLE t (id bigint PRIMARY KEY, v text) PARTITION BY RANGE (id);
      CREATE TABLE t1 PARTITION OF t FOR VALUES FROM (MINVALUE) TO (120); CREATE TABLE t2 PARTITION OF t FOR VALUES FROM (120) TO (MAXVALUE)`
    ],
    ['with a deferrable key', 'CREATE TABLE t (id bigint PRIMARY KEY DEFERRABLE INITIALLY DEFERRED, v text)'],
    ['with another primary key', 'CREATE TABLE t (v text PRIMARY KEY, id bigint NOT NULL UNIQUE)']
  ])('%s, twice', (_name, ddl) =>
    withPair({ ddl, main: filled(250).replace('INTO t', 'INTO t (id, v)') }, async pair => {
      await pair.copy()
      await pair.main.exec("UPDATE t SET v = 'new ' || v WHERE id % 2 = 0")
      await pair.main.exec('DELETE FROM t WHERE id > 240')
      await pair.copy()
      await pair.standby.exec('DELETE FROM t WHERE id > 240')
      await expectSame(pair)
    })
  )

  test('of an id alone', () =>
    withPair(
      { ddl: 'CREATE TABLE t (id bigint PRIMARY KEY)', main: 'INSERT INTO t SELECT generate_series(1, 250)' },
      async pair => {
        await pair.copy()
        expect(await pair.copy()).toMatchObject({ rows: 250n })
        await expectSame(pair)
      }
    ))

  test('rows too large for a batch come in smaller ones', () =>
    withPair(
      {
        ddl: simple,
        main: `INSERT INTO t SELECT n, repeat(md5(n::text), 32768) FROM generate_series(1, 20) n`
      },
      async pair => {
        const sizes: bigint[] = []
        const onProgress = ({ rows }: { rows: bigint }) => void sizes.push(rows)
        expect(await pair.copy({ batchSize: 1000 }, {}, { onProgress })).toMatchObject({
          rows: 20n,
          retries: 0
        })
        // A megabyte each, and 16 at a time.
        expect(sizes.length).toBeGreaterThanOrEqual(2)
        await expectSame(pair)
      }
    ))
})

describe('again', () => {
  test('what changed on main is brought over; what only the standby has is left', () =>
    withPair({ ddl: simple, main: filled(350) }, async pair => {
      await pair.copy()
      await pair.main.exec(
        "UPDATE t SET v = 'new' WHERE id % 7 = 0; INSERT INTO t VALUES (400, 'more'), (-1, 'less')"
      )
      await pair.standby.exec("INSERT INTO t VALUES (1000, 'own')")
      expect(await pair.copy()).toMatchObject({ rows: 352n })
      expect(await pair.standby.query('SELECT v FROM t WHERE id = 1000')).toEqual([{ v: 'own' }])
      await pair.standby.exec('DELETE FROM t WHERE id = 1000')
      await expectSame(pair)
    }))

  test('one pool serves any number of copies', () =>
    withPair({ ddl: simple, main: filled(150) }, async pair => {
      const pool = postgresPool({ main: pair.main.url, standby: pair.standby.url, table: 't' })
      for (const rows of [150n, 151n]) {
        expect(await copyTable(config, pool, 'main', 'standby')).toMatchObject({ rows })
        await pair.main.exec("INSERT INTO t VALUES (151, '') ON CONFLICT DO NOTHING")
      }
      await expectSame(pair)
    }))

  test('an id that another session has stored meanwhile is taken over', () =>
    withPair({ ddl: simple, main: filled(350) }, async pair => {
      const onProgress = ({ batches }: { batches: number }) => {
        if (batches === 1) execBlocking(pair.standby.url, "INSERT INTO t VALUES (123, 'own'), (299, 'own')")
      }
      expect(await pair.copy({}, {}, { onProgress })).toMatchObject({ rows: 350n })
      await expectSame(pair)
    }))

  test('resumed: only what is behind the greatest id', () =>
    withPair({ ddl: simple, main: filled(350) }, async pair => {
      await pair.standby.exec("INSERT INTO t VALUES (3, 'own'), (250, 'own')")
      expect(await pair.copy({}, { resume: true })).toMatchObject({ rows: 100n, lastId: 350n })
      expect(await pair.standby.query("SELECT FROM t WHERE v = 'own'")).toHaveLength(2)
      expect(await pair.copy({}, { resume: true })).toMatchObject({ rows: 0n, batches: 0 })
      await pair.standby.exec('TRUNCATE t')
      expect(await pair.copy({}, { resume: true })).toMatchObject({ rows: 350n })
    }))

  test('resumed behind the greatest id that there is', () =>
    withPair(
      { ddl: simple, main: filled(5), standby: "INSERT INTO t VALUES (9223372036854775807, '')" },
      async pair => {
        expect(await pair.copy({}, { resume: true })).toMatchObject({ rows: 0n })
      }
    ))
})

describe('refusals', () => {
  const refused: [
    string,
    string,
    string,
    Partial<PostgresPoolOptions>,
    typeof ConfigError | typeof DataError,
    string
  ][] = [
    ['no such table', simple, simple, { table: 'nothing' }, ConfigError, 'main has no table public.nothing'],
    ['none on the standby', simple, '', {}, ConfigError, 'standby has no table public.t'],
    ['no such column', simple, simple, { idColumn: 'nr' }, ConfigError, "main's public.t has no column nr"],
    [
      'no key',
      'CREATE TABLE t (id bigint, v text)',
      simple,
      {},
      DataError,
      "main's public.t has no primary key or unique, not-null index on id alone"
    ],
    [
      'no key on the standby',
      simple,
      'CREATE TABLE t (id bigint, v text)',
      {},
      DataError,
      "standby's public.t has no primary key"
    ],
    [
      'a key of two columns',
      'CREATE TABLE t (id bigint, v text, PRIMARY KEY (id, v))',
      simple,
      {},
      DataError,
      'on id alone'
    ],
    [
      'no whole number',
      'CREATE TABLE t (id text PRIMARY KEY)',
      simple,
      {},
      DataError,
      'has id as text, which is no whole number'
    ],
    [
      'a column less',
      simple,
      'CREATE TABLE t (id bigint PRIMARY KEY)',
      {},
      DataError,
      "standby's public.t has no column v"
    ],
    [
      'children',
      `${simple}; CREATE TABLE c () INHERITS (t)`,
      simple,
      {},
      DataError,
      'has children by inheritance'
    ],
    ['a view', 'CREATE VIEW t AS SELECT 1 AS id', simple, {}, ConfigError, 'main has no table public.t']
  ]
  test.each(refused)('%s', (_name, main, standby, pool, type, message) =>
    withPair({ main, standby }, async pair => {
      const copied = pair.copy({}, pool)
      await expect(copied).rejects.toThrow(type)
      await expect(copied).rejects.toThrow(message)
      await Promise.all([allGone(pair.main), allGone(pair.standby)])
    })
  )

  test('one and the same database', () =>
    withPair({ ddl: simple }, async ({ main, copy }) => {
      await expect(copy({}, { standby: main.url })).rejects.toThrow('main and standby are the same database')
    }))

  test('names that are none, before any connection', () => {
    const make = (change: Partial<PostgresPoolOptions>) => () =>
      postgresPool({ main: 'x', standby: 'y', table: 't', ...change })
    expect(make({ table: 'pro*' })).toThrow(ConfigError)
    expect(make({ table: 'a.b.c' })).toThrow("table must be one table's name")
    expect(make({ table: '', idColumn: 'a.b' })).toThrow(/table must .*\nidColumn must/)
  })

  test('another name than main and standby', () =>
    withPair({ ddl: simple }, async ({ main, standby }) => {
      const pool = postgresPool({ main: main.url, standby: standby.url, table: 't' })
      await expect(pool.connect('oltp', never)).rejects.toThrow('knows main and standby, not oltp')
    }))

  const drop = `CREATE FUNCTION drop_some() RETURNS trigger LANGUAGE plpgsql AS
    'BEGIN IF new.id = 150 THEN RETURN NULL; END IF; RETURN new; END';
    CREATE TRIGGER drop_some BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION drop_some()`

  test.each([
    ['copied', ''],
    ['upserted', "INSERT INTO t VALUES (1000, 'own')"]
  ])('a trigger that drops rows as they are %s: their batch is not stored', (_name, before) =>
    withPair({ ddl: simple, main: filled(350), standby: `${drop}; ${before}` }, async ({ standby, copy }) => {
      await expect(copy()).rejects.toThrow('stored 99 of 100 rows')
      expect(await standby.query('SELECT FROM t WHERE id < 1000')).toHaveLength(100)
      await allGone(standby)
    })
  )

  test('what the server refuses says where and what', () =>
    withPair(
      { ddl: simple, main: filled(350), standby: "ALTER TABLE t ADD CHECK (v <> 'v120')" },
      async ({ copy }) => {
        const error = await copy().catch((error: unknown) => error)
        expect(error).toBeInstanceOf(DataError)
        expect(error).toMatchObject({ table: 'public.t', sqlstate: '23514' })
        expect((error as DataError).message).toMatch(
          /^standby: .*t_v_check.*\(Failing row contains \(120, v120\)/
        )
        expect((error as DataError).hint).toContain('alter it')
      }
    ))
})

describe('from the oldest version that is tested to the newest', () => {
  let servers: ThrowawayServer[] = []
  beforeAll(async () => {
    servers = await Promise.all([startVersion(12), startVersion(17)])
  })
  afterAll(() => Promise.all(servers.map(server => server.stop())))

  test.each([
    ['12 to 17', 0, 1],
    ['17 to 12', 1, 0]
  ])('%s', (_name, from, to) =>
    withPair(
      { ddl: simple, main: filled(350), servers: { main: servers[from]!.url, standby: servers[to]!.url } },
      async pair => {
        await pair.copy()
        await pair.main.exec("UPDATE t SET v = 'new'")
        expect(await pair.copy()).toMatchObject({ rows: 350n, batches: 4 })
        await expectSame(pair)
      }
    )
  )
})
