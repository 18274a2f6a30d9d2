/** copyTable over PostgreSQL when servers and networks fail: sessions are killed, connections cut, stalled, given up. */
import { afterAll, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest'
import { AbortError, CallTimeoutError, FullCopyTimeoutError } from '../../src/index.js'
import type { CopyProgress } from '../../src/copy/types.js'
import { execBlocking } from '../support/blocking.js'
import { startProxy, type Proxy } from '../support/proxy.js'
import {
  allGone,
  expectSame,
  hold,
  sessions,
  until,
  waiting,
  waitsForLock,
  withPair,
  type Copying
} from './servers.js'

const ddl = 'CREATE TABLE t (id bigint PRIMARY KEY, v text)'
const main = 'INSERT INTO t SELECT n, repeat(md5(n::text), 40) FROM generate_series(1, 2000) n'
const table = { ddl, main }

/** A copy whose standby stands still in its first save, until the test lets it go. */
const held = (use: (pair: Copying, release: () => Promise<void>) => Promise<void>) =>
  withPair(table, async pair => use(pair, await hold(pair.standby)))

const errorOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => undefined,
    (error: unknown) => error
  )

describe('a call that is given up', () => {
  test('is given up by the server too, at the caller’s signal', () =>
    held(async (pair, release) => {
      const stop = new AbortController()
      const copied = errorOf(pair.copy({}, {}, { signal: stop.signal }))
      await waiting(pair.standby)
      stop.abort('enough')
      expect(await copied).toBeInstanceOf(AbortError)
      // The lock is still held: they have not just come to their end.
      await allGone(pair.standby)
      await release()
      expect(await pair.standby.query('SELECT FROM t')).toEqual([])
      await allGone(pair.main)
    }))

  test('at its time-out, and is tried again', () =>
    held(async (pair, release) => {
      const before: number[] = []
      let retries = 0
      const released: Promise<void>[] = []
      const onProgress = (progress: CopyProgress) => {
        if (progress.retries === 1 && retries === 0) released.push(release())
        retries = progress.retries
      }
      const copied = pair.copy({ callTimeout: 1500, maxRetries: 100 }, {}, { onProgress })
      before.push(await waiting(pair.standby))
      const result = await copied
      expect(result).toMatchObject({ rows: 2000n, batches: 20 })
      expect(result.retries).toBeGreaterThan(0)
      await Promise.all(released)
      await expectSame(pair)
      await allGone(pair.standby)
    }))

  test('as often as it is tried; no try leaves anything behind', () =>
    held(async (pair, release) => {
      const error = await errorOf(pair.copy({ callTimeout: 400, maxRetries: 2 }))
      expect(error).toMatchObject({
        name: 'CallTimeoutError',
        call: 'saveRows',
        attempts: 3,
        database: 'standby'
      })
      expect((error as CallTimeoutError).range).toEqual({ minId: 1n, maxId: 101n })
      await allGone(pair.standby)
      await release()
    }))

  test('at the full time-out', () =>
    held(async (pair, release) => {
      expect(await errorOf(pair.copy({ fullCopyTimeout: 1000 }))).toBeInstanceOf(FullCopyTimeoutError)
      await allGone(pair.standby)
      await release()
    }))

  test('while main reads', () =>
    withPair(table, async pair => {
      const release = await hold(pair.main, 'ACCESS EXCLUSIVE')
      const stop = new AbortController()
      const copied = errorOf(pair.copy({}, {}, { signal: stop.signal }))
      await waiting(pair.main)
      stop.abort()
      expect(await copied).toBeInstanceOf(AbortError)
      await allGone(pair.main)
      await release()
    }))
})

