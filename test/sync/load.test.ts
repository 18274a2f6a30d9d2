/** Empty tables: filled by COPY in the fastest form that is exact, a large one in pieces, and what hangs on rows set after them. */
import { describe, expect, test } from 'vitest'
import { diff, sync, type RunEvent, type SyncOptions } from '../../src/index.js'
import { execBlocking } from '../support/blocking.js'
import { createPair, type Pair, type PairOptions } from '../support/databases.js'
import { databaseDigest } from '../support/digest.js'
import { startProxy } from '../support/proxy.js'
import { counts, failures, tableOf } from './reports.js'

async function withPair(options: PairOptions, use: (pair: Pair, config: SyncOptions) => Promise<void>) {
  const pair = await createPair(options)
  try {
    await use(pair, {
      main: pair.main.url,
      standby: pair.standby.url,
      env: { PATH: process.env.PATH },
      syncSchema: false
    })
  } finally {
    await pair.drop()
  }
}

const rows = (n: number) => `FROM generate_series(1, ${n}) n`
const same = async (pair: Pair) =>
  expect(await databaseDigest(pair.standby.url, ['public'])).toEqual(
    await databaseDigest(pair.main.url, ['public'])
  )

describe('COPY', () => {
  test.each([
    [
      'binary',
      'built-in types',
      'int, bigint, numeric, text, varchar(9), bool, uuid, timestamptz, interval, jsonb, bytea, float8, inet, int4range, text[], date[]',
      `1, 2, 3.00, E'\\t\\\\', 'v', true, gen_random_uuid(), now(), '1 day', '{"a": 1.0}', '\\x00', 0.1, '10.0.0.1', '[1,5)', '{"a,b",NULL}', '{2024-01-01}'`
    ],
    ['binary', 'enums and domains', 'mood, pos', `'ok', 5`],
    ['text', 'arrays of enums', 'mood[]', `'{ok,NULL}'`],
    ['text', 'composites', 'pt', `'(1,"x,y")'`],
    ['text', 'regclass', 'regclass', `'t'`],
    ['text', 'money', 'money', '12.34'],
    ['text', 'xml', 'xml', `'<a>&amp;</a>'`]
  ])('goes in %s for %s', async (format, _, types, values) => {
    const columns = types.split(/, (?![^(]*\))/).map((type, i) => `c${i} ${type}`)
    const ddl = `CREATE TYPE mood AS ENUM ('sad', 'ok'); CREATE TYPE pt AS (x int, y text); CREATE DOMAIN pos AS int CHECK (VALUE > 0); CREATE TABLE t (${columns.join(', ')})`
    await withPair(
      { ddl, main: `INSERT INTO t VALUES (${values}); INSERT INTO t DEFAULT VALUES` },
      async (pair, config) => {
        let copies = ''
        const emit = (event: RunEvent) => {
          if (event.type === 'rows')
            copies += execBlocking(
              pair.main.url,
              `SELECT query FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'pgsyncer' AND query LIKE 'COPY (%'`
            )
        }
        expect(failures(await sync(config, { emit }))).toEqual([])
        expect(copies).toMatch(format === 'binary' ? /FORMAT binary/ : /FORMAT text/)
        await same(pair)
      }
    )
  })

  test('OIDs of other databases do not matter: enums made in another order', async () => {
    const table = `CREATE TABLE t (a mood, b lvl, c mood[]); `
    await withPair(
      {
        main: `CREATE TYPE mood AS ENUM ('sad', 'ok'); CREATE TYPE lvl AS ENUM ('x', 'y'); ${table} INSERT INTO t VALUES ('ok', 'x', '{sad,ok}')`,
        standby: `CREATE TYPE lvl AS ENUM ('y', 'x'); CREATE TYPE mood AS ENUM ('ok', 'sad'); ${table}`
      },
      async (pair, config) => {
        expect(failures(await sync(config))).toEqual([])
        expect((await diff(config)).identical).toBe(true)
        await same(pair)
      }
    )
  })

  test('a large table goes in pieces over the workers', async () => {
    // One row a page of 8 KB, and enough of them for two pieces of 64 MB.
    const wide = `CREATE TABLE big (id int PRIMARY KEY, v text); ALTER TABLE big ALTER v SET STORAGE PLAIN`
    await withPair(
      { ddl: wide, main: `INSERT INTO big SELECT n, rpad(n::text, 5000, 'x') ${rows(16_500)}` },
      async (pair, config) => {
        const asked: string[] = []
        const emit = (event: RunEvent) => {
          if (event.type === 'rows')
            asked.push(
              ...execBlocking(
                pair.main.url,
                `SELECT query FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'pgsyncer' AND query LIKE 'COPY (%ctid%'`
              )
                .split('\n')
                .filter(Boolean)
            )
        }
        const done = await sync({ ...config, workers: 2, verify: true }, { emit })
        expect(failures(done)).toEqual([])
        expect(counts(done)).toEqual({ big: [16_500, 0, 0] })
        expect(tableOf(done, 'big').rows).toMatchObject({ main: 16_500 })
        expect(new Set(asked).size).toBe(2)
        const sum =
          'SELECT count(*)::int AS n, sum(hashtext(v))::text AS s, count(DISTINCT id)::int AS d FROM big'
        expect(await pair.standby.query(sum)).toEqual(await pair.main.query(sum))
      }
    )
  })

  test('a COMMIT whose answer is lost is not done twice', async () => {
    await withPair(
      { ddl: 'CREATE TABLE t (v text)', main: `INSERT INTO t SELECT 'v' ${rows(100)}` },
      async (pair, config) => {
        const proxy = await startProxy(pair.standby.url, 'COMMIT')
        try {
          const done = await sync({ ...config, standby: proxy.url(pair.standby.url) })
          expect(failures(done)).toEqual([])
          expect(counts(done)).toEqual({ t: [100, 0, 0] })
          expect(await pair.standby.query('SELECT count(*)::int AS n FROM t')).toEqual([{ n: 100 }])
        } finally {
          await proxy.stop()
        }
      }
    )
  })
})

