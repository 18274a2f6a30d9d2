/** notify: what it shares with every source, and what is its own: the signal, which outbox shares. */
import pg from 'pg'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { findBinaries } from '../../../src/cli/demo/binaries.js'
import { startServer, type ThrowawayServer } from '../../../src/cli/demo/servers.js'
import { GuardError } from '../../../src/core/errors.js'
import type { FollowEvent } from '../../../src/core/events.js'
import { openNotifyCapture } from '../../../src/follow/capture/notify.js'
import { openOutboxCapture } from '../../../src/follow/capture/outbox.js'
import type { ChangeBatch, Source } from '../../../src/follow/ports.js'
import { openNotify } from '../../../src/follow/sources/notify.js'
import { openOutbox } from '../../../src/follow/sources/outbox.js'
import { isTransient } from '../../../src/postgres/failure.js'
import { changesOf, from, openBench, sourceContract, until, type Bench } from '../../contracts/source.js'

const notify = { source: 'notify', open: openNotify, capture: openNotifyCapture, remembers: false } as const
const outbox = { source: 'outbox', open: openOutbox, capture: openOutboxCapture, remembers: true } as const

sourceContract('notify', notify)

const hour = 3_600_000
const t = 'CREATE TABLE t (id bigserial PRIMARY KEY, v text)'
const insert = `INSERT INTO t (v) VALUES ('v')`

let bench: Bench

function following(source: Source) {
  const batches: ChangeBatch[] = []
  const abort = new AbortController()
  const ended = (async () => {
    for await (const batch of source.stream(from(null, false), abort.signal)) batches.push(batch)
  })().catch((error: unknown) => error)
  const stop = () => {
    abort.abort()
    return ended
  }
  return {
    came: (count: number) => until(`${count} changes`, () => changesOf(batches).length === count),
    ended,
    stop
  }
}

/** The reader's session has given back the lock that says that it is awake, and has nothing to do. */
const asleep = () =>
  until('the reader sleeps', async () => {
    const rows = await bench.db.query(`SELECT 1 FROM pg_stat_activity WHERE datname = current_database()
      AND query LIKE '%advisory_unlock%' AND state = 'idle' AND pid <> pg_backend_pid()`)
    return rows.length > 0
  })

describe('notify where main allows prepared transactions', () => {
  afterEach(() => bench.drop())

  test('a row comes at once though no trigger may signal, and preparing does not fail', async () => {
    bench = await openBench(notify, t)
    await bench.install()
    const reading = following(await bench.open({ interval: hour }))
    for (let i = 0; i < 3; i++) {
      await asleep()
      const gid = `g${Date.now()}`
      await bench.db.exec(`BEGIN; ${insert}; PREPARE TRANSACTION '${gid}'`)
      await bench.db.exec(`COMMIT PREPARED '${gid}'`)
      await reading.came(i + 1)
    }
    await reading.stop()
  })

  test('silence is told and does no harm', async () => {
    bench = await openBench(notify, t)
    await bench.install()
    const events: FollowEvent[] = []
    const source = await openNotify(bench.server, bench.config({ interval: 10 }), event => events.push(event))
    const reading = following(source)
    await until('quiet', () => events.length > 2)
    expect(new Set(events.map(event => JSON.stringify(event)))).toEqual(
      new Set(['{"type":"quiet","after":10}'])
    )
    await bench.db.exec(insert)
    await reading.came(1)
    await reading.stop()
    await source.close()
  })

  test('the triggers must be there, and one process reads', async () => {
    bench = await openBench(notify, t)
    await expect(bench.open()).rejects.toMatchObject({
      message: expect.stringContaining('public.t has no trigger of the notify stream'),
      hint: expect.stringContaining('pgsyncer capture install --source notify')
    })
    await bench.install()
    await bench.open()
    await expect(bench.open()).rejects.toThrow(GuardError)
  })

  test('capture: twice is once, and remove leaves nothing', async () => {
    bench = await openBench(notify, t)
    const capture = await openNotifyCapture(bench.server, bench.config())
    expect(await capture.status()).toMatchObject({ installed: false })
    await bench.install()
    expect(await capture.install()).toEqual([])
    expect(await capture.status()).toMatchObject({ installed: true })
    for (const statement of await capture.remove()) await bench.db.exec(statement)
    expect(await capture.remove()).toEqual([])
    const left = `SELECT nspname AS name FROM pg_namespace WHERE nspname = 'pgsyncer' UNION ALL SELECT tgname FROM pg_trigger`
    expect(await bench.db.query(left)).toEqual([])
  })
})

