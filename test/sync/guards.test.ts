/** What a run refuses, before it has written anything: the class of the error, what it says to do, and what stays as it was. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  check,
  ConfigError,
  ConnectionError,
  diff,
  GuardError,
  sync,
  type SyncOptions
} from '../../src/index.js'
import { execBlocking } from '../support/blocking.js'
import { createPair, type Pair, type PairOptions } from '../support/databases.js'
import { databaseDigest } from '../support/digest.js'
import { counts, errorOf, failures, tableOf } from './reports.js'

const options = (pair: Pair): SyncOptions => ({
  main: pair.main.url,
  standby: pair.standby.url,
  env: { PATH: process.env.PATH },
  syncSchema: false
})

async function withPair(setup: PairOptions, use: (pair: Pair, config: SyncOptions) => Promise<void>) {
  const pair = await createPair(setup)
  try {
    await use(pair, options(pair))
  } finally {
    await pair.drop()
  }
}

/** No password of either URL is in the text. */
const tellsNoPassword = (error: Error & { hint?: string }, ...urls: string[]) => {
  const text = `${error.message} ${error.hint} ${error.stack}`
  for (const url of urls) expect(text).not.toContain(new URL(url).password)
}

describe('max-delete', () => {
  const rows = (n: number) => `FROM generate_series(1, ${n}) n`
  const tables = `CREATE TABLE big (id int PRIMARY KEY); CREATE TABLE fresh (id int PRIMARY KEY); CREATE TABLE few (id int PRIMARY KEY)`
  const setup = (standby: string): PairOptions => ({
    ddl: tables,
    main: `INSERT INTO big SELECT n ${rows(1500)}; INSERT INTO fresh SELECT n ${rows(10)}`,
    standby
  })
  const clean = { cleanExtra: { rows: true, objects: false } }

  test('by default half a table may go, and 1,000 rows of any: more is refused before anything is written', async () => {
    await withPair(
      setup(`INSERT INTO big SELECT n ${rows(3001)}; INSERT INTO few SELECT n ${rows(900)}`),
      async (pair, config) => {
        await pair.main.exec('CREATE TABLE absent (id int PRIMARY KEY)')
        const before = await databaseDigest(pair.standby.url, ['public'])
        const error = await errorOf(sync({ ...config, ...clean, syncSchema: true }))
        expect(error).toBeInstanceOf(GuardError)
        expect(error.message).toMatch(/public\.big \(1501 of 3001 rows\)/)
        expect(error.message).not.toMatch(/few/)
        expect(error.hint).toMatch(/--max-delete/)
        // Nothing at all: not the empty table's rows, nor the missing table.
        expect(await databaseDigest(pair.standby.url, ['public'])).toEqual(before)
        expect(await pair.standby.query(`SELECT to_regclass('absent') AS found`)).toEqual([{ found: null }])
      }
    )
  })

  test('exactly half may go, and without clean-extra the guard is not asked', async () => {
    await withPair(
      setup(`INSERT INTO big SELECT n ${rows(3000)}; INSERT INTO few SELECT n ${rows(1000)}`),
      async (pair, config) => {
        expect(counts(await sync(config))).toEqual({ fresh: [10, 0, 0] })
        const done = await sync({ ...config, ...clean })
        expect(counts(done)).toEqual({ big: [0, 0, 1500], few: [0, 0, 1000] })
        expect(await databaseDigest(pair.standby.url, ['public'])).toEqual(
          await databaseDigest(pair.main.url, ['public'])
        )
      }
    )
  })

  test.each<[string, NonNullable<SyncOptions['maxDelete']>, boolean]>([
    ['10 rows', { rows: 10 }, false],
    ['9 rows', { rows: 9 }, true],
    ['no row', { rows: 0 }, true],
    ['100 %', { percent: 100 }, false]
  ])('%s', async (_, maxDelete, refused) => {
    await withPair(
      { ddl: 'CREATE TABLE t (id int PRIMARY KEY)', standby: `INSERT INTO t SELECT n ${rows(10)}` },
      async (pair, config) => {
        const run = sync({ ...config, ...clean, maxDelete })
        if (refused) expect(await errorOf(run)).toBeInstanceOf(GuardError)
        else expect(counts(await run)).toEqual({ t: [0, 0, 10] })
        expect(await pair.standby.query('SELECT count(*)::int AS n FROM t')).toEqual([
          { n: refused ? 10 : 0 }
        ])
      }
    )
  })

  test('rows that can be compared only when the structure is main’s are counted then, and the message says so', async () => {
    const standby = `ALTER TABLE t ALTER v TYPE int USING NULL; INSERT INTO t SELECT n ${rows(10)}`
    await withPair({ ddl: 'CREATE TABLE t (id int PRIMARY KEY, v text)', standby }, async (pair, config) => {
      const allowed = { ...config, ...clean, syncSchema: true, allow: ['all' as const] }
      const error = await errorOf(sync({ ...allowed, maxDelete: { rows: 9 } }))
      expect(error).toBeInstanceOf(GuardError)
      expect(error.message).toMatch(
        /public\.t \(10 of 10 rows\); the structure was brought over, and no row was written$/
      )
      expect(
        await pair.standby.query('SELECT count(*)::int AS n, min(pg_typeof(v)::text) AS type FROM t')
      ).toEqual([{ n: 10, type: 'text' }])
    })
  })

  test('rows of a table that would be dropped count as well', async () => {
    await withPair(
      { ddl: 'SELECT 1', standby: `CREATE TABLE extra (id int); INSERT INTO extra SELECT n ${rows(1001)}` },
      async (pair, config) => {
        const error = await errorOf(
          sync({ ...config, syncSchema: true, cleanExtra: { rows: true, objects: true } })
        )
        expect(error).toBeInstanceOf(GuardError)
        expect(error.message).toMatch(/public\.extra \(1001 rows\)/)
        expect(await pair.standby.query('SELECT count(*)::int AS n FROM extra')).toEqual([{ n: 1001 }])
      }
    )
  })
})

