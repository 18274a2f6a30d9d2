/** A standby that has something already: what is missing comes, what differs becomes main's, what is extra waits. */
import { randomBytes } from 'node:crypto'
import { afterEach, describe, expect, it } from 'vitest'
import { applyConstraints, applyStructure } from '../../src/schema/apply.js'
import { proveSchema } from '../../src/schema/proof.js'
import type { Hazard, SchemaChange, SchemaOptions } from '../../src/schema/change.js'
import type { SchemaPlan } from '../../src/schema/plan.js'
import { planSchema } from '../../src/schema/plan.js'
import { type Bench, createBench, everySchema, everything, linesOf, optionsWith } from './bench.js'

let bench: Bench
afterEach(() => bench.drop())

const ddl = `
  CREATE TABLE t (id integer PRIMARY KEY, a text, b integer);
  CREATE INDEX t_a ON t (a);
  CREATE TABLE u (id serial PRIMARY KEY, t integer CONSTRAINT u_t REFERENCES t);
  CREATE FUNCTION f(x integer) RETURNS integer LANGUAGE sql AS 'SELECT x';
  CREATE VIEW v AS SELECT a FROM t;
  COMMENT ON TABLE t IS 'same';
  CREATE TABLE "a" (x integer);
  CREATE TABLE "a b" (x integer);
  ALTER TABLE "a" ADD CONSTRAINT "b c" CHECK (x > 0) NOT VALID;
  ALTER TABLE "a b" ADD CONSTRAINT "c" CHECK (x > 0) NOT VALID;
`

describe('what is missing', () => {
  it.each([
    ['an index', 'DROP INDEX t_a', ['create INDEX public.t_a applied']],
    ['a function', 'DROP FUNCTION f(integer)', ['create FUNCTION public.f(integer) applied']],
    [
      'one of two with the same full name',
      'ALTER TABLE "a" DROP CONSTRAINT "b c"',
      ['create CHECK CONSTRAINT public.a b c applied']
    ],
    ['a comment', 'COMMENT ON TABLE t IS NULL', ['create COMMENT public.TABLE t applied']],
    ['a default', 'ALTER TABLE u ALTER id DROP DEFAULT', ['create DEFAULT public.u id applied']],
    [
      'a table',
      'DROP TABLE u',
      [
        'create TABLE public.u applied',
        'create SEQUENCE public.u_id_seq applied',
        'create CONSTRAINT public.u u_pkey applied',
        'create FK CONSTRAINT public.u u_t applied'
      ]
    ],
    ['a foreign key', 'ALTER TABLE u DROP CONSTRAINT u_t', ['create FK CONSTRAINT public.u u_t applied']]
  ])('comes, and nothing else is touched: %s', async (_, standby, lines) => {
    bench = await createBench(['public'], { ddl, standby })
    await bench.standby.exec('INSERT INTO t VALUES (1)')
    expect(linesOf((await bench.sync()).changes)).toEqual(lines)
    const { main, standby: there } = await bench.dumps()
    expect(there).toBe(main)
    expect(await bench.standby.query('SELECT id FROM t')).toEqual([{ id: 1 }])
    expect((await bench.plan()).identical).toBe(true)
  })

  it('public itself, where the standby has dropped it', async () => {
    bench = await createBench(['public'], { main: ddl, standby: 'DROP SCHEMA public' })
    expect(linesOf((await bench.sync()).changes)[0]).toBe('create SCHEMA .public applied')
    expect((await bench.plan()).identical).toBe(true)
  })

  it('is told by a plan that changes nothing', async () => {
    bench = await createBench(['public'], { main: ddl })
    const plan = await bench.plan()
    expect(plan.identical).toBe(false)
    expect(plan.changes.find(change => change.name === 't_a')).toEqual({
      kind: 'INDEX',
      schema: 'public',
      name: 't_a',
      action: 'create',
      status: 'pending',
      sql: ['CREATE INDEX t_a ON public.t USING btree (a);'],
      hazards: []
    })
    expect(await bench.standby.query('SELECT FROM pg_class WHERE relname LIKE $1', ['t%_a'])).toEqual([])
  })
})