describe('what a trigger does to a load', () => {
  const ddl = 'CREATE TABLE t (id int PRIMARY KEY, v text)'
  const main = `INSERT INTO t SELECT n, 'v' ${rows(100)}`
  const always = (body: string) =>
    `CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN ${body} END $$; CREATE TRIGGER f BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION f(); ALTER TABLE t ENABLE ALWAYS TRIGGER f`

  test('changed rows are found by --verify', async () => {
    await withPair(
      { ddl, main, standby: always(`IF NEW.id = 77 THEN NEW.v := 'spoilt'; END IF; RETURN NEW;`) },
      async (_, config) => {
        const done = await sync({ ...config, verify: true })
        expect(tableOf(done, 't')).toMatchObject({
          status: 'failed',
          reason: expect.stringMatching(/not what main has/),
          hint: expect.stringMatching(/trigger/)
        })
      }
    )
  })

  test('dropped rows are found by their count', async () => {
    await withPair(
      { ddl, main, standby: always('IF NEW.id = 77 THEN RETURN NULL; END IF; RETURN NEW;') },
      async (pair, config) => {
        const done = await sync(config)
        expect(tableOf(done, 't')).toMatchObject({
          status: 'failed',
          reason: expect.stringMatching(/main sent 100 rows .* stored 99/)
        })
        expect(await pair.standby.query('SELECT 1 FROM t')).toEqual([])
      }
    )
  })
})

describe('--where', () => {
  const table = `CREATE TABLE t (id int PRIMARY KEY, at timestamptz); CREATE TABLE u (id int PRIMARY KEY, at timestamptz)`

  test('loads its rows and no others; another table is whole', async () => {
    await withPair(
      {
        ddl: table,
        main: `INSERT INTO t SELECT n, now() - n * interval '1 day' ${rows(100)}; INSERT INTO u SELECT n, now() ${rows(10)}`
      },
      async (pair, config) => {
        const where = { 'public.t': `at > now() - interval '50 days' AND id % 2 = 0` }
        expect(counts(await sync({ ...config, where }))).toEqual({ t: [24, 0, 0], u: [10, 0, 0] })
        expect((await diff({ ...config, where })).identical).toBe(true)
        expect(await pair.standby.query('SELECT min(id), max(id) FROM t')).toEqual([{ min: 2, max: 48 }])
      }
    )
  })

  test('its now() is the cut’s on both sides', async () => {
    await withPair(
      { ddl: table, main: `INSERT INTO t VALUES (1, now())`, standby: 'INSERT INTO t VALUES (1, now())' },
      async (pair, config) => {
        await pair.standby.exec(
          `UPDATE t SET at = '${(await pair.main.query('SELECT at::text FROM t'))[0]!.at}'`
        )
        const emit = (event: RunEvent) => {
          if (event.type === 'cut')
            execBlocking(pair.standby.url, 'INSERT INTO t VALUES (2, clock_timestamp())')
        }
        const found = await diff({ ...config, where: { t: 'at <= now()' } }, { emit })
        expect(failures(found)).toEqual([])
        expect(counts(found)).toEqual({})
        expect(tableOf(found, 't').rows).toEqual({ main: 1, standby: 1 })
      }
    )
  })

  test('a condition that is no SQL fails its table alone', async () => {
    await withPair(
      { ddl: table, main: `INSERT INTO t VALUES (1, now()); INSERT INTO u VALUES (1, now())` },
      async (_, config) => {
        const done = await sync({ ...config, where: { t: 'nowhere = 1' } })
        expect(failures(done)).toEqual([expect.stringMatching(/^t: .*column "nowhere" does not exist/)])
        expect(tableOf(done, 'u').status).toBe('synced')
      }
    )
  })
})