describe('two runs', () => {
  test('the lock is held from before the first write to the end of the run', async () => {
    await withPair(
      { ddl: 'CREATE TABLE t (id int PRIMARY KEY)', main: 'INSERT INTO t VALUES (1)' },
      async (pair, config) => {
        const held = () =>
          execBlocking(
            pair.standby.url,
            `SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND classid = 1885827449 AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`
          )
        const seen: string[] = []
        const done = await sync(config, {
          emit: event => event.type === 'phase' && seen.push(`${event.phase} ${held()}`)
        })
        expect(failures(done)).toEqual([])
        expect(seen).toEqual(expect.arrayContaining(['connect 0', 'rows 1', 'views 1']))
        expect(held()).toBe('0')
      }
    )
  })

  test('refused at once, with a class of its own', async () => {
    await withPair(
      { ddl: 'CREATE TABLE t (id int PRIMARY KEY)', main: 'INSERT INTO t VALUES (1)' },
      async (pair, config) => {
        // 'pgsy', 'ncer': as sync/guards.ts takes it.
        await pair.standby.exec('SELECT pg_advisory_lock(1885827449, 1852007794)')
        const error = await errorOf(sync(config))
        expect(error).toBeInstanceOf(GuardError)
        expect(error.message).toMatch(/another run is writing/)
        expect(await pair.standby.query('SELECT 1 FROM t')).toEqual([])
        // A comparison writes nothing and needs no lock.
        expect(counts(await diff(config))).toEqual({ t: [1, 0, 0] })
        await pair.standby.exec('SELECT pg_advisory_unlock_all()')
        expect((await sync(config)).ok).toBe(true)
      }
    )
  })
})

describe('main = standby', () => {
  test('by the same DSN, and by two spellings of it', async () => {
    await withPair({ ddl: 'CREATE TABLE t (id int PRIMARY KEY)' }, async (pair, config) => {
      const other = new URL(pair.main.url)
      other.hostname = other.hostname === 'localhost' ? '127.0.0.1' : 'localhost'
      other.searchParams.set('application_name', 'x')
      for (const standby of [pair.main.url, other.href]) {
        for (const call of [sync, diff]) {
          const error = await errorOf(call({ ...config, standby }))
          expect(error).toBeInstanceOf(ConfigError)
          expect(error.message).toMatch(/same database/)
          expect(error.hint).toMatch(/DSN/)
          tellsNoPassword(error, pair.main.url)
        }
      }
    })
  })

  test('two databases of one server are two', async () => {
    await withPair({ ddl: 'CREATE TABLE t (id int PRIMARY KEY)' }, async (_, config) => {
      expect((await sync(config)).ok).toBe(true)
    })
  })
})

