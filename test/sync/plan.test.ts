/** A plan: what diff would have a sync do, row by row; applied exactly, or not at all; and its way back. */
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { applyPlan, diff, sync, type SyncOptions } from '../../src/index.js'
import type { PlanHead, PlanRow } from '../../src/sync/plan/document.js'
import { createPair, type Pair, type PairOptions } from '../support/databases.js'
import { databaseDigest } from '../support/digest.js'
import { errorOf, failures } from './reports.js'

interface Document {
  pgsyncer: number
  head: PlanHead
  rows: PlanRow[]
}

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'plan-'))
})
afterAll(() => rm(folder, { recursive: true }))

let files = 0
const newFile = () => join(folder, `${++files}.json`)
const read = async (path: string): Promise<Document> => JSON.parse(await readFile(path, 'utf8')) as Document
const write = (path: string, document: Document) => writeFile(path, JSON.stringify(document))

interface Scene {
  pair: Pair
  config: SyncOptions
  /** Makes a plan; gives its path. */
  plan(options?: Partial<SyncOptions>): Promise<string>
  apply(plan: string, options?: Partial<Parameters<typeof applyPlan>[0]>): ReturnType<typeof applyPlan>
  digest(): Promise<unknown>
}

async function withScene(options: PairOptions, work: (scene: Scene) => Promise<void>): Promise<void> {
  const pair = await createPair(options)
  const env = { PATH: process.env.PATH }
  const config: SyncOptions = {
    main: pair.main.url,
    standby: pair.standby.url,
    env,
    cleanExtra: { rows: true, objects: true },
    maxDelete: { percent: 100 },
    schemaMethod: 'catalog'
  }
  try {
    await work({
      pair,
      config,
      async plan(more = {}) {
        const plan = newFile()
        expect(failures(await diff({ ...config, ...more, plan }))).toEqual([])
        return plan
      },
      apply: (plan, more = {}) =>
        applyPlan({ standby: pair.standby.url, env, plan, maxDelete: { percent: 100 }, ...more }),
      digest: () => databaseDigest(pair.standby.url, ['public'])
    })
  } finally {
    await pair.drop()
  }
}

const rows = {
  ddl: `CREATE TABLE orders (id bigint PRIMARY KEY, state text, note text, paid numeric(10,2), at timestamptz, double_paid numeric GENERATED ALWAYS AS (paid * 2) STORED);
    CREATE TABLE lines (number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, "order" bigint NOT NULL REFERENCES orders, "what 'is' it" text);
    CREATE TABLE log (at timestamp, said text); CREATE TABLE nothing ();
    INSERT INTO orders SELECT n, 'new', repeat('n', n), n, 'epoch' FROM generate_series(1, 30) n;
    INSERT INTO lines ("order", "what 'is' it") SELECT n, 'w' FROM generate_series(1, 30) n;
    INSERT INTO log SELECT 'epoch', 'said ' || n % 3 FROM generate_series(1, 12) n; INSERT INTO nothing SELECT FROM generate_series(1, 2);
    CREATE SEQUENCE tickets; CREATE MATERIALIZED VIEW sums AS SELECT sum(paid) FROM orders`,
  main: `UPDATE orders SET state = E'paid\\t"x"\\\\ ', note = NULL WHERE id IN (3, 7); INSERT INTO orders VALUES (31, '', 'й', 0.10, '2026-01-01 00:00:00.123456+00');
    INSERT INTO lines ("order") VALUES (31); INSERT INTO log VALUES (NULL, NULL), (NULL, NULL); SELECT nextval('tickets'), nextval('tickets');
    INSERT INTO nothing DEFAULT VALUES; REFRESH MATERIALIZED VIEW sums`,
  standby: `UPDATE orders SET state = 'lost' WHERE id = 8; INSERT INTO orders VALUES (99, 'extra'); INSERT INTO lines ("order") VALUES (99); DELETE FROM lines WHERE number = 4; DELETE FROM log WHERE said = 'said 1';
    INSERT INTO log VALUES ('epoch', 'said 2'), ('epoch', 'only here'), ('epoch', 'only here')`
}

