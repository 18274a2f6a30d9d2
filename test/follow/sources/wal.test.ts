/** Following by the WAL: the contract of all sources, and what only this one has to know. */
import { findBinaries } from '../../../src/cli/demo/binaries.js'
import { startServer } from '../../../src/cli/demo/servers.js'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { openWalCapture } from '../../../src/follow/capture/wal.js'
import type { FollowOptions } from '../../../src/follow/config.js'
import type { Change, ChangeBatch, Source } from '../../../src/follow/ports.js'
import { openWal } from '../../../src/follow/sources/wal/source.js'
import { nameOf } from '../../../src/follow/table.js'
import { openServer } from '../../../src/postgres/connect.js'
import { valuesOf } from '../../../src/postgres/copytext.js'
import { isTransient } from '../../../src/postgres/failure.js'
import {
  changesOf,
  drain,
  firstCopy,
  from,
  Model,
  never,
  openBench,
  sourceContract,
  until,
  type Bench,
  type SourceSetup
} from '../../contracts/source.js'

const setup: SourceSetup = { source: 'wal', open: openWal, capture: openWalCapture, remembers: true }

sourceContract('wal', setup)

let bench: Bench
afterEach(async () => {
  // The contract has benches of its own.
  await bench?.drop()
})

/** A database with these tables, a capture, and the source. */
async function begin(ddl: string, options: Partial<FollowOptions> = {}): Promise<Source> {
  bench = await openBench(setup, ddl)
  await bench.install(options)
  return bench.open(options)
}

/** What was changed since the capture was made, or since the position. */
const changes = async (source: Source, after: string | null = null): Promise<Change[]> =>
  changesOf(await drain(source, from(after)))

const reopened = async (source: Source, options: Partial<FollowOptions> = {}): Promise<Source> => {
  await source.close()
  return bench.open(options)
}

const brief = ({ operation, row, old, absent }: Change) => ({
  operation,
  ...(row !== undefined && { row }),
  ...(old !== undefined && { old }),
  ...(absent && { absent })
})

