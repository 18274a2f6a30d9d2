/** What following by the WAL refuses: one clear message each, with what to do, and nothing delivered. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { findBinaries } from '../../../src/cli/demo/binaries.js'
import { startServer, type ThrowawayServer } from '../../../src/cli/demo/servers.js'
import { ConfigError, FollowError, GuardError } from '../../../src/core/errors.js'
import { openWalCapture } from '../../../src/follow/capture/wal.js'
import { completeFollow, type FollowOptions } from '../../../src/follow/config.js'
import { openWal } from '../../../src/follow/sources/wal/source.js'
import { openServer } from '../../../src/postgres/connect.js'
import {
  drain,
  firstCopy,
  from,
  never,
  openBench,
  until,
  type Bench,
  type SourceSetup
} from '../../contracts/source.js'
import { startReplica } from '../../support/replica.js'
import { createRole } from '../../support/roles.js'
import { errorOf } from '../../sync/reports.js'

const setup: SourceSetup = { source: 'wal', open: openWal, capture: openWalCapture, remembers: true }
const table = 'CREATE TABLE t (id int PRIMARY KEY)'

let bench: Bench
afterEach(async () => bench?.drop())

const begin = async (ddl: string, options: Partial<SourceSetup> = {}) =>
  (bench = await openBench({ ...setup, ...options }, ddl))

/** What opening fails with. */
async function refusal(options: Partial<FollowOptions> = {}) {
  const error = await errorOf(bench.open(options))
  expect(error.hint).toBeTruthy()
  return error
}

const slotName = () => `pgsyncer_${bench.config().name}`

describe('a table', () => {
  test.each([
    [
      'CREATE TABLE t (id int)',
      'public.t has no primary key that the WAL could tell a row by',
      'ADD PRIMARY KEY'
    ],
    [
      'CREATE TABLE t (id int); ALTER TABLE t REPLICA IDENTITY FULL',
      'public.t has no primary key',
      'ADD PRIMARY KEY'
    ],
    [
      'CREATE TABLE t (id int PRIMARY KEY DEFERRABLE)',
      'public.t has no primary key that the WAL could tell a row by',
      'not deferrable'
    ],
    [
      'CREATE TABLE t (id int PRIMARY KEY); ALTER TABLE t REPLICA IDENTITY NOTHING',
      'public.t has REPLICA IDENTITY NOTHING: the WAL does not tell which row is changed',
      'ALTER TABLE public.t REPLICA IDENTITY DEFAULT'
    ],
    [
      `CREATE TABLE t (id int PRIMARY KEY) PARTITION BY LIST (id); CREATE TABLE p PARTITION OF t DEFAULT;
       ALTER TABLE p REPLICA IDENTITY NOTHING`,
      'public.t has REPLICA IDENTITY NOTHING (its partition public.p): the WAL does not tell which row is changed',
      'ALTER TABLE public.p REPLICA IDENTITY DEFAULT'
    ],
    [
      `CREATE TABLE t (id int PRIMARY KEY, n int NOT NULL) PARTITION BY LIST (id); CREATE TABLE p PARTITION OF t DEFAULT;
       CREATE UNIQUE INDEX u ON p (n); ALTER TABLE p REPLICA IDENTITY USING INDEX u`,
      'public.t has the partition public.p with another replica identity than its own',
      'Give both the same'
    ]
  ])('%s', async (ddl, message, hint) => {
    await begin(ddl)
    // The capture refuses it before it publishes anything.
    for (const error of [await refusal({ tables: ['t'] }), await errorOf(bench.install({ tables: ['t'] }))]) {
      expect(error).toBeInstanceOf(ConfigError)
      expect(error.message).toBe(message)
      expect(error.hint).toContain(hint)
    }
    // Main takes the application's updates as before.
    await bench.db.exec('UPDATE t SET id = 2')
  })
})

describe('a publication', () => {
  test('that is missing is named with the command that makes it', async () => {
    await begin(table)
    const error = await refusal({ tables: ['t', 'public."t"'] })
    expect(error).toBeInstanceOf(FollowError)
    expect(error.message).toBe(`main has no publication ${slotName()}`)
    expect(error.hint).toBe(
      `Run pgsyncer capture install --source wal --maindsn … --table t --table 'public."t"' --name ${bench.config().name}`
    )
  })

  test('that lacks a table', async () => {
    await begin(`${table}; CREATE TABLE u (id int PRIMARY KEY)`)
    await bench.install({ tables: ['t'] })
    const error = await refusal()
    expect(error.message).toBe(
      `main's publication ${slotName()} does not tell of all changes: it lacks public.u`
    )
  })

  test('that lacks operations, rows or columns', async () => {
    await begin(`${table}; CREATE TABLE u (id int PRIMARY KEY, n int)`)
    await bench.db.exec(
      `CREATE PUBLICATION ${slotName()} FOR TABLE t WHERE (id > 5), u (id) WITH (publish = 'insert, update')`
    )
    const error = await refusal()
    expect(error.message).toBe(
      `main's publication ${slotName()} does not tell of all changes: it does not publish delete, truncate; it publishes partitions one by one; it has not all rows or columns of public.t, public.u`
    )
  })

  test('that is dropped while it is read from', async () => {
    await begin(table)
    await bench.install()
    const source = await bench.open()
    await bench.db.exec(`DROP PUBLICATION ${slotName()}; INSERT INTO t VALUES (1)`)
    const error = await errorOf(drain(source, from(null)))
    expect(error).toBeInstanceOf(FollowError)
    expect(error.message).toContain(`main had no publication ${slotName()} when`)
    expect(error.hint).toContain('capture remove')
  })
})

