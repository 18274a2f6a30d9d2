/** Materialized views: what they hold is compared, refreshed where it differs, and left alone where it does not. */
import { describe, expect, test } from 'vitest'
import { diff, sync, type Report } from '../../src/index.js'
import { renderSql } from '../../src/cli/render/sql.js'
import { withPair } from '../faults/pairs.js'
import { psql } from '../support/digest.js'
import { createPlainPair } from '../support/roles.js'
import { failures } from './reports.js'

const ddl = `CREATE TABLE t (id int PRIMARY KEY, v numeric);
  INSERT INTO t VALUES (1, 1.0), (2, 2.5);
  CREATE MATERIALIZED VIEW sums AS SELECT id, v FROM t;
  CREATE MATERIALIZED VIEW above AS SELECT sum(v) AS v FROM sums`

/** Its views by name: status, rows of both sides, and why. */
const viewsOf = (report: Report) =>
  Object.fromEntries(
    report.views.map(({ name, status, main, standby, reason }) => [
      name,
      [status, main, standby, ...(reason === undefined ? [] : [reason])]
    ])
  )

const refresh = 'REFRESH MATERIALIZED VIEW sums; REFRESH MATERIALIZED VIEW above'
/** Its tables are main's, and what was made of them is not. */
const stale = `UPDATE t SET v = 1.00 WHERE id = 1; ${refresh}; UPDATE t SET v = 1.0 WHERE id = 1`

const files = `SELECT relname, relfilenode FROM pg_class WHERE relkind = 'm' ORDER BY 1`

describe('what materialized views hold', () => {
  test.each([false, true])(
    'is compared, value by value as it prints (--strict-hash: %s)',
    async strictHash => {
      await withPair({ ddl, main: '', standby: stale }, async (pair, config) => {
        const options = { ...config, strictHash }
        const before = await diff(options)
        expect(before).toMatchObject({ identical: false, ok: true, totals: { differs: 0 } })
        expect(viewsOf(before)).toEqual({
          sums: ['differs', 2, 2],
          above: ['differs', 1, 1]
        })
        const done = await sync(options)
        expect(done).toMatchObject({ identical: true, ok: true })
        expect(viewsOf(done)).toMatchObject({ sums: ['synced', 2, 2], above: ['synced', 1, 1] })
        expect(await pair.standby.query('SELECT v FROM above')).toEqual([{ v: '3.5' }])
        expect(await diff(options)).toMatchObject({ identical: true })
        const untouched = await pair.standby.query(files)
        expect(viewsOf(await sync(options))).toMatchObject({
          sums: ['identical', 2, 2],
          above: ['identical', 1, 1]
        })
        expect(await pair.standby.query(files)).toEqual(untouched)
      })
    }
  )

  test('is compared where main may only be read slowly', async () => {
    const many = 'INSERT INTO t SELECT n, n FROM generate_series(3, 30000) n'
    const main = `${many}; ${refresh}`
    await withPair(
      {
        ddl,
        main,
        standby: `${main}; DELETE FROM t WHERE id = 29999; ${refresh}; INSERT INTO t VALUES (29999, 29999)`
      },
      async (_, config) => {
        const report = await diff({ ...config, maxRate: 1_000_000 })
        expect(viewsOf(report)).toMatchObject({ sums: ['differs', 30_000, 29_999] })
      }
    )
  })

  test('is not what main’s is where main has not refreshed it: the sync says so, and fails nothing', async () => {
    await withPair({ ddl, main: 'INSERT INTO t VALUES (3, 3)' }, async (pair, config) => {
      const once = await sync(config)
      // The standby's is what main's is, although the table is not what it was.
      expect(once).toMatchObject({ identical: true, ok: true })
      expect(await pair.standby.query('SELECT count(*)::int AS n FROM sums')).toEqual([{ n: 2 }])
      await pair.standby.exec(refresh)
      const again = await sync(config)
      expect(again).toMatchObject({ identical: false, ok: true })
      expect(viewsOf(again).sums).toEqual([
        'differs',
        2,
        3,
        'it was refreshed, and does not hold what main’s does'
      ])
      const options = { ...config, excludeTables: ['sums', 'above'] }
      expect(await sync(options)).toMatchObject({ identical: true, views: [] })
      expect(await diff({ ...config, tables: ['above', 't'] })).toMatchObject({
        views: [{ name: 'above', status: 'differs' }],
        tables: [{ table: 't', status: 'identical' }]
      })
    })
  })

  test('is compared without the columns that are left out', async () => {
    const made = `${ddl}; CREATE MATERIALIZED VIEW dated AS SELECT clock_timestamp() AS at, id FROM t`
    await withPair({ ddl: made, main: '' }, async (_, config) => {
      expect(viewsOf(await diff(config)).dated).toEqual(['differs', 2, 2])
      const options = { ...config, excludeColumns: { dated: ['at'] } }
      expect(await diff(options)).toMatchObject({ identical: true })
    })
  })

  test('is something or nothing: a view is populated as on main, and emptied where rows may be deleted', async () => {
    const main = 'REFRESH MATERIALIZED VIEW above WITH NO DATA'
    const standby = 'REFRESH MATERIALIZED VIEW sums WITH NO DATA'
    await withPair({ ddl, main, standby }, async (pair, config) => {
      expect(viewsOf(await diff(config))).toEqual({
        sums: ['differs', 2, null, 'not populated on the standby'],
        above: ['differs', null, 1, 'not populated on main']
      })
      expect(viewsOf(await sync(config))).toEqual({
        sums: ['synced', 2, null],
        above: ['differs', null, 1, 'not populated on main: --clean-extra empties it']
      })
      const done = await sync({ ...config, cleanExtra: { rows: true, objects: false } })
      expect(done.identical).toBe(true)
      expect(viewsOf(done).above).toEqual(['synced', null, 1])
      expect(
        await pair.standby.query(
          `SELECT relispopulated AS p FROM pg_class WHERE relname IN ('above', 'sums') ORDER BY relname`
        )
      ).toEqual([{ p: false }, { p: true }])
    })
  })

  test('cannot be compared where the view is another one', async () => {
    const standby = `DROP MATERIALIZED VIEW above, sums; CREATE MATERIALIZED VIEW sums AS SELECT id, v, 1 AS more FROM t`
    await withPair({ ddl, main: '', standby }, async (_, config) => {
      const rows = { ...config, syncSchema: false }
      const told = {
        sums: ['differs', 2, null, 'column more is missing on main'],
        above: ['differs', 1, null, 'missing on the standby']
      }
      expect(viewsOf(await diff(rows))).toEqual(told)
      expect(viewsOf(await sync(rows))).toEqual(told)
      const done = await sync({ ...config, syncSchema: true, cleanExtra: { rows: false, objects: true } })
      expect(done.identical).toBe(true)
    })
  })
})

