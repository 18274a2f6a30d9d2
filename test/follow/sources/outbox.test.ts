/** outbox: what it shares with every source, and what is its own: the capture, DDL under it, partitions, and who reads. */
import { afterEach, describe, expect, test } from 'vitest'
import { GuardError } from '../../../src/core/errors.js'
import { openOutboxCapture } from '../../../src/follow/capture/outbox.js'
import type { ChangeBatch, Source } from '../../../src/follow/ports.js'
import { openOutbox } from '../../../src/follow/sources/outbox.js'
import { openServer } from '../../../src/postgres/connect.js'
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
  type Bench
} from '../../contracts/source.js'
import { createDatabase } from '../../support/databases.js'
import { createRole } from '../../support/roles.js'

const setup = {
  source: 'outbox',
  open: openOutbox,
  capture: openOutboxCapture,
  remembers: true
} as const

sourceContract('outbox', setup)

describe('outbox', () => {
  let bench: Bench
  const begin = async (ddl: string, install = true) => {
    bench = await openBench(setup, ddl)
    if (install) await bench.install()
  }
  afterEach(() => bench.drop())

  const capture = () => openOutboxCapture(bench.server, bench.config())
  const all = async (source: Source) => changesOf(await drain(source, from(null)))
  const told = async (source: Source) =>
    (await all(source)).map(({ operation, row, old }) => [operation, row, old])
  const outbox = () => `pgsyncer.outbox_${bench.config().name}`

  /** What the stream makes of an empty table is what main has. */
  const expectSame = async (source: Source) => {
    const batches = await drain(source, from(null))
    const models = new Map(source.tables.map(({ name }) => [name, [] as string[]]))
    for (const { name } of source.tables) {
      const table = changesOf(batches).findLast(change => change.table.name === name)!.table
      const model = new Model(table)
      for (const change of changesOf(batches)) if (change.table.name === name) model.take(change)
      expect(model.sorted()).toEqual((await bench.lines(table)).sort())
      models.set(name, model.sorted())
    }
    return batches
  }

  const t = 'CREATE TABLE t (id int PRIMARY KEY, v text)'

  test('every operation is told in its order, with what was there before', async () => {
    await begin(t)
    await bench.db
      .exec(`INSERT INTO t VALUES (1, 'a'), (2, 'b'); UPDATE t SET v = 'c' WHERE id = 1; UPDATE t SET id = 3 WHERE id = 2;
      DELETE FROM t WHERE id = 1; TRUNCATE t; INSERT INTO t VALUES (1, NULL)
        ON CONFLICT DO NOTHING; INSERT INTO t VALUES (1, 'd') ON CONFLICT (id) DO UPDATE SET v = EXCLUDED.v`)
    const source = await bench.open()
    expect(await told(source)).toEqual([
      ['insert', '1\ta', undefined],
      ['insert', '2\tb', undefined],
      ['update', '1\tc', '1\ta'],
      ['update', '3\tb', '2\tb'],
      ['delete', undefined, '1\tc'],
      ['truncate', undefined, undefined],
      ['insert', '1\t\\N', undefined],
      ['update', '1\td', '1\t\\N']
    ])
  })

  test('the record of a change is the JSON that is documented', async () => {
    await begin(t)
    await bench.db.exec(`INSERT INTO t VALUES (1, 'a'); UPDATE t SET v = NULL; DELETE FROM t; TRUNCATE t`)
    const rows = await bench.db.query(
      `SELECT change FROM pgsyncer.changes_${bench.config().name} ORDER BY id`
    )
    expect(rows.map(({ change }) => change)).toEqual([
      { table: 't', operation: 'INSERT', new_record: { id: 1, v: 'a' }, old_record: null },
      { table: 't', operation: 'UPDATE', new_record: { id: 1, v: null }, old_record: { id: 1, v: 'a' } },
      { table: 't', operation: 'DELETE', new_record: null, old_record: { id: 1, v: null } },
      { table: 't', operation: 'TRUNCATE', new_record: null, old_record: null }
    ])
  })

  test('old rows print exactly too, and what JSON or a cast would lose is kept', async () => {
    await begin(`CREATE TYPE odd AS ENUM ('x', 'y'); CREATE TYPE pair AS (j json, a int[]);
      CREATE FUNCTION odd_json(odd) RETURNS json LANGUAGE sql IMMUTABLE AS $$ SELECT '{"lost": 1}'::json $$;
      CREATE CAST (odd AS json) WITH FUNCTION odd_json(odd);
      CREATE TABLE t ("a'b%s" jsonb, j json, o odd, p pair, a int[], r tstzrange, id int PRIMARY KEY, f float8, iv interval);`)
    await bench.db
      .exec(`SET TimeZone = 'Asia/Tokyo'; SET DateStyle = 'SQL, DMY'; SET IntervalStyle = 'sql_standard'; SET extra_float_digits = 0;
      INSERT INTO t VALUES ('null', ' "\\u0041" ', 'y', ROW('null', '[3:3]={1}'), '[2:3]={1,2}', '[2024-02-01 10:00,infinity)', 1, 0.1::float8 + 0.2, '-1 day -02:03'),
        (NULL, NULL, NULL, NULL, NULL, NULL, 2, NULL, NULL), ('[]', '[ ]', 'x', ROW(NULL, '{}'), '{}', 'empty', 3, '-0', '0')`)
    const source = await bench.open()
    const lines = (await bench.lines(source.tables[0]!)).sort()
    await bench.db.exec(`UPDATE t SET id = id + 10; DELETE FROM t`)
    const changes = await all(source)
    const of = (operation: string) => changes.filter(change => change.operation === operation)
    expect(of('insert').map(change => change.row)).toEqual(lines)
    expect(of('update').map(change => change.old)).toEqual(lines)
    expect(of('delete').map(change => change.old)).toEqual(of('update').map(change => change.row))
    expect(lines[0]).toContain('" "\\\\u0041" "'.slice(1, -1))
  })

  test('a partitioned table is told as one, whatever is done to its partitions', async () => {
    await begin(`CREATE TABLE p (id int, v text, PRIMARY KEY (id)) PARTITION BY RANGE (id);
      CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (10);
      CREATE TABLE p2 (v text, id int NOT NULL); ALTER TABLE p ATTACH PARTITION p2 FOR VALUES FROM (10) TO (20)`)
    await bench.db
      .exec(`INSERT INTO p VALUES (1, 'a'), (11, 'b'), (12, 'c'); INSERT INTO p2 VALUES ('d', 13); UPDATE p SET id = 14 WHERE id = 1;
      TRUNCATE p2; INSERT INTO p VALUES (2, 'e'), (3, 'f')`)
    const source = await bench.open()
    expect(source.tables.map(({ name }) => name)).toEqual(['p'])
    const changes = changesOf(await expectSame(source))
    expect(changes.filter(({ operation }) => operation === 'truncate')).toEqual([])
    expect(changes.filter(({ operation }) => operation === 'delete').map(({ old }) => old)).toEqual(
      expect.arrayContaining(['11\tb', '12\tc', '13\td', '14\ta'])
    )
    await bench.db.exec('TRUNCATE p')
    const more = (await all(source)).slice(changes.length)
    expect(more.map(({ operation }) => operation)).toEqual(['truncate'])
    // One that comes later has the rows' trigger from its parent; the other is told of, and made.
    await bench.db.exec(
      "CREATE TABLE p3 PARTITION OF p FOR VALUES FROM (20) TO (30); INSERT INTO p VALUES (21, 'g')"
    )
    expect(await (await capture()).status()).toMatchObject({
      installed: false,
      objects: expect.arrayContaining([
        expect.objectContaining({ name: expect.stringContaining('on public.p3'), state: 'missing' })
      ])
    })
    await bench.install()
    await bench.db.exec('TRUNCATE p3')
    await expectSame(source)
  })

  test('a trigger of the application that changes the row again is told after the first change', async () => {
    await begin(`${t}; CREATE FUNCTION again() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        IF NEW.v = 'first' THEN UPDATE public.t SET v = 'second' WHERE id = NEW.id; END IF; RETURN NULL; END $$;
      CREATE TRIGGER "0 again" AFTER INSERT OR UPDATE ON t FOR EACH ROW EXECUTE PROCEDURE again();
      CREATE TABLE tree (id int PRIMARY KEY, parent int REFERENCES tree ON UPDATE CASCADE ON DELETE CASCADE)`)
    await bench.db.exec(
      `INSERT INTO t VALUES (1, 'first'); INSERT INTO tree VALUES (1, 1), (2, 1); UPDATE tree SET id = 5 WHERE id = 1`
    )
    const source = await bench.open()
    await expectSame(source)
    expect((await all(source)).slice(0, 2).map(({ row }) => row)).toEqual(['1\tfirst', '1\tsecond'])
  })

  test('columns that are added, dropped, renamed or altered never fail a write', async () => {
    await begin('CREATE TABLE t (id int PRIMARY KEY, a int[], j json, b text)')
    // The very session that has the trigger's plans.
    await bench.db.exec(`INSERT INTO t VALUES (1, '[2:3]={1,2}', ' 1 ', 'b');
      ALTER TABLE t ADD COLUMN n int DEFAULT 7; ALTER TABLE t ADD COLUMN tags text[] DEFAULT '{x}';
      INSERT INTO t VALUES (2, '[2:3]={1,2}', ' 2 ', 'b', 8, '{y,z}')`)
    await bench.db.exec(`ALTER TABLE t ALTER COLUMN j TYPE jsonb; UPDATE t SET b = 'c'`)
    await bench.db.exec(
      `ALTER TABLE t DROP COLUMN b; INSERT INTO t VALUES (3, '[2:3]={3,4}', 'null', 9, '{}')`
    )
    await bench.db.exec(`ALTER TABLE t RENAME COLUMN j TO k; UPDATE t SET n = 1 WHERE id = 2`)
    await bench.db.exec(
      `ALTER TABLE t DROP COLUMN a; DELETE FROM t WHERE id = 2; INSERT INTO t VALUES (4, '{}', 1, NULL)`
    )
    const source = await bench.open()
    const changes = await all(source)
    expect(changes.map(({ operation }) => operation)).toEqual(
      'insert insert update update insert update delete insert'.split(' ')
    )
    // What was not there when it was written is what main has for such rows, or, after it wrote the table anew, what the row has now.
    expect(changes[0]!.row).toBe('1\t\\N\t7\t{x}')
    expect(changes[1]!.row).toBe('2\t\\N\t8\t{y,z}')
    expect(changes.at(-1)!.row).toBe('4\t{}\t1\t\\N')
    const before = await (await capture()).status()
    expect(before).toMatchObject({ installed: false, notes: [expect.stringContaining('capture install')] })
    await bench.install()
    expect(await (await capture()).status()).toMatchObject({ installed: true, notes: [] })
    await bench.db.exec(`INSERT INTO t VALUES (5, 'null', 1, '[0:0]={a}')`)
    expect((await all(source)).at(-1)!.row).toBe('5\tnull\t1\t[0:0]={a}')
  })

  test('a row from before a column was added has what main has for it', async () => {
    await begin('CREATE TABLE t (id int PRIMARY KEY, c char(3) DEFAULT NULL)')
    await bench.db.exec(`INSERT INTO t VALUES (1, 'a'), (2, NULL); DELETE FROM t WHERE id = 2;
      ALTER TABLE t ADD COLUMN n inet DEFAULT '10.0.0.1'; ALTER TABLE t ADD COLUMN b bool DEFAULT true;
      ALTER TABLE t ADD COLUMN v float8 DEFAULT random(); ALTER TABLE t ADD COLUMN z int; INSERT INTO t (id) VALUES (3)`)
    const source = await bench.open()
    const lines = await bench.lines(source.tables[0]!)
    const [first, second] = await all(source)
    expect(first!.row).toBe(lines.find(line => line.startsWith('1')))
    expect(second!.row).toBe('2\t\\N\t\\N\t\\N\t\\N\t\\N')
  })

  test('a dropped column leaves the others exact', async () => {
    await begin('CREATE TABLE t (id int PRIMARY KEY, a int[], j json, b int[])')
    await bench.db.exec(
      `ALTER TABLE t DROP COLUMN a; INSERT INTO t VALUES (1, ' 1 ', '[2:2]={1}'); UPDATE t SET id = 2; DELETE FROM t`
    )
    const row = (id: number) => `${id}\t 1 \t[2:2]={1}`
    expect(await told(await bench.open())).toEqual([
      ['insert', row(1), undefined],
      ['update', row(2), row(1)],
      ['delete', undefined, row(2)]
    ])
  })

  test('a new shape begins a new batch while it follows', async () => {
    await begin(t)
    const source = await bench.open()
    const batches: ChangeBatch[] = []
    const abort = new AbortController()
    const following = (async () => {
      for await (const batch of source.stream(from(null, false), abort.signal)) batches.push(batch)
    })().catch(() => {})
    await bench.db.exec(`INSERT INTO t VALUES (1, 'a')`)
    await until('one', () => changesOf(batches).length === 1)
    await bench.db.exec(`ALTER TABLE t ADD COLUMN c int; INSERT INTO t VALUES (2, 'b', 3)`)
    await until('two', () => changesOf(batches).length === 2)
    abort.abort()
    await following
    expect(changesOf(batches).map(({ row }) => row)).toEqual(['1\ta', '2\tb\t3'])
    expect(source.tables[0]!.columns.map(({ name }) => name)).toEqual(['id', 'v', 'c'])
  })

  test('who may only write to the table may write', async () => {
    await begin(t)
    const role = await createRole(bench.db, 'writer')
    await bench.db
      .exec(`GRANT INSERT, UPDATE, DELETE, SELECT, TRUNCATE ON t TO ${role.name}; SET ROLE ${role.name};
      INSERT INTO t VALUES (1, 'a'); UPDATE t SET v = 'b'; DELETE FROM t; TRUNCATE t; RESET ROLE`)
    await expect(bench.db.exec(`SET ROLE ${role.name}; SELECT * FROM ${outbox()}`)).rejects.toThrow(
      'permission denied'
    )
    await bench.db.exec('RESET ROLE')
    expect(await all(await bench.open())).toHaveLength(4)
    const reader = await openServer('main', role.url(bench.db), {}, { lockTimeout: 0, statementTimeout: 0 })
    await expect(openOutbox(reader, bench.config(), () => {})).rejects.toMatchObject({
      message: expect.stringContaining('may not read and empty'),
      hint: expect.stringContaining(`GRANT USAGE ON SCHEMA pgsyncer TO "${role.name}"`)
    })
    await reader.close()
    await bench.db.exec(`DROP OWNED BY ${role.name}; DROP ROLE ${role.name}`)
  })

  test('a second reader is refused, and told of the first', async () => {
    await begin(t)
    await bench.open()
    const [holder] = await bench.db.query<{ pid: number }>(
      `SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`
    )
    const second = bench.open()
    await expect(second).rejects.toThrow(GuardError)
    await expect(second).rejects.toThrow(`pid ${holder!.pid} on main`)
  })

  test('a connection that is lost ends the stream, and another try may do', async () => {
    await begin(t)
    const source = await bench.open({ interval: 60_000 })
    const outcome = drain(source, from(null, false)).catch((error: unknown) => error)
    const listener = () =>
      bench.db.query(
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE '%advisory_unlock%' AND pid <> pg_backend_pid()`
      )
    await until('it sleeps', async () => (await listener()).length > 0)
    expect(isTransient(await outcome)).toBe(true)
  })

  test('what is acked is taken away, at the latest by close', async () => {
    await begin(t)
    await bench.db.exec(`INSERT INTO t SELECT g, 'v' FROM generate_series(1, 20) g`)
    const source = await bench.open({ batchSize: 5 })
    const [first, second] = await drain(source, from(null))
    await source.ack(first!.position)
    await source.ack(second!.position)
    await source.close()
    const rows = await bench.db.query(`SELECT id FROM ${outbox()}`)
    expect(rows).toHaveLength(10)
    const again = await bench.open()
    expect(changesOf(await drain(again, from(second!.position)))).toHaveLength(10)
    await expect(drain(again, from(first!.position))).rejects.toThrow('has no changes up to')
  })

  test('an outbox that was made anew is not taken for the one before', async () => {
    await begin(t)
    await bench.db.exec(`INSERT INTO t VALUES (1, 'a'), (2, 'b')`)
    const source = await bench.open()
    const { position } = (await drain(source, from(null))).at(-1)!
    await source.close()
    for (const statement of await (await capture()).remove()) await bench.db.exec(statement)
    await bench.install()
    await bench.db.exec(`INSERT INTO t SELECT g, 'v' FROM generate_series(3, 20) g`)
    await expect(drain(await bench.open(), from(position))).rejects.toThrow('has no changes up to')
  })

  test('changes that the first copy has do not come again, those of others do', async () => {
    await begin(`${t}; CREATE TABLE u (id int PRIMARY KEY)`)
    await bench.db.exec(`INSERT INTO t VALUES (1, 'a'); INSERT INTO u VALUES (1)`)
    const late = await bench.session()
    await late.query(`BEGIN`)
    await late.query(`INSERT INTO public.t VALUES (2, 'late')`)
    const source = await bench.open()
    const snapshot = await source.snapshot([source.tables[0]!], never)
    await bench.db.exec(`INSERT INTO t VALUES (3, 'after')`)
    await snapshot.done()
    await snapshot.close()
    await late.query('COMMIT')
    const rows = changesOf(await drain(source, from(snapshot.position))).map(({ row }) => row)
    expect(rows.sort()).toEqual(['1', '2\tlate', '3\tafter'])
  })

  test('a prepared transaction is waited for, and preparing it does not fail', async () => {
    await begin(t)
    const source = await bench.open()
    const { position } = await firstCopy(source)
    const rows: string[] = []
    const abort = new AbortController()
    const following = (async () => {
      for await (const { changes } of source.stream(from(position, false), abort.signal))
        rows.push(...changes.map(({ row }) => row!))
    })().catch(() => {})
    await until('it sleeps', async () => {
      const asleep = `SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND query LIKE '%advisory_unlock%' AND pid <> pg_backend_pid()`
      return (await bench.db.query(asleep)).length > 0
    })
    const gid = `g${Date.now()}`
    await bench.db.exec(`BEGIN; INSERT INTO t VALUES (1, 'prepared'); PREPARE TRANSACTION '${gid}'`)
    await bench.db.exec(`INSERT INTO t VALUES (2, 'after')`)
    expect(rows).toEqual([])
    await bench.db.exec(`COMMIT PREPARED '${gid}'`)
    await until('both', () => rows.length === 2)
    abort.abort()
    await following
    expect(rows).toEqual(['1\tprepared', '2\tafter'])
  })

  test('few large changes are held at once, in the order of all tables', async () => {
    await begin(`${t}; CREATE TABLE u (id int PRIMARY KEY, v text)`)
    for (let i = 1; i <= 6; i++) {
      await bench.db.exec(
        `INSERT INTO t VALUES (${i}, repeat('x', 2500000)); INSERT INTO u VALUES (${i}, repeat('y', 2500000))`
      )
    }
    const batches = await drain(await bench.open(), from(null))
    const changes = changesOf(batches)
    expect(changes.map(({ table, row }) => `${table.name}${row!.slice(0, 1)}`)).toEqual(
      [1, 2, 3, 4, 5, 6].flatMap(i => [`t${i}`, `u${i}`])
    )
    for (const { changes } of batches) expect(changes.length).toBeLessThan(9)
  })

  describe('capture', () => {
    test('a second install has nothing to do, and remove leaves nothing', async () => {
      await begin(
        `CREATE SCHEMA "Odd '%s"; CREATE TABLE "Odd '%s"."T $1" ("Id" int PRIMARY KEY, "a[]" int[]); ${t}`,
        false
      )
      const options = { schemas: ['public', `Odd '%s`] }
      expect(await (await capture()).status()).toMatchObject({ installed: false })
      await bench.install(options)
      const again = await openOutboxCapture(bench.server, bench.config(options))
      expect(await again.install()).toEqual([])
      expect(await again.status()).toMatchObject({ installed: true, notes: [] })
      await bench.db.exec(
        `INSERT INTO "Odd '%s"."T $1" VALUES (1, '[3:3]={1}'); INSERT INTO t VALUES (1, 'a')`
      )
      expect((await all(await bench.open(options))).map(({ row }) => row)).toEqual(['1\t[3:3]={1}', '1\ta'])
      // Remove need not know which tables it was installed for.
      const gone = await openOutboxCapture(bench.server, bench.config({ tables: ['t'] }))
      for (const statement of await gone.remove()) await bench.db.exec(statement)
      expect(await gone.remove()).toEqual([])
      expect(
        await bench.db.query(`SELECT nspname AS name FROM pg_namespace WHERE nspname = 'pgsyncer'
          UNION ALL SELECT tgname FROM pg_trigger UNION ALL SELECT proname FROM pg_proc WHERE proname LIKE 'capture%'`)
      ).toEqual([])
    })

    test('one stream leaves another alone', async () => {
      await begin(t)
      const name = `${bench.config().name}_2`
      const second = await openOutboxCapture(bench.server, bench.config({ name }))
      for (const statement of await second.install()) await bench.db.exec(statement)
      for (const statement of await (await capture()).remove()) await bench.db.exec(statement)
      expect(await second.status()).toMatchObject({ installed: true })
      await bench.db.exec(`INSERT INTO t VALUES (1, 'a')`)
      expect(await all(await bench.open({ name }))).toHaveLength(1)
      for (const statement of await second.remove()) await bench.db.exec(statement)
    })

    test('what is missing or was changed is told and mended', async () => {
      await begin(t)
      const trigger = `"!pgsyncer_${bench.config().name}"`
      await bench.db.exec(
        `ALTER TABLE t DISABLE TRIGGER ${trigger}; DROP VIEW pgsyncer.changes_${bench.config().name}`
      )
      const status = await (await capture()).status()
      expect(status.objects.filter(({ state }) => state !== 'present')).toMatchObject([
        { kind: 'view', state: 'missing' },
        { kind: 'trigger', state: 'differs', detail: 'disabled' }
      ])
      await expect(bench.open()).rejects.toThrow('is disabled on public.t')
      await bench.install()
      expect(await (await capture()).status()).toMatchObject({ installed: true })
    })

    test.each([
      [t, false, {}, 'main has no table pgsyncer.outbox_', 'pgsyncer capture install --source outbox'],
      [
        `${t}; CREATE TABLE u (id int PRIMARY KEY)`,
        true,
        { tables: ['t'] },
        'public.u has no trigger',
        'capture install'
      ],
      ['CREATE TABLE t (id int)', false, {}, 'public.t has no primary key', '--exclude-table']
    ])('%s: installed %s for %o: what is missing is told', async (ddl, install, options, message, hint) => {
      await begin(ddl, false)
      if (install) await bench.install(options)
      await expect(bench.open()).rejects.toMatchObject({
        message: expect.stringContaining(message),
        hint: expect.stringContaining(hint)
      })
      if (!ddl.includes('PRIMARY')) await expect(bench.install()).rejects.toThrow(message)
    })
  })

  test('two databases of one server have nothing to do with each other', async () => {
    await begin(t)
    const other = await createDatabase('other')
    const server = await openServer('main', other.url, {}, { lockTimeout: 0, statementTimeout: 0 })
    try {
      await other.exec(t)
      for (const statement of await (await openOutboxCapture(server, bench.config())).install())
        await other.exec(statement)
      await bench.open()
      const source = await openOutbox(server, bench.config(), () => {})
      expect(await all(source)).toEqual([])
      await source.close()
    } finally {
      await server.close()
      await other.drop()
    }
  })
})