describe('the materialized views of a plan', () => {
  const ddl = `CREATE TABLE t (id int PRIMARY KEY, v int); INSERT INTO t VALUES (1, 1);
    CREATE MATERIALIZED VIEW c3 AS SELECT 0 AS v, count(*) AS n FROM t;
    CREATE FUNCTION f3() RETURNS bigint LANGUAGE plpgsql AS $$ BEGIN RETURN (SELECT n FROM public.c3); END $$;
    CREATE MATERIALIZED VIEW c2 AS SELECT 0 AS v, public.f3() AS n;
    CREATE FUNCTION f2() RETURNS bigint LANGUAGE plpgsql AS $$ BEGIN RETURN (SELECT n FROM public.c2); END $$;
    CREATE MATERIALIZED VIEW c1 AS SELECT 0 AS v, public.f2() AS n;
    CREATE FUNCTION f1() RETURNS bigint LANGUAGE plpgsql AS $$ BEGIN RETURN (SELECT n FROM public.c1); END $$;
    CREATE MATERIALIZED VIEW c0 AS SELECT 0 AS v, public.f1() AS n`
  const all = ['c3', 'c2', 'c1', 'c0'].map(name => `REFRESH MATERIALIZED VIEW ${name}`).join('; ')

  test('are made from each other, though no catalog says so', async () => {
    await withScene({ ddl, main: `INSERT INTO t VALUES (2, 2); ${all}` }, async ({ config, plan, apply }) => {
      expect(await apply(await plan())).toMatchObject({ ok: true, missing: [] })
      expect(await diff(config)).toMatchObject({ identical: true })
    })
  })

  test('are those that differ, and those that the structure makes anew', async () => {
    const ddl = `CREATE TABLE t (id int PRIMARY KEY, v int); INSERT INTO t VALUES (1, 1);
      CREATE MATERIALIZED VIEW stale AS SELECT count(*) FROM t; CREATE MATERIALIZED VIEW made AS SELECT id, v::text FROM t;
      CREATE MATERIALIZED VIEW idle AS SELECT 1 AS one`
    const main = `INSERT INTO t VALUES (2, 2); DROP MATERIALIZED VIEW made; ALTER TABLE t ALTER v TYPE bigint;
      CREATE MATERIALIZED VIEW made AS SELECT id, v::text FROM t; REFRESH MATERIALIZED VIEW idle WITH NO DATA`
    await withScene({ ddl, main }, async ({ config, plan, apply }) => {
      const path = await plan({ syncSchema: true })
      const { head } = await read(path)
      expect(head.views).toEqual([
        { schema: 'public', name: 'made' },
        { schema: 'public', name: 'stale', ifEmpty: true }
      ])
      expect(head.missing).toContain('materialized view public.idle: differs: not populated on main')
      await apply(path, { allow: ['all'] })
      const views = (await diff(config)).views.filter(view => view.status !== 'identical')
      expect(views.map(({ name, reason }) => [name, reason])).toEqual([
        ['idle', 'not populated on main'],
        // The table is rewritten by the structure: its rows are of another plan.
        ['made', undefined]
      ])
    })
  })
})