describe.each([notify, outbox])('$source where triggers signal', setup => {
  let server: ThrowawayServer
  beforeAll(async () => {
    server = await startServer({ binaries: await findBinaries(15), name: 'signals' })
  })
  afterAll(async () => server.stop('immediate'))
  afterEach(() => bench.drop())

  const begin = async () => {
    bench = await openBench({ ...setup, adminUrl: () => server.url }, t)
    await bench.install()
  }

  test('a sleeping reader is woken', async () => {
    await begin()
    const reading = following(await bench.open({ interval: hour }))
    for (let i = 0; i < 5; i++) {
      await asleep()
      await bench.db.exec(insert)
      await reading.came(i + 1)
    }
    await reading.stop()
  })

  test('nobody signals to one who is awake, or not there', async () => {
    await begin()
    const ear = new pg.Client(bench.db.url)
    let heard = 0
    ear.on('notification', () => heard++)
    ear.on('error', () => {})
    await ear.connect()
    await ear.query(`LISTEN "pgsyncer_${bench.config().name}"`)
    // Nor to nobody.
    await bench.db.exec(insert)
    await ear.query('SELECT 1')
    expect(heard).toBe(0)
    const abort = new AbortController()
    let busy = () => {}
    const worked = new Promise<void>(resolve => (busy = resolve))
    const source = await bench.open({ interval: hour })
    let batches = 0
    const reading = (async () => {
      for await (const _ of source.stream(from(null, false), abort.signal)) {
        if (++batches === 2) await worked
      }
    })().catch(() => {})
    await asleep()
    await bench.db.exec(insert)
    await until('the signal', () => heard === 1 && batches === 2)
    // The reader is in the middle of a look as long as its batch is being worked at.
    for (let i = 0; i < 20; i++) await bench.db.exec(insert)
    await ear.query('SELECT 1')
    expect(heard).toBe(1)
    busy()
    abort.abort()
    await reading
    await ear.end()
  })

  test('a reader that is woken by many writers at once misses none', async () => {
    await begin()
    const reading = following(await bench.open({ interval: hour }))
    const writers = await Promise.all(Array.from({ length: 8 }, () => bench.session()))
    for (let round = 1; round <= 10; round++) {
      await Promise.all(writers.map(client => client.query(`INSERT INTO public.t (v) VALUES ('v')`)))
      await reading.came(round * 8)
    }
    await reading.stop()
  })

  test.runIf(setup.source === 'notify')(
    'what is read again is read at each signal, not all the time',
    async () => {
      bench = await openBench(
        { ...setup, adminUrl: () => server.url },
        'CREATE TABLE t (id int PRIMARY KEY, v text)'
      )
      await bench.install()
      const source = await bench.open({ interval: hour })
      const abort = new AbortController()
      const seen: string[][] = []
      const reading = (async () => {
        for await (const { changes } of source.stream(from(null, false), abort.signal))
          seen.push(changes.map(({ row }) => row!))
      })().catch(() => {})
      await until('the reader looks', async () => {
        const rows = await bench.db.query(`SELECT 1 FROM pg_stat_activity WHERE datname = current_database()
        AND query LIKE '%max(t."id")%' AND state = 'idle'`)
        return rows.length > 0
      })
      for (let i = 1; i <= 5; i++) {
        await bench.db.exec(`INSERT INTO t VALUES (${i}, 'v')`)
        await until('the row', () => seen.some(rows => rows.includes(`${i}\tv`)))
      }
      abort.abort()
      await reading
      // One more where a signal came in the middle of a look.
      expect(seen.length).toBeLessThanOrEqual(6)
    }
  )

  test('a lost ear ends the stream, and another try may do', async () => {
    await begin()
    const reading = following(await bench.open({ interval: hour }))
    await asleep()
    await bench.db
      .exec(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()
      AND query LIKE '%advisory_unlock%' AND pid <> pg_backend_pid()`)
    expect(isTransient(await reading.ended)).toBe(true)
  })
})
