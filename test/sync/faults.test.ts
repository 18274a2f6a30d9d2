/** What goes wrong in the middle: lost connections are taken up again, a failed table is alone, an abort leaves whole chunks. */
import { describe, expect, test } from 'vitest'
import { diff, sync, type RunEvent, type SyncOptions } from '../../src/index.js'
import { execBlocking } from '../support/blocking.js'
import { createPair, type Db, type Pair, type PairOptions } from '../support/databases.js'
import { databaseDigest } from '../support/digest.js'
import { counts, errorOf, failures, tableOf } from './reports.js'

async function withPair(options: PairOptions, use: (pair: Pair, config: SyncOptions) => Promise<void>) {
  const pair = await createPair(options)
  try {
    await use(pair, {
      main: pair.main.url,
      standby: pair.standby.url,
      env: { PATH: process.env.PATH },
      syncSchema: false,
      chunkSize: 50,
      workers: 3
    })
  } finally {
    await pair.drop()
  }
}

const rows = (n: number) => `FROM generate_series(1, ${n}) n`
const ddl = `CREATE TABLE ranged (id int PRIMARY KEY, v text); INSERT INTO ranged SELECT n, 'v' || n ${rows(2000)};
  CREATE TABLE keyless (v text); INSERT INTO keyless SELECT 'v' || n % 50 ${rows(500)};
  CREATE TYPE lvl AS ENUM ('a', 'b'); CREATE TABLE hashed (k lvl, n int, v text, PRIMARY KEY (k, n)); INSERT INTO hashed SELECT (ARRAY['a', 'b'])[1 + n % 2]::lvl, n, 'v' ${rows(500)};
  CREATE TABLE fresh (id int PRIMARY KEY, v text); INSERT INTO fresh SELECT n, 'v' ${rows(500)}`
const drift = `UPDATE ranged SET v = 'x' WHERE id % 10 = 0; DELETE FROM keyless WHERE v = 'v7'; UPDATE hashed SET v = 'x' WHERE n % 10 = 0; TRUNCATE fresh`

/** Ends the run's sessions on a database, as an administrator or a crash of the network would. */
const kill = (db: Db, which = 'true') =>
  Number(
    execBlocking(
      db.url,
      `SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = 'pgsyncer' AND datname = current_database() AND ${which}`
    )
  )

/** Does it at the first event that fits. */
function once(fits: (event: RunEvent) => boolean, act: () => void) {
  const events: RunEvent[] = []
  let done = false
  return {
    events,
    emit(event: RunEvent) {
      events.push(event)
      if (done || !fits(event)) return
      done = true
      act()
    }
  }
}

const at = (table: string) => (event: RunEvent) => event.type === 'rows' && event.table === `public.${table}`
/** Not the session that holds the cut, whose transaction is the oldest. */
const notTheCut = `xact_start > (SELECT min(xact_start) FROM pg_stat_activity WHERE application_name = 'pgsyncer' AND datname = current_database())`

describe('lost connections', () => {
  test.each(['ranged', 'keyless', 'hashed', 'fresh'])(
    'the standby’s are opened again, and the run ends well: at %s',
    async table => {
      await withPair({ ddl, standby: drift }, async (pair, config) => {
        let killed = 0
        const watch = once(at(table), () => (killed = kill(pair.standby)))
        const done = await sync(config, watch)
        expect(killed).toBeGreaterThan(0)
        expect(failures(done)).toEqual([])
        expect(watch.events.some(event => event.type === 'retry')).toBe(true)
        expect(counts(done)).toEqual({
          ranged: [0, 200, 0],
          keyless: [10, 0, 0],
          hashed: [0, 50, 0],
          fresh: [500, 0, 0]
        })
        for (const one of done.tables) {
          const keys = one.samples.map(sample => JSON.stringify(sample.key))
          if (one.key.length > 0) expect(new Set(keys).size).toBe(keys.length)
        }
        expect(await databaseDigest(pair.standby.url, ['public'])).toEqual(
          await databaseDigest(pair.main.url, ['public'])
        )
      })
    }
  )

  test('main’s, too, as long as the cut is held', async () => {
    await withPair({ ddl, standby: drift }, async (pair, config) => {
      let killed = 0
      const watch = once(at('ranged'), () => (killed = kill(pair.main, notTheCut)))
      const done = await sync(config, watch)
      expect(killed).toBeGreaterThan(0)
      expect(failures(done)).toEqual([])
      expect(await databaseDigest(pair.standby.url, ['public'])).toEqual(
        await databaseDigest(pair.main.url, ['public'])
      )
    })
  })

  test('without the cut the run begins anew, says so, and counts what it had written before', async () => {
    await withPair({ ddl, standby: drift }, async (pair, config) => {
      const watch = once(at('ranged'), () => kill(pair.main))
      const done = await sync({ ...config, workers: 1 }, watch)
      expect(failures(done)).toEqual([])
      expect(done.notes).toEqual([
        expect.stringMatching(/^the run began anew, because the connection that held/)
      ])
      const cuts = watch.events.filter(event => event.type === 'cut')
      expect(cuts).toHaveLength(2)
      expect(done.cut.snapshot).toBe(cuts[1]!.snapshot)
      expect(counts(done)).toEqual({
        ranged: [0, 200, 0],
        keyless: [10, 0, 0],
        hashed: [0, 50, 0],
        fresh: [500, 0, 0]
      })
      expect(await databaseDigest(pair.standby.url, ['public'])).toEqual(
        await databaseDigest(pair.main.url, ['public'])
      )
    })
  })

  test('without the cut and without another go the tables that are left fail with a reason', async () => {
    await withPair({ ddl, standby: drift }, async (pair, config) => {
      // One worker: the other tables have not begun.
      const watch = once(
        ({ type }) => type === 'rows',
        () => kill(pair.main)
      )
      const done = await sync({ ...config, retries: 0, workers: 1 }, watch)
      expect(done.ok).toBe(false)
      expect(tableOf(done, 'ranged').status).toBe('failed')
      const gone = done.tables.filter(table => /snapshot is gone/.test(table.reason ?? ''))
      for (const table of gone) expect(table.hint).toMatch(/Run again/)
      expect(gone.length).toBeGreaterThan(0)
      expect(failures(await sync(config))).toEqual([])
      expect(await databaseDigest(pair.standby.url, ['public'])).toEqual(
        await databaseDigest(pair.main.url, ['public'])
      )
    })
  })
})