describe('a plan of rows', () => {
  test('names each row, as it is and as it is to be', async () => {
    await withScene(rows, async ({ plan }) => {
      const path = await plan()
      const { pgsyncer, head, rows: listed } = await read(path)
      expect([pgsyncer, head.kind, head.structure, head.missing]).toEqual([1, 'plan', null, []])
      expect(
        head.tables.map(({ name, insert, update, delete: remove }) => [name, insert, update, remove]).sort()
      ).toEqual([
        ['public.lines', 1, 1, 0],
        ['public.log', 6, 0, 3],
        ['public.nothing', 1, 0, 0],
        ['public.orders', 1, 3, 1]
      ])
      expect(head.sequences).toContainEqual({
        schema: 'public',
        name: 'tickets',
        from: { value: '1', called: false },
        to: { value: '2', called: true }
      })
      const paid = listed.find(row => row.op === 'update' && row.row.id === '3')
      expect(paid).toMatchObject({
        table: 'public.orders',
        row: { id: '3', state: 'paid\t"x"\\ ', note: null, paid: '3.00' },
        was: { state: 'new', note: 'nnn' }
      })
      expect(Object.keys((paid as { was: object }).was)).toEqual(['state', 'note'])
      expect(listed.find(row => row.op === 'delete' && row.table === 'public.orders')).toMatchObject({
        was: { id: '99' }
      })
      // A row a line, for those who look at it by eye or by grep.
      const lines = (await readFile(path, 'utf8')).split('\n')
      expect(lines.filter(line => line.startsWith('{"table":')).length).toBe(listed.length)
      // It holds production data.
      expect((await stat(path)).mode & 0o777).toBe(0o600)
    })
  })

  test('is applied exactly, and its undo brings back what was', async () => {
    await withScene(rows, async ({ pair, config, plan, apply, digest }) => {
      const before = await digest()
      const path = await plan()
      const undo = newFile()
      const done = await apply(path, { undo })
      expect(done).toMatchObject({ ok: true, applied: true, kind: 'plan', undo })
      expect(await digest()).toEqual(await databaseDigest(pair.main.url, ['public']))
      expect(await diff(config)).toMatchObject({ identical: true })
      expect(await pair.standby.query('SELECT sum FROM sums')).toEqual(
        await pair.main.query('SELECT sum(paid) FROM orders')
      )

      expect((await read(undo)).head).toMatchObject({ kind: 'undo' })
      const redo = newFile()
      expect(await apply(undo, { undo: redo })).toMatchObject({ ok: true, kind: 'undo' })
      expect(await digest()).toEqual(before)
      // The way back has a way back, too.
      await apply(redo)
      expect(await diff(config)).toMatchObject({ identical: true })
    })
  })

  test('without --clean-extra removes nothing', async () => {
    await withScene(rows, async ({ pair, plan, apply }) => {
      const path = await plan({ cleanExtra: { rows: false, objects: false } })
      expect((await read(path)).rows.filter(({ op }) => op === 'delete')).toEqual([])
      await apply(path)
      expect(await pair.standby.query('SELECT id::int FROM orders WHERE id > 30 ORDER BY 1')).toEqual([
        { id: 31 },
        { id: 99 }
      ])
      expect(await pair.standby.query("SELECT count(*)::int AS n FROM log WHERE said = 'only here'")).toEqual(
        [{ n: 2 }]
      )
    })
  })

  test.each(['a line', 'another form'])('rows that were taken out of it stay as they are: %s', async how => {
    await withScene(rows, async ({ pair, plan, apply }) => {
      const path = await plan()
      const document = await read(path)
      const kept = document.rows.filter(row => row.op !== 'update' || row.row.id !== '8')
      expect(kept.length).toBe(document.rows.length - 1)
      // With an editor, a line less; or by a program, which gives it another form.
      if (how === 'a line') {
        const lines = (await readFile(path, 'utf8')).split('\n')
        await writeFile(
          path,
          lines
            .filter(line => !line.startsWith('{"table":"public.orders","op":"update","row":{"id":"8"'))
            .join('\n')
        )
        expect((await read(path).catch(() => document)).rows.length).toBeLessThanOrEqual(document.rows.length)
      } else await write(path, { ...document, rows: kept })
      await apply(path)
      expect(await pair.standby.query('SELECT state FROM orders WHERE id IN (3, 8) ORDER BY id')).toEqual([
        { state: 'paid\t"x"\\ ' },
        { state: 'lost' }
      ])
    })
  })

  test('--dry-run looks, and writes nothing', async () => {
    await withScene(rows, async ({ plan, apply, digest }) => {
      const path = await plan()
      const before = await digest()
      const undo = newFile()
      expect(await apply(path, { dryRun: true, undo })).toMatchObject({ applied: false, ok: true })
      expect(await digest()).toEqual(before)
      expect(await stat(undo).catch(() => 'none')).toBe('none')
    })
  })
})

