/** A standby that has something already: what is missing comes, what differs is named and stays, what is extra waits. */
import { afterEach, describe, expect, it } from 'vitest'
import { applyConstraints, applyStructure } from '../../src/schema/apply.js'
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

describe('what differs', () => {
  it.each([
    ['ALTER TABLE t DROP b CASCADE', 'TABLE', 't', 'column b is missing on the standby'],
    [
      'ALTER TABLE t ALTER b TYPE bigint',
      'TABLE',
      't',
      'column b is integer on main and bigint on the standby'
    ],
    ['ALTER TABLE t ADD c text', 'TABLE', 't', 'column c is only on the standby'],
    [
      'ALTER TABLE t DROP b; ALTER TABLE t ADD b integer; ALTER TABLE t DROP a CASCADE; ALTER TABLE t ADD a text; CREATE INDEX t_a ON t (a); CREATE VIEW v AS SELECT a FROM t',
      'TABLE',
      't',
      'the columns are in another order'
    ],
    [
      'CREATE OR REPLACE FUNCTION f(x integer) RETURNS integer LANGUAGE sql AS $$SELECT 2$$',
      'FUNCTION',
      'f(integer)',
      'the definition differs'
    ],
    ["COMMENT ON TABLE t IS 'other'", 'COMMENT', 'TABLE t', 'the definition differs'],
    ['DROP VIEW v; CREATE TABLE v (a text)', 'VIEW', 'v', 'on the standby this name is a TABLE']
  ])('is named and left alone: %s', async (standby, kind, name, reason) => {
    bench = await createBench(['public'], { ddl, standby })
    const before = await bench.dumps()
    const plan = await bench.sync({ cleanExtra: true })
    await dropExtra(plan, bench.standbyServer, optionsWith({ cleanExtra: true }))
    expect(plan.changes).toEqual([
      { kind, schema: 'public', name, action: 'alter', status: 'left', sql: [], hazards: [], reason }
    ])
    expect(await bench.dumps()).toEqual(before)
  })

  it('keeps from what rests on it no more than it must', async () => {
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
    const plan = await bench.sync()
    expect(linesOf(plan.changes).toSorted()).toEqual([
      'alter TABLE public.t left',
      'create COMMENT public.COLUMN t.b applied',
      'create COMMENT public.COLUMN t.c failed',
      'create INDEX public.t_b applied',
      'create INDEX public.t_c failed',
      'create TABLE public.apart applied',
      'create VIEW public.on_b applied',
      'create VIEW public.on_c failed',
      'create VIEW public.over_c failed'
    ])
    const reasonOf = (name: string) => plan.changes.find(change => change.name === name)!.reason
    expect(reasonOf('on_c')).toBe('column t.c does not exist')
    expect(reasonOf('over_c')).toBe('it needs VIEW public.on_c, which failed')
    expect(reasonOf('t_c')).toBe('column "c" does not exist')
    expect(
      await bench.standby.query('SELECT relname::text FROM pg_class WHERE relname ~ $1 ORDER BY 1', [
        '^(on|over|t)_'
      ])
    ).toEqual(['on_b', 't_a', 't_b', 't_pkey'].map(relname => ({ relname })))
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
    bench = await createBench(['public'], { standby: ddl })
    const plan = await bench.sync()
    await dropExtra(plan, bench.standbyServer, optionsWith())
    expect(linesOf(plan.changes)).toContain('drop TABLE public.t left')
    expect(await bench.standby.query('SELECT * FROM t')).toEqual([])
  })

  it('is dropped with cleanExtra, one of everything', async () => {
    const schemas = `CREATE SCHEMA app; COMMENT ON SCHEMA app IS 'it''s; the "app"'; CREATE SCHEMA "Übung ""one"".two";
      CREATE EXTENSION citext WITH SCHEMA public; CREATE EXTENSION pg_trgm WITH SCHEMA app;`
    bench = await createBench(everySchema, { main: schemas, standby: await everything() })
    const options = optionsWith({ cleanExtra: true })
    const plan = await bench.plan(options)
    await dropExtra(plan, bench.standbyServer, options)
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
    const options = optionsWith({ cleanExtra: true })
    const plan = await bench.plan(options)
    await dropExtra(plan, bench.standbyServer, options)
    expect(plan.changes.filter(change => change.status !== 'applied')).toEqual([])
    const { main, standby } = await bench.dumps()
    expect(standby).toBe(main)
  })

  it('stays as a whole where something else rests on it', async () => {
    bench = await createBench(['public'], {
      standby: `${ddl}; CREATE SCHEMA other; CREATE VIEW other.w AS SELECT * FROM v`
    })
    const options = optionsWith({ cleanExtra: true })
    const plan = await bench.plan(options)
    await dropExtra(plan, bench.standbyServer, options)
    const failed = plan.changes.filter(change => change.status === 'failed')
    expect(failed).toMatchObject([
      { kind: 'VIEW', name: 'v', reason: expect.stringContaining('view other.w depends on view public.v') }
    ])
    expect(plan.changes.find(change => change.name === 'f(integer)')).toMatchObject({
      status: 'left',
      reason: 'nothing was dropped, because VIEW public.v could not be'
    })
    expect(await bench.standby.query('SELECT f(1)')).toEqual([{ f: 1 }])
  })
})

it('our own bookkeeping is of no side', async () => {
  bench = await createBench(['public', 'pgsyncer'], {
    ddl,
    standby: 'CREATE SCHEMA pgsyncer; CREATE TABLE pgsyncer.runs (id integer)'
  })
  expect((await bench.plan({ cleanExtra: true })).changes).toEqual([])
})
