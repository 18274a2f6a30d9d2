/** One cut: whatever is written to main meanwhile, the standby becomes what main was at one moment; and what is alike stays where it is. */
import { describe, expect, test } from 'vitest'
import { diff, sync, type RunEvent, type SyncOptions } from '../../src/index.js'
import { execBlocking } from '../support/blocking.js'
import { createPair } from '../support/databases.js'
import { startProxy } from '../support/proxy.js'
import { counts, failures } from './reports.js'

const options = {
  env: { PATH: process.env.PATH },
  syncSchema: false,
  cleanExtra: { rows: true, objects: false }
}
const rows = (n: number) => `FROM generate_series(1, ${n}) n`

/** All rows of all tables as one digest, by psql. */
const tables = ['account', 'transfer', 'note', 'word']
const digest = tables
  .map(
    name =>
      `(SELECT coalesce(md5(string_agg(t::text, ';' ORDER BY t::text COLLATE "C")), '') FROM public.${name} t)`
  )
  .join(` || ' ' || `)

const ddl = `CREATE TABLE account (id int PRIMARY KEY, balance int NOT NULL, email text UNIQUE);
  CREATE TABLE transfer (id bigserial PRIMARY KEY, a int REFERENCES account, b int REFERENCES account, amount int);
  CREATE TABLE note (v text); CREATE TYPE lvl AS ENUM ('a', 'b'); CREATE TABLE word (k lvl, n int, v int, PRIMARY KEY (k, n))`
const data = `INSERT INTO account SELECT n, 1000, 'm' || n ${rows(500)}; INSERT INTO note SELECT 'v' || n % 20 ${rows(300)}; INSERT INTO word SELECT 'a', n, n ${rows(300)}`
/** One of many transactions: every one leaves the sum of all balances as it was. */
const writing = `BEGIN;
  WITH p AS (SELECT 1 + (random() * 498)::int AS a), q AS (SELECT a, a + 1 AS b FROM p),
    t AS (INSERT INTO transfer (a, b, amount) SELECT a, b, 1 FROM q RETURNING a, b)
    UPDATE account SET balance = balance + CASE WHEN id = t.a THEN -1 ELSE 1 END FROM t WHERE id IN (t.a, t.b);
  INSERT INTO note VALUES ('new ' || random()); DELETE FROM note WHERE ctid = (SELECT min(ctid) FROM note);
  UPDATE word SET v = v + 1 WHERE n = (random() * 300)::int; DELETE FROM transfer WHERE id = (SELECT min(id) FROM transfer WHERE id % 3 = 0);
  COMMIT`

describe('main is written to all the while', () => {
  test.each([
    ['an empty', ''],
    [
      'a drifted',
      `${data}; UPDATE account SET balance = 0 WHERE id % 7 = 0; DELETE FROM account WHERE id > 450; DELETE FROM note WHERE v = 'v3'; UPDATE word SET v = 0 WHERE n < 30`
    ]
  ])('%s standby becomes the cut', async (_, standby) => {
    const pair = await createPair({ ddl, main: data, standby })
    let writes = 0
    let running = true
    const writer = (async () => {
      while (running) {
        await pair.main.exec(writing)
        writes++
      }
    })()
    try {
      let cut = ''
      let expected = ''
      let before = 0
      const emit = (event: RunEvent) => {
        if (event.type === 'cut') {
          cut = event.snapshot ?? ''
          before = writes
        }
        if (event.type !== 'phase' || event.phase !== 'rows') return
        // By now main has moved on: these belong to no cut but the next.
        execBlocking(
          pair.main.url,
          `INSERT INTO account VALUES (9999, 0, 'later'); UPDATE account SET balance = balance + 5 WHERE id = 7`
        )
        expected = execBlocking(
          pair.main.url,
          `BEGIN ISOLATION LEVEL REPEATABLE READ; SET TRANSACTION SNAPSHOT '${cut}'; SELECT ${digest}`
        )
      }
      const config: SyncOptions = {
        ...options,
        main: pair.main.url,
        standby: pair.standby.url,
        chunkSize: 20
      }
      const done = await sync(config, { emit })
      expect(failures(done)).toEqual([])
      expect(cut).toBe(done.cut.snapshot)
      expect(expected).toMatch(/^\w{32} /)
      expect(execBlocking(pair.standby.url, `SELECT ${digest}`)).toBe(expected)
      expect(writes).toBeGreaterThan(before)
      expect(
        await pair.standby.query(
          `SELECT sum(balance)::int AS all, count(*) FILTER (WHERE id = 9999)::int AS later FROM account`
        )
      ).toEqual([{ all: 500_000, later: 0 }])
    } finally {
      running = false
      await writer
      await pair.drop()
    }
  })
})