describe('a row that has changed since refuses the whole plan, by its name', () => {
  test.each([
    ['an update’s', 'UPDATE orders SET paid = 1.5 WHERE id = 3', 'public.orders (id) = (3) is another now'],
    [
      'an update’s, deleted',
      'DELETE FROM lines WHERE "order" = 7; DELETE FROM orders WHERE id = 7',
      'public.orders (id) = (7) is gone'
    ],
    ['an insert’s', "INSERT INTO orders VALUES (31, 'mine')", 'public.orders (id) = (31) is there now'],
    [
      'a delete’s',
      "UPDATE orders SET note = 'wanted' WHERE id = 99",
      'public.orders (id) = (99) is another now'
    ],
    ['a delete’s, gone', 'DELETE FROM lines WHERE "order" = 99', 'public.lines (number) = (31) is gone'],
    [
      'without a key',
      "DELETE FROM log WHERE said = 'only here'",
      'public.log (at, said) = ("1970-01-01 00:00:00","only here"): 2 of its copies are gone'
    ]
  ])('%s', async (_, change, told) => {
    await withScene(rows, async ({ pair, plan, apply, digest }) => {
      const path = await plan()
      await pair.standby.exec(change)
      const before = await digest()
      const undo = newFile()
      const error = await errorOf(apply(path, { undo }))
      expect(error.name).toBe('GuardError')
      expect(error.message.split('\n')).toContain(told)
      expect(await digest()).toEqual(before)
      expect(await stat(undo).catch(() => 'none')).toBe('none')
    })
  })

  test('twenty are named, and that there are more', async () => {
    await withScene(
      {
        ddl: 'CREATE TABLE t (id int PRIMARY KEY, v int)',
        main: 'INSERT INTO t SELECT n, n FROM generate_series(1, 40) n'
      },
      async ({ pair, plan, apply }) => {
        const path = await plan()
        await pair.standby.exec('INSERT INTO t SELECT n, 0 FROM generate_series(1, 40) n')
        const { message } = await errorOf(apply(path))
        expect(message.split('\n')).toHaveLength(22)
        expect(message).toMatch(/… and more$/)
      }
    )
  })

  test('a sequence that moved is left, and told', async () => {
    await withScene(rows, async ({ pair, plan, apply }) => {
      const path = await plan()
      await pair.standby.exec("SELECT setval('tickets', 700)")
      expect((await apply(path)).sequences).toContainEqual({
        schema: 'public',
        name: 'tickets',
        status: 'left',
        value: '700',
        reason: 'it stood at 1 when the plan was made'
      })
    })
  })
})

