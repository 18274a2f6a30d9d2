/** Roles without superuser: a reader of main and an owner of the standby get there too, or are told what is missing. */
import { describe, expect, test } from 'vitest'
import { diff, sync, type SyncOptions } from '../../src/index.js'
import { databaseDigest } from '../support/digest.js'
import { createPlainPair, type PlainPair, type PlainPairOptions } from '../support/roles.js'
import { counts, failures, tableOf } from './reports.js'

async function withPlainPair(options: PlainPairOptions, use: (plain: PlainPair) => Promise<void>) {
  const plain = await createPlainPair(options)
  try {
    await use(plain)
  } finally {
    await plain.drop()
  }
}

const numbers = (n: number) => `FROM generate_series(1, ${n}) n`

interface Case extends PlainPairOptions {
  name: string
  expect: Record<string, [number, number, number]>
  options?: Partial<SyncOptions>
}

const cases: Case[] = [
  {
    name: 'parents and children, rows on all sides',
    ddl: `CREATE TABLE parent (id int PRIMARY KEY, v text); CREATE TABLE child (id int PRIMARY KEY, parent int REFERENCES parent);
      INSERT INTO parent SELECT n, 'v' ${numbers(100)}; INSERT INTO child SELECT n, n ${numbers(100)}`,
    standby: `DELETE FROM child WHERE id <= 20; DELETE FROM parent WHERE id <= 10; UPDATE parent SET v = 'x' WHERE id = 50;
      INSERT INTO parent VALUES (1001, 'extra'); INSERT INTO child VALUES (1001, 1001)`,
    expect: { parent: [10, 1, 1], child: [20, 0, 1] },
    options: { chunkSize: 10 }
  },
  {
    name: 'a table that refers to itself',
    ddl: `CREATE TABLE emp (id int PRIMARY KEY, boss int REFERENCES emp); INSERT INTO emp SELECT n, NULLIF(n - 1, 0) ${numbers(50)}`,
    standby: `UPDATE emp SET boss = NULL; DELETE FROM emp WHERE id < 20; UPDATE emp SET boss = id WHERE id > 30; INSERT INTO emp VALUES (99, 40)`,
    expect: { emp: [19, 31, 1] },
    options: { chunkSize: 7 }
  },
  {
    name: 'two tables in a circle',
    ddl: `CREATE TABLE a (id int PRIMARY KEY, b int); CREATE TABLE b (id int PRIMARY KEY, a int);
      INSERT INTO a SELECT n, n ${numbers(30)}; INSERT INTO b SELECT n, n ${numbers(30)};
      ALTER TABLE a ADD FOREIGN KEY (b) REFERENCES b; ALTER TABLE b ADD FOREIGN KEY (a) REFERENCES a`,
    standby: `UPDATE a SET b = NULL; UPDATE b SET a = NULL; DELETE FROM a WHERE id > 20; DELETE FROM b WHERE id > 10; INSERT INTO a VALUES (99, 1)`,
    expect: { a: [10, 20, 1], b: [20, 10, 0] }
  },
  {
    name: 'no key, above and below a foreign key',
    ddl: `CREATE TABLE parent (k int4range PRIMARY KEY, v int); CREATE TABLE child (k int4range REFERENCES parent, v int);
      INSERT INTO parent SELECT int4range(n, n + 1), n ${numbers(30)}; INSERT INTO child SELECT int4range(n, n + 1), n ${numbers(20)};
      CREATE TABLE alone (id int PRIMARY KEY); INSERT INTO alone SELECT n ${numbers(9)}; CREATE TABLE log (id int REFERENCES alone); INSERT INTO log SELECT n ${numbers(9)}`,
    standby: `UPDATE parent SET v = -v WHERE v < 4; DELETE FROM parent WHERE v = 25; INSERT INTO parent VALUES ('[100,101)', 1);
      UPDATE child SET k = '[100,101)' WHERE v = 7; DELETE FROM log WHERE id < 3; INSERT INTO log VALUES (5)`,
    expect: { parent: [4, 0, 4], child: [1, 0, 1], log: [2, 0, 1] },
    options: { chunkSize: 5 }
  },
  {
    name: 'two rows that swap a unique value',
    ddl: `CREATE TABLE t (id int PRIMARY KEY, email text UNIQUE); INSERT INTO t SELECT n, 'm' || n ${numbers(100)}`,
    standby: `UPDATE t SET email = 'tmp' WHERE id = 1; UPDATE t SET email = 'm1' WHERE id = 90; UPDATE t SET email = 'm90' WHERE id = 1`,
    expect: { t: [0, 2, 0] },
    options: { chunkSize: 10 }
  },
  {
    name: 'two rows that others refer to swap a unique value',
    ddl: `CREATE TABLE t (id int PRIMARY KEY, email text UNIQUE); INSERT INTO t SELECT n, 'm' || n ${numbers(100)};
      CREATE TABLE child (id int PRIMARY KEY, t int REFERENCES t); INSERT INTO child SELECT n, n ${numbers(100)}`,
    standby: `UPDATE t SET email = 'tmp' WHERE id = 1; UPDATE t SET email = 'm1' WHERE id = 90; UPDATE t SET email = 'm90' WHERE id = 1`,
    expect: { t: [0, 2, 0] },
    options: { chunkSize: 10 }
  },
  {
    name: 'a foreign key to a unique column that changes',
    ddl: `CREATE TABLE parent (id int PRIMARY KEY, code text UNIQUE); CREATE TABLE child (id int PRIMARY KEY, code text REFERENCES parent (code));
      INSERT INTO parent SELECT n, 'c' || n ${numbers(10)}; INSERT INTO child SELECT n, 'c' || n ${numbers(10)}`,
    standby: `UPDATE child SET code = 'c2'; UPDATE parent SET code = 'z' WHERE id = 1; UPDATE child SET code = 'z' WHERE id = 3`,
    expect: { parent: [0, 1, 0], child: [0, 9, 0] }
  },
  {
    name: 'a parent with a numeric key',
    ddl: `CREATE TABLE parent (id numeric PRIMARY KEY, v int); CREATE TABLE child (id int PRIMARY KEY, parent numeric REFERENCES parent);
      INSERT INTO parent SELECT n, n ${numbers(10)}; INSERT INTO child SELECT n, n ${numbers(10)}`,
    standby: `UPDATE parent SET v = 0 WHERE id = 3; INSERT INTO parent VALUES (77, 1); UPDATE parent SET id = 4.0 WHERE id = 4`,
    expect: { parent: [1, 1, 2] }
  },
  {
    name: 'a parent whose key is no key to match by',
    ddl: `CREATE TABLE parent (id float8 PRIMARY KEY, v int); CREATE TABLE child (id int PRIMARY KEY, parent float8 REFERENCES parent);
      INSERT INTO parent SELECT n, n ${numbers(10)}; INSERT INTO child SELECT n, n ${numbers(10)}`,
    standby: `UPDATE parent SET v = 0 WHERE id = 3; INSERT INTO parent VALUES (77, 1); UPDATE child SET parent = 2 WHERE id = 7`,
    expect: { parent: [1, 0, 2], child: [0, 1, 0] }
  },
  {
    name: 'a table that refers to itself, and its children, with rows too many in both',
    ddl: `CREATE TABLE emp (id int PRIMARY KEY, boss int REFERENCES emp); CREATE TABLE badge (id int PRIMARY KEY, emp int REFERENCES emp);
      INSERT INTO emp SELECT n, NULLIF(n - 1, 0) ${numbers(10)}; INSERT INTO badge SELECT n, n ${numbers(10)}`,
    standby: `INSERT INTO emp VALUES (99, 10), (100, 99); INSERT INTO badge VALUES (99, 99), (100, 100); UPDATE emp SET boss = NULL WHERE id = 5; DELETE FROM badge WHERE id = 1`,
    expect: { emp: [0, 1, 2], badge: [1, 0, 2] },
    options: { chunkSize: 4 }
  },
  {
    name: 'partitions that refer to their own table',
    ddl: `CREATE TABLE emp (id int PRIMARY KEY, boss int REFERENCES emp) PARTITION BY RANGE (id);
      CREATE TABLE emp_0 PARTITION OF emp FOR VALUES FROM (0) TO (15); CREATE TABLE emp_1 PARTITION OF emp FOR VALUES FROM (15) TO (1000);
      INSERT INTO emp SELECT n, NULLIF(n - 1, 0) ${numbers(20)}`,
    standby: `UPDATE emp SET boss = NULL; DELETE FROM emp WHERE id < 10; INSERT INTO emp VALUES (99, NULL)`,
    expect: { emp_0: [9, 5, 0], emp_1: [0, 6, 1] }
  },
  {
    name: 'a row that moved to another key, kept its unique value, and has children',
    ddl: `CREATE TABLE usr (id int PRIMARY KEY, email text UNIQUE); CREATE TABLE ord (id int PRIMARY KEY, usr int REFERENCES usr);
      INSERT INTO usr SELECT n, 'm' || n ${numbers(100)}; INSERT INTO ord SELECT n, n ${numbers(100)}`,
    standby: `INSERT INTO usr VALUES (5000, 'tmp'); UPDATE ord SET usr = 5000 WHERE id IN (50, 51); DELETE FROM usr WHERE id = 50; UPDATE usr SET email = 'm50' WHERE id = 5000`,
    expect: { usr: [1, 0, 1], ord: [0, 2, 0] },
    options: { chunkSize: 10 }
  },
  {
    name: 'a tree whose branches cascade and are all to be removed',
    ddl: `CREATE TABLE tree (id int PRIMARY KEY, up int REFERENCES tree ON DELETE CASCADE); INSERT INTO tree SELECT n, NULLIF(n - 1, 0) ${numbers(10)}`,
    standby: `INSERT INTO tree VALUES (100, 10), (101, 100), (102, 101); UPDATE tree SET up = 1 WHERE id = 5`,
    expect: { tree: [0, 1, 3] },
    options: { chunkSize: 3 }
  },
  {
    name: 'identity and generated columns, and a table without a key',
    ddl: `CREATE TABLE t (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, a int, twice int GENERATED ALWAYS AS (a * 2) STORED);
      INSERT INTO t (a) SELECT n ${numbers(20)}; CREATE TABLE k (v text); INSERT INTO k SELECT 'x' || n % 3 ${numbers(20)}`,
    standby: `UPDATE t SET a = 0 WHERE id = 1; DELETE FROM t WHERE id = 2; DELETE FROM k WHERE v = 'x1'; INSERT INTO k VALUES ('x2')`,
    expect: { t: [1, 1, 0], k: [7, 0, 1] }
  }
]

