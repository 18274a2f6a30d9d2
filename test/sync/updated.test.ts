/**
 * `--use-updated-at`: only rows changed since a time are looked at, and no change is missed that a later run must
 * find: not that of a transaction which was open at the cut, nor one that the given time left out.
 */
import { describe, expect, test } from 'vitest'
import { diff, sync, type SyncOptions } from '../../src/index.js'
import { createPair, type Pair, type PairOptions } from '../support/databases.js'
import { databaseDigest } from '../support/digest.js'
import { counts, failures, tableOf } from './reports.js'

async function withPair(options: PairOptions, use: (pair: Pair, config: SyncOptions) => Promise<void>) {
  const pair = await createPair(options)
  try {
    await use(pair, {
      main: pair.main.url,
      standby: pair.standby.url,
      env: { PATH: process.env.PATH },
      syncSchema: false,
      useUpdatedAt: true
    })
  } finally {
    await pair.drop()
  }
}

const deletes = { cleanExtra: { rows: true, objects: false } }
const ddl = `CREATE TABLE t (id int PRIMARY KEY, v text, updated_at timestamptz NOT NULL);
  INSERT INTO t SELECT n, 'v', timestamptz '2020-01-01' + n * interval '1 day' FROM generate_series(1, 100) n`
const values = async (pair: Pair) =>
  (await pair.standby.query('SELECT id, v FROM t ORDER BY id')).map(row => `${row.id} ${row.v}`)