describe('a view is refreshed', () => {
  test('under the settings of its database, not under ours', async () => {
    const days = `CREATE TABLE t (id int PRIMARY KEY, at timestamptz, f float8);
      CREATE MATERIALIZED VIEW days AS SELECT at::date AS day, count(*) AS n FROM t GROUP BY 1;
      CREATE MATERIALIZED VIEW printed AS SELECT f::text || date '2024-02-01' AS f FROM t`
    const main = `SET timezone = 'Europe/Berlin'; SET extra_float_digits = 0; SET datestyle = 'German';
      INSERT INTO t VALUES (1, '2024-01-01 23:30+00', 0.1::float8 + 0.2), (2, '2024-01-02 12:00+00', 1);
      REFRESH MATERIALIZED VIEW days; REFRESH MATERIALIZED VIEW printed`
    await withPair({ ddl: days, main }, async (pair, config) => {
      for (const setting of ["timezone = 'Europe/Berlin'", 'extra_float_digits = 0', "datestyle = 'German'"])
        await pair.standby.query(`ALTER DATABASE "${pair.standby.name}" SET ${setting}`)
      expect(viewsOf(await sync(config))).toEqual({ days: ['synced', 1, 0], printed: ['synced', 2, 0] })
      expect(await diff(config)).toMatchObject({ identical: true })
    })
  })

  test('under the policies that its owner is under', async () => {
    const { pair, owner, config, drop } = await createPlainPair({
      ddl: `CREATE TABLE t (id int PRIMARY KEY); CREATE MATERIALIZED VIEW mv AS SELECT id FROM t`,
      main: 'INSERT INTO t VALUES (1); REFRESH MATERIALIZED VIEW mv'
    })
    try {
      // Neither the table's owner nor a superuser: by the policy alone the view's owner sees the row.
      await pair.standby.exec(`ALTER TABLE t OWNER TO postgres; GRANT SELECT ON t TO ${owner.name};
        ALTER TABLE t ENABLE ROW LEVEL SECURITY; CREATE POLICY p ON t USING (true)`)
      const done = await sync({ ...config, standby: pair.standby.url, syncSchema: false })
      expect(failures(done)).toEqual([])
      expect(viewsOf(done)).toEqual({ mv: ['synced', 1, 0] })
    } finally {
      await drop()
    }
  })

  test('also where main does not let it be read, which is a failure all the same', async () => {
    const { pair, reader, config, drop } = await createPlainPair({
      ddl: `${ddl}; CREATE MATERIALIZED VIEW more AS SELECT id FROM sums`,
      main: `INSERT INTO t VALUES (3, 3); ${refresh}; REFRESH MATERIALIZED VIEW more`
    })
    try {
      await pair.main.exec(`REVOKE SELECT ON sums FROM ${reader.name}`)
      const done = await sync({ ...config, syncSchema: false })
      expect(failures(done)).toEqual([
        expect.stringMatching(/^materialized view public\.sums main: permission denied/)
      ])
      expect(viewsOf(done)).toMatchObject({
        sums: ['failed', null, 2, expect.anything()],
        above: ['synced', 1, 1],
        more: ['synced', 3, 2]
      })
      expect(await pair.standby.query('SELECT count(*)::int AS n FROM sums')).toEqual([{ n: 3 }])
    } finally {
      await drop()
    }
  })

  test('and what main has emptied since is filled for those that are made from it, and is empty afterwards', async () => {
    const main = `INSERT INTO t VALUES (3, 3); ${refresh}; REFRESH MATERIALIZED VIEW sums WITH NO DATA`
    for (const standby of ['', 'REFRESH MATERIALIZED VIEW sums WITH NO DATA']) {
      await withPair({ ddl, main, standby }, async (pair, config) => {
        const options = { ...config, cleanExtra: { rows: true, objects: false } }
        const done = await sync(options)
        expect(failures(done)).toEqual([])
        expect(done.identical).toBe(true)
        expect(await pair.standby.query('SELECT v FROM above')).toEqual([{ v: '6.5' }])
        const untouched = await pair.standby.query(files)
        expect(await sync(options)).toMatchObject({ identical: true })
        expect(await pair.standby.query(files)).toEqual(untouched)
      })
    }
  })

  test('by the script of a diff, where it differs or is made anew', async () => {
    const made = `CREATE TABLE t (id int PRIMARY KEY, v int); INSERT INTO t VALUES (1, 1);
      CREATE MATERIALIZED VIEW "it's" AS SELECT id, v::text FROM t; 
      CREATE TABLE u (id int PRIMARY KEY); CREATE MATERIALIZED VIEW stale AS SELECT count(*) FROM u`
    const main = `INSERT INTO u VALUES (2); REFRESH MATERIALIZED VIEW stale; DROP MATERIALIZED VIEW "it's"; ALTER TABLE t ALTER v TYPE bigint;
      CREATE MATERIALIZED VIEW "it's" AS SELECT id, v::text FROM t; CREATE MATERIALIZED VIEW fresh AS SELECT id FROM t`
    await withPair({ ddl: made, main }, async (pair, config) => {
      const report = await diff({ ...config, allow: ['all'] })
      await psql(
        pair.standby.url,
        renderSql(report, { rows: 100, cleanExtra: { rows: true, objects: true } })
      )
      expect(await diff(config)).toMatchObject({ identical: true })
    })
  })
})

test('the refresh of a view ends with the run that is stopped', async () => {
  const slow = `CREATE TABLE t (id int PRIMARY KEY, v int); CREATE MATERIALIZED VIEW mv AS SELECT v, pg_sleep(v)::text FROM t`
  await withPair(
    {
      ddl: slow,
      main: '',
      standby: 'INSERT INTO t VALUES (1, 0); REFRESH MATERIALIZED VIEW mv; UPDATE t SET v = 3600'
    },
    async (pair, config) => {
      await pair.main.exec('INSERT INTO t VALUES (1, 3600)')
      const stop = new AbortController()
      const running = sync(config, { signal: stop.signal })
      const busy = async () => {
        const rows = await pair.standby.query(
          `SELECT FROM pg_stat_activity WHERE datname = current_database() AND state = 'active' AND query ~ '^(SET|REFRESH).*REFRESH'
           AND wait_event = 'PgSleep'`
        )
        return rows.length > 0
      }
      await expect.poll(busy, { timeout: 60_000 }).toBe(true)
      stop.abort(new Error('stopped by the test'))
      await expect(running).rejects.toThrow('stopped by the test')
      expect(await busy()).toBe(false)
      expect(failures(await diff(config))).toEqual([])
    }
  )
})