describe('a row', () => {
  test('whose large value did not change is told without it', async () => {
    const source = await begin(`CREATE TABLE t (big text, id int PRIMARY KEY, n int);
      ALTER TABLE t ALTER big SET STORAGE EXTERNAL`)
    await bench.db.exec(`INSERT INTO t VALUES (repeat('x', 10000), 1, 0)`)
    await bench.db.exec('UPDATE t SET n = 1')
    await bench.db.exec(`UPDATE t SET id = 2, n = NULL`)
    await bench.db.exec(`UPDATE t SET big = 'small'`)
    expect((await changes(source)).map(brief)).toEqual([
      { operation: 'insert', row: `1\t${'x'.repeat(10_000)}\t0` },
      { operation: 'update', row: '1\t\\N\t1', absent: [1] },
      { operation: 'update', row: '2\t\\N\t\\N', old: '1', absent: [1] },
      { operation: 'update', row: '2\tsmall\t\\N' }
    ])
  })

  test('of a table with REPLICA IDENTITY FULL is told whole, as it was and as it is', async () => {
    const source = await begin(`CREATE TABLE t (big text, id int PRIMARY KEY, n int);
      ALTER TABLE t ALTER big SET STORAGE EXTERNAL; ALTER TABLE t REPLICA IDENTITY FULL`)
    const big = 'x'.repeat(10_000)
    await bench.db.exec(`INSERT INTO t VALUES (repeat('x', 10000), 1, 0)`)
    await bench.db.exec('UPDATE t SET id = 2')
    await bench.db.exec('DELETE FROM t')
    expect((await changes(source)).map(brief)).toEqual([
      { operation: 'insert', row: `1\t${big}\t0` },
      { operation: 'update', row: `2\t${big}\t0`, old: `1\t${big}\t0` },
      { operation: 'delete', old: `2\t${big}\t0` }
    ])
  })

  test('is known by the index that is its replica identity', async () => {
    const source = await begin(`CREATE TABLE t (id int PRIMARY KEY, n int, b text NOT NULL, a int NOT NULL);
      CREATE UNIQUE INDEX u ON t (b, a); ALTER TABLE t REPLICA IDENTITY USING INDEX u`)
    expect(source.tables[0]!.columns.map(column => column.name)).toEqual(['b', 'a', 'id', 'n'])
    expect(source.tables[0]!.keyLength).toBe(2)
    await bench.db.exec(
      `INSERT INTO t VALUES (1, 2, E'\\t', 4); UPDATE t SET a = 5; UPDATE t SET id = 6; DELETE FROM t`
    )
    expect((await changes(source)).map(brief)).toEqual([
      { operation: 'insert', row: '\\t\t4\t1\t2' },
      { operation: 'update', row: '\\t\t5\t1\t2', old: '\\t\t4' },
      { operation: 'update', row: '\\t\t5\t6\t2' },
      { operation: 'delete', old: '\\t\t5' }
    ])
  })

  test('with a key that is not stored in the row is known after an update', async () => {
    const source = await begin(
      'CREATE TABLE t (id text PRIMARY KEY, n int); ALTER TABLE t ALTER id SET STORAGE EXTERNAL'
    )
    const key = 'k'.repeat(2500)
    await bench.db.exec(`INSERT INTO t VALUES (repeat('k', 2500), 0); UPDATE t SET n = 1`)
    expect((await changes(source)).map(change => change.row)).toEqual([`${key}\t0`, `${key}\t1`])
  })

  test('has a greater version with each commit, whatever order its transactions began in', async () => {
    const source = await begin(
      'CREATE TABLE t (id int PRIMARY KEY, n int); INSERT INTO t VALUES (1, 0), (2, 0)'
    )
    const other = await bench.session()
    await other.query('BEGIN; UPDATE public.t SET n = 1 WHERE id = 2')
    await bench.db.exec('UPDATE t SET n = 2 WHERE id = 1')
    await other.query('UPDATE public.t SET n = 3 WHERE id = 1; COMMIT')
    const told = await changes(source)
    expect(told.map(change => change.row)).toEqual(['1\t2', '2\t1', '1\t3'])
    expect(told[2]!.version).toBeGreaterThan(told[0]!.version)
    expect(told[0]!.version).toBeGreaterThan(told[1]!.version)
  })
})

describe('tables', () => {
  test('that are emptied together are told one by one, where they are ours', async () => {
    const source = await begin(
      `CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b (id int PRIMARY KEY REFERENCES a); CREATE TABLE c (id int PRIMARY KEY REFERENCES a)`,
      { tables: ['a', 'b'] }
    )
    await bench.db.exec('BEGIN; INSERT INTO a VALUES (1); TRUNCATE a, b, c; INSERT INTO a VALUES (2); COMMIT')
    const told = (await changes(source)).map(
      change => `${change.operation} ${nameOf(change.table)} ${change.row ?? ''}`
    )
    expect(told[0]).toBe('insert public.a 1')
    expect(told.slice(1, 3).sort()).toEqual(['truncate public.a ', 'truncate public.b '])
    expect(told[3]).toBe('insert public.a 2')
    expect(told).toHaveLength(4)
  })

  test('that are partitioned are one table, in the copy and in the stream', async () => {
    const source =
      await begin(`CREATE TABLE p (v text, id int, at date, PRIMARY KEY (at, id)) PARTITION BY RANGE (at);
      CREATE TABLE p1 PARTITION OF p FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
      CREATE TABLE p2 (id int NOT NULL, at date NOT NULL, v text); ALTER TABLE p ATTACH PARTITION p2 FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
      INSERT INTO p VALUES ('old', 1, '2024-05-05'), ('old', 2, '2025-05-05'); ANALYZE`)
    const [table] = source.tables
    const snapshot = await source.snapshot(source.tables, never)
    expect(snapshot.estimate(table!)).toBe(2)
    await snapshot.close()
    const { position, rows } = await firstCopy(source)
    const model = new Model(table!, rows.get('public.p')!)
    await bench.db.exec(`INSERT INTO p VALUES ('new', 3, '2024-01-01'), ('new', 4, '2025-01-01');
      UPDATE p SET at = at + 366 WHERE at < '2025-01-01'; DELETE FROM p WHERE id = 2;
      CREATE TABLE p3 PARTITION OF p FOR VALUES FROM ('2026-01-01') TO ('2027-01-01'); INSERT INTO p VALUES ('late', 5, '2026-01-01')`)
    for (const change of await changes(source, position)) model.take(change)
    expect(model.sorted()).toEqual((await bench.lines(table!)).sort())
    expect(model.rows.size).toBe(4)
  })

  test('that are added are copied alone: what their copy holds is not told again', async () => {
    let source = await begin('CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b (id int PRIMARY KEY)', {
      tables: ['a']
    })
    const first = await firstCopy(source)
    await bench.install({ tables: ['a', 'b'] })
    source = await reopened(source, { tables: ['a', 'b'] })
    await bench.db.exec('INSERT INTO a VALUES (1); INSERT INTO b VALUES (1)')
    const second = await firstCopy(source)
    expect(second.rows.get('public.b')).toEqual(['1'])
    await bench.db.exec('INSERT INTO a VALUES (2); INSERT INTO b VALUES (2)')
    const since = { 'public.a': first.position, 'public.b': second.position }
    const told = changesOf(await drain(source, { after: first.position, since, once: true }))
    expect(told.map(change => `${nameOf(change.table)} ${change.row}`)).toEqual([
      'public.a 1',
      'public.a 2',
      'public.b 2'
    ])
  })
})