describe('main is let go', () => {
  test('before the standby builds its indexes; the end needs no main that answers, and is proved all the same', async () => {
    const ddl = 'CREATE TABLE t (id int PRIMARY KEY, v text); CREATE INDEX t_v ON t (v)'
    const main = `INSERT INTO t SELECT n, n ${rows(50)}`
    const pair = await createPair({ main: `${ddl}; ${main}`, standby: 'CREATE TABLE t (id int)' })
    const proxy = await startProxy(pair.main.url)
    try {
      const open = `SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND xact_start IS NOT NULL AND pid <> pg_backend_pid()`
      const seen: Record<string, string> = {}
      const emit = (event: RunEvent) => {
        if (event.type !== 'phase') return
        seen[event.phase] = execBlocking(pair.main.url, open)
        if (event.phase !== 'constraints') return
        // No part of the cut: neither in what the standby becomes nor in what proves it.
        execBlocking(pair.main.url, 'ALTER TABLE t ADD later int; DROP INDEX t_v')
        void proxy.refuse()
        proxy.cut()
      }
      const config = {
        main: proxy.url(pair.main.url),
        standby: pair.standby.url,
        env: options.env,
        allow: ['all' as const]
      }
      const done = await sync(config, { emit })
      expect(failures(done)).toEqual([])
      expect(done.schema.changes.map(change => change.status)).not.toContain('failed')
      expect(seen).toMatchObject({ rows: '1', constraints: '0', proof: '0' })
      const found = await pair.standby.query(
        `SELECT (SELECT count(*)::int FROM pg_attribute WHERE attrelid = 't'::regclass AND attnum > 0) AS columns, to_regclass('t_v') IS NOT NULL AS index`
      )
      expect(found).toEqual([{ columns: 2, index: true }])
    } finally {
      await proxy.stop()
      await pair.drop()
    }
  })
})

describe('bytes on the wire', () => {
  const size = 20_000
  const table = `CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t SELECT n, repeat(md5(n::text), 3) ${rows(size)};
    CREATE TABLE k (v text); INSERT INTO k SELECT repeat(md5(n::text), 3) ${rows(size)}`
  const bytes = size * 2 * 100

  async function traffic(standby: string) {
    const pair = await createPair({ ddl: table, standby })
    const [main, other] = await Promise.all([startProxy(pair.main.url), startProxy(pair.standby.url)])
    try {
      const config = {
        ...options,
        main: main.url(pair.main.url),
        standby: other.url(pair.standby.url),
        samples: 0
      }
      const found = await diff(config)
      const compared = { main: main.received, standby: other.received }
      const done = await sync(config)
      expect(failures(done)).toEqual([])
      return { found: counts(found), compared, synced: main.received - compared.main }
    } finally {
      await Promise.all([main.stop(), other.stop()])
      await pair.drop()
    }
  }

  test('no row of an identical table', async () => {
    const { found, compared, synced } = await traffic('')
    expect(found).toEqual({})
    for (const sent of [compared.main, compared.standby, synced]) expect(sent).toBeLessThan(bytes / 50)
  })

  test('the same counter sees rows that differ, and them only', async () => {
    const { found, synced } = await traffic(`UPDATE t SET v = 'x' WHERE id % 2 = 0`)
    expect(found).toEqual({ t: [0, size / 2, 0] })
    expect(synced).toBeGreaterThan((size / 2) * 96)
    expect(synced).toBeLessThan(size * 100 + bytes / 4)
  })
})
