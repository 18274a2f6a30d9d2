/**
 * Main at work: clients write to it while it is read. The standby becomes the cut and nothing else, main is locked by nothing
 * that a writer could meet, and `--max-rate` bounds what is read of it.
 */
import { execFile, execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'
import { describe, expect, test } from 'vitest'
import { diff, sync, type RunEvent, type SyncOptions } from '../../src/index.js'
import { execBlocking } from '../support/blocking.js'
import { createDatabase, type Db } from '../support/databases.js'
import { databaseDigest } from '../support/digest.js'
import { counts, failures } from '../sync/reports.js'
import { withPair } from './pairs.js'

const all = process.env.FAULTS === 'all'
const run = promisify(execFile)

/** What libpq's programs need to reach a database, without the password among their arguments. */
function libpq(db: Db): NodeJS.ProcessEnv {
  const { hostname, port, username, password } = new URL(db.url)
  return {
    PATH: process.env.PATH,
    PGHOST: hostname,
    PGPORT: port,
    PGUSER: decodeURIComponent(username),
    PGPASSWORD: decodeURIComponent(password),
    PGDATABASE: db.name
  }
}

const clients = 16

/** Fills pgbench's four tables, and keeps `clients` of its clients writing to them until it is told to stop. */
async function pgbench(db: Db): Promise<{ stop(): Promise<void> }> {
  const scale = all ? '10' : '1'
  await run('pgbench', ['-i', '-q', '-s', scale], { env: libpq(db) })
  // Its history has no key, and what it cannot tell apart are copies: compared as a multiset.
  const child = spawn('pgbench', ['-n', '-c', String(clients), '-j', '2', '-T', '3600'], {
    env: libpq(db),
    stdio: ['ignore', 'ignore', 'pipe']
  })
  const said: Buffer[] = []
  child.stderr.on('data', (part: Buffer) => said.push(part))
  const ended = once(child, 'close')
  const writes = () => db.query<{ n: number }>('SELECT count(*)::int AS n FROM pgbench_history')
  while ((await writes())[0]!.n < 100) {
    if (child.exitCode !== null) throw new Error(`pgbench ended: ${Buffer.concat(said).toString()}`)
    await delay(20)
  }
  return {
    async stop() {
      child.kill('SIGINT')
      await ended
    }
  }
}

/** Main as it was at a snapshot, by pg_dump alone; the process stands still meanwhile, so that the snapshot is there. */
function dumpAt(snapshot: string, main: Db): Buffer {
  return execFileSync('pg_dump', [`--snapshot=${snapshot}`, '--format=custom', '--compress=0'], {
    env: libpq(main),
    maxBuffer: 2 ** 30
  })
}

async function restore(dump: Buffer, copy: Db): Promise<void> {
  const child = spawn('pg_restore', ['--exit-on-error', '-d', copy.name], {
    env: libpq(copy),
    stdio: ['pipe', 'ignore', 'inherit']
  })
  child.stdin.end(dump)
  expect(await once(child, 'close')).toEqual([0, null])
}

const missing =
  spawnSync('pgbench', ['--version']).status === 0
    ? ''
    : ' (skipped: there is no pgbench; to get it: apt-get install postgresql)'

describe.skipIf(missing)(`${clients} clients of pgbench write to main${missing}`, () => {
  const drift = `UPDATE pgbench_accounts SET abalance = 1 WHERE aid % 500 = 0; DELETE FROM pgbench_accounts WHERE aid % 999 = 1; INSERT INTO pgbench_accounts VALUES (-5, 1, 1, 'extra');
    DELETE FROM pgbench_history WHERE ctid IN (SELECT ctid FROM pgbench_history LIMIT 20)`

  test(
    'an empty standby becomes the cut, then a drifted one: as a copy of the same snapshot is',
    { timeout: all ? 900_000 : 60_000 },
    async () => {
      await withPair({}, async (pair, config) => {
        const copies: Db[] = []
        const bench = await pgbench(pair.main)
        try {
          for (const options of [{}, { cleanExtra: { rows: true, objects: false } }] as const) {
            const copy = await createDatabase('copy')
            copies.push(copy)
            let dump: Buffer = Buffer.alloc(0)
            const emit = (event: RunEvent) => {
              if (event.type !== 'cut') return
              dump = dumpAt(event.snapshot!, pair.main)
              // And the clients have gone on.
              execBlocking(pair.main.url, 'UPDATE pgbench_branches SET bbalance = bbalance + 1')
            }
            const done = await sync({ ...config, ...options, chunkSize: 1000 }, { emit })
            await restore(dump, copy)
            expect(failures(done)).toEqual([])
            const cut = await databaseDigest(copy.url, ['public'])
            expect(await databaseDigest(pair.standby.url, ['public'])).toEqual(cut)
            expect(await databaseDigest(pair.main.url, ['public'])).not.toEqual(cut)
            await pair.standby.exec(drift)
          }
        } finally {
          await bench.stop()
          for (const copy of copies) await copy.drop()
        }
      })
    }
  )
})

describe('locks on main', () => {
  const ddl = `CREATE TABLE parent (id int PRIMARY KEY, v text UNIQUE); CREATE TABLE child (id serial PRIMARY KEY, parent int REFERENCES parent, at timestamptz DEFAULT now());
    CREATE TABLE loose (v text); CREATE TABLE part (id int PRIMARY KEY) PARTITION BY RANGE (id); CREATE TABLE part_1 PARTITION OF part FOR VALUES FROM (0) TO (1000);
    CREATE VIEW seen AS SELECT * FROM parent; CREATE MATERIALIZED VIEW kept AS SELECT count(*) AS n FROM child;
    CREATE FUNCTION one() RETURNS int LANGUAGE sql AS 'SELECT 1'; CREATE SEQUENCE own`
  const rows = `INSERT INTO parent SELECT n, 'v' || n FROM generate_series(1, 200) n; INSERT INTO child (parent) SELECT n FROM generate_series(1, 200) n;
    INSERT INTO loose SELECT 'l' || n % 7 FROM generate_series(1, 50) n; INSERT INTO part SELECT n FROM generate_series(1, 99) n`
  const drift = `${rows}; UPDATE parent SET v = 'x' || id WHERE id < 50; DELETE FROM child WHERE id > 150; INSERT INTO loose VALUES ('more'); ALTER TABLE child ADD w int; DROP VIEW seen`

  /**
   * Each of our transactions on main keeps its locks until its end, so that a look while they are all open sees every lock that they took. What
   * pg_dump took it lets go at its end: main's own log tells of that, by the statement.
   */
  const held = `SELECT DISTINCT concat_ws(' ', l.mode, l.locktype, l.relation::regclass) FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid
    WHERE a.application_name LIKE 'pgsyncer%' AND a.datname = current_database() AND l.locktype <> 'virtualxid' AND l.pid <> pg_backend_pid()`

  test.each([
    ['sync into an empty standby', '', {}],
    ['sync of a drifted one', drift, { cleanExtra: { rows: true, objects: true }, allow: ['all'] as const }],
    [
      'by the wrapper and the catalogs',
      drift,
      { fdwMode: true, schemaMethod: 'catalog' as const, allow: ['all'] as const }
    ],
    ['diff', drift, { dry: true, verify: true }]
  ])(
    '%s: ACCESS SHARE and nothing more',
    async (_, standby, { dry, ...options }: Partial<SyncOptions> & { dry?: boolean }) => {
      await withPair({ ddl, main: rows, standby }, async (pair, config) => {
        const modes = new Set<string>()
        let looks = 0
        // The process stands still at each look, and so no transaction of its own ends meanwhile.
        const emit = ({ type }: RunEvent) => {
          if (type !== 'phase' && type !== 'rows' && type !== 'table-end') return
          looks++
          for (const mode of execBlocking(pair.main.url, held).split('\n').filter(Boolean)) modes.add(mode)
        }
        const done = await (dry ? diff : sync)({ ...config, ...options, chunkSize: 20 }, { emit })
        expect(failures(done)).toEqual([])
        expect(looks).toBeGreaterThan(8)
        const user = [...modes].filter(mode => !/ relation pg_catalog\./.test(mode))
        // Whose columns are the same on both sides: its rows are read in each of the runs.
        expect(user).toContain('AccessShareLock relation parent')
        expect(user.filter(mode => !mode.startsWith('AccessShareLock relation '))).toEqual([])
      })
    }
  )

  test('a run never waits behind, and never holds up, one who writes or vacuums', async () => {
    await withPair({ ddl, main: rows }, async (pair, config) => {
      // The strongest lock that lets others read: all that ACCESS SHARE does not meet.
      await pair.main.exec('BEGIN; LOCK TABLE parent, child, loose, part IN EXCLUSIVE MODE')
      const met: string[] = []
      const emit = (event: RunEvent) => {
        if (event.type !== 'phase') return
        // And the other way round: it is got at once while the run is under way.
        met.push(
          execBlocking(
            pair.main.url,
            `SET lock_timeout = 1; BEGIN; LOCK TABLE one_more IN EXCLUSIVE MODE; SELECT 'got'`
          )
        )
      }
      await pair.standby.exec('CREATE TABLE one_more (id int PRIMARY KEY)')
      execBlocking(
        pair.main.url,
        'CREATE TABLE one_more (id int PRIMARY KEY); INSERT INTO one_more VALUES (1)'
      )
      const done = await sync({ ...config, lockTimeout: 60_000 }, { emit })
      expect(failures(done)).toEqual([])
      expect(counts(done)).toMatchObject({ parent: [200, 0, 0], one_more: [1, 0, 0] })
      expect(new Set(met)).toEqual(new Set(['got']))
    })
  })
})

describe('--max-rate', () => {
  const ddl = `CREATE TABLE t (id int PRIMARY KEY, v text); CREATE TABLE k (v text);
    ALTER TABLE t ALTER v SET STORAGE EXTERNAL; ALTER TABLE k ALTER v SET STORAGE EXTERNAL`
  const rows = (table: string, columns: string) =>
    `INSERT INTO ${table} SELECT ${columns} FROM generate_series(1, 40) n; ANALYZE ${table}`
  /** Half of them in TOAST. */
  const text = `repeat(md5(n::text), CASE WHEN n % 2 = 0 THEN 400 ELSE 40 END)`
  const fill = `${rows('t', `n, ${text}`)}; ${rows('k', text)}`
  const rate = 256 * 1024

  /** Milliseconds of a run; none that keeps to the rate can be shorter than what it read takes. */
  async function timed(work: Promise<unknown>): Promise<number> {
    const started = performance.now()
    await work
    return performance.now() - started
  }

  const least = async (db: Db) => {
    const [row] = await db.query<{ bytes: number }>(
      `SELECT sum(octet_length(v))::int AS bytes FROM (SELECT v FROM t UNION ALL SELECT v FROM k) r`
    )
    return (row!.bytes / rate) * 1000
  }

  const ways: [string, string, Partial<SyncOptions> & { dry?: boolean }][] = [
    ['rows that are loaded', '', {}],
    ['rows that are hashed', fill, { dry: true }],
    ['rows that are loaded by the standby', '', { fdwMode: true }],
    ['rows that are mended', `${fill}; UPDATE t SET v = 'x'; DELETE FROM k`, {}]
  ]
  test.each(all ? ways : ways.slice(0, 2))('bounds %s', async (_, standby, { dry, ...options }) => {
    await withPair({ ddl, main: fill, standby }, async (pair, config) => {
      const one = { ...config, ...options, tables: ['t', 'k'], maxRate: rate }
      const shortest = await least(pair.main)
      expect(shortest).toBeGreaterThan(1500)
      // A sliver less: the last buffers of each stream may go unpaid.
      expect(await timed((dry ? diff : sync)(one))).toBeGreaterThan(shortest * 0.9)
      expect((await diff({ ...one, maxRate: 0 })).identical).toBe(true)
    })
  })

  test('a table without a key is hashed in pieces, and paid for between them', async () => {
    const standby = `${fill}; UPDATE k SET v = 'x' WHERE ctid IN (SELECT ctid FROM k LIMIT 2)`
    await withPair({ ddl, main: fill, standby }, async (pair, config) => {
      let running = true
      const work = diff({ ...config, tables: ['k'], maxRate: rate }).finally(() => (running = false))
      const between = async () =>
        pair.main.query(
          `SELECT FROM pg_stat_activity WHERE datname = current_database() AND state = 'idle in transaction' AND query LIKE '%t.ctid < %GROUP BY b'`
        )
      let seen = 0
      while (running && seen === 0) seen = (await between()).length
      expect(seen).toBe(1)
      expect(counts(await work)).toMatchObject({ k: [2, 0, 2] })
    })
  })

  test('a run that waits for its rate ends at once when it is told to', async () => {
    await withPair({ ddl, main: fill, standby: fill }, async (pair, config) => {
      const given = new AbortController()
      const work = diff({ ...config, tables: ['t'], maxRate: 1024 }, { signal: given.signal })
      const read = async () =>
        pair.main.query(
          `SELECT FROM pg_stat_activity WHERE datname = current_database() AND state = 'idle in transaction' AND query LIKE 'EXPLAIN%'`
        )
      while ((await read()).length === 0) await delay(20)
      given.abort(new Error('enough'))
      // At 1 kB a second it would have gone on for minutes.
      await expect(work).rejects.toThrow('enough')
    })
  })
})