describe('a slot', () => {
  const reader = async () => {
    const source = await bench.open()
    const abort = new AbortController()
    const reading = (async () => {
      for await (const batch of source.stream(from(null, false), abort.signal))
        await source.ack(batch.position)
    })().catch(() => {})
    await until('a reader', async () => (await pid()) !== null)
    return async () => {
      abort.abort(new Error('enough'))
      await reading
    }
  }
  const pid = async () => {
    const [row] = await bench.db.query<{ pid: number | null }>(
      `SELECT active_pid AS pid FROM pg_replication_slots WHERE slot_name = $1`,
      [slotName()]
    )
    return row!.pid
  }

  test('that is in use, at the start and later', async () => {
    await begin(table)
    await bench.install()
    const second = await bench.open({ lockTimeout: 50 })
    const stop = await reader()
    const error = await refusal({ lockTimeout: 50 })
    expect(error).toBeInstanceOf(GuardError)
    expect(error.message).toBe(
      `the replication slot ${slotName()} is in use by the process ${await pid()} of main`
    )
    const later = await errorOf(drain(second, from(null)))
    expect(later).toBeInstanceOf(GuardError)
    expect(later.message).toBe(error.message)
    await stop()
    // An earlier run may need a moment to end.
    await bench.open()
  })

  test('of another plugin', async () => {
    await begin(table)
    await bench.install()
    await bench.db.query(`SELECT pg_drop_replication_slot($1)`, [slotName()])
    await bench.db.query(`SELECT pg_create_logical_replication_slot($1, 'test_decoding')`, [slotName()])
    const error = await refusal()
    expect(error).toBeInstanceOf(GuardError)
    expect(error.message).toContain('is not one of this stream: it is test_decoding in the database')
    await bench.db.query(`SELECT pg_drop_replication_slot($1)`, [slotName()])
  })

  test('of another database', async () => {
    await begin(table)
    await bench.install()
    const other = await openBench(setup, table)
    await other.db.exec(`CREATE PUBLICATION ${slotName()} FOR TABLE t WITH (publish_via_partition_root)`)
    const error = await errorOf(other.open({ name: bench.config().name }))
    expect(error).toBeInstanceOf(GuardError)
    expect(error.message).toContain(`it is pgoutput in the database ${bench.db.name}`)
    await other.drop()
  })

  test('that is gone although the sink has a position, or was made anew', async () => {
    await begin(table)
    await bench.install()
    let source = await bench.open()
    const { position } = await firstCopy(source)
    await source.close()
    await bench.db.query(`SELECT pg_drop_replication_slot($1)`, [slotName()])
    source = await bench.open()
    const gone = await errorOf(drain(source, from(position)))
    expect(gone).toBeInstanceOf(FollowError)
    expect(gone.message).toBe(`main has no replication slot ${slotName()}, and the sink's position is of one`)
    await bench.db.exec('INSERT INTO t VALUES (1)')
    await bench.install()
    const anew = await errorOf(drain(source, from(position)))
    expect(anew).toBeInstanceOf(FollowError)
    expect(anew.message).toMatch(
      /begins at [0-9A-F]+\/[0-9A-F]+, past the sink's position .*: it was made anew, or/
    )
    expect(anew.hint).toContain('copy the tables anew')
  })

  test('that is not there yet is made for the very first start', async () => {
    await begin(table)
    await bench.install()
    await bench.db.query(`SELECT pg_drop_replication_slot($1)`, [slotName()])
    let source = await bench.open()
    const { position } = await firstCopy(source)
    await bench.db.exec('INSERT INTO t VALUES (1)')
    expect((await drain(source, from(position))).flatMap(batch => batch.changes)).toHaveLength(1)
    await source.close()
    await bench.db.query(`SELECT pg_drop_replication_slot($1)`, [slotName()])
    source = await bench.open()
    expect((await drain(source, from(null))).flatMap(batch => batch.changes)).toHaveLength(0)
  })
})

test('a user without the right to read the WAL', async () => {
  await begin(table)
  await bench.install()
  const role = await createRole(bench.db, 'reader')
  const server = await openServer('main', role.url(bench.db), {}, { lockTimeout: 0, statementTimeout: 0 })
  const error = await errorOf(openWal(server, bench.config(), () => {}))
  await bench.db.exec(`ALTER ROLE ${role.name} REPLICATION; GRANT SELECT ON t TO ${role.name}`)
  const source = await openWal(server, bench.config(), () => {})
  expect((await firstCopy(source)).rows.get('public.t')).toEqual([])
  await source.close()
  await server.close()
  await bench.db.exec(`DROP OWNED BY ${role.name}; DROP ROLE ${role.name}`)
  expect(error).toBeInstanceOf(FollowError)
  expect(error.message).toBe(`the user ${role.name} may not read main's WAL`)
  expect(error.hint).toContain(`ALTER ROLE "${role.name}" REPLICATION`)
})