describe('with a time given', () => {
  test('only later rows are looked at, by whole microseconds', async () => {
    await withPair(
      {
        ddl,
        main: `UPDATE t SET v = 'new', updated_at = '2024-01-01 00:00:00.000001+00' WHERE id = 1; UPDATE t SET v = 'new', updated_at = '2024-01-01 00:00:00+00' WHERE id = 2;
          INSERT INTO t VALUES (1000, 'added', '2024-06-01')`
      },
      async (pair, config) => {
        const done = await sync({ ...config, lastSyncTime: '2024-01-01 00:00:00' })
        expect(failures(done)).toEqual([])
        expect(counts(done)).toEqual({ t: [1, 1, 0] })
        const after = await values(pair)
        expect(after).toContain('1 new')
        expect(after).toContain('2 v')
        expect(after).toContain('1000 added')
      }
    )
  })

  test.each(['2024-01-01 02:00:00+02', '2024-01-01T00:00:00Z', '2024-01-01'])(
    '%s names the same moment',
    async time => {
      await withPair(
        { ddl, main: `UPDATE t SET v = 'new', updated_at = '2024-01-01 00:00:01+00' WHERE id = 1` },
        async (_, config) => {
          expect(counts(await diff({ ...config, lastSyncTime: time }))).toEqual({ t: [0, 1, 0] })
          expect(counts(await diff({ ...config, lastSyncTime: '2024-01-01 00:00:01' }))).toEqual({})
        }
      )
    }
  )

  test('a column without a zone is UTC, whatever zone the servers are in', async () => {
    await withPair(
      {
        ddl: `CREATE TABLE t (id int PRIMARY KEY, v text, updated_at timestamp); INSERT INTO t VALUES (1, 'v', '2024-01-01 12:00'), (2, 'v', '2024-01-01 14:00')`,
        main: `UPDATE t SET v = 'new'; DO $$ BEGIN EXECUTE 'ALTER DATABASE ' || current_database() || ' SET TimeZone = ''Asia/Tokyo'''; END $$`
      },
      async (_, config) => {
        expect(counts(await diff({ ...config, lastSyncTime: '2024-01-01 13:00:00' }))).toEqual({
          t: [0, 1, 0]
        })
      }
    )
  })

  test('a column of dates shows the day only, so that the whole day is looked at', async () => {
    await withPair(
      {
        ddl: `CREATE TABLE t (id int PRIMARY KEY, v text, updated_at date); INSERT INTO t VALUES (1, 'v', '2024-01-04'), (2, 'v', '2024-01-05')`,
        main: `UPDATE t SET v = 'new'`
      },
      async (_, config) => {
        expect(counts(await diff({ ...config, lastSyncTime: '2024-01-05 13:00:00' }))).toEqual({
          t: [0, 1, 0]
        })
      }
    )
  })

  test('a table without the column, or without a key, is compared in full, and the report says so once', async () => {
    await withPair(
      {
        ddl: `CREATE TABLE plain (id int PRIMARY KEY, v text); CREATE TABLE keyless (v text, updated_at timestamptz); INSERT INTO plain VALUES (1, 'v'); INSERT INTO keyless VALUES ('v', '2020-01-01')`,
        standby: `UPDATE plain SET v = 'old'; DELETE FROM keyless`
      },
      async (_, config) => {
        const done = await sync({ ...config, ...deletes, lastSyncTime: '2024-01-01' })
        expect(counts(done)).toEqual({ plain: [0, 1, 0], keyless: [1, 0, 0] })
        for (const table of ['plain', 'keyless']) {
          expect(
            done.notes.filter(note =>
              note.startsWith(`public.${table} is compared in full: it has no key or no column updated_at`)
            )
          ).toHaveLength(1)
        }
      }
    )
  })

  test('deleted rows are seen only with clean-extra', async () => {
    await withPair({ ddl, main: 'DELETE FROM t WHERE id <= 10' }, async (pair, config) => {
      expect(counts(await sync({ ...config, lastSyncTime: '2024-01-01' }))).toEqual({})
      expect(await pair.standby.query('SELECT count(*)::int AS n FROM t')).toEqual([{ n: 100 }])
      expect(counts(await sync({ ...config, ...deletes, lastSyncTime: '2024-01-01' }))).toEqual({
        t: [0, 0, 10]
      })
      expect(await databaseDigest(pair.standby.url, ['public'])).toEqual(
        await databaseDigest(pair.main.url, ['public'])
      )
    })
  })

  test('changed, added and removed rows of parents and children', async () => {
    const tables = `CREATE TABLE parent (id int PRIMARY KEY, v int, updated_at timestamptz); CREATE TABLE child (id int PRIMARY KEY, parent int REFERENCES parent, updated_at timestamptz);
      INSERT INTO parent SELECT n, n, '2020-01-01' FROM generate_series(1, 50) n; INSERT INTO child SELECT n, n, '2020-01-01' FROM generate_series(1, 50) n`
    await withPair(
      {
        ddl: tables,
        main: `DELETE FROM child WHERE id <= 5; DELETE FROM parent WHERE id <= 3; UPDATE parent SET v = 0, updated_at = '2024-02-01' WHERE id = 9; INSERT INTO parent VALUES (99, 1, '2024-02-01'); UPDATE child SET parent = 99, updated_at = '2024-02-01' WHERE id = 9`
      },
      async (pair, config) => {
        const done = await sync({ ...config, ...deletes, chunkSize: 7, lastSyncTime: '2024-01-01' })
        expect(failures(done)).toEqual([])
        expect(counts(done)).toEqual({ parent: [1, 1, 3], child: [0, 1, 5] })
        expect(await databaseDigest(pair.standby.url, ['public'])).toEqual(
          await databaseDigest(pair.main.url, ['public'])
        )
      }
    )
  })
})

