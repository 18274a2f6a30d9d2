/** Changes for sinks that take whole rows alone: what the WAL leaves out is fetched from main, as it is or newer, never older. */
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { findBinaries } from '../../../src/cli/demo/binaries.js'
import { startServer, type ThrowawayServer } from '../../../src/cli/demo/servers.js'
import { openWalCapture } from '../../../src/follow/capture/wal.js'
import type { ChangeBatch, Source } from '../../../src/follow/ports.js'
import { Completer } from '../../../src/follow/sources/complete.js'
import { Completing } from '../../../src/follow/sources/completing.js'
import { openWal } from '../../../src/follow/sources/wal/source.js'
import { changesOf, drain, from, openBench, until, type Bench } from '../../contracts/source.js'

let server: ThrowawayServer
let bench: Bench
beforeAll(async () => {
  const settings = { wal_level: 'logical', synchronous_commit: 'on' }
  server = await startServer({ binaries: await findBinaries(15), name: 'complete', settings })
})
afterAll(() => server.stop())
afterEach(() => bench.drop())

const large = (letter: string) => letter.repeat(5000)

/** A table with a value that the WAL tells only where it changes. */
async function begin(): Promise<Source> {
  const setup = { source: 'wal', open: openWal, capture: openWalCapture, remembers: true } as const
  bench = await openBench(
    { ...setup, adminUrl: () => server.url },
    `CREATE TABLE t (id int PRIMARY KEY, n int, c int, v text); ALTER TABLE t ALTER v SET STORAGE EXTERNAL;
     INSERT INTO t VALUES (1, 0, 0, '${large('a')}'), (2, 0, 0, '${large('a')}')`
  )
  await bench.install()
  return new Completing(await bench.open(), new Completer(bench.server))
}

const told = (batches: readonly ChangeBatch[]) =>
  changesOf(batches).map(({ operation, row, old }) => [operation, (row ?? old)!.replace(/(.)\1{99,}/, '$1…')])

test('a value that did not change is as main has it, and a row that is gone waits for its end', async () => {
  const source = await begin()
  await bench.db.exec(
    `UPDATE t SET n = 1 WHERE id = 1; UPDATE t SET n = 1 WHERE id = 2; DELETE FROM t WHERE id = 2`
  )
  expect(told(await drain(source, from(null)))).toEqual([
    ['update', '1\t1\t0\ta…'],
    ['delete', '2']
  ])
  await source.close()
})

test('what main lets nobody see yet is waited for', async () => {
  const source = await begin()
  const batches: ChangeBatch[] = []
  const abort = new AbortController()
  const reading = (async () => {
    for await (const batch of source.stream(from(null, false), abort.signal)) batches.push(batch)
  })().catch((error: unknown) => error)
  const admin = async (value: string) => {
    await bench.server.sql.unsafe(`ALTER SYSTEM SET synchronous_standby_names = '${value}'`)
    await bench.server.sql.unsafe('SELECT pg_reload_conf()')
    await until('a setting', async () => {
      const session = await bench.session()
      const { rows } = await session.query<{ now: string }>(
        `SELECT current_setting('synchronous_standby_names') AS now`
      )
      await session.end()
      return rows[0]!.now === value
    })
  }
  await admin('nobody')
  const writer = await bench.session()
  const written = writer.query(
    `BEGIN; UPDATE public.t SET v = '${large('b')}' WHERE id = 1; UPDATE public.t SET n = 1 WHERE id = 1; UPDATE public.t SET id = 3, n = 2 WHERE id = 2; COMMIT`
  )
  const waits = async (what: string) =>
    until(what, async () => {
      const rows = await bench.server.sql.unsafe<{ query: string; wait: string | null }[]>(
        `SELECT query, wait_event AS wait FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`
      )
      const committing = rows.some(({ wait }) => wait === 'SyncRep')
      return (
        committing && (batches.length > 0 || rows.some(({ query }) => query.includes('txid_snapshot_xmax')))
      )
    })
  await waits('a commit that nobody sees')
  expect(told(batches)).toEqual([])
  await admin('')
  await written
  await until('the changes', () => changesOf(batches).length > 0)
  abort.abort(new Error('enough'))
  await reading
  expect(told(batches)).toEqual([
    ['update', '1\t0\t0\tb…'],
    ['update', '1\t1\t0\tb…'],
    ['update', '3\t2\t0\ta…']
  ])
  await source.close()
})

test('a column that was dropped meanwhile, or a table, is no riddle', async () => {
  const source = await begin()
  await bench.db.exec('UPDATE t SET n = 1 WHERE id = 1; ALTER TABLE t DROP v')
  expect(told(await drain(source, from(null)))).toEqual([['update', '1\t1\t0\t\\N']])
  await bench.db.exec('DROP TABLE t')
  await expect(drain(source, from(null))).rejects.toThrow(
    /values of public.t that did not change cannot be read/
  )
  await source.close()
})