describe('a session that is killed', () => {
  const kill =
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'pgsyncer'"

  test('while it saves: the copy goes on by another', () =>
    held(async (pair, release) => {
      const copied = pair.copy()
      const pid = await waiting(pair.standby)
      await pair.standby.query('SELECT pg_terminate_backend($1)', [pid])
      await until(async () => (await waiting(pair.standby)) !== pid)
      await release()
      expect(await copied).toEqual({ rows: 2000n, batches: 20, retries: 0, lastId: 2000n })
      await expectSame(pair)
    }))

  test.each(['main', 'standby'] as const)('between batches, all of %s', side =>
    withPair(table, async pair => {
      let kills = 0
      const onProgress = ({ batches }: CopyProgress) => {
        if (batches % 5 !== 0) return
        execBlocking(pair[side].url, kill)
        kills++
      }
      expect(await pair.copy({}, {}, { onProgress })).toMatchObject({ rows: 2000n, retries: 0 })
      expect(kills).toBe(4)
      await expectSame(pair)
    })
  )

  test('while rows are upserted: nothing is stored twice or half', () =>
    withPair(table, async pair => {
      await pair.copy()
      await pair.main.exec("UPDATE t SET v = 'new ' || id")
      const release = await hold(pair.standby)
      const copied = pair.copy()
      for (let kills = 0; kills < 3; kills++) {
        await pair.standby.query('SELECT pg_terminate_backend($1)', [await waiting(pair.standby)])
        await until(async () => (await sessions(pair.standby, waitsForLock)).length === 0)
      }
      await release()
      expect(await copied).toMatchObject({ rows: 2000n, retries: 0 })
      await expectSame(pair)
    }))
})

describe('the network', () => {
  let proxy: Proxy
  beforeAll(async () => {
    proxy = await startProxy(inject('adminUrl'))
  })
  beforeEach(() => proxy.flow())
  afterAll(() => proxy.stop())

  test.each([
    ['main', 'received'],
    ['standby', 'sent']
  ] as const)('is cut while rows of %s pass', (side, direction) =>
    withPair(table, async pair => {
      const start = proxy[direction]
      const url = { [side]: proxy.url(pair[side].url) }
      const copied = pair.copy({}, url)
      // All rows are 2.6 MB.
      for (const bytes of [300_000, 900_000, 1_500_000]) {
        await proxy.until(() => proxy[direction] - start > bytes)
        proxy.cut()
      }
      expect(await copied).toEqual({ rows: 2000n, batches: 20, retries: 0, lastId: 2000n })
      await expectSame(pair)
    })
  )

  test.each([
    ['main', 'received'],
    ['standby', 'sent']
  ] as const)('stalls while rows of %s pass: the next try takes another connection', (side, direction) =>
    withPair(table, async pair => {
      const start = proxy[direction]
      const copied = pair.copy({ callTimeout: 1500, maxRetries: 10 }, { [side]: proxy.url(pair[side].url) })
      await proxy.until(() => proxy[direction] - start > 700_000)
      proxy.stall('present')
      const result = await copied
      expect(result).toMatchObject({ rows: 2000n, batches: 20 })
      expect(result.retries).toBeGreaterThan(0)
      await expectSame(pair)
    })
  )

  test.each(['main', 'standby'] as const)('stalls for good before %s: it ends by the call’s time-out', side =>
    withPair(table, async pair => {
      const copied = errorOf(
        pair.copy({ callTimeout: 700, maxRetries: 1 }, { [side]: proxy.url(pair[side].url) })
      )
      const start = proxy.received + proxy.sent
      await proxy.until(() => proxy.received + proxy.sent - start > 700_000)
      proxy.stall('all')
      const error = await copied
      // Closing has to reach the server too, and cannot.
      const [first] = error instanceof AggregateError ? error.errors : [error]
      expect(first).toMatchObject({
        call: side === 'main' ? 'loadRows' : 'saveRows',
        attempts: 2,
        database: side
      })
      proxy.cut()
      await allGone(pair[side])
    })
  )

  test('stalls while connecting: what connects after all is closed', () =>
    withPair(table, async pair => {
      proxy.stall('all')
      const error = await errorOf(
        pair.copy({ callTimeout: 300, maxRetries: 1 }, { standby: proxy.url(pair.standby.url) })
      )
      expect(error).toMatchObject({
        name: 'CallTimeoutError',
        call: 'connect',
        attempts: 2,
        database: 'standby'
      })
      await allGone(pair.main)
      const connections = proxy.connections
      proxy.flow()
      // Each try has come to its login by now, or has not and never will.
      await allGone(pair.standby)
      expect(proxy.connections - connections).toBeLessThanOrEqual(4)
      expect(await pair.standby.query('SELECT FROM t')).toEqual([])
    }))
})