describe('columns', () => {
  const shapes = (batches: readonly ChangeBatch[]) =>
    batches
      .filter(batch => batch.changes.length > 0)
      .map(({ changes }) => ({
        columns: changes[0]!.table.columns.map(column => `${column.name} ${column.type}`).join(', '),
        rows: changes.map(change => change.row),
        shapes: new Set(changes.map(change => change.table)).size
      }))

  test('that are added begin a batch with a new shape, even within a transaction', async () => {
    const source = await begin('CREATE TABLE t (id int PRIMARY KEY, a text)')
    await bench.db.exec(
      `BEGIN; INSERT INTO t VALUES (1, 'x'); ALTER TABLE t ADD b numeric(5,1) NOT NULL DEFAULT 1.5; INSERT INTO t VALUES (2, 'y'); COMMIT;`
    )
    await bench.db.exec(`ALTER TABLE t ADD c mood`).catch(() => {})
    await bench.db.exec(
      `CREATE TYPE mood AS ENUM ('sad'); ALTER TABLE t ADD c mood; INSERT INTO t VALUES (3, 'z', 2, 'sad')`
    )
    const told = await drain(source, from(null))
    expect(shapes(told)).toEqual([
      { columns: 'id integer, a text', rows: ['1\tx'], shapes: 1 },
      { columns: 'id integer, a text, b numeric(5,1)', rows: ['2\ty\t1.5'], shapes: 1 },
      { columns: 'id integer, a text, b numeric(5,1), c public.mood', rows: ['3\tz\t2.0\tsad'], shapes: 1 }
    ])
    // What main knows now: the last shape is the catalog's, with what older rows hold.
    expect(changesOf(told).at(-1)!.table.columns[2]).toMatchObject({ notNull: true, missing: '1.5' })
    // Cut where the shape changed, each part can be the last one that was written.
    for (const [i, batch] of told.entries()) {
      const again = await bench.open()
      const rest = changesOf(await drain(again, from(batch.position)))
      expect(rest.map(change => change.row)).toEqual(changesOf(told.slice(i + 1)).map(change => change.row))
      await again.close()
    }
  })

  test('that were dropped or changed later are told as they were', async () => {
    const source = await begin(
      'CREATE TABLE t (id int PRIMARY KEY, a text, n int); CREATE DOMAIN small AS int'
    )
    await bench.db
      .exec(`ALTER TABLE t ADD d small; INSERT INTO t VALUES (1, 'x', 5, 6); ALTER TABLE t DROP a; ALTER TABLE t ALTER n TYPE bigint;
      INSERT INTO t VALUES (2, 7, 8)`)
    expect(shapes(await drain(source, from(null)))).toEqual([
      { columns: 'id integer, a text, n integer, d public.small', rows: ['1\tx\t5\t6'], shapes: 1 },
      { columns: 'id integer, n bigint, d public.small', rows: ['2\t7\t8'], shapes: 1 }
    ])
  })

  test('of a table that is dropped in the meantime are told all the same', async () => {
    const source = await begin('CREATE TABLE t (id int PRIMARY KEY); CREATE TABLE u (id int PRIMARY KEY)')
    await bench.db.exec('ALTER TABLE t ADD a int; INSERT INTO t VALUES (1, 2); DROP TABLE t')
    expect(shapes(await drain(source, from(null)))).toEqual([
      { columns: 'id integer, a integer', rows: ['1\t2'], shapes: 1 }
    ])
  })

  test('of a table that has got another name end it, before anything of it is told', async () => {
    const source = await begin('CREATE TABLE t (id int PRIMARY KEY)')
    await bench.db.exec('ALTER TABLE t RENAME TO other; INSERT INTO other VALUES (1)')
    await expect(changes(source)).rejects.toThrow('public.t has become public.other on main')
  })

  test('that are generated are left out', async () => {
    const source = await begin(
      'CREATE TABLE t (g int GENERATED ALWAYS AS (id * 2) STORED, id int PRIMARY KEY)'
    )
    await bench.db.exec('INSERT INTO t VALUES (DEFAULT, 1)')
    expect((await changes(source)).map(brief)).toEqual([{ operation: 'insert', row: '1' }])
  })
})