describe('bad input', () => {
  let pair: Pair
  beforeAll(async () => {
    pair = await createPair({
      ddl: `CREATE TABLE orders (id int PRIMARY KEY, v int); CREATE TABLE "Weird Name" (id int PRIMARY KEY); INSERT INTO orders VALUES (1, 1)`
    })
  })
  afterAll(() => pair.drop())

  const changed = (url: string, change: (url: URL) => void) => {
    const copy = new URL(url)
    change(copy)
    return copy.href
  }

  test.each<[string, (pair: Pair) => Partial<SyncOptions>, new (...args: never[]) => Error, RegExp, RegExp]>([
    [
      'an unreachable server',
      p => ({ main: changed(p.main.url, url => (url.port = '1')) }),
      ConnectionError,
      /main at .*:1\/.* refused the connection/,
      /running/
    ],
    [
      'an unknown host',
      p => ({ standby: changed(p.main.url, url => (url.hostname = 'no-such-host.invalid')) }),
      ConnectionError,
      /standby .*cannot be resolved/,
      /spelling/
    ],
    [
      'a wrong password',
      p => ({ main: changed(p.main.url, url => (url.password = 'wr0ngSecret')) }),
      ConnectionError,
      /did not take the password of user/,
      /PGPASSWORD/
    ],
    [
      'no password',
      p => ({ main: changed(p.main.url, url => (url.password = '')), env: { PGPASSFILE: '/nowhere' } }),
      ConnectionError,
      /asks for a password/,
      /PGPASSWORD/
    ],
    [
      'a missing database',
      p => ({ main: changed(p.main.url, url => (url.pathname = '/nowhere')) }),
      ConnectionError,
      /main .*database "nowhere" does not exist/,
      /createdb/
    ],
    [
      'a missing schema',
      () => ({ schemas: ['public', 'nowhere'] }),
      ConfigError,
      /no schema "nowhere"/,
      /--schema/
    ],
    [
      'a misspelt table',
      () => ({ tables: ['ordres'] }),
      ConfigError,
      /no table or materialized view of main fits "ordres"/,
      /Is public\.orders meant\?/
    ],
    [
      'a table with capitals, unquoted',
      () => ({ tables: ['Weird Name'] }),
      ConfigError,
      /no table or materialized view of main fits/,
      /double quotes/
    ],
    [
      'a malformed DSN',
      () => ({ main: 'postgres://u:s3cretWord@host:port/db' }),
      ConfigError,
      /DSN of main/,
      /postgres:\/\/user/
    ],
    [
      'a malformed time',
      () => ({ useUpdatedAt: true, lastSyncTime: 'yesterday' }),
      ConfigError,
      /lastSyncTime must be written YYYY-MM-DD/,
      /^$/
    ],
    [
      'a time that is none',
      () => ({ useUpdatedAt: true, lastSyncTime: '2024-13-45 99:00:00' }),
      ConfigError,
      /lastSyncTime must be/,
      /^$/
    ],
    [
      'a day that is none',
      () => ({ useUpdatedAt: true, lastSyncTime: '2024-02-30 00:00:00' }),
      ConfigError,
      /lastSyncTime must be/,
      /^$/
    ],
    [
      'an hour that is none',
      () => ({ useUpdatedAt: true, lastSyncTime: '2024-02-28 25:00:00' }),
      ConfigError,
      /lastSyncTime must be/,
      /^$/
    ],
    [
      'no workers',
      () => ({ workers: 0 }),
      ConfigError,
      /workers must be a whole number from 1 to 64, not 0/,
      /^$/
    ],
    [
      'an unknown sslmode',
      p => ({ main: `${p.main.url}?sslmode=maybe` }),
      ConfigError,
      /sslmode "maybe"/,
      /verify-full/
    ]
  ])('%s', async (_, change, kind, message, hint) => {
    const error = await errorOf(sync({ ...options(pair), retries: 0, ...change(pair) }))
    expect(error).toBeInstanceOf(kind)
    expect(error.message).toMatch(message)
    expect(error.hint ?? '').toMatch(hint)
    tellsNoPassword(error, pair.main.url)
    expect(`${error.message} ${error.hint}`).not.toMatch(/wr0ngSecret|s3cretWord/)
  })

  test('all faults of a config at once', async () => {
    const error = await errorOf(sync({ main: '', standby: '', workers: 0, chunkSize: 0, schemas: [] }))
    expect(error).toBeInstanceOf(ConfigError)
    expect(error.message.split('\n')).toHaveLength(5)
  })

  test('check tells an unreachable server as a finding', async () => {
    const found = await check({ ...options(pair), main: changed(pair.main.url, url => (url.port = '1')) })
    expect(found.ok).toBe(false)
    expect(found.findings).toContainEqual(expect.objectContaining({ level: 'error', check: 'connection' }))
  })
})