describe('from the standby’s own record', () => {
  test('a run without a record compares in full, and says so; the next one starts from the record', async () => {
    await withPair({ ddl, standby: `UPDATE t SET v = 'old' WHERE id = 5` }, async (pair, config) => {
      const first = await sync(config)
      expect(first.notes.join('\n')).toMatch(/public\.t is compared in full: the standby has no record/)
      expect(counts(first)).toEqual({ t: [0, 1, 0] })
      await pair.main.exec(`UPDATE t SET v = 'new', updated_at = now() WHERE id = 7`)
      // Drift that leaves no trace in updated_at shows that only later rows are looked at.
      await pair.standby.exec(`UPDATE t SET v = 'drift' WHERE id = 8`)
      const second = await sync(config)
      expect(second.notes.join('\n')).not.toMatch(/compared in full/)
      expect(counts(second)).toEqual({ t: [0, 1, 0] })
      expect(await values(pair)).toEqual(expect.arrayContaining(['7 new', '8 drift']))
    })
  })

  test.each([
    ['timestamptz', ''],
    ['timestamptz(0)', ''],
    ['date', ''],
    ['timestamp', `SET TimeZone = 'America/Los_Angeles';`]
  ])(
    'a transaction that was open at the cut is found by the next run: updated_at %s',
    async (type, setting) => {
      await withPair(
        { ddl: ddl.replace('timestamptz NOT NULL', `${type} NOT NULL`) },
        async (pair, config) => {
          await pair.main.exec(`${setting} BEGIN; UPDATE t SET v = 'open', updated_at = now() WHERE id = 3`)
          const first = await sync(config)
          expect(failures(first)).toEqual([])
          await pair.main.exec('COMMIT')
          const second = await sync(config)
          expect(second.notes.join('\n')).not.toMatch(/compared in full/)
          expect(counts(second)).toEqual({ t: [0, 1, 0] })
          expect(await values(pair)).toContain('3 open')
        }
      )
    }
  )

  test('a prepared transaction, too, whose start no catalog tells', async () => {
    await withPair({ ddl }, async (pair, config) => {
      const name = pair.main.name
      await pair.main.exec(`BEGIN; UPDATE t SET v = 'prepared', updated_at = now() WHERE id = 3`)
      await pair.main.exec('SELECT pg_sleep(0)')
      await pair.main.exec(`PREPARE TRANSACTION '${name}'`)
      try {
        await sync(config)
      } finally {
        await pair.main.exec(`COMMIT PREPARED '${name}'`)
      }
      expect(counts(await sync(config))).toEqual({ t: [0, 1, 0] })
      expect(await values(pair)).toContain('3 prepared')
    })
  })

  test('a failed table’s record stays where it was', async () => {
    await withPair(
      {
        ddl: `${ddl}; CREATE TABLE u (id int PRIMARY KEY, v text, updated_at timestamptz); INSERT INTO u VALUES (1, 'v', '2020-01-01')`
      },
      async (pair, config) => {
        await sync(config)
        const record = async () =>
          Object.fromEntries(
            (
              await pair.standby.query('SELECT table_name, cut_time::text AS cut FROM pgsyncer.table_sync')
            ).map(row => [row.table_name, row.cut])
          )
        const before = await record()
        await pair.main.exec(
          `UPDATE t SET v = 'new', updated_at = now() WHERE id = 7; UPDATE u SET v = 'new', updated_at = now()`
        )
        await pair.standby.exec(`ALTER TABLE t ADD CONSTRAINT never CHECK (v <> 'new')`)
        const failed = await sync(config)
        expect(failed.ok).toBe(false)
        expect(tableOf(failed, 't').status).toBe('failed')
        const after = await record()
        expect(after.t).toBe(before.t)
        expect(after.u).not.toBe(before.u)
        await pair.standby.exec('ALTER TABLE t DROP CONSTRAINT never')
        expect(counts(await sync(config))).toEqual({ t: [0, 1, 0] })
      }
    )
  })

  test('a run from a later time than the record leaves the record: what it skipped is still to be found', async () => {
    await withPair({ ddl }, async (pair, config) => {
      await sync(config)
      await pair.main.exec(`UPDATE t SET v = 'between', updated_at = now() WHERE id = 7`)
      const [now] = await pair.main.query(
        `SELECT to_char(now() AT TIME ZONE 'UTC' + interval '1 hour', 'YYYY-MM-DD HH24:MI:SS') AS time`
      )
      expect(counts(await sync({ ...config, lastSyncTime: now!.time }))).toEqual({})
      expect(counts(await sync(config))).toEqual({ t: [0, 1, 0] })
    })
  })

  test('nor is a run recorded that left rows or columns out', async () => {
    await withPair({ ddl, standby: `UPDATE t SET v = 'old' WHERE id > 50` }, async (pair, config) => {
      await sync({ ...config, excludeColumns: { t: ['v'] } })
      await sync({ ...config, where: { t: 'id < 10' } })
      const next = await sync(config)
      expect(next.notes.join('\n')).toMatch(/no record/)
      expect(counts(next)).toEqual({ t: [0, 50, 0] })
      expect(await databaseDigest(pair.standby.url, ['public'])).toEqual(
        await databaseDigest(pair.main.url, ['public'])
      )
    })
  })

  test('a dry run records nothing', async () => {
    await withPair({ ddl }, async (pair, config) => {
      await diff(config)
      expect(await pair.standby.query(`SELECT to_regclass('pgsyncer.table_sync') AS found`)).toEqual([
        { found: null }
      ])
    })
  })
})