test('an abort while main waits for an open transaction ends at once, and leaves nothing', async () => {
  await begin(table)
  await bench.install()
  const source = await bench.open()
  const open = await bench.session()
  await open.query('BEGIN; INSERT INTO public.t VALUES (1)')
  const abort = new AbortController()
  const waiting = errorOf(source.snapshot(source.tables, abort.signal))
  const slots = async () =>
    (
      await bench.db.query<{ n: number }>(
        `SELECT count(*)::int AS n FROM pg_replication_slots WHERE database = current_database()`
      )
    )[0]!.n
  await until('a second slot', async () => (await slots()) === 2)
  abort.abort(new Error('enough'))
  expect((await waiting).message).toBe('enough')
  await until('that it is gone', async () => (await slots()) === 1)
})

test('an abort in the midst of a copy ends it', async () => {
  await begin(`${table}; INSERT INTO t SELECT generate_series(1, 200000)`)
  await bench.install()
  const source = await bench.open()
  const snapshot = await source.snapshot(source.tables, never)
  const abort = new AbortController()
  const copying = (async () => {
    for await (const _ of snapshot.copy(source.tables[0]!, undefined, abort.signal))
      abort.abort(new Error('enough'))
  })()
  expect((await errorOf(copying)).message).toBe('enough')
})

describe('a server', () => {
  let server: ThrowawayServer
  const adminUrl = () => server.url
  afterAll(async () => server?.stop())
  beforeAll(async () => {
    const settings = {
      wal_level: 'logical',
      max_replication_slots: '2',
      max_slot_wal_keep_size: '1MB',
      max_wal_size: '32MB'
    }
    server = await startServer({ binaries: await findBinaries(15), name: 'wal', settings })
  })

  test('has no slot left, for the stream or for a copy', async () => {
    await begin(table, { adminUrl })
    await bench.install()
    const source = await bench.open()
    await bench.db.exec(`SELECT pg_create_physical_replication_slot('p1')`)
    const copying = await errorOf(source.snapshot(source.tables, never))
    await bench.db.exec(
      `SELECT pg_drop_replication_slot('${slotName()}'); SELECT pg_create_physical_replication_slot('p2')`
    )
    const opening = await refusal()
    await bench.db.exec(`SELECT pg_drop_replication_slot('p1'); SELECT pg_drop_replication_slot('p2')`)
    expect(copying).toBeInstanceOf(FollowError)
    expect(copying.message).toBe('main has no replication slot left: max_replication_slots is reached')
    expect(opening).toBeInstanceOf(FollowError)
    expect(opening.message).toBe('main has no replication slot left: max_replication_slots is 2')
  })

  test('has thrown away what the slot was to keep', async () => {
    await begin(`${table}; CREATE TABLE other (body text)`, { adminUrl })
    await bench.install({ tables: ['t'] })
    const source = await bench.open({ tables: ['t'] })
    await until('a lost slot', async () => {
      await bench.db.exec(
        `INSERT INTO other SELECT repeat('x', 1000) FROM generate_series(1, 20000); SELECT pg_switch_wal(); CHECKPOINT`
      )
      const [row] = await bench.db.query<{ status: string }>(
        'SELECT wal_status AS status FROM pg_replication_slots'
      )
      return row!.status === 'lost'
    })
    for (const error of [
      await refusal({ tables: ['t'] }),
      await errorOf(drain(source, from(null))),
      await errorOf(bench.install({ tables: ['t'] }))
    ]) {
      expect(error).toBeInstanceOf(FollowError)
      expect(error.message).toBe(
        `main has thrown away the WAL of the replication slot ${slotName()} (wal_status is lost)`
      )
      expect(error.hint).toContain('capture remove')
    }
  })

  test('is a hot standby', async () => {
    const primary = await startServer({
      binaries: await findBinaries(15),
      name: 'walprimary',
      settings: { wal_level: 'replica' }
    })
    try {
      await begin(table, { adminUrl: () => primary.url })
      const level = await refusal()
      expect(level).toBeInstanceOf(FollowError)
      expect(level.message).toBe(`main's wal_level is replica: its WAL does not tell what was changed`)
      expect(level.hint).toContain(`ALTER SYSTEM SET wal_level = 'logical'`)
      const replica = await startReplica(primary, await findBinaries(15))
      const main = new URL(replica.url)
      const config = completeFollow({ main: main.href, to: 'postgres://x/y', source: 'wal', tables: ['t'] })
      const standby = await openServer('main', main.href, {}, config)
      const error = await errorOf(openWal(standby, config, () => {}))
      await standby.close()
      await replica.stop()
      await bench.drop()
      expect(error).toBeInstanceOf(FollowError)
      expect(error.message).toBe('main is a hot standby, which this source does not read')
    } finally {
      await primary.stop()
      bench = await openBench(setup, table)
    }
  })
})
