/**
 * `--fdw-mode` on a server that writes everything it does to its log: the rows are the cut's, nothing that was made
 * on the way stays, and the password is nowhere.
 */
import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import pg from 'pg'
import { afterAll, describe, expect, test } from 'vitest'
import { findBinaries } from '../../src/cli/demo/binaries.js'
import { startServer } from '../../src/cli/demo/servers.js'
import { sync, type RunEvent, type SyncOptions } from '../../src/index.js'
import { execBlocking } from '../support/blocking.js'
import { createPair, type Db, type Pair, type PairOptions } from '../support/databases.js'
import { databaseDigest } from '../support/digest.js'
import { createRole } from '../support/roles.js'
import { counts, failures, tableOf } from './reports.js'

/** The part of the password that survives every way of quoting. */
const mark = 'm4rkedS3cret'
const password = `${mark} 'q' "d" \\b\\\\ %41 @:/?# $1 end`

const server = await startServer({
  binaries: await findBinaries(15),
  name: 'fdw',
  password,
  settings: {
    log_statement: 'all',
    log_min_duration_statement: '0',
    log_min_error_statement: 'debug5',
    log_error_verbosity: 'verbose',
    log_parameter_max_length_on_error: '-1'
  }
})
afterAll(() => server.stop())

const missing = await withoutFdw()
const because = missing ? ' (skipped: this PostgreSQL has no postgres_fdw)' : ''

async function withoutFdw(): Promise<boolean> {
  const client = new pg.Client({ ...server, user: server.user, database: 'postgres' })
  await client.connect()
  const { rows } = await client.query(`SELECT 1 FROM pg_available_extensions WHERE name = 'postgres_fdw'`)
  await client.end()
  return rows.length === 0
}

async function withPair(options: PairOptions, use: (pair: Pair, config: SyncOptions) => Promise<void>) {
  const pair = await createPair({ ...options, servers: { main: server.url, standby: server.url } })
  try {
    await use(pair, {
      main: pair.main.url,
      standby: pair.standby.url,
      env: { PATH: process.env.PATH },
      syncSchema: false,
      fdwMode: true
    })
  } finally {
    await pair.drop()
  }
}

/** Everything that --fdw-mode makes on its way. */
const left = async (db: Db) =>
  (
    await db.query<{ what: string }>(`
      SELECT 'server ' || srvname AS what FROM pg_foreign_server
      UNION ALL SELECT 'mapping of ' || srvname FROM pg_user_mappings
      UNION ALL SELECT 'foreign table ' || ftrelid::regclass FROM pg_foreign_table
      UNION ALL SELECT 'extension ' || extname FROM pg_extension WHERE extname <> 'plpgsql'
      UNION ALL SELECT 'schema ' || nspname FROM pg_namespace WHERE nspname LIKE 'pgsyncer\\_fdw%'
      UNION ALL SELECT 'table ' || relname FROM pg_class WHERE relname LIKE 'pgsyncer%'`)
  ).map(row => row.what)

const digests = async ({ main, standby }: Pair) => [
  await databaseDigest(standby.url, ['public']),
  await databaseDigest(main.url, ['public'])
]

const ddl = `CREATE TYPE mood AS ENUM ('sad', 'ok');
  CREATE TABLE parent (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, a int, twice int GENERATED ALWAYS AS (a * 2) STORED, m mood, n numeric, j jsonb);
  CREATE TABLE child (id bigint PRIMARY KEY, parent int REFERENCES parent, "wei ""rd" text);
  CREATE TABLE loose (v text)`
const rows = `INSERT INTO parent (a, m, n, j) SELECT n, 'ok', n / 3.0, '{"a": 1}' FROM generate_series(1, 500) n;
  INSERT INTO child SELECT n, 1 + n % 500, E'\\\\ '' " \\t' FROM generate_series(1, 800) n; INSERT INTO loose SELECT 'x' || n % 7 FROM generate_series(1, 50) n`