describe.each(cases)('$name', ({ expect: expected, options = {}, name: _, ...setup }) => {
  test.each(['an owner', 'a superuser'])('is mended by %s, and psql agrees', async role => {
    await withPlainPair(setup, async ({ pair, config }) => {
      const standby = role === 'an owner' ? config.standby : pair.standby.url
      const all = { ...config, standby, cleanExtra: { rows: true, objects: false }, ...options }
      const before = await diff(all)
      expect(failures(before)).toEqual([])
      expect(counts(before)).toEqual(expected)
      const done = await sync(all)
      expect(failures(done)).toEqual([])
      expect(counts(done)).toEqual(expected)
      expect(await databaseDigest(pair.standby.url, ['public'])).toEqual(
        await databaseDigest(pair.main.url, ['public'])
      )
      const constraints = await pair.standby.query(
        `SELECT conname FROM pg_constraint WHERE contype = 'f' AND condeferrable`
      )
      expect(constraints).toEqual([])
    })
  })
})

describe('what nobody asked to change', () => {
  const tables = `CREATE TABLE parent (id int PRIMARY KEY, v int); CREATE TABLE other (id int PRIMARY KEY, v int);
    CREATE TABLE child (id int PRIMARY KEY, parent int REFERENCES parent ON DELETE CASCADE)`

  test('ON DELETE CASCADE to a table out of scope is refused, and the others go on', async () => {
    await withPlainPair(
      {
        ddl: tables,
        standby: `INSERT INTO parent VALUES (1, 1); INSERT INTO child VALUES (1, 1)`,
        main: 'INSERT INTO other VALUES (1, 1)'
      },
      async ({ pair, config }) => {
        const done = await sync({
          ...config,
          tables: ['parent', 'other'],
          cleanExtra: { rows: true, objects: false }
        })
        expect(done.ok).toBe(false)
        expect(tableOf(done, 'parent')).toMatchObject({
          status: 'failed',
          reason: expect.stringMatching(/cascade to public\.child by child_parent_fkey/),
          hint: expect.stringMatching(/session_replication_role/)
        })
        expect(tableOf(done, 'other').status).toBe('synced')
        expect(await pair.standby.query('SELECT id FROM child')).toEqual([{ id: 1 }])
        expect(await pair.standby.query('SELECT id FROM parent')).toEqual([{ id: 1 }])
      }
    )
  })

  test('ON UPDATE CASCADE never changes a row that is as on main', async () => {
    await withPlainPair(
      {
        ddl: `CREATE TABLE parent (id int PRIMARY KEY, code text UNIQUE);
          CREATE TABLE child (id int PRIMARY KEY, code text REFERENCES parent (code) ON UPDATE CASCADE)`,
        main: `INSERT INTO parent VALUES (1, 'x'), (2, 'a'); INSERT INTO child VALUES (1, 'a')`,
        standby: `INSERT INTO parent VALUES (1, 'a'); INSERT INTO child VALUES (1, 'a')`
      },
      async ({ pair, config }) => {
        const done = await sync(config)
        const child = await pair.standby.query('SELECT id, code FROM child')
        expect(child).toEqual([{ id: 1, code: 'a' }])
        if (done.ok) expect((await diff(config)).identical).toBe(true)
        else expect(failures(done).join()).toMatch(/cascade to public\.child by child_code_fkey/)
      }
    )
  })

  test('a parent without a key to match by never cascades its replaced rows', async () => {
    await withPlainPair(
      {
        ddl: `CREATE TABLE parent (id float8 PRIMARY KEY, v int);
          CREATE TABLE child (id int PRIMARY KEY, parent float8 REFERENCES parent ON DELETE CASCADE);
          INSERT INTO parent VALUES (1, 1); INSERT INTO child VALUES (1, 1)`,
        standby: `UPDATE parent SET v = 2; INSERT INTO child VALUES (2, 1)`
      },
      async ({ pair, config }) => {
        const done = await sync({ ...config, tables: ['parent'], cleanExtra: { rows: true, objects: false } })
        expect(failures(done).join()).toMatch(/would cascade to public\.child by child_parent_fkey/)
        expect(await pair.standby.query('SELECT id FROM child ORDER BY id')).toEqual([{ id: 1 }, { id: 2 }])
      }
    )
  })

  test('triggers fire, the report says whose, and what they spoil is not committed', async () => {
    await withPlainPair(
      {
        ddl: `CREATE TABLE t (id int PRIMARY KEY, v text); CREATE TABLE u (id int PRIMARY KEY, v text); CREATE TABLE log (n int);
          INSERT INTO t VALUES (1, 'v'); INSERT INTO u VALUES (1, 'v')`,
        standby: `CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO public.log VALUES (1); RETURN NEW; END $$;
          CREATE FUNCTION spoil() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.v := 'SPOILT'; RETURN NEW; END $$;
          UPDATE t SET v = 'x'; UPDATE u SET v = 'x';
          CREATE TRIGGER note AFTER UPDATE ON t FOR EACH ROW EXECUTE FUNCTION note();
          CREATE TRIGGER spoil BEFORE INSERT OR UPDATE ON u FOR EACH ROW EXECUTE FUNCTION spoil()`
      },
      async ({ pair, config }) => {
        const done = await sync({ ...config, tables: ['t', 'u'] })
        expect(done.notes.join('\n')).toMatch(/triggers of public\.t fire for the sync \(note\)/)
        expect(tableOf(done, 't').status).toBe('synced')
        expect(tableOf(done, 'u')).toMatchObject({
          status: 'failed',
          reason: expect.stringMatching(/not what main has/)
        })
        expect(await pair.standby.query('SELECT * FROM log')).toEqual([{ n: 1 }])
        expect(await pair.standby.query('SELECT v FROM u')).toEqual([{ v: 'x' }])
      }
    )
  })
})