describe('what stands against a plan', () => {
  const twoTables = {
    ddl: 'CREATE TABLE a (id int PRIMARY KEY, v text UNIQUE); CREATE TABLE b (id int PRIMARY KEY, v text)',
    main: "INSERT INTO a VALUES (1, 'x'), (2, 'y'); INSERT INTO b SELECT n, 'b' FROM generate_series(1, 9) n",
    standby:
      "INSERT INTO a VALUES (1, 'y'), (2, 'x'); INSERT INTO b SELECT n, 'c' FROM generate_series(5, 13) n"
  }

  test('unique values that rows swap do not', async () => {
    await withScene(twoTables, async ({ config, plan, apply, digest }) => {
      const before = await digest()
      const undo = newFile()
      await apply(await plan(), { undo })
      expect(await diff(config)).toMatchObject({ identical: true })
      await apply(undo)
      expect(await digest()).toEqual(before)
    })
  })

  test('--max-delete does', async () => {
    await withScene(twoTables, async ({ plan, apply }) => {
      const error = await errorOf(apply(await plan(), { maxDelete: { rows: 3 } }))
      expect([error.name, error.message]).toEqual([
        'GuardError',
        'the plan would delete too much: public.b (4 of 9 rows)'
      ])
    })
  })

  test('a trigger that writes something else does, and nothing stays', async () => {
    await withScene(twoTables, async ({ pair, plan, apply, digest }) => {
      const path = await plan()
      await pair.standby.exec(
        "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN NEW.v = 'no'; RETURN NEW; END$$; CREATE TRIGGER t BEFORE INSERT OR UPDATE ON b FOR EACH ROW EXECUTE FUNCTION f(); ALTER TABLE b ENABLE ALWAYS TRIGGER t"
      )
      const before = await digest()
      const undo = newFile()
      expect((await errorOf(apply(path, { undo }))).message).toMatch(
        /the rows written to public.b are not what the plan says/
      )
      expect(await digest()).toEqual(before)
      expect(await stat(undo).catch(() => 'none')).toBe('none')
    })
  })

  test('another structure does', async () => {
    await withScene(twoTables, async ({ pair, plan, apply }) => {
      const path = await plan()
      await pair.standby.exec('ALTER TABLE b ALTER v TYPE varchar(9); DROP TABLE a')
      const { message } = await errorOf(apply(path))
      expect(message).toContain('public.b has character varying(9) for column v, and the plan text')
      expect(message).toContain('public.a is not there')
    })
  })

  test('an undo never takes the place of another file', async () => {
    await withScene(twoTables, async ({ plan, apply }) => {
      const undo = newFile()
      await writeFile(undo, 'dear')
      expect((await errorOf(apply(await plan(), { undo }))).message).toBe(`${undo} is there already`)
      expect(await readFile(undo, 'utf8')).toBe('dear')
    })
  })

  test.each([
    ['nothing', '', 'cannot be read as a plan'],
    ['no JSON', 'hello', 'cannot be read as a plan'],
    ['another document', '{"a": 1}', 'is not a plan'],
    [
      'another version',
      '{"pgsyncer": 2, "head": {}, "rows": []}',
      'is a plan of version 2, and this program knows version 1'
    ],
    ['no head', '{"pgsyncer": 1, "rows": []}', 'is not a plan as this program writes it: its head']
  ])('a file that is %s', async (_, content, told) => {
    const plan = newFile()
    await writeFile(plan, content)
    const error = await errorOf(applyPlan({ plan, standby: 'postgres://nobody@127.0.0.1:1/x' }))
    expect(error.name).toBe('ConfigError')
    expect(error.message).toContain(told)
  })

  test.each<[string, (rows: Record<string, unknown>[]) => unknown[], string]>([
    [
      'is of no table',
      ([row]) => [{ ...row, table: 'public.c' }],
      'has a row of public.c, which its head does not name'
    ],
    ['lacks a column', ([row]) => [{ ...row, row: { id: '1' } }], 'whose columns are not the table’s: id'],
    ['is of no kind', ([row]) => [{ ...row, op: 'upsert' }], 'row 1 (op)'],
    ['is there twice', ([row]) => [row, row], 'the plan has a row of public.'],
    ['ends in the middle', () => ['the end'], 'cannot be read as a plan']
  ])('a row that %s', async (_, change, told) => {
    await withScene(
      { ddl: 'CREATE TABLE a (id int PRIMARY KEY, v text)', main: "INSERT INTO a VALUES (1, 'x')" },
      async ({ plan, apply, digest }) => {
        const path = await plan()
        const before = await digest()
        const document = JSON.parse(await readFile(path, 'utf8')) as { rows: Record<string, unknown>[] }
        const changed = JSON.stringify({ ...document, rows: change(document.rows) })
        await writeFile(path, changed.split('the end')[0]!)
        expect((await errorOf(apply(path))).message).toContain(told)
        expect(await digest()).toEqual(before)
      }
    )
  })
})

