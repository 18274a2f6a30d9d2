/** What a database has beside tables (event triggers, views that call functions, settings): it takes no part in the sync, and is right afterwards. */
import { expect, test } from 'vitest'
import { diff, sync } from '../../src/index.js'
import { withPair } from '../faults/pairs.js'
import { failures } from './reports.js'

const clean = { cleanExtra: { rows: true, objects: true }, allow: ['all' as const] }

test('event triggers hear nothing of what the tool does for itself', async () => {
  const ddl = `CREATE TABLE log (id serial PRIMARY KEY, tag text);
    CREATE FUNCTION hear() RETURNS event_trigger LANGUAGE plpgsql
      AS $$ BEGIN INSERT INTO public.log (tag) VALUES (tg_tag); END $$;
    CREATE TABLE t (id int PRIMARY KEY, v int, updated_at timestamptz DEFAULT now());
    CREATE MATERIALIZED VIEW mv AS SELECT sum(v) FROM t`
  const hears = 'CREATE EVENT TRIGGER hears ON ddl_command_end EXECUTE FUNCTION hear()'
  const main = `INSERT INTO t VALUES (1, 1); REFRESH MATERIALIZED VIEW mv; CREATE INDEX t_v ON t (v); ${hears}`
  await withPair({ ddl, main, standby: hears }, async (pair, config) => {
    const options = { ...config, ...clean }
    expect(failures(await sync({ ...options, useUpdatedAt: true }))).toEqual([])
    expect(await pair.standby.query('SELECT tag FROM log')).toEqual([])
    expect((await diff(options)).identical).toBe(true)
  })
})

test('triggers that fire in a replica too are told', async () => {
  const body = 'LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$'
  const ddl = `CREATE TABLE t (id int PRIMARY KEY, v int);
    CREATE FUNCTION f() RETURNS trigger ${body}; CREATE FUNCTION hear() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN END $$;
    CREATE TRIGGER always BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION f(); ALTER TABLE t ENABLE ALWAYS TRIGGER always;
    CREATE TRIGGER ordinary BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION f();
    CREATE TRIGGER replica BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION f(); ALTER TABLE t ENABLE REPLICA TRIGGER replica;
    CREATE EVENT TRIGGER hears ON ddl_command_end EXECUTE FUNCTION hear();
    CREATE EVENT TRIGGER listens ON ddl_command_end EXECUTE FUNCTION hear(); ALTER EVENT TRIGGER listens ENABLE REPLICA`
  await withPair({ ddl, main: 'INSERT INTO t VALUES (1, 1)' }, async (pair, config) => {
    const why = 'they are enabled ALWAYS or for REPLICA'
    const rows = `triggers of public.t fire for the sync (always, replica): ${why}`
    const done = `event triggers of the standby may fire for what is done there (listens): ${why}`
    expect((await sync(config)).notes).toEqual([rows, done])
    expect((await sync(config)).notes).toEqual([rows])
    await pair.main.exec('CREATE INDEX ON t (v)')
    expect((await sync(config)).notes).toEqual([rows, done])
  })
})

/** Each reads the next, as no catalog tells, and comes before it by its name. */
const chain = `CREATE TABLE t (v int PRIMARY KEY);
  CREATE MATERIALIZED VIEW z AS SELECT sum(v) AS v FROM t;
  CREATE FUNCTION of_z() RETURNS bigint LANGUAGE plpgsql AS $$ BEGIN RETURN (SELECT v FROM public.z); END $$;
  CREATE MATERIALIZED VIEW y AS SELECT public.of_z() AS v;
  CREATE FUNCTION of_y() RETURNS bigint LANGUAGE plpgsql AS $$ BEGIN RETURN (SELECT v FROM public.y); END $$;
  CREATE MATERIALIZED VIEW x AS SELECT public.of_y() AS v;
  CREATE FUNCTION of_x() RETURNS bigint LANGUAGE plpgsql AS $$ BEGIN RETURN (SELECT v FROM public.x); END $$;
  CREATE VIEW of_w AS SELECT public.of_x() AS v;
  CREATE MATERIALIZED VIEW w AS SELECT v FROM of_w;`
const refreshed = ['z', 'y', 'x', 'w'].map(name => `REFRESH MATERIALIZED VIEW ${name}`).join('; ')

test.each([
  ['that were refreshed with other rows', chain, `INSERT INTO t VALUES (9); ${refreshed}`],
  ['that are new', '', '']
])('materialized views that read others by functions are right: %s', async (_, ddl, standby) => {
  const main = `${ddl === '' ? chain : ''} INSERT INTO t VALUES (1), (2); ${refreshed}`
  await withPair({ ddl, main, standby }, async (pair, config) => {
    expect(failures(await sync({ ...config, ...clean }))).toEqual([])
    const all = 'SELECT z.v::int AS z, y.v::int AS y, x.v::int AS x, w.v::int AS w FROM z, y, x, w'
    expect(await pair.standby.query(all)).toEqual([{ z: 3, y: 3, x: 3, w: 3 }])
  })
})

test.each(['pgdump', 'catalog'] as const)(
  'names that one database always quotes, read by %s',
  async schemaMethod => {
    const ddl = `CREATE DOMAIN d AS int; CREATE TABLE t (id int PRIMARY KEY, v text DEFAULT 'x', w d)`
    await withPair({ ddl, main: 'INSERT INTO t VALUES (1)' }, async (pair, config) => {
      await pair.standby.query(`ALTER DATABASE "${pair.standby.name}" SET quote_all_identifiers = on`)
      const options = { ...config, ...clean, schemaMethod }
      expect(failures(await sync(options))).toEqual([])
      expect((await diff(options)).identical).toBe(true)
    })
  }
)

test('a schema of the user that is named as the tool’s own stays', async () => {
  const main = 'CREATE TABLE t (id int PRIMARY KEY, v int)'
  await withPair({ ddl: 'CREATE SCHEMA pgsyncer', main }, async (pair, config) => {
    expect(failures(await sync({ ...config, ...clean }))).toEqual([])
    expect(
      await pair.standby.query(
        `SELECT nspname AS schema, to_regclass('pgsyncer.structure_run') IS NULL AS empty FROM pg_namespace WHERE nspname = 'pgsyncer'`
      )
    ).toEqual([{ schema: 'pgsyncer', empty: true }])
    await expect(diff({ ...config, schemas: ['pgsyncer'] })).rejects.toThrow(
      'schema "pgsyncer" is the tool’s own'
    )
  })
})