describe('a transaction', () => {
  test('that fits into a batch is never cut', async () => {
    const source = await begin('CREATE TABLE t (id serial PRIMARY KEY)', { batchSize: 7 })
    for (let i = 0; i < 8; i++) await bench.db.exec('INSERT INTO t SELECT FROM generate_series(1, 5)')
    const told = (await drain(source, from(null))).filter(batch => batch.changes.length > 0)
    expect(told.every(batch => batch.changes.length === 5)).toBe(true)
    expect(told).toHaveLength(8)
  })

  test('that is large passes in parts, in order and unharmed, while the sink lags behind', async () => {
    const source = await begin('CREATE TABLE t (id int PRIMARY KEY, body text)', { batchSize: 500 })
    await bench.db.exec(`INSERT INTO t SELECT i, repeat(md5(i::text), 20) FROM generate_series(1, 20000) i`)
    let next = 1
    for await (const batch of source.stream(from(null), never)) {
      expect(batch.changes.length).toBeLessThanOrEqual(500)
      for (const { row } of batch.changes) expect(valuesOf(row!)[0]).toBe(String(next++))
      // What a sink does.
      const [last] = batch.changes.slice(-1)
      if (!last) continue
      const lines = await bench.db.query<{ line: string }>(
        `SELECT id || E'\\t' || body AS line FROM t WHERE id = $1`,
        [next - 1]
      )
      expect(last.row).toBe(lines[0]!.line)
    }
    expect(next).toBe(20_001)
  })

  test('goes on in its midst after a restart', async () => {
    let source = await begin('CREATE TABLE t (id int PRIMARY KEY); CREATE TABLE u (id int PRIMARY KEY)', {
      batchSize: 100
    })
    await bench.db.exec('INSERT INTO t SELECT generate_series(1, 50)')
    await bench.db.exec(
      'BEGIN; INSERT INTO u SELECT generate_series(1, 30); INSERT INTO t SELECT generate_series(51, 1000); TRUNCATE u, t; INSERT INTO t VALUES (1001); COMMIT'
    )
    await bench.db.exec('INSERT INTO t SELECT generate_series(1002, 1100)')
    const told: string[] = []
    let after: string | null = null
    for (let run = 0, isOver = false; !isOver; run++) {
      let taken = 0
      isOver = true
      for await (const batch of source.stream(from(after), never)) {
        told.push(
          ...batch.changes.map(change => `${change.operation} ${nameOf(change.table)} ${change.row ?? ''}`)
        )
        after = batch.position
        // Not every position that the sink has reached main.
        if (run % 2 === 0) await source.ack(after)
        if (++taken < 3) continue
        isOver = false
        break
      }
      source = await reopened(source, { batchSize: 100 })
    }
    const rows = (table: string, first: number, last: number) =>
      Array.from({ length: last - first + 1 }, (_, i) => `insert public.${table} ${first + i}`)
    expect(told.filter(one => !one.startsWith('truncate'))).toEqual([
      ...rows('t', 1, 50),
      ...rows('u', 1, 30),
      ...rows('t', 51, 1100)
    ])
    expect(told.filter(one => one.startsWith('truncate')).sort()).toEqual([
      'truncate public.t ',
      'truncate public.u '
    ])
  })

  test('of which the sink has a part is not forgotten by main', async () => {
    let source = await begin('CREATE TABLE t (id int PRIMARY KEY)', { batchSize: 100 })
    await bench.db.exec('INSERT INTO t SELECT generate_series(1, 250)')
    for await (const batch of source.stream(from(null), never)) {
      await source.ack(batch.position)
      break
    }
    source = await reopened(source)
    expect(await changes(source)).toHaveLength(250)
  })
})

