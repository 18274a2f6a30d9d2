/** Rows that are committed after others with later cursors: none is passed over. */
import { randomUUID } from 'node:crypto'
import pg from 'pg'
import { describe, expect, test } from 'vitest'
import { copySections } from '../../../src/copy/sections/sections.js'
import { DataError } from '../../../src/core/errors.js'
import type { Db } from '../../support/databases.js'
import { createRole } from '../../support/roles.js'
import { expectSame, failure, messages, plain, until, withFlow } from './messages.js'

/** Another session of the database. */
async function withSession(db: Db, use: (session: pg.Client) => Promise<void>) {
  const session = new pg.Client({ connectionString: db.url })
  await session.connect()
  try {
    await use(session)
  } finally {
    await session.end()
  }
}

/** Settles when the run has looked for writers so many times more. */
async function looks(main: Db, times: number): Promise<void> {
  const seen = new Set<string>()
  await until(async () => {
    const rows = await main.query<{ at: string }>(
      `SELECT query_start::text AS at FROM pg_stat_activity
       WHERE datname = current_database() AND application_name = 'pgsyncer' AND query LIKE '%pg_locks%'`
    )
    for (const { at } of rows) seen.add(at)
    return seen.size > times
  })
}

describe('a writer that is open when the run starts', () => {
  test('is waited for, also where it is prepared meanwhile', async () => {
    // Its name is the whole server's.
    const gid = randomUUID()
    for (const commit of [['COMMIT'], [`PREPARE TRANSACTION '${gid}'`, `COMMIT PREPARED '${gid}'`]]) {
      await withFlow({ main: messages(1, 10) }, async flow => {
        await withSession(flow.main, async writer => {
          await writer.query(`BEGIN; ${messages(11, 15)}`)
          await flow.main.exec(messages(16, 20))
          const run = copySections(flow.options)
          for (const step of commit) {
            await looks(flow.main, 3)
            await writer.query(step)
          }
          expect(plain(await run)).toMatchObject({ rows: 20, cursor: '20' })
          expect(await expectSame(flow)).toBe(20)
        })
      })
    }
  })

  test('of a partition counts too', async () => {
    const main = `DROP TABLE device.messages; CREATE TABLE device.messages (created_id bigint, object_id int, mes_id int)
      PARTITION BY RANGE (created_id); CREATE TABLE device.one PARTITION OF device.messages FOR VALUES FROM (0) TO (10);
      CREATE TABLE device.two PARTITION OF device.messages FOR VALUES FROM (10) TO (100)`
    await withFlow({ main }, async flow => {
      await withSession(flow.main, async writer => {
        await writer.query('BEGIN; INSERT INTO device.one VALUES (1, 1, 1)')
        await flow.main.exec('INSERT INTO device.two VALUES (10, 2, 2)')
        const run = copySections(flow.options)
        await looks(flow.main, 3)
        await writer.query('COMMIT')
        expect(await run).toMatchObject({ rows: 2, cursor: '10' })
      })
    })
  })

  test('for too long ends the run, and nothing is passed over', async () => {
    await withFlow({ main: messages(1, 10) }, async flow => {
      await withSession(flow.main, async writer => {
        await writer.query(`BEGIN; ${messages(11, 15)}`)
        await flow.main.exec(messages(16, 20))
        const error = await failure({ ...flow.options, settleTimeout: 1 })
        expect(error).toBeInstanceOf(DataError)
        const { rows } = await writer.query<{ pid: number }>('SELECT pg_backend_pid() AS pid')
        expect(error.message).toBe(
          `1 transaction is writing to device.messages on main for longer than 1 ms (pid ${rows[0]!.pid})`
        )
        await writer.query('COMMIT')
        expect(await copySections({ ...flow.options, settleTimeout: 1 })).toMatchObject({ rows: 20 })
        expect(await expectSame(flow)).toBe(20)
      })
    })
  })

  test('is waited for no longer than it is told to stop', async () => {
    await withFlow({ main: messages(1, 10) }, async flow => {
      await withSession(flow.main, async writer => {
        await writer.query(`BEGIN; ${messages(11, 15)}`)
        const stop = new AbortController()
        const run = copySections({ ...flow.options, settleTimeout: 0 }, { signal: stop.signal })
        const ended = run.catch((error: unknown) => error)
        await looks(flow.main, 1)
        stop.abort(new Error('stop now'))
        expect(await ended).toMatchObject({ message: 'stop now' })
      })
    })
  })

  test('of another table, or one that only reads, is not waited for', async () => {
    await withFlow({ main: `${messages(1, 10)}; CREATE TABLE other (id int)` }, async flow => {
      await withSession(flow.main, async writer => {
        await writer.query('BEGIN; INSERT INTO other VALUES (1); SELECT FROM device.messages')
        expect(await copySections({ ...flow.options, settleTimeout: 1 })).toMatchObject({ rows: 10 })
      })
    })
  })
})

describe('a cursor that is the time of the transaction', () => {
  const now = { cursor: 'now() + n * interval $$1 microsecond$$' }

  test('is read up to the oldest open transaction, which may write yet', async () => {
    await withFlow({ cursor: 'timestamptz PRIMARY KEY', main: messages(-9, 0, now) }, async flow => {
      await withSession(flow.main, async early => {
        await early.query('BEGIN; SELECT now()')
        await flow.main.exec(messages(11, 15, now))
        expect(await copySections(flow.options)).toMatchObject({ rows: 10 })
        await early.query(`${messages(1, 5, now)}; COMMIT`)
        expect(await copySections(flow.options)).toMatchObject({ rows: 10 })
        expect(await expectSame(flow)).toBe(20)
      })
    })
  })

  test('in the future hides no row before it', async () => {
    const ahead = { cursor: `now() + interval '1 hour'` }
    await withFlow({ cursor: 'timestamptz', main: messages(1, 1, ahead) }, async flow => {
      await flow.main.exec(messages(-5, -1, now))
      expect(await copySections(flow.options)).toMatchObject({ rows: 5 })
      await flow.main.exec(messages(-15, -11, now))
      expect(await copySections(flow.options)).toMatchObject({ rows: 5 })
    })
  })

  test('that the role may not see is said', async () => {
    await withFlow({ cursor: 'timestamptz PRIMARY KEY', main: messages(-4, 0, now) }, async flow => {
      const reader = await createRole(flow.main, 'reader')
      await flow.main.exec(`GRANT USAGE ON SCHEMA device TO ${reader.name};
        GRANT SELECT ON device.messages TO ${reader.name}`)
      const { rows, notes } = await copySections({ ...flow.options, main: reader.url(flow.main) })
      expect(rows).toBe(5)
      expect(notes).toEqual([expect.stringMatching(/^main hides when other sessions began .*may be missed/)])
      await flow.main.exec(`DROP OWNED BY ${reader.name}; DROP ROLE ${reader.name}`)
    })
  })
})
