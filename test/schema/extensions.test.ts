import { afterEach, expect, it } from 'vitest'
import { type Bench, createBench, linesOf } from './bench.js'

let bench: Bench
afterEach(() => bench.drop())

const extensionsOf = async (): Promise<string[]> => {
  const rows = await bench.standby.query<{ name: string }>(
    `SELECT extname || ' in ' || extnamespace::regnamespace AS name FROM pg_extension WHERE extname <> 'plpgsql' ORDER BY 1`
  )
  return rows.map(row => row.name)
}

it('creates those that objects are made of, wherever they live, and no others', async () => {
  bench = await createBench(['app'], {
    main: `CREATE SCHEMA app; CREATE SCHEMA ext; CREATE SCHEMA elsewhere;
      CREATE EXTENSION hstore SCHEMA ext; CREATE EXTENSION pg_trgm SCHEMA ext; CREATE EXTENSION cube SCHEMA ext;
      CREATE EXTENSION earthdistance SCHEMA ext; CREATE EXTENSION citext SCHEMA elsewhere; CREATE EXTENSION lo SCHEMA elsewhere;
      CREATE EXTENSION pgcrypto SCHEMA app;
      CREATE TABLE app.t (a ext.hstore[], b text DEFAULT ext.show_limit()::text, at ext.earth);
      CREATE TABLE elsewhere.t (a elsewhere.citext)`
  })
  const plan = await bench.sync()
  expect(linesOf(plan.changes)).toEqual([
    'create SCHEMA .app applied',
    'create SCHEMA .ext applied',
    'create EXTENSION .hstore applied',
    'create EXTENSION .pg_trgm applied',
    'create EXTENSION .cube applied',
    'create EXTENSION .earthdistance applied',
    'create EXTENSION .pgcrypto applied',
    'create TABLE app.t applied'
  ])
  expect(await extensionsOf()).toEqual([
    'cube in ext',
    'earthdistance in ext',
    'hstore in ext',
    'pg_trgm in ext',
    'pgcrypto in app'
  ])
  expect((await bench.plan()).identical).toBe(true)
})

it('sees an operator class under an index, and what a single table needs', async () => {
  bench = await createBench(['app'], {
    main: `CREATE SCHEMA app; CREATE EXTENSION pg_trgm SCHEMA public; CREATE EXTENSION hstore SCHEMA public;
      CREATE TABLE app.one (a text); CREATE INDEX ON app.one USING gin (a public.gin_trgm_ops);
      CREATE TABLE app.two (a public.hstore)`
  })
  const { changes } = await bench.plan({}, [{ schema: 'app', name: 'one' }])
  expect(changes.filter(change => change.kind === 'EXTENSION').map(change => change.name)).toEqual([
    'pg_trgm'
  ])
})

it('names one that the standby cannot install, where it is needed', async () => {
  bench = await createBench(['public'], { main: 'CREATE EXTENSION hstore; CREATE TABLE t (a hstore)' })
  // The catalog view reads the server's files, which both databases share: only its answer can differ.
  const { sql } = bench.standbyServer
  const unsafe = sql.unsafe.bind(sql)
  Object.assign(sql, {
    unsafe: (text: string, ...rest: never[]) =>
      unsafe(text.replace('pg_catalog.pg_available_extensions', '(SELECT NULL::name AS name)'), ...rest)
  })
  await expect(bench.plan()).rejects.toMatchObject({
    name: 'SchemaError',
    message: "the standby's server cannot install the extension hstore, which main's structure needs",
    hint: expect.stringContaining('postgresql-contrib')
  })
  await bench.main.exec('DROP TABLE t')
  expect((await bench.plan()).changes).toMatchObject([{ kind: 'EXTENSION', name: 'hstore', status: 'left' }])
})

it('reports one that lives elsewhere on the standby', async () => {
  bench = await createBench(['public'], {
    ddl: 'CREATE SCHEMA ext',
    main: 'CREATE EXTENSION hstore SCHEMA public; CREATE TABLE t (a hstore)',
    standby: 'CREATE EXTENSION hstore SCHEMA ext'
  })
  expect((await bench.plan()).changes.find(change => change.kind === 'EXTENSION')).toMatchObject({
    action: 'alter',
    status: 'left',
    reason: 'it is in schema ext on the standby, not in public'
  })
})