describe('a plan of structure', () => {
  const drifted = {
    main: `CREATE TYPE mood AS ENUM ('a', 'b'); CREATE TABLE old (id int PRIMARY KEY, v text, m mood); CREATE TABLE fresh (id int PRIMARY KEY, of int REFERENCES old);
      CREATE INDEX late ON old (v); INSERT INTO old VALUES (1, 'x', 'b'); INSERT INTO fresh SELECT 1, 1`,
    standby:
      "CREATE TYPE mood AS ENUM ('a'); CREATE TABLE old (id int PRIMARY KEY, v text, m mood, gone int); INSERT INTO old VALUES (1, 'x', 'a', 5); CREATE TABLE extra (id int)"
  }

  test('is applied with the rows of new tables, and a second one with the rest', async () => {
    await withScene(drifted, async ({ config, plan, apply }) => {
      const path = await plan({ allow: ['all'] })
      const { head } = await read(path)
      expect(head.structure?.changes.map(({ label }) => label)).toContain('create TABLE public.fresh')
      expect(head.missing).toEqual([
        expect.stringMatching(/^public\.old: differs: .*its rows are compared when its structure is main's$/)
      ])
      const done = await apply(path, { allow: ['all'] })
      expect(done).toMatchObject({ ok: true, tables: [{ table: 'fresh', insert: 1, update: 0, delete: 0 }] })
      const rest = await diff(config)
      expect(rest.schema.changes).toEqual([])
      await apply(await plan())
      expect(await diff(config)).toMatchObject({ identical: true })
    })
  })

  test('whose risks nobody has accepted is refused, and one whose standby has another structure by now', async () => {
    await withScene(drifted, async ({ pair, plan, apply, digest }) => {
      const path = await plan({ cleanExtra: { rows: true, objects: false } })
      const before = await digest()
      expect(await errorOf(apply(path))).toMatchObject({
        name: 'GuardError',
        message: expect.stringContaining('deletes-data')
      })
      await pair.standby.exec('CREATE VIEW seen AS SELECT 1')
      expect(await errorOf(apply(path, { allow: ['deletes-data'] }))).toMatchObject({
        name: 'GuardError',
        message: 'the standby’s structure has changed since the plan was made, and nothing was written'
      })
      expect(await digest()).toEqual(before)
    })
  })

  test('has no undo, and says how there can be one', async () => {
    await withScene(drifted, async ({ plan, apply }) => {
      expect(
        await errorOf(apply(await plan({ allow: ['all'] }), { allow: ['all'], undo: newFile() }))
      ).toMatchObject({
        name: 'ConfigError',
        hint: expect.stringContaining('--sync-data=false')
      })
    })
  })
})

test('the same as a sync does, by another way: partitions, heirs, cycles, wide keys, exact numbers', async () => {
  const hard = {
    ddl: `CREATE TABLE p (id int, part text, v float8, PRIMARY KEY (id, part)) PARTITION BY LIST (part); CREATE TABLE p_a PARTITION OF p FOR VALUES IN ('a'); CREATE TABLE p_b PARTITION OF p FOR VALUES IN ('b');
      CREATE TABLE up (id int PRIMARY KEY, down int); CREATE TABLE down (id int PRIMARY KEY, up int REFERENCES up); ALTER TABLE up ADD FOREIGN KEY (down) REFERENCES down;
      CREATE TABLE heir_of (id int PRIMARY KEY); CREATE TABLE heir (more text) INHERITS (heir_of); CREATE TABLE n (id numeric PRIMARY KEY, v text); CREATE TABLE ch (id int PRIMARY KEY, c char(4), b bpchar, y bytea, f real)`,
    main: `INSERT INTO p SELECT n, CASE WHEN n % 2 = 0 THEN 'a' ELSE 'b' END, 0.1 + n FROM generate_series(1, 20) n; INSERT INTO up VALUES (1, NULL), (2, NULL); INSERT INTO down VALUES (1, 2), (2, 1); UPDATE up SET down = id;
      INSERT INTO heir_of VALUES (1); INSERT INTO heir VALUES (2, 'more'); INSERT INTO n VALUES (1.0, 'x'), (2, 'y'); INSERT INTO ch VALUES (1, 'a', 'b  ', '\\x00ff', '-0'), (2, '', '', '', 'NaN')`,
    standby: `INSERT INTO p SELECT n, 'a', 0.1 + n FROM generate_series(1, 20) n; INSERT INTO up VALUES (3, NULL); INSERT INTO down VALUES (3, 3); UPDATE up SET down = 3; INSERT INTO heir_of VALUES (2);
      INSERT INTO heir VALUES (1, NULL); INSERT INTO n VALUES (1.00, 'x'), (3, 'z'); INSERT INTO ch VALUES (1, 'a', 'b', '\\x00', '0')`
  }
  await withScene(hard, async ({ pair, config, plan, apply, digest }) => {
    const before = await digest()
    const undo = newFile()
    await apply(await plan(), { undo })
    expect(await digest()).toEqual(await databaseDigest(pair.main.url, ['public']))
    expect(await sync(config)).toMatchObject({ identical: true, totals: { insert: 0, update: 0, delete: 0 } })
    await apply(undo)
    expect(await digest()).toEqual(before)
  })
})