test('a child that is empty is loaded after all, when its parent’s extra rows have gone', async () => {
  const tables = `CREATE TABLE parent (k int NOT NULL UNIQUE, up int REFERENCES parent (k), place box, EXCLUDE USING gist (place WITH &&)); CREATE TABLE child (id int PRIMARY KEY, k int REFERENCES parent (k))`
  const main = `INSERT INTO parent VALUES (1, 1, '(1,1),(0,0)'), (2, 1, '(9,9),(8,8)'); INSERT INTO child VALUES (1, 1), (2, 2)`
  // Row 1 has no room before row 7 has gone.
  const standby = `INSERT INTO parent VALUES (7, 7, '(1,1),(0,0)'), (2, 7, '(9,9),(8,8)')`
  await withPair({ ddl: tables, main, standby }, async (pair, config) => {
    const done = await sync({ ...config, cleanExtra: { rows: true, objects: false } })
    expect(failures(done)).toEqual([])
    expect(counts(done)).toEqual({ parent: [1, 1, 1], child: [2, 0, 0] })
    expect(await databaseDigest(pair.standby.url, ['public'])).toEqual(
      await databaseDigest(pair.main.url, ['public'])
    )
  })
})

describe('one table that fails', () => {
  test('is named, what it had is kept, and the others are synced', async () => {
    await withPair(
      { ddl, standby: `${drift}; ALTER TABLE hashed ADD CHECK (v = 'x' OR n <> 10)` },
      async (pair, config) => {
        const done = await sync(config)
        expect(done.ok).toBe(false)
        expect(done.identical).toBe(false)
        expect(tableOf(done, 'hashed')).toMatchObject({
          status: 'failed',
          reason: expect.stringMatching(/violates check constraint/),
          hint: expect.stringMatching(/CHECK/)
        })
        expect(done.tables.filter(table => table.status === 'failed')).toHaveLength(1)
        expect(counts(await diff(config))).toEqual({ hashed: [0, expect.any(Number), 0] })
      }
    )
  })

  test('a lock that is not given in time fails its table alone', async () => {
    await withPair({ ddl, standby: drift }, async (pair, config) => {
      await pair.standby.exec('BEGIN; LOCK TABLE hashed IN EXCLUSIVE MODE')
      const done = await sync({ ...config, lockTimeout: 50, retries: 1 })
      await pair.standby.exec('ROLLBACK')
      expect(done.tables.filter(table => table.status === 'failed').map(table => table.table)).toEqual([
        'hashed'
      ])
      expect(tableOf(done, 'hashed').hint).toMatch(/--lock-timeout/)
    })
  })
})

describe('an abort', () => {
  test.each(['ranged', 'keyless', 'fresh'])(
    'at %s leaves every chunk as it was or as it is on main, and nothing else',
    async table => {
      await withPair({ ddl, standby: drift }, async (pair, config) => {
        const stop = new AbortController()
        const watch = once(at(table), () => stop.abort(new Error('stopped by the test')))
        const error = await errorOf(
          sync({ ...config, workers: 2 }, { emit: watch.emit, signal: stop.signal })
        )
        expect(error.message).toBe('stopped by the test')
        const state = async (what: string, from: string) =>
          (await pair.standby.query<{ n: number }>(`SELECT count(*)::int AS n FROM ${from}`))[0]!.n +
          ` ${what}`
        // A server's process ends a moment after its client has gone; one that was forgotten would never.
        const sessions = `pg_stat_activity WHERE application_name = 'pgsyncer' AND datname = current_database()`
        while ((await state('sessions', sessions)) !== '0 sessions');
        expect(
          await state(
            'locks',
            `pg_locks WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`
          )
        ).toBe('0 locks')
        expect(await state('stages', `pg_class WHERE relname LIKE 'pgsyncer%'`)).toBe('0 stages')
        const chunks = await pair.standby.query<{ old: number }>(
          `SELECT count(*) FILTER (WHERE v = 'x')::int AS old FROM ranged GROUP BY (id - 1) / 50`
        )
        for (const { old } of chunks) expect([0, 5]).toContain(old)
        expect(['0 rows', '500 rows']).toContain(await state('rows', 'fresh'))
        expect(['490 rows', '500 rows']).toContain(await state('rows', 'keyless'))
        expect(failures(await sync(config))).toEqual([])
        expect(await databaseDigest(pair.standby.url, ['public'])).toEqual(
          await databaseDigest(pair.main.url, ['public'])
        )
      })
    }
  )

  test('before the start does nothing', async () => {
    await withPair({ ddl, standby: drift }, async (pair, config) => {
      const before = await databaseDigest(pair.standby.url, ['public'])
      const error = await errorOf(
        sync(config, { signal: AbortSignal.abort(new Error('stopped by the test')) })
      )
      expect(error.message).toBe('stopped by the test')
      expect(await databaseDigest(pair.standby.url, ['public'])).toEqual(before)
    })
  })
})