describe('an idle table', () => {
  test('does not make main keep the WAL of others', async () => {
    const source = await begin(
      'CREATE TABLE t (id int PRIMARY KEY); CREATE TABLE other (id int, body text)',
      { tables: ['t'] }
    )
    const abort = new AbortController()
    const empty: ChangeBatch[] = []
    const began = performance.now()
    const end = async () =>
      Number((await bench.db.query<{ lsn: string }>(`SELECT pg_current_wal_lsn() - '0/0' AS lsn`))[0]!.lsn)
    const start = await end()
    const streaming = (async () => {
      for await (const batch of source.stream(from(null, false), abort.signal)) {
        empty.push(batch)
        await source.ack(batch.position)
      }
    })().catch((error: unknown) => error)
    const noise = () =>
      bench.db.exec(`INSERT INTO other SELECT i, repeat('x', 1000) FROM generate_series(1, 17000) i`)
    let looks = 0
    let written = 0
    await until('a slot that has moved', async () => {
      // What main may forget, it finds out at a checkpoint, and when it is told of progress after that.
      if (looks++ % 100 === 0) {
        await noise()
        written += 17_000_000
        await bench.db.exec('CHECKPOINT')
      }
      const { bytes, retainedBytes } = await source.lag()
      return written > 100_000_000 && bytes! < 20_000_000 && retainedBytes! < 40_000_000
    })
    expect(empty.every(batch => batch.changes.length === 0)).toBe(true)
    // Each is 16 MB on (whoever wrote them), or ten seconds, and there is not one for every transaction.
    const most = ((await end()) - start) / 16_000_000 + (performance.now() - began) / 10_000 + 1
    expect(empty.length).toBeLessThanOrEqual(most)
    abort.abort(new Error('enough'))
    await streaming
  })

  test('is never behind what main was told: unwritten batches hold the slot', async () => {
    // Signs of life come often.
    const source = await begin(`CREATE TABLE t (id int PRIMARY KEY);
      DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET wal_sender_timeout = 600', current_database()); END $$`)
    await bench.db.exec('INSERT INTO t VALUES (1)')
    const slot = async () => {
      const [row] = await bench.db.query<{ lsn: string; heard: string | null }>(
        `SELECT confirmed_flush_lsn::text AS lsn, extract(epoch FROM r.reply_time)::text AS heard
         FROM pg_replication_slots s LEFT JOIN pg_stat_replication r ON r.pid = s.active_pid WHERE s.database = current_database()`
      )
      return row!
    }
    const before = await slot()
    for await (const batch of source.stream(from(null, false), never)) {
      expect(batch.changes).toHaveLength(1)
      await bench.db.exec('SET synchronous_commit = local; INSERT INTO t VALUES (2)')
      const now = Date.now() / 1000
      await until(
        'that main has heard of us again, and again',
        async () => Number((await slot()).heard) > now + 0.3
      )
      expect((await slot()).lsn).toBe(before.lsn)
      break
    }
  })
})