/** Plans, applies, and holds the standby to main: the dumps' text, the rows of `t`, and nothing left to do. */
async function mend(options: Partial<SchemaOptions> = {}): Promise<SchemaPlan> {
  await bench.standby.exec(`INSERT INTO t (id, a) VALUES (1, 'kept')`)
  const plan = await bench.sync(options)
  expect(plan.changes.filter(change => change.status === 'failed')).toEqual([])
  return plan
}

async function expectSame(): Promise<void> {
  const { main, standby } = await bench.dumps()
  expect(standby).toBe(main)
  expect(await bench.standby.query('SELECT id, a FROM t')).toEqual([{ id: 1, a: 'kept' }])
  expect((await bench.plan()).changes).toEqual([])
}

interface Expected {
  action: SchemaChange['action']
  kind: string
  name: string
  hazards?: SchemaChange['hazards']
  reason?: string
  sql?: readonly unknown[]
}

describe('what differs is made as on main, and its rows stay', () => {
  it.each<[string, string, Expected[]]>([
    [
      'a column is missing',
      'ALTER TABLE t DROP b',
      [
        {
          action: 'alter',
          kind: 'TABLE',
          name: 't',
          sql: ['ALTER TABLE "public"."t" ADD COLUMN "b" integer;']
        }
      ]
    ],
    [
      'a column of another type',
      'ALTER TABLE t ALTER b TYPE bigint',
      [
        {
          action: 'alter',
          kind: 'TABLE',
          name: 't',
          hazards: ['rewrites-table', 'blocks-reads', 'deletes-data'],
          sql: [expect.stringMatching(/^ALTER TABLE "public"\."t" ALTER COLUMN "b" TYPE integer USING /)]
        }
      ]
    ],
    [
      'a column under a view',
      'DROP VIEW v; ALTER TABLE t ALTER a TYPE varchar(99); CREATE VIEW v AS SELECT a FROM t; GRANT SELECT ON v TO public',
      [
        { action: 'alter', kind: 'TABLE', name: 't', hazards: ['rewrites-table', 'blocks-reads'] },
        {
          action: 'replace',
          kind: 'VIEW',
          name: 'v',
          hazards: ['recreates-dependents'],
          reason: expect.stringMatching(/^it rests on /) as string
        }
      ]
    ],
    [
      'columns in another order',
      `ALTER TABLE t DROP b; ALTER TABLE t ADD b integer; ALTER TABLE t DROP a CASCADE; ALTER TABLE t ADD a text;
        CREATE INDEX t_a ON t (a); CREATE VIEW v AS SELECT a FROM t`,
      [
        {
          action: 'rewrite',
          kind: 'TABLE',
          name: 't',
          hazards: ['rewrites-table', 'blocks-reads'],
          reason: expect.stringContaining('order') as string
        },
        { action: 'replace', kind: 'VIEW', name: 'v', hazards: ['recreates-dependents'] },
        { action: 'replace', kind: 'CONSTRAINT', name: 't t_pkey' },
        { action: 'replace', kind: 'INDEX', name: 't_a' },
        { action: 'replace', kind: 'FK CONSTRAINT', name: 'u u_t' }
      ]
    ],
    [
      'the body of a function',
      'CREATE OR REPLACE FUNCTION f(x integer) RETURNS integer LANGUAGE sql AS $$SELECT 2$$',
      [
        {
          action: 'alter',
          kind: 'FUNCTION',
          name: 'f(integer)',
          hazards: [],
          sql: [expect.stringMatching(/^CREATE OR REPLACE FUNCTION public\.f\(/)]
        }
      ]
    ],
    [
      'the result of a function',
      `DROP FUNCTION f(integer); CREATE FUNCTION f(x integer) RETURNS text LANGUAGE sql AS $$SELECT '2'$$`,
      [
        {
          action: 'replace',
          kind: 'FUNCTION',
          name: 'f(integer)',
          hazards: [],
          reason: 'its signature differs'
        }
      ]
    ],
    [
      'a comment',
      "COMMENT ON TABLE t IS 'other'",
      [
        {
          action: 'alter',
          kind: 'COMMENT',
          name: 'TABLE t',
          hazards: [],
          sql: ["COMMENT ON TABLE public.t IS 'same';"]
        }
      ]
    ],
    [
      'an index',
      'DROP INDEX t_a; CREATE INDEX t_a ON t (a DESC)',
      [
        {
          action: 'replace',
          kind: 'INDEX',
          name: 't_a',
          hazards: ['index-rebuild', 'blocks-writes'],
          reason: 'its definition differs'
        }
      ]
    ],
    [
      'NOT NULL and a default',
      'ALTER TABLE t ALTER b SET NOT NULL, ALTER b SET DEFAULT 7',
      [
        {
          action: 'alter',
          kind: 'TABLE',
          name: 't',
          hazards: [],
          sql: [
            'ALTER TABLE ONLY "public"."t" ALTER COLUMN "b" DROP DEFAULT;',
            'ALTER TABLE ONLY "public"."t" ALTER COLUMN "b" DROP NOT NULL;'
          ]
        }
      ]
    ]
  ])('%s', async (_, standby, expected) => {
    bench = await createBench(['public'], { ddl, standby })
    const { changes, refused } = await mend()
    expect(changes).toMatchObject(expected.map(each => ({ ...each, schema: 'public', status: 'applied' })))
    const risky = changes.filter(change => change.hazards.includes('deletes-data'))
    expect([...new Set(refused.map(({ change }) => change))]).toEqual(risky)
    await expectSame()
  })

  it('keeps the grants of what it makes anew, where grants are not main’s affair', async () => {
    bench = await createBench(['public'], {
      ddl,
      standby: `DROP VIEW v; ALTER TABLE t ALTER a TYPE varchar(99); CREATE VIEW v AS SELECT a FROM t;
        GRANT SELECT ON v TO public; GRANT INSERT ON t TO public`
    })
    const grants = `SELECT relname::text AS name, relacl::text AS acl FROM pg_class WHERE relname IN ('t', 'v') ORDER BY 1`
    const before = await bench.standby.query(grants)
    await mend()
    expect(await bench.standby.query(grants)).toEqual(before)
    await expectSame()
  })

  it('a name that is a table there and a view on main costs the rows, and says so', async () => {
    bench = await createBench(['public'], { ddl, standby: 'DROP VIEW v; CREATE TABLE v (a text)' })
    const plan = await bench.plan()
    expect(plan.refused).toMatchObject([
      { change: { kind: 'TABLE', name: 'v', action: 'drop' }, hazard: 'deletes-data', extra: false }
    ])
    expect(linesOf(plan.changes)).toEqual(['create VIEW public.v pending', 'drop TABLE public.v pending'])
    await mend()
    await expectSame()
  })

  it('a column that only the standby has goes with cleanExtra alone', async () => {
    bench = await createBench(['public'], { ddl, standby: 'ALTER TABLE t ADD c text' })
    const plan = await bench.plan()
    expect(plan.refused).toMatchObject([{ change: { name: 't' }, hazard: 'deletes-data', extra: true }])
    expect((await bench.plan({ cleanExtra: true })).refused).toEqual([])
    expect((await bench.plan({ allow: new Set(['deletes-data']) })).refused).toEqual([])
    expect((await mend({ cleanExtra: true })).changes).toMatchObject([
      {
        action: 'alter',
        name: 't',
        hazards: ['deletes-data'],
        sql: ['ALTER TABLE "public"."t" DROP COLUMN "c";']
      }
    ])
    await expectSame()
  })

  it('grants go only where that is allowed, and only where they are compared', async () => {
    const role = `r_drift_${randomBytes(4).toString('hex')}`
    bench = await createBench(['public'], { ddl })
    await bench.standby.exec(`CREATE ROLE ${role}; GRANT SELECT ON t TO ${role}`)
    try {
      expect((await bench.plan()).identical).toBe(true)
      const plan = await bench.plan({ privileges: true })
      expect(plan.changes).toMatchObject([{ kind: 'ACL', name: 'TABLE t' }])
      expect(plan.refused).toMatchObject([{ hazard: 'loses-grants' }])
      expect((await bench.plan({ privileges: true, allow: new Set(['loses-grants']) })).refused).toEqual([])
      await bench.sync({ privileges: true })
      expect((await bench.plan({ privileges: true })).identical).toBe(true)
    } finally {
      await bench.standby.exec(`REVOKE ALL ON t FROM ${role}; DROP ROLE ${role}`)
    }
  })

  it('what rests on new columns comes with them', async () => {
    bench = await createBench(['public'], {
      ddl,
      main: `
        ALTER TABLE t ADD c integer;
        COMMENT ON COLUMN t.c IS 'new';
        COMMENT ON COLUMN t.b IS 'old';
        CREATE VIEW on_c AS SELECT c FROM t;
        CREATE VIEW over_c AS SELECT c FROM on_c;
        CREATE VIEW on_b AS SELECT b FROM t;
        CREATE INDEX t_c ON t (c);
        CREATE INDEX t_b ON t (b);
        CREATE TABLE apart (id integer);`
    })
    const plan = await mend()
    expect(linesOf(plan.changes).toSorted()).toEqual([
      'alter TABLE public.t applied',
      'create COMMENT public.COLUMN t.b applied',
      'create COMMENT public.COLUMN t.c applied',
      'create INDEX public.t_b applied',
      'create INDEX public.t_c applied',
      'create TABLE public.apart applied',
      'create VIEW public.on_b applied',
      'create VIEW public.on_c applied',
      'create VIEW public.over_c applied'
    ])
    await expectSame()
  })
})

/** What rests on the scope from outside of it is not in the plan: it must never go silently. */
describe('what is outside of the scope', () => {
  const order = `ALTER TABLE t DROP b; ALTER TABLE t ADD b integer; ALTER TABLE t DROP a CASCADE; ALTER TABLE t ADD a text;
    CREATE INDEX t_a ON t (a); CREATE VIEW v AS SELECT a FROM t`
  it.each([
    [
      'a view, when the table below it is rewritten',
      `${order}; CREATE SCHEMA other; CREATE VIEW other.w AS SELECT a FROM public.t`,
      'other.w'
    ],
    [
      'a foreign key, when the table below it is rewritten',
      `${order}; CREATE SCHEMA other; CREATE TABLE other.w (t integer CONSTRAINT w_t REFERENCES public.t)`,
      'w_t'
    ],
    [
      'a child with rows of its own, when the table that it inherits is rewritten',
      `${order}; CREATE SCHEMA other; CREATE TABLE other.w (more text) INHERITS (public.t); INSERT INTO other.w VALUES (9)`,
      'other.w'
    ],
    [
      'a function over the rows of a table that is rewritten',
      `${order}; CREATE SCHEMA other; CREATE FUNCTION other.w(public.t) RETURNS text LANGUAGE sql AS 'SELECT ($1).a'`,
      'other.w'
    ],
    [
      'a view over a column whose type changes',
      'DROP VIEW v; ALTER TABLE t ALTER a TYPE varchar(9); CREATE VIEW v AS SELECT a FROM t; CREATE SCHEMA other; CREATE VIEW other.w AS SELECT a FROM public.t',
      'other.w'
    ],
    [
      'a view over a view that is made anew',
      'DROP VIEW v; ALTER TABLE t ALTER a TYPE varchar(9); CREATE VIEW v AS SELECT a FROM t; CREATE SCHEMA other; CREATE VIEW other.w AS SELECT a FROM public.v',
      'other.w'
    ],
    [
      'a column of a type that is swapped',
      `CREATE TYPE lvl AS ENUM ('a', 'b', 'c'); CREATE SCHEMA other; CREATE TABLE other.w (l public.lvl)`,
      'other.w'
    ],
    [
      'a trigger that calls a function whose result changes',
      `CREATE FUNCTION g() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'; CREATE SCHEMA other;
        CREATE TABLE other.w (); CREATE TRIGGER w_g BEFORE INSERT ON other.w FOR EACH ROW EXECUTE FUNCTION g()`,
      'w_g'
    ]
  ])('keeps it from being changed, and is named: %s', async (_, standby, name) => {
    bench = await createBench(['public'], {
      ddl,
      main: `CREATE TYPE lvl AS ENUM ('a', 'b'); CREATE FUNCTION g() RETURNS integer LANGUAGE sql AS 'SELECT 1'`,
      standby
    })
    const before = await bench.dumps()
    const options = { allow: new Set<Hazard>(['deletes-data']) }
    await expect(bench.sync(options)).rejects.toMatchObject({
      name: 'SchemaError',
      message: expect.stringMatching(
        new RegExp(`(the structure was not|nothing was) changed.*: .*(other"?\\."?w|${name})`)
      ) as string
    })
    expect(await bench.dumps()).toEqual(before)
  })
})

describe('a failure before the rows', () => {
  it.each([[false], [true]])('names the object and leaves nothing behind (psql: %s)', async forcePsql => {
    bench = await createBench(['public'], {
      main: `CREATE SCHEMA other; CREATE TABLE other.x (y integer);
        CREATE TABLE first (id integer);
        CREATE VIEW stands_on_other AS SELECT y,\n 'a;b' AS z FROM other.x;
        CREATE VIEW zz AS SELECT 1 AS one`
    })
    const options = optionsWith({ forcePsql })
    const plan = await bench.plan(options)
    await expect(applyStructure(plan, bench.standbyServer, options)).rejects.toMatchObject({
      name: 'SchemaError',
      message:
        'VIEW public.stands_on_other could not be created on the standby, and nothing was changed: relation "other.x" does not exist'
    })
    expect(linesOf(plan.changes)).toEqual([
      'create TABLE public.first left',
      'create VIEW public.stands_on_other failed',
      'create VIEW public.zz left'
    ])
    expect(
      await bench.standby.query(`SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace`)
    ).toEqual([])
  })
})

describe('rows that have no place on main', () => {
  it.each([
    [
      'a value that the enum lacks, in the primary key',
      `CREATE TYPE e AS ENUM ('a'); CREATE TABLE t (e e PRIMARY KEY)`,
      `CREATE TYPE e AS ENUM ('a', 'b'); CREATE TABLE t (e e PRIMARY KEY); INSERT INTO t VALUES ('b')`,
      'invalid input value for enum public.e: "b"',
      /in the primary key/
    ],
    [
      'no partition',
      'CREATE TABLE t (a integer, b integer) PARTITION BY LIST (a); CREATE TABLE t1 PARTITION OF t FOR VALUES IN (1)',
      'CREATE TABLE t (a integer, b integer); INSERT INTO t VALUES (2, 3)',
      'no partition of relation "t" found for row (Partition key of the failing row contains (a) = (2).)',
      /fit nowhere/
    ],
    [
      'a partition whose bounds exclude them',
      'CREATE TABLE p (a integer) PARTITION BY RANGE (a); CREATE TABLE t PARTITION OF p FOR VALUES FROM (0) TO (9)',
      'CREATE TABLE p (a integer) PARTITION BY RANGE (a); CREATE TABLE t (a integer); INSERT INTO t VALUES (-3)',
      'partition constraint of relation "t" is violated by some row',
      /outside of its bounds/
    ],
    [
      'a key that they leave empty',
      'CREATE TABLE p (a integer PRIMARY KEY, b integer) PARTITION BY LIST (a); CREATE TABLE t PARTITION OF p FOR VALUES IN (1)',
      `CREATE TABLE p (a integer PRIMARY KEY, b integer) PARTITION BY LIST (a);
        CREATE TABLE t (b integer, a integer); INSERT INTO t VALUES (1, NULL)`,
      'no partition of relation "p" found for row',
      /fit nowhere/
    ]
  ])('%s: nothing is changed, and what to do is said', async (_, main, standby, message, hint) => {
    bench = await createBench(['public'], { main, standby })
    const rows = await bench.standby.query('SELECT * FROM t')
    const before = await bench.dumps()
    const plan = await bench.plan({ allow: new Set(['deletes-data']) })
    const refused = applyStructure(plan, bench.standbyServer, optionsWith())
    await expect(refused).rejects.toMatchObject({
      message: expect.stringContaining('nothing was changed') as string,
      hint: expect.stringMatching(hint) as string
    })
    await expect(refused).rejects.toThrow(message)
    expect(await bench.dumps()).toEqual(before)
    expect(await bench.standby.query('SELECT * FROM t')).toEqual(rows)
  })
})

it.each(['pgdump', 'catalog'] as const)(
  'indexes of a tree are attached one at a time, else the topmost may stay invalid (%s)',
  async method => {
    bench = await createBench(['public'], {
      main: `CREATE TABLE p (a integer PRIMARY KEY) PARTITION BY RANGE (a);
      CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (9) PARTITION BY HASH (a);
      CREATE TABLE p1a PARTITION OF p1 FOR VALUES WITH (MODULUS 1, REMAINDER 0); CREATE TABLE p2 PARTITION OF p DEFAULT`
    })
    const { constraints } = await bench.plan({ method })
    const attached = constraints.filter(step => step.entry.kind === 'INDEX ATTACH')
    expect(attached.map(step => step.entry.name).toSorted()).toEqual(['p1_pkey', 'p1a_pkey', 'p2_pkey'])
    const common = [...attached[0]!.locks].filter(lock => attached.every(({ locks }) => locks.has(lock)))
    expect(common).not.toEqual([])
  }
)

describe('a failure after the rows', () => {
  it.each([[false], [true]])('names the object, and the others are made (psql: %s)', async forcePsql => {
    bench = await createBench(['public'], { main: ddl })
    const options = optionsWith({ forcePsql })
    const plan = await bench.plan(options)
    await applyStructure(plan, bench.standbyServer, options)
    await bench.standby.exec('INSERT INTO t VALUES (1), (1)')
    await applyConstraints(plan, bench.standbyServer, options)
    expect(plan.changes.filter(change => change.status === 'failed')).toMatchObject([
      { name: 't t_pkey', reason: 'could not create unique index "t_pkey" (Key (id)=(1) is duplicated.)' },
      { name: 'u u_t', reason: 'it needs CONSTRAINT public.t t_pkey, which failed' }
    ])
    expect(
      await bench.standby.query(
        `SELECT indexrelid::regclass::text AS name FROM pg_index WHERE indrelid IN ('t'::regclass, 'u'::regclass) ORDER BY 1`
      )
    ).toEqual([{ name: 't_a' }, { name: 'u_pkey' }])
  })
})

describe('what only the standby has', () => {
  it('is reported and left', async () => {
    bench = await createBench(['public'], {
      ddl: 'CREATE TABLE stays (id integer)',
      standby: `${ddl}; COMMENT ON TABLE stays IS 'ours'`
    })
    const plan = await bench.sync()
    expect(linesOf(plan.changes)).toContain('drop TABLE public.t left')
    expect(linesOf(plan.changes)).toContain('drop COMMENT public.TABLE stays left')
    expect(plan.changes.every(change => change.status === 'left' && change.action === 'drop')).toBe(true)
    expect(plan.changes.find(change => change.name === 't')).toMatchObject({
      sql: ['DROP TABLE public.t;'],
      reason: 'it is only on the standby'
    })
    expect(await bench.standby.query('SELECT * FROM t')).toEqual([])
    expect(await bench.standby.query(`SELECT obj_description('stays'::regclass) AS said`)).toEqual([
      { said: 'ours' }
    ])
  })

  it('comes back as it was where it rests on what changes', async () => {
    bench = await createBench(['public'], {
      ddl,
      standby: `DROP VIEW v; ALTER TABLE t ALTER a TYPE varchar(9); CREATE VIEW v AS SELECT a FROM t;
        CREATE VIEW extra AS SELECT upper(a) AS loud FROM v; COMMENT ON VIEW extra IS 'mine'; GRANT SELECT ON extra TO public;
        CREATE INDEX extra_i ON t (upper(a)); CREATE FUNCTION extra_f() RETURNS SETOF v LANGUAGE sql AS 'SELECT * FROM public.v'`
    })
    const acl = `SELECT relacl::text AS acl, obj_description(oid) AS said FROM pg_class WHERE relname = 'extra'`
    const before = await bench.standby.query(acl)
    const plan = await mend()
    expect(await bench.standby.query(acl)).toEqual(before)
    expect(await bench.standby.query('SELECT loud FROM extra')).toEqual([{ loud: 'KEPT' }])
    expect(await bench.standby.query('SELECT a FROM extra_f()')).toEqual([{ a: 'kept' }])
    expect(await bench.standby.query(`SELECT to_regclass('extra_i') IS NOT NULL AS there`)).toEqual([
      { there: true }
    ])
    const known = plan.changes.length
    await proveSchema(
      plan,
      bench.mainServer,
      bench.standbyServer,
      { schemas: ['public'], all: false },
      optionsWith()
    )
    expect(plan.changes.filter(change => change.status === 'failed')).toEqual([])
    expect(plan.changes.length).toBe(known)
    expect(linesOf((await bench.plan()).changes).toSorted()).toEqual([
      'drop FUNCTION public.extra_f() left',
      'drop INDEX public.extra_i left',
      'drop VIEW public.extra left'
    ])
  })

  it('is dropped with cleanExtra, one of everything', async () => {
    const schemas = `CREATE SCHEMA app; COMMENT ON SCHEMA app IS 'it''s; the "app"'; CREATE SCHEMA "Übung ""one"".two";
      CREATE EXTENSION citext WITH SCHEMA public; CREATE EXTENSION pg_trgm WITH SCHEMA app;`
    bench = await createBench(everySchema, { main: schemas, standby: await everything() })
    const plan = await bench.sync({ cleanExtra: true })
    expect(plan.refused).toEqual([])
    expect(plan.changes.filter(change => change.status !== 'applied')).toEqual([])
    const { main, standby } = await bench.dumps()
    expect(standby).toBe(main)
  })

  it('is dropped from tables that stay', async () => {
    bench = await createBench(['public'], {
      ddl: `CREATE TABLE t (id integer NOT NULL, at date NOT NULL) PARTITION BY RANGE (at);
        CREATE TABLE t1 PARTITION OF t FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
        CREATE TABLE p (id integer); CREATE SEQUENCE s;`,
      standby: `ALTER TABLE t ADD PRIMARY KEY (id, at); CREATE INDEX ON t (at);
        CREATE TABLE t2 PARTITION OF t FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
        ALTER SEQUENCE s OWNED BY p.id; ALTER TABLE p ENABLE ROW LEVEL SECURITY;
        COMMENT ON TABLE p IS 'it''s IS NULL; '; CREATE POLICY mine ON p USING (true);
        ALTER TABLE p ADD CHECK (id > 0) NOT VALID;`
    })
    const plan = await bench.sync({ cleanExtra: true })
    expect(plan.changes.filter(change => change.status !== 'applied')).toEqual([])
    const { main, standby } = await bench.dumps()
    expect(standby).toBe(main)
  })

  it.each([[false], [true]])(
    'stays as a whole where something else rests on it, and nothing else is changed (psql: %s)',
    async forcePsql => {
      bench = await createBench(['public'], {
        main: 'CREATE TABLE comes (id integer)',
        standby: `${ddl}; CREATE SCHEMA other; CREATE VIEW other.w AS SELECT * FROM v`
      })
      const options = optionsWith({ cleanExtra: true, forcePsql })
      const before = await bench.dumps()
      const plan = await bench.plan(options)
      await expect(applyStructure(plan, bench.standbyServer, options)).rejects.toMatchObject({
        name: 'SchemaError',
        message: expect.stringMatching(
          /^the structure was not changed, because what is outside of the scope rests on it: .*other"?\."?w/
        ) as string
      })
      expect(await bench.dumps()).toEqual(before)
    }
  )
})

it('our own bookkeeping is of no side', async () => {
  bench = await createBench(['public', 'pgsyncer'], {
    ddl,
    standby: 'CREATE SCHEMA pgsyncer; CREATE TABLE pgsyncer.runs (id integer)'
  })
  expect((await bench.plan({ cleanExtra: true })).changes).toEqual([])
})

it.each(['pgdump', 'catalog'] as const)('what a capture has put on main is of no side (%s)', async method => {
  bench = await createBench(['public', 'pgsyncer'], {
    ddl: 'CREATE TABLE orders (id bigint PRIMARY KEY)',
    main: `CREATE SCHEMA pgsyncer;
      CREATE FUNCTION pgsyncer.capture_default() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
      CREATE TRIGGER "!pgsyncer_default" AFTER INSERT ON orders FOR EACH ROW EXECUTE FUNCTION pgsyncer.capture_default();
      CREATE PUBLICATION pgsyncer_default FOR TABLE orders`
  })
  const options = optionsWith({ cleanExtra: true, method })
  for (const scope of [
    { schemas: ['public'], all: false },
    { schemas: ['public', 'pgsyncer'], all: true }
  ])
    expect((await planSchema(bench.mainServer, bench.standbyServer, scope, options)).changes).toEqual([])
})
