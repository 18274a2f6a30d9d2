/** poll: what it shares with every source, and what is its own: ids, the lock horizon, and what stands in for it. */
import { afterEach, describe, expect, test } from 'vitest'
import type { FollowEvent } from '../../../src/core/events.js'
import type { Source } from '../../../src/follow/ports.js'
import type { Reach } from '../../../src/follow/sources/ids.js'
import { openPoll } from '../../../src/follow/sources/poll.js'
import {
  changesOf,
  drain,
  firstCopy,
  from,
  openBench,
  sourceContract,
  until,
  type Bench
} from '../../contracts/source.js'

const setup = { source: 'poll', open: openPoll, remembers: false } as const

sourceContract('poll', setup)

describe('poll', () => {
  let bench: Bench
  const begin = async (ddl: string) => (bench = await openBench(setup, ddl))
  afterEach(() => bench.drop())

  const rowsOf = async (source: Source, after: string | null) =>
    changesOf(await drain(source, from(after))).map(change => change.row)

  /** Collects what a stream brings until it is stopped; it gives the position that it has come to. */
  const following = (source: Source, after: string | null) => {
    const rows: string[] = []
    const abort = new AbortController()
    let position = after
    const ended = (async () => {
      for await (const batch of source.stream(from(after, false), abort.signal)) {
        rows.push(...batch.changes.map(change => change.row!))
        position = batch.position
      }
    })().catch((error: unknown) => error)
    return {
      rows,
      get position() {
        return position
      },
      async stop() {
        abort.abort(new Error('enough'))
        return ended
      }
    }
  }

  const one = 'CREATE TABLE t (id bigserial PRIMARY KEY, v text)'
  const insert = (v: string) => `INSERT INTO t (v) VALUES ('${v}')`

  const openAs = async (reach?: Reach) => {
    const source = await openPoll(bench.server, bench.config(), () => {}, reach)
    return source
  }

  test('a row that is committed after a later one comes, but not to one who reads only what is greater', async () => {
    await begin(one)
    const [early, late] = [await bench.session(), await bench.session()]
    const sources = { naive: await openAs('naive'), locks: await openAs() }
    const seen = { naive: following(sources.naive, null), locks: following(sources.locks, null) }
    await early.query('BEGIN')
    await early.query(`INSERT INTO public.t (v) VALUES ('early')`)
    await late.query(`INSERT INTO public.t (v) VALUES ('late')`)
    await until('the later row', () => seen.naive.rows.length > 0)
    expect(seen.locks.rows).toEqual([])
    await early.query('COMMIT')
    await late.query(`INSERT INTO public.t (v) VALUES ('end')`)
    for (const one of Object.values(seen)) {
      await until('the end', () => one.rows.some(row => row.endsWith('end')))
      await one.stop()
    }
    expect(seen.naive.rows).toEqual(['2\tlate', '3\tend'])
    expect(seen.locks.rows).toEqual(['1\tearly', '2\tlate', '3\tend'])
    await Promise.all(Object.values(sources).map(source => source.close()))
  })

  test('a prepared transaction is waited for, and nothing is lost', async () => {
    await begin(one)
    const source = await bench.open()
    const seen = following(source, null)
    const gid = `g${Date.now()}`
    await bench.db.exec(`BEGIN; ${insert('prepared')}; PREPARE TRANSACTION '${gid}'`)
    await bench.db.exec(insert('after'))
    const looking = () =>
      bench.db.query(
        `SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND query LIKE '%pg_locks%' AND pid <> pg_backend_pid()`
      )
    await until('it waits', async () => (await looking()).length > 0)
    expect(seen.rows).toEqual([])
    await bench.db.exec(`COMMIT PREPARED '${gid}'`)
    await until('both rows', () => seen.rows.length === 2)
    await seen.stop()
    expect(seen.rows).toEqual(['1\tprepared', '2\tafter'])
  })

  test.each([
    ['given by the application', 'CREATE TABLE t (id bigint PRIMARY KEY, v text)'],
    [
      'taken many at once',
      "CREATE SEQUENCE s CACHE 10; CREATE TABLE t (id bigint PRIMARY KEY DEFAULT nextval('s'), v text)"
    ],
    [
      'from a sequence that is named at run time',
      "CREATE SEQUENCE s; CREATE TABLE t (id bigint PRIMARY KEY DEFAULT nextval('s'::text), v text)"
    ]
  ])('ids that are %s are read again, which is told once', async (_, ddl) => {
    await begin(ddl)
    const events: FollowEvent[] = []
    const source = await openPoll(bench.server, bench.config({ overlap: 10 }), event => events.push(event))
    expect(events).toMatchObject([
      { type: 'note', table: 'public.t', message: expect.stringContaining('the last 10 ids') }
    ])
    await bench.db.exec(`INSERT INTO t SELECT g, 'v' FROM generate_series(1, 30) g WHERE g <> 25`)
    const batches = await drain(source, from(null))
    expect(changesOf(batches)).toHaveLength(29)
    await bench.db.exec(`INSERT INTO t VALUES (25, 'late')`)
    const rows = await rowsOf(source, batches.at(-1)!.position)
    expect(rows).toHaveLength(10)
    expect(rows).toContain('25\tlate')
    await source.close()
  })

  test.each([
    ['an identity', 'CREATE TABLE t (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, v text)'],
    [
      'of a sequence shared with others',
      "CREATE SEQUENCE s; CREATE TABLE t (id bigint PRIMARY KEY DEFAULT nextval('s'), v text)"
    ],
    [
      'of a partitioned table',
      `CREATE TABLE t (id bigserial PRIMARY KEY, v text) PARTITION BY RANGE (id);
      CREATE TABLE t1 PARTITION OF t FOR VALUES FROM (1) TO (3); CREATE TABLE t2 PARTITION OF t DEFAULT`
    ]
  ])('ids: %s, are read up to the horizon', async (_, ddl) => {
    await begin(ddl)
    const events: FollowEvent[] = []
    const source = await openPoll(bench.server, bench.config(), event => events.push(event))
    expect(events).toEqual([])
    const early = await bench.session()
    await early.query(`BEGIN`)
    await early.query(`INSERT INTO public.t (v) VALUES ('early')`)
    await bench.db.exec(`${insert('late')}; ${insert('later')}`)
    const seen = following(source, null)
    await early.query('COMMIT')
    await until('all rows', () => seen.rows.length === 3)
    await seen.stop()
    expect(seen.rows).toEqual(['1\tearly', '2\tlate', '3\tlater'])
    await source.close()
  })

  test('each table has its own mark, and one that was copied later goes on behind its copy', async () => {
    await begin(`${one}; CREATE TABLE u (n int, id serial PRIMARY KEY)`)
    await bench.db.exec(`${insert('a')}; ${insert('b')}; INSERT INTO u (n) VALUES (1), (2), (3)`)
    const source = await bench.open()
    const { position } = await firstCopy(source)
    expect(JSON.parse(position)).toEqual({
      'public.t': '2'.padStart(19, '0'),
      'public.u': '3'.padStart(19, '0')
    })
    await bench.db.exec(`${insert('c')}; INSERT INTO u (n) VALUES (4), (5)`)
    expect(await rowsOf(source, position)).toEqual(['3\tc', '4\t4', '5\t5'])
    const [after, later] = [{ 'public.t': '2' }, { 'public.u': '4' }].map(mark => JSON.stringify(mark))
    const batches = await drain(source, { after: after!, since: { 'public.u': later! }, once: true })
    expect(changesOf(batches).map(change => change.row)).toEqual(['3\tc', '5\t5'])
    const positions = changesOf(batches).map(change => change.position)
    expect(positions).toEqual([...positions].sort())
    expect(batches.at(-1)!.position).toBe(positions.at(-1))
  })

  test('columns that come and go while it follows begin a new shape', async () => {
    await begin(`CREATE TABLE t (a text, id bigserial PRIMARY KEY, b text)`)
    const source = await bench.open()
    const rows: [string[], string][] = []
    const abort = new AbortController()
    const following = (async () => {
      for await (const { changes } of source.stream(from(null, false), abort.signal)) {
        expect(new Set(changes.map(change => change.table)).size).toBeLessThan(2)
        for (const { table, row } of changes) rows.push([table.columns.map(column => column.name), row!])
      }
    })().catch(() => {})
    const came = (count: number) => until(`${count} rows`, () => rows.length === count)
    await bench.db.exec(`INSERT INTO t (a, b) VALUES ('a', 'b')`)
    await came(1)
    await bench.db.exec(`ALTER TABLE t ADD COLUMN c int; INSERT INTO t (a, b, c) VALUES ('a', 'b', 1)`)
    await came(2)
    await bench.db.exec(`ALTER TABLE t DROP COLUMN a; INSERT INTO t (b, c) VALUES ('b', 2)`)
    await came(3)
    abort.abort()
    await following
    expect(rows).toEqual([
      [['id', 'a', 'b'], '1\ta\tb'],
      [['id', 'a', 'b', 'c'], '2\ta\tb\t1'],
      [['id', 'b', 'c'], '3\tb\t2']
    ])
  })

  test('few large rows are held at once', async () => {
    await begin(one)
    await bench.db.exec(`ALTER TABLE t ALTER COLUMN v SET STORAGE EXTERNAL;
      INSERT INTO t (v) SELECT repeat('x', 3000000) FROM generate_series(1, 12)`)
    const batches = await drain(await bench.open({ batchSize: 1000 }), from(null))
    expect(changesOf(batches).map(({ row }) => row!.length)).toEqual(
      Array.from({ length: 12 }, (_, i) => `${i + 1}`.length + 3_000_001)
    )
    for (const { changes } of batches) expect(changes.length).toBeLessThan(5)
  })

  test('another column may be the id', async () => {
    await begin('CREATE TABLE t (name text PRIMARY KEY, n bigserial)')
    await bench.db.exec(`INSERT INTO t (name) VALUES ('b'), ('a')`)
    expect(await rowsOf(await bench.open({ idColumn: 'n' }), null)).toEqual(['b\t1', 'a\t2'])
  })

  test('rows that share an id are all read, however many they are', async () => {
    await begin('CREATE TABLE t (id int PRIMARY KEY, n bigserial)')
    await bench.db.exec(`INSERT INTO t SELECT i, CASE WHEN i < 4 THEN i WHEN i < 40 THEN 5 ELSE 6 END
      FROM generate_series(1, 60) i; SELECT setval('t_n_seq', 6)`)
    const rows = await rowsOf(await bench.open({ idColumn: 'n', batchSize: 10 }), null)
    expect(rows.map(row => Number(row!.split('\t')[0])).sort((a, b) => a - b)).toEqual(
      Array.from({ length: 60 }, (_, i) => i + 1)
    )
  })

  test.each([
    [
      'CREATE TABLE t (n bigint NOT NULL)',
      { idColumn: 'n' },
      'public.t has no primary key, and would have to be read again and again'
    ],
    ['CREATE TABLE t (id text PRIMARY KEY)', {}, 'public.t has no primary key of one whole number'],
    [
      'CREATE TABLE t (a int, b int, PRIMARY KEY (a, b))',
      {},
      'public.t has no primary key of one whole number'
    ],
    ['CREATE TABLE t (id int PRIMARY KEY)', { idColumn: 'n' }, 'public.t has no column n'],
    [
      'CREATE TABLE t (id int PRIMARY KEY, n numeric)',
      { idColumn: 'n' },
      'public.t cannot be read by n, which is numeric'
    ],
    [
      'CREATE TABLE t (id int PRIMARY KEY, n int); INSERT INTO t VALUES (1, NULL)',
      { idColumn: 'n' },
      'rows of public.t have no n'
    ],
    ['CREATE TABLE t (id int PRIMARY KEY)', { tables: ['u'] }, 'main has no table u']
  ])('%s with %o is refused', async (ddl, options, message) => {
    await begin(ddl)
    await expect(bench.open(options)).rejects.toThrow(message)
  })

  test('a sequence that was set back is no silent loss', async () => {
    await begin(one)
    const source = await bench.open()
    await bench.db.exec(`${insert('a')}; ${insert('b')}`)
    const { position } = (await drain(source, from(null))).at(-1)!
    await bench.db.exec('TRUNCATE t RESTART IDENTITY')
    await bench.db.exec(insert('c'))
    await expect(drain(source, from(position))).rejects.toThrow('it was set back')
  })

  test('a table that is gone ends it', async () => {
    await begin(one)
    const source = await bench.open()
    await bench.db.exec(`${insert('a')}; ALTER TABLE t RENAME TO u`)
    await expect(drain(source, from(null))).rejects.toThrow('public.t is not on main any more')
  })
})