describe('a connection', () => {
  /** What a sink would have. */
  let told: Change[] = []
  let position: string | null = null
  beforeEach(() => {
    told = []
    position = null
  })

  /** Takes what comes, as a sink without work would, and gives what it ended with. */
  const following = (source: Source): Promise<unknown> =>
    (async () => {
      for await (const batch of source.stream(from(position, false), never)) {
        told.push(...batch.changes)
        ;({ position } = batch)
        await source.ack(batch.position)
      }
    })().catch((error: unknown) => error)

  test('that is lost is known to be worth another try, and nothing is lost with it', async () => {
    let source = await begin('CREATE TABLE t (id int PRIMARY KEY)')
    for (let i = 1; i <= 3; i++) {
      const over = following(source)
      await bench.db.exec(`INSERT INTO t VALUES (${i})`)
      await until('the change', () => told.length === i)
      await bench.db.exec(
        `SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE database = current_database()`
      )
      expect(isTransient(await over)).toBe(true)
      source = await reopened(source)
    }
    expect(told.map(change => change.row)).toEqual(['1', '2', '3'])
    expect(await changes(source, position)).toEqual([])
  })

  test('lives on while the sink takes its time, longer than main waits for a sign of life', async () => {
    const source = await begin(`CREATE TABLE t (id int PRIMARY KEY, body text);
      DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET wal_sender_timeout = 600', current_database()); END $$`)
    // More than is read ahead, so that the socket waits.
    await bench.db.exec(`INSERT INTO t SELECT i, repeat('x', 1000) FROM generate_series(1, 30000) i`)
    let count = 0
    for await (const { changes } of source.stream(from(null), never)) {
      if (count === 0) {
        await until('three times as long', async () => {
          const [row] = await bench.db.query<{ long: boolean | null }>(
            `SELECT clock_timestamp() - r.backend_start > interval '1.8 s' AS long FROM pg_stat_replication r
             JOIN pg_replication_slots s ON s.active_pid = r.pid WHERE s.database = current_database()`
          )
          return row === undefined || row.long === true
        })
      }
      count += changes.length
    }
    expect(count).toBe(30_000)
  })

  test('does not keep main from shutting down in good order', async () => {
    const server = await startServer({
      binaries: await findBinaries(15),
      name: 'walstop',
      settings: { wal_level: 'logical' }
    })
    try {
      bench = await openBench(
        { ...setup, adminUrl: () => server.url },
        'CREATE TABLE t (id int PRIMARY KEY); CREATE TABLE other (id int); CREATE UNLOGGED TABLE witness AS SELECT 1'
      )
      await bench.install({ tables: ['t'] })
      const source = await bench.open({ tables: ['t'] })
      const over = following(source)
      await bench.db.exec('INSERT INTO t VALUES (1)')
      await until('the change', () => told.length === 1)
      // What is nothing to us must not be waited for either.
      await bench.db.exec('INSERT INTO other SELECT generate_series(1, 1000)')
      await server.restart('fast')
      expect(isTransient(await over)).toBe(true)
      await source.close()
      const after = await openServer('main', bench.db.url, {}, { lockTimeout: 0, statementTimeout: 0 })
      const again = await openWal(after, bench.config({ tables: ['t'] }), () => {})
      expect(await changes(again, position)).toEqual([])
      // A server that was killed empties such a table.
      expect(await after.sql`SELECT FROM public.witness`).toHaveLength(1)
      await again.close()
      await after.close()
      await bench.drop()
    } finally {
      await server.stop()
      bench = await openBench(setup, '')
    }
  })
})