describe.skipIf(missing)(`--fdw-mode${because}`, () => {
  test('fills an empty standby and leaves nothing behind', async () => {
    await withPair({ ddl, main: rows }, async (pair, config) => {
      const done = await sync(config)
      expect(failures(done)).toEqual([])
      expect(counts(done)).toEqual({ parent: [500, 0, 0], child: [800, 0, 0], loose: [50, 0, 0] })
      const [standby, main] = await digests(pair)
      expect(standby).toEqual(main)
      expect(await left(pair.standby)).toEqual([])
    })
  })

  test('mends a drifted standby and leaves nothing behind', async () => {
    const drift = `UPDATE parent SET a = 0 WHERE id <= 5; DELETE FROM child WHERE id <= 30; DELETE FROM parent WHERE id = 500 AND NOT EXISTS (SELECT 1 FROM child WHERE parent = 500);
      INSERT INTO child VALUES (9999, 1, 'extra'); DELETE FROM loose WHERE v = 'x1'; INSERT INTO loose VALUES ('y')`
    await withPair({ ddl: `${ddl};${rows}`, standby: drift }, async (pair, config) => {
      const done = await sync({ ...config, chunkSize: 100, cleanExtra: { rows: true, objects: false } })
      expect(failures(done)).toEqual([])
      expect(counts(done)).toEqual({ parent: [0, 5, 0], child: [30, 0, 1], loose: [8, 0, 1] })
      const [standby, main] = await digests(pair)
      expect(standby).toEqual(main)
      expect(await left(pair.standby)).toEqual([])
    })
  })

  test('leaves the rows of a table’s heirs where they are', async () => {
    const heirs = `CREATE TABLE base (id int PRIMARY KEY, v int); CREATE TABLE heir (PRIMARY KEY (id)) INHERITS (base);
      INSERT INTO base SELECT n, n FROM generate_series(1, 9) n; INSERT INTO heir SELECT n, -n FROM generate_series(1, 9) n`
    const drift = 'DELETE FROM ONLY base WHERE id > 6; UPDATE ONLY base SET v = 0 WHERE id = 1; TRUNCATE heir'
    await withPair({ ddl: heirs, standby: drift }, async (pair, config) => {
      const done = await sync(config)
      expect(failures(done)).toEqual([])
      expect(counts(done)).toEqual({ base: [3, 1, 0], heir: [9, 0, 0] })
      const [standby, main] = await digests(pair)
      expect(standby).toEqual(main)
    })
  })

  test('leaves nothing behind after a failure in the middle', async () => {
    const refuse = 'ALTER TABLE child ADD CHECK (id < 400); ALTER TABLE loose ADD CHECK (v < $$x3$$)'
    await withPair({ ddl, main: rows, standby: refuse }, async (pair, config) => {
      const done = await sync(config)
      expect(tableOf(done, 'parent').status).toBe('synced')
      expect(tableOf(done, 'child')).toMatchObject({ status: 'failed', hint: expect.stringMatching(/CHECK/) })
      expect(tableOf(done, 'loose').status).toBe('failed')
      expect(JSON.stringify(done)).not.toContain(mark)
      expect(await left(pair.standby)).toEqual([])
      expect(await pair.standby.query('SELECT 1 FROM child')).toEqual([])
    })
  })

  test('keeps an extension that was there, and what others made with it', async () => {
    const own = `CREATE EXTENSION postgres_fdw; CREATE SERVER own FOREIGN DATA WRAPPER postgres_fdw; CREATE USER MAPPING FOR CURRENT_USER SERVER own`
    await withPair({ ddl, main: rows, standby: own }, async (pair, config) => {
      const done = await sync(config)
      expect(failures(done)).toEqual([])
      expect(await left(pair.standby)).toEqual(['server own', 'mapping of own', 'extension postgres_fdw'])
    })
  })

  test('an owner who may not make the extension is told so', async () => {
    await withPair({ ddl: 'SELECT 1' }, async (pair, config) => {
      const owner = await createRole(pair.standby, 'owner')
      try {
        await pair.main.exec('CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1)')
        await pair.standby
          .exec(`GRANT CREATE ON DATABASE ${pair.standby.name} TO ${owner.name}; GRANT ALL ON SCHEMA public TO ${owner.name};
          SET ROLE ${owner.name}; CREATE TABLE t (id int PRIMARY KEY); RESET ROLE`)
        const done = await sync({ ...config, standby: owner.url(pair.standby) })
        expect(failures(done)).toEqual([
          expect.stringMatching(
            /needs the extension postgres_fdw.*CREATE EXTENSION postgres_fdw as a superuser/
          )
        ])
        await pair.standby.exec(
          `CREATE EXTENSION postgres_fdw; GRANT USAGE ON FOREIGN DATA WRAPPER postgres_fdw TO ${owner.name}`
        )
        const again = await sync({ ...config, standby: owner.url(pair.standby) })
        expect(failures(again)).toEqual([])
        expect(await left(pair.standby)).toEqual(['extension postgres_fdw'])
      } finally {
        await pair.standby.exec(`DROP OWNED BY ${owner.name}; DROP ROLE ${owner.name}`)
      }
    })
  })

  const later = `UPDATE parent SET a = -1 WHERE id % 2 = 0; DELETE FROM child WHERE id % 3 = 0; INSERT INTO parent (a) VALUES (1), (2);
    INSERT INTO child SELECT 10000 + n, 500 + n, 'later' FROM generate_series(1, 2) n; DELETE FROM loose WHERE v = 'x1'; INSERT INTO loose VALUES ('later')`

  test.each([
    ['an empty', ''],
    [
      'a drifted',
      `${rows}; UPDATE parent SET a = a + 1 WHERE id < 100; DELETE FROM child WHERE id < 50; DELETE FROM loose WHERE v = 'x2'`
    ]
  ])('main may be written to after the cut: %s standby becomes the cut', async (_, standby) => {
    await withPair({ ddl, main: rows, standby }, async (pair, config) => {
      const cut = await databaseDigest(pair.main.url, ['public'])
      let changed = 0
      const emit = (event: RunEvent) => {
        if (event.type !== 'phase' || event.phase !== 'rows') return
        execBlocking(pair.main.url, later)
        changed++
      }
      const done = await sync({ ...config, chunkSize: 100 }, { emit })
      expect(changed).toBe(1)
      expect(failures(done)).toEqual([])
      expect(await databaseDigest(pair.main.url, ['public'])).not.toEqual(cut)
      expect(await databaseDigest(pair.standby.url, ['public'])).toEqual(cut)
      expect(await left(pair.standby)).toEqual([])
    })
  })

  test('the password is in no catalog, no statement and no line of the log', async () => {
    await withPair({ ddl, main: rows }, async (pair, config) => {
      const seen: string[] = []
      const run = sync(config)
      let running = true
      const watch = (async () => {
        while (running) {
          for (const { query } of await pair.standby.query<{ query: string }>(
            'SELECT query FROM pg_stat_activity'
          ))
            seen.push(query)
        }
      })()
      const done = await run.finally(() => (running = false))
      await watch
      expect(failures(done)).toEqual([])
      expect(seen.filter(query => query?.includes(mark))).toEqual([])
      expect(
        await pair.standby.query(
          `SELECT umoptions::text FROM pg_user_mapping WHERE umoptions::text ~ '${mark.slice(0, 5)}'`
        )
      ).toEqual([])
    })
    const log = await readFile(join(dirname(server.dataDir), 'server.log'), 'utf8')
    // The log does hold what was done, so that its silence on the password means something.
    expect(log).toMatch(/CREATE USER MAPPING/)
    expect(log).toMatch(/COPY pg_temp\.pgsyncer_link/)
    expect(log.split('\n').filter(line => line.includes(mark))).toEqual([])
  })

  test('where main refuses the standby’s server, the reason holds no password', async () => {
    await withPair({ ddl, main: rows }, async (pair, config) => {
      const done = await sync({ ...config, fdwPort: 1, tables: ['parent'], retries: 0 })
      expect(tableOf(done, 'parent')).toMatchObject({
        status: 'failed',
        reason: expect.stringMatching(/could not connect/)
      })
      expect(JSON.stringify(done)).not.toContain(mark)
      expect(await left(pair.standby)).toEqual([])
    })
  })
})