describe('a table that cannot be compared is reported, and the others go on', () => {
  test.each([
    ['a column missing on the standby', 'ALTER TABLE t DROP COLUMN v', /column v is missing on the standby/],
    ['a column missing on main', 'ALTER TABLE t ADD COLUMN w int', /column w is missing on main/],
    [
      'a type that differs',
      'ALTER TABLE t ALTER COLUMN v TYPE varchar(20)',
      /column v is text on main and character varying\(20\) on the standby/
    ],
    ['a table missing on the standby', 'DROP TABLE t', /missing on the standby/]
  ])('%s', async (_, standby, reason) => {
    await withPair(
      {
        ddl: `CREATE TABLE t (id int PRIMARY KEY, v text); CREATE TABLE u (id int PRIMARY KEY, v text); INSERT INTO t VALUES (1, 'v'); INSERT INTO u VALUES (1, 'v')`,
        standby: `UPDATE u SET v = 'x'; ${standby}`
      },
      async (_pair, config) => {
        const done = await sync(config)
        expect(done.ok).toBe(false)
        expect(tableOf(done, 't')).toMatchObject({
          status: 'failed',
          reason: expect.stringMatching(reason),
          hint: expect.stringMatching(/./)
        })
        expect(tableOf(done, 'u').status).toBe('synced')
        if (/^a (column|type)/.test(_)) {
          const column = /column (\w)/.exec(tableOf(done, 't').reason!)![1]!
          expect(
            tableOf(await sync({ ...config, excludeColumns: { 'public.t': [column] } }), 't').status
          ).toBe('identical')
        }
      }
    )
  })
})

describe('sessions that are not as usual', () => {
  test('settings of the database change nothing', async () => {
    const odd = `DO $$ DECLARE s text; BEGIN FOREACH s IN ARRAY ARRAY['TimeZone = ''Asia/Tokyo''', 'DateStyle = ''SQL, DMY''', 'IntervalStyle = ''sql_standard''',
      'extra_float_digits = 0', 'bytea_output = ''escape''', 'search_path = ''nowhere''', 'standard_conforming_strings = off', 'default_transaction_isolation = ''serializable''',
      'default_transaction_read_only = on', 'array_nulls = off', 'quote_all_identifiers = on', 'enable_indexscan = off']
      LOOP EXECUTE 'ALTER DATABASE ' || current_database() || ' SET ' || s; END LOOP; END $$`
    await withPair(
      {
        ddl: `CREATE TYPE mood AS ENUM ('ok'); CREATE TABLE t (id int PRIMARY KEY, at timestamptz, d date, i interval, f float8, b bytea, a text[], m mood, r regclass);
        INSERT INTO t SELECT n, '2024-05-06 07:08:09+00', '2024-05-06', '1 day 2 hours', 0.1, '\\x00ff', '{NULL,b}', 'ok', 'pg_class' FROM generate_series(1, 50) n;
        CREATE TABLE u (at timestamptz, a text[], m mood[]); INSERT INTO u SELECT * FROM (VALUES ('2024-05-06 07:08:09+00'::timestamptz, '{NULL,b}'::text[], '{ok}'::mood[])) v`,
        standby: `UPDATE t SET f = 0.2 WHERE id = 3; DELETE FROM t WHERE id = 4; TRUNCATE u; ${odd}`
      },
      async (pair, config) => {
        const done = await sync(config)
        expect(failures(done)).toEqual([])
        expect(counts(done)).toEqual({ t: [1, 1, 0], u: [1, 0, 0] })
        const text =
          'SET default_transaction_read_only = off; SELECT string_agg(t::text, $$;$$ ORDER BY id) FROM public.t'
        const pins = `SET TimeZone = 'UTC'; SET DateStyle = 'ISO'; SET IntervalStyle = 'postgres'; SET extra_float_digits = 3; SET bytea_output = 'hex'; SET search_path = 'public'; SET statement_timeout = 0; SET quote_all_identifiers = off;`
        expect(execBlocking(pair.standby.url, pins + text)).toBe(execBlocking(pair.main.url, pins + text))
      }
    )
  })
})
