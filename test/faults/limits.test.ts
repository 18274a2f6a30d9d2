/**
 * What PostgreSQL itself allows at most: it works, within the memory that is promised, or one message says what cannot be. The long
 * form (npm run test:faults) takes the full numbers.
 */
import { readFile, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { findBinaries } from '../../src/cli/demo/binaries.js'
import { startServer } from '../../src/cli/demo/servers.js'
import { diff, sync, type SyncOptions } from '../../src/index.js'
import { createPair, type Db, type Pair, type PairOptions } from '../support/databases.js'
import { databaseDigest } from '../support/digest.js'
import { counts, errorOf, failures, tableOf } from '../sync/reports.js'
import { pgsyncer } from './peak.js'
import { withPair } from './pairs.js'

const all = process.env.FAULTS === 'all'
/** Milliseconds. */
const long = 3_600_000

const folder = await mkdtemp(join(tmpdir(), 'pgsyncer-limits-'))
afterAll(() => rm(folder, { recursive: true }))

async function same({ main, standby }: Pair, schemas: readonly string[] = ['public']): Promise<void> {
  expect(await databaseDigest(standby.url, schemas)).toEqual(await databaseDigest(main.url, schemas))
}

const cleaning = { cleanExtra: { rows: true, objects: true }, allow: ['all' as const] }
const dsns = ({ main, standby }: Pair) => ['--maindsn', main.url, '--standindsn', standby.url]

/** Bytes that the program may take where nothing else is said. */
const promised = 150e6

describe('1,600 columns', () => {
  const columns = (from: number) =>
    `(SELECT string_agg('c' || n || ' int', ', ') FROM generate_series(${from}, 1600) n)`
  const make = (key: string, from: number) =>
    `DO $$ BEGIN EXECUTE 'CREATE TABLE t (' || '${key}' || ${columns(from)} || ')';
      EXECUTE 'INSERT INTO t VALUES (1' || repeat(', 7', 1599) || '), (2' || repeat(', NULL', 1599) || '), (3' || repeat(', -1', 1599) || ')'; END $$`

  const kinds = [
    ['with a key', make('c1 int PRIMARY KEY, ', 2)],
    ['without', make('', 1)]
  ] as const
  test.each(all ? kinds : kinds.slice(0, 1))('%s: loaded, compared, mended, and told', async (_, ddl) => {
    await withPair({ main: ddl }, async (pair, config) => {
      expect(failures(await sync({ ...config, verify: true }))).toEqual([])
      await same(pair)
      await pair.standby.exec('UPDATE t SET c1600 = 8 WHERE c1 = 1; DELETE FROM t WHERE c1 = 2')
      const found = await diff({ ...config, strictHash: true })
      expect(failures(found)).toEqual([])
      expect(Object.keys(tableOf(found, 't').samples[0]!.columns).length).toBeGreaterThan(1598)
      for (const fdwMode of [false, true]) {
        const done = await sync({ ...config, ...cleaning, fdwMode, samples: 0 })
        expect(failures(done)).toEqual([])
        await same(pair)
        await pair.standby.exec('UPDATE t SET c1600 = 8 WHERE c1 = 1; DELETE FROM t WHERE c1 = 2')
      }
    })
  })

  test('of which the standby has dropped one: nothing can be added, and the message says why', async () => {
    const ddl = make('c1 int PRIMARY KEY, ', 2)
    await withPair({ ddl, standby: 'ALTER TABLE t DROP c1600' }, async (pair, config) => {
      const error = await errorOf(sync(config))
      expect(error.message).toMatch(
        /^TABLE public\.t could not be changed .* nothing was changed: tables can have at most 1600 columns$/
      )
      expect(error.hint).toMatch(/dropped count too: drop the table/)
      await pair.standby.exec('DROP TABLE t')
      expect(failures(await sync(config))).toEqual([])
      await same(pair)
    })
  })
})

describe('no columns', () => {
  test.each([false, true])('rows without a value are counted and made (--fdw-mode: %s)', async fdwMode => {
    const ddl = 'CREATE TABLE z ()'
    const rows = (n: number) => `INSERT INTO z SELECT FROM generate_series(1, ${n})`
    await withPair({ ddl, main: rows(5000) }, async (pair, config) => {
      const run = async () => {
        const done = await sync({ ...config, ...cleaning, fdwMode })
        expect(failures(done)).toEqual([])
        expect(await pair.standby.query('SELECT count(*)::int AS n FROM z')).toEqual([{ n: 5000 }])
        return counts(done)
      }
      expect(await run()).toEqual({ z: [5000, 0, 0] })
      await pair.standby.exec('DELETE FROM z WHERE ctid IN (SELECT ctid FROM z LIMIT 7)')
      expect(await run()).toEqual({ z: [7, 0, 0] })
      await pair.standby.exec(rows(3))
      expect(await run()).toEqual({ z: [0, 0, 3] })
      expect((await diff({ ...config, strictHash: true })).identical).toBe(true)
    })
  })
})

describe('nothing', () => {
  test.each([
    {},
    { allSchemas: true },
    { fdwMode: true, verify: true },
    { schemaMethod: 'catalog' as const }
  ])('an empty database is the same as an empty one %j', async options => {
    await withPair({}, async (_, config) => {
      const done = await sync({ ...config, ...options })
      expect(failures(done)).toEqual([])
      expect(done).toMatchObject({ ok: true, tables: [] })
      expect((await diff({ ...config, ...options })).identical).toBe(true)
    })
  })

  test('and becomes empty where all that it has is extra', async () => {
    const standby =
      'CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1); CREATE VIEW v AS SELECT * FROM t'
    await withPair({ standby }, async (pair, config) => {
      expect((await diff(config)).identical).toBe(false)
      expect(failures(await sync({ ...config, ...cleaning }))).toEqual([])
      expect(
        await pair.standby.query(`SELECT FROM pg_class WHERE relnamespace = 'public'::regnamespace`)
      ).toEqual([])
    })
  })
})

describe('names of 63 bytes that differ in their last ones alone', () => {
  /** Letters of two bytes, double quotes and spaces among them; in SQL. */
  const name = (end: string) => {
    const begin = 'Ünï"cødé '.repeat(5)
    const bytes = (text: string) => Buffer.byteLength(text)
    const kept = [...begin].filter(
      (_, i, letters) => bytes(letters.slice(0, i + 1).join('')) <= 60 - end.length
    )
    const filled = `${kept.join('')}_${end}`
    return `"${(filled + 'x'.repeat(63 - bytes(filled))).replaceAll('"', '""')}"`
  }
  const plain = (end: string) => name(end).slice(1, -1).replaceAll('""', '"')
  const make = `CREATE SCHEMA ${name('s')}; SET search_path = ${name('s')};
    CREATE TYPE ${name('e')} AS ENUM ('a', 'b'); CREATE DOMAIN ${name('d')} AS int CHECK (VALUE > 0); CREATE TYPE ${name('c')} AS (x int, y text);
    CREATE TABLE ${name('t1')} (${name('a')} bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, ${name('b')} ${name('e')}, ${name('f')} ${name('d')}, ${name('g')} text UNIQUE);
    CREATE TABLE ${name('t2')} (${name('a')} serial PRIMARY KEY, ${name('b')} bigint REFERENCES ${name('t1')}, ${name('f')} ${name('c')});
    CREATE INDEX ${name('i1')} ON ${name('t2')} (${name('b')}); CREATE INDEX ${name('i2')} ON ${name('t2')} (${name('f')});
    CREATE TABLE ${name('p')} (${name('a')} int, ${name('b')} text) PARTITION BY RANGE (${name('a')});
    CREATE TABLE ${name('p1')} PARTITION OF ${name('p')} FOR VALUES FROM (0) TO (10); CREATE TABLE ${name('p2')} PARTITION OF ${name('p')} FOR VALUES FROM (10) TO (20);
    CREATE FUNCTION ${name('h')}() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
    CREATE TRIGGER ${name('h')} BEFORE UPDATE ON ${name('t1')} FOR EACH ROW EXECUTE FUNCTION ${name('h')}();
    CREATE SEQUENCE ${name('q')}; CREATE STATISTICS ${name('x')} ON ${name('b')}, ${name('g')} FROM ${name('t1')}; CREATE TABLE ${name('k')} (${name('a')} text);
    INSERT INTO ${name('t1')} (${name('b')}, ${name('f')}, ${name('g')}) SELECT 'a', n, 'm' || n FROM generate_series(1, 100) n;
    INSERT INTO ${name('t2')} (${name('b')}, ${name('f')}) SELECT n, ROW(n, 'y')::${name('c')} FROM generate_series(1, 100) n;
    INSERT INTO ${name('p')} SELECT n, 'p' FROM generate_series(1, 19) n; INSERT INTO ${name('k')} SELECT 'k' || n % 5 FROM generate_series(1, 50) n;
    CREATE VIEW ${name('v')} AS SELECT * FROM ${name('t1')}; CREATE MATERIALIZED VIEW ${name('m')} AS SELECT * FROM ${name('t2')}`
  const drift = `SET search_path = ${name('s')}; ALTER TYPE ${name('e')} RENAME TO ${name('y')}; ALTER TYPE ${name('y')} ADD VALUE 'z';
    ALTER TABLE ${name('t1')} DROP ${name('g')} CASCADE; ALTER TABLE ${name('t1')} ADD ${name('g')} int; DROP TABLE ${name('p1')};
    ALTER TABLE ${name('t2')} RENAME ${name('f')} TO ${name('g')}; DROP INDEX ${name('i1')}; DROP TRIGGER ${name('h')} ON ${name('t1')};
    DELETE FROM ${name('t2')} WHERE ${name('a')} < 20; UPDATE ${name('t1')} SET ${name('f')} = 3 WHERE ${name('a')} > 90;
    DELETE FROM ${name('k')} WHERE ${name('a')} = 'k1'; ALTER TABLE ${name('k')} ADD ${name('b')} int`

  const ways: [string, Partial<SyncOptions>][] = [
    ['by pg_dump', {}],
    [
      'by the catalogs, psql and the wrapper',
      { schemaMethod: 'catalog' as const, forcePsql: true, fdwMode: true }
    ]
  ]
  test.each(all ? ways : ways.slice(0, 1))('%s: made, and mended', async (_, options) => {
    await withPair({ main: make }, async (pair, config) => {
      const [one] = await pair.main.query(
        `SELECT max(octet_length(relname)) AS n FROM pg_class WHERE relname ~ '^Ün'`
      )
      expect(one).toEqual({ n: 63 })
      const schemas = [plain('s')]
      const run = async () => {
        const done = await sync({ ...config, ...cleaning, ...options, schemas })
        expect(failures(done)).toEqual([])
        expect(done.schema.changes.filter(change => change.status !== 'applied')).toEqual([])
        await same(pair, schemas)
        expect((await diff({ ...config, schemas })).identical).toBe(true)
      }
      await run()
      await pair.standby.exec(drift)
      await run()
    })
  })
})

describe('a value of a size', () => {
  const size = (all ? 500 : 1) * 1024 * 1024
  const value = (what: string) => `repeat(md5('${what}'), ${size / 32})`

  test(
    `of ${size / 1024 / 1024} MB is moved and mended, and never brought here to be shown`,
    async () => {
      const ddl = `CREATE TABLE b (id int PRIMARY KEY, v bytea, t text, j jsonb);
        ALTER TABLE b ALTER v SET STORAGE EXTERNAL, ALTER t SET STORAGE EXTERNAL`
      const main = `INSERT INTO b (id, v) SELECT 1, decode(${value('a')}, 'escape'); INSERT INTO b (id, t) SELECT 2, ${value('b')};
        INSERT INTO b VALUES (3, 'v', 't', '{}'); INSERT INTO b (id, j) VALUES (4, to_jsonb(repeat('j', 70000)))`
      await withPair({ ddl, main }, async pair => {
        const sums = 'SELECT id, md5(v) AS v, md5(t) AS t, md5(j::text) AS j FROM b ORDER BY id'
        const equal = async () => expect(await pair.standby.query(sums)).toEqual(await pair.main.query(sums))
        const loaded = await pgsyncer(['sync', ...dsns(pair)])
        expect(loaded).toMatchObject({ code: 0 })
        await equal()
        await pair.standby.exec(
          `UPDATE b SET v = 'x' WHERE id = 1; UPDATE b SET t = left(t, -1) WHERE id = 2; UPDATE b SET t = 'u' WHERE id = 3; DELETE FROM b WHERE id = 4`
        )
        const script = join(folder, 'b.sql')
        const found = await pgsyncer(['diff', ...dsns(pair), '--format', 'json', '--report', script])
        expect(found.code).toBe(3)
        const [table] = JSON.parse(found.stdout).tables
        expect(table).toMatchObject({ insert: 1, update: 3 })
        const bytes = `… \\(${size} bytes, MD5 \\w{32}\\)$`
        expect(table.samples).toEqual([
          expect.objectContaining({
            kind: 'insert',
            cut: true,
            columns: expect.objectContaining({
              j: { main: expect.stringMatching(/^"j+… \(70002 bytes, MD5 \w{32}\)$/) }
            })
          }),
          expect.objectContaining({
            cut: true,
            columns: { v: { main: expect.stringMatching(`^\\\\x\\w{200}${bytes}`), standby: '\\x78' } }
          }),
          expect.objectContaining({
            cut: true,
            columns: {
              t: {
                main: expect.stringMatching(`^\\w{200}${bytes}`),
                standby: expect.stringMatching(`^\\w{200}… \\(${size - 1} bytes, MD5 \\w{32}\\)$`)
              }
            }
          }),
          { key: { id: '3' }, kind: 'update', columns: { t: { main: 't', standby: 'u' } } }
        ])
        const sql = await readFile(script, 'utf8')
        expect(sql.match(/^UPDATE .*/gm)).toEqual([`UPDATE "public"."b" SET "t" = 't' WHERE "id" = '3';`])
        expect(sql).toMatch(/3 more differing rows are not in this file/)
        const mended = await pgsyncer(['sync', ...dsns(pair)])
        expect(mended).toMatchObject({ code: 0 })
        await equal()
        for (const { peak } of [loaded, found, mended]) expect(peak).toBeLessThan(promised * 1.2)
      })
    },
    long
  )
})

/** A server of its own, with room for as many locks as one transaction of so many tables takes. */
async function withServer(settings: Record<string, string>, use: (url: string) => Promise<void>) {
  const server = await startServer({ binaries: await findBinaries(15), name: 'limits', settings })
  try {
    await use(server.url)
  } finally {
    await server.stop()
  }
}

/** In parts: one transaction would hold a lock on each. */
const inParts = async (db: Db, count: number, each: string) => {
  for (let from = 1; from <= count; from += 500) {
    await db.exec(
      `DO $$ BEGIN FOR i IN ${from}..${Math.min(count, from + 499)} LOOP ${each} END LOOP; END $$`
    )
  }
}

describe('many tables', () => {
  const tables = all ? 10_000 : 103
  const partitions = all ? 3000 : 60
  const roomy = { max_locks_per_transaction: '1024' }

  const crowds: [string, (db: Db) => Promise<void>, string][] = [
    [
      `${tables} tables`,
      db =>
        inParts(
          db,
          tables,
          `EXECUTE format('CREATE TABLE t%s (id int PRIMARY KEY, v text); INSERT INTO t%s VALUES (1, ''a''), (2, ''b'')', i, i);`
        ),
      `UPDATE t7 SET v = 'x'; DELETE FROM t99; DROP TABLE t100; ALTER TABLE t101 ADD w int; INSERT INTO t102 VALUES (3, 'c')`
    ],
    [
      `${partitions} partitions`,
      async db => {
        await db.exec('CREATE TABLE p (id int PRIMARY KEY, v text) PARTITION BY RANGE (id)')
        await inParts(
          db,
          partitions,
          `EXECUTE format('CREATE TABLE p%s PARTITION OF p FOR VALUES FROM (%s) TO (%s)', i, i * 10, i * 10 + 10);`
        )
        await db.exec(`INSERT INTO p SELECT n, 'v' FROM generate_series(10, ${partitions * 10}) n`)
      },
      `DELETE FROM p WHERE id % 100 = 5; UPDATE p SET v = 'w' WHERE id % 70 = 7; DROP TABLE p50; CREATE TABLE p_more PARTITION OF p FOR VALUES FROM (-9) TO (-1); INSERT INTO p VALUES (-5)`
    ]
  ]

  test.each(crowds)(
    '%s are made, loaded, compared and mended',
    async (name, fill, drift) => {
      const use = async (servers: PairOptions['servers'] = {}) => {
        const pair = await createPair({ servers })
        try {
          await fill(pair.main)
          const peaks: Record<string, number> = {}
          const run = async (what: string, command: string, ...more: string[]) => {
            const { code, stdout, stderr, peak } = await pgsyncer([
              command,
              ...dsns(pair),
              '--quiet',
              ...more
            ])
            expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: '', stderr: '' })
            peaks[what] = Math.round(peak / 1e6)
          }
          await run('load', 'sync')
          await same(pair)
          await run('diff', 'diff')
          await pair.standby.exec(drift)
          await run('mend', 'sync', '--clean-extra', '--allow', 'all', '--yes', '--max-delete', '100%')
          await same(pair)
          await run('catalogs', 'diff', '--schema-method', 'catalog')
          process.stderr.write(`${name}: peak memory in MB: ${JSON.stringify(peaks)}\n`)
          for (const peak of Object.values(peaks)) expect(peak).toBeLessThan(all ? crowded : promised / 1e6)
        } finally {
          await pair.drop()
        }
      }
      if (all) await withServer(roomy, url => use({ main: url, standby: url }))
      else await use()
    },
    long
  )

  test.skipIf(!all)(
    'more than the standby has locks for, in one transaction: nothing is changed, and the message says what to raise',
    async () => {
      await withServer({ max_locks_per_transaction: '10', max_connections: '20' }, async url => {
        const pair = await createPair({ servers: { standby: url } })
        try {
          await inParts(pair.main, 1500, `EXECUTE format('CREATE TABLE t%s ()', i);`)
          const { code, stderr } = await pgsyncer(['sync', ...dsns(pair), '--no-progress'])
          expect(code).toBe(1)
          expect(stderr.trim().split('\n')).toEqual([
            expect.stringMatching(
              /^pgsyncer: TABLE .* could not be created on the standby, and nothing was changed: out of shared memory$/
            ),
            expect.stringMatching(/max_locks_per_transaction/)
          ])
          expect(await pair.standby.query(`SELECT FROM pg_class WHERE relname ~ '^t\\d'`)).toEqual([])
        } finally {
          await pair.drop()
        }
      })
    }
  )
})

/** MB that the longest of these may take: the structure of both sides is in memory, whole. */
const crowded = 400