describe('a role without a right gets one message that names the table, and the others go on', () => {
  const ddl = `CREATE TABLE t (id int PRIMARY KEY, v int); CREATE TABLE u (id int PRIMARY KEY, v int);
    INSERT INTO t VALUES (1, 1); INSERT INTO u VALUES (1, 1)`
  const standby = 'UPDATE t SET v = 2; UPDATE u SET v = 2'

  test('SELECT on main', async () => {
    await withPlainPair({ ddl, standby }, async ({ pair, config, reader }) => {
      await pair.main.exec(`REVOKE SELECT ON t FROM ${reader.name}`)
      const done = await sync(config)
      expect(failures(done)).toEqual([
        expect.stringMatching(/^t: .*main.*permission denied for table t \| .*GRANT SELECT/)
      ])
      expect(tableOf(done, 'u').status).toBe('synced')
    })
  })

  test('SELECT on an empty table of the standby', async () => {
    await withPlainPair({ ddl, standby: `${standby}; TRUNCATE t` }, async ({ pair, config, owner }) => {
      await pair.standby.exec(`ALTER TABLE t OWNER TO CURRENT_USER; REVOKE ALL ON t FROM ${owner.name}`)
      const done = await sync(config)
      expect(failures(done)).toEqual([
        expect.stringMatching(/^t: .*standby.*permission denied for table t \| .*GRANT/)
      ])
      expect(tableOf(done, 'u').status).toBe('synced')
    })
  })

  test('UPDATE on the standby', async () => {
    await withPlainPair({ ddl, standby }, async ({ pair, config, owner }) => {
      await pair.standby.exec(
        `ALTER TABLE t OWNER TO CURRENT_USER; GRANT SELECT, INSERT ON t TO ${owner.name}`
      )
      const done = await sync(config)
      expect(failures(done)).toEqual([
        expect.stringMatching(/^t: .*standby.*permission denied for table t \| .*GRANT .*UPDATE/)
      ])
      expect(tableOf(done, 'u').status).toBe('synced')
    })
  })

  test('a row security policy that would hide rows', async () => {
    await withPlainPair({ ddl, standby }, async ({ pair, config }) => {
      await pair.main.exec(`ALTER TABLE t ENABLE ROW LEVEL SECURITY; CREATE POLICY few ON t USING (id > 1)`)
      const done = await sync(config)
      expect(failures(done)).toEqual([expect.stringMatching(/^t: .*row.level security.* \| .*BYPASSRLS/)])
      expect(tableOf(done, 'u').status).toBe('synced')
    })
  })

  test('TEMPORARY on the standby’s database', async () => {
    await withPlainPair({ ddl, standby }, async ({ pair, config, owner }) => {
      await pair.standby.exec(`REVOKE TEMPORARY ON DATABASE ${pair.standby.name} FROM PUBLIC`)
      const done = await sync({ ...config, tables: ['t'] })
      expect(failures(done)).toEqual([
        expect.stringMatching(
          /^t: .*permission denied to create temporary tables.* \| .*GRANT TEMPORARY ON DATABASE/
        )
      ])
      expect(owner.name).toMatch(/^r_/)
    })
  })

  test('a sequence of main', async () => {
    await withPlainPair(
      {
        ddl: `CREATE TABLE t (id serial PRIMARY KEY, v int); CREATE SEQUENCE free; INSERT INTO t (v) VALUES (1); SELECT nextval('free')`,
        standby: 'UPDATE t SET v = 2'
      },
      async ({ pair, config, reader }) => {
        await pair.main.exec(
          `REVOKE SELECT ON SEQUENCE free FROM ${reader.name}; SELECT nextval('t_id_seq'), nextval('free')`
        )
        const done = await sync(config)
        expect(tableOf(done, 't').status).toBe('synced')
        expect(failures(done)).toEqual([expect.stringMatching(/^free: .*GRANT SELECT ON SEQUENCE/)])
        expect(done.sequences.find(one => one.name === 't_id_seq')?.status).toBe('synced')
        expect(done.ok).toBe(false)
      }
    )
  })
})