describe('after the rows', () => {
  test('sequences go forward to where main’s are, and back only where rows may be removed', async () => {
    const ddl = `CREATE TABLE t (id serial PRIMARY KEY, v int); CREATE TABLE i (id int GENERATED ALWAYS AS IDENTITY, v int); CREATE SEQUENCE ahead; CREATE SEQUENCE fresh START 7; CREATE SEQUENCE down INCREMENT -1; CREATE SEQUENCE "Weird "" name"; CREATE SEQUENCE huge`
    await withPair(
      {
        ddl,
        main: `INSERT INTO t (v) SELECT 1 ${rows(5)}; INSERT INTO i (v) SELECT 1 ${rows(3)}; SELECT setval('ahead', 3); SELECT setval('down', -10); SELECT nextval('"Weird "" name"'); SELECT setval('huge', 9007199254740993, false)`,
        standby: `SELECT setval('ahead', 100); SELECT setval('down', -5)`
      },
      async (pair, config) => {
        const done = await sync(config)
        const status = Object.fromEntries(done.sequences.map(one => [one.name, one.status]))
        expect(status).toEqual({
          ahead: 'ahead',
          down: 'synced',
          fresh: 'identical',
          huge: 'synced',
          i_id_seq: 'synced',
          t_id_seq: 'synced',
          'Weird " name': 'synced'
        })
        expect(
          await pair.standby.query(
            `SELECT nextval('t_id_seq')::int AS t, nextval('i_id_seq')::int AS i, nextval('ahead')::int AS a, nextval('fresh')::int AS f, nextval('down')::int AS d, nextval('huge')::text AS h`
          )
        ).toEqual([{ t: 6, i: 4, a: 101, f: 7, d: -11, h: '9007199254740993' }])
        const back = await sync({ ...config, cleanExtra: { rows: true, objects: false } })
        expect(back.sequences.find(one => one.name === 'ahead')?.status).toBe('synced')
        expect(await pair.standby.query(`SELECT nextval('ahead')::int AS a`)).toEqual([{ a: 4 }])
      }
    )
  })

  test('materialized views are refreshed, each after those that it reads, and one that fails is named', async () => {
    const ddl = `CREATE TABLE t (id int PRIMARY KEY, v int);
      CREATE MATERIALIZED VIEW z AS SELECT sum(v)::int AS s FROM t; CREATE VIEW y AS SELECT s + 1 AS s FROM z; CREATE MATERIALIZED VIEW a AS SELECT s * 2 AS s FROM y;
      CREATE MATERIALIZED VIEW never AS SELECT 1 AS one WITH NO DATA`
    await withPair(
      {
        ddl,
        main: `INSERT INTO t VALUES (1, 20), (2, 0); REFRESH MATERIALIZED VIEW z; REFRESH MATERIALIZED VIEW a`
      },
      async (pair, config) => {
        expect(failures(await sync(config))).toEqual([])
        expect(await pair.standby.query('SELECT s FROM a')).toEqual([{ s: 42 }])
        expect(
          await pair.standby.query(`SELECT relispopulated FROM pg_class WHERE relname = 'never'`)
        ).toEqual([{ relispopulated: false }])
        await pair.standby.exec(
          `DROP MATERIALIZED VIEW a; CREATE MATERIALIZED VIEW a AS SELECT 1 / (s - 21) AS s FROM y WITH NO DATA`
        )
        const done = await sync(config)
        expect(failures(done)).toEqual([
          expect.stringMatching(/materialized view public\.a could not be refreshed: division by zero/)
        ])
        expect(done.ok).toBe(false)
      }
    )
  })
})
