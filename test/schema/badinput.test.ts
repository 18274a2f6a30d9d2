/** What a run cannot do is said once, by the object's name, and leaves the standby's structure as it was. */
import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { ThrowawayServer } from '../../src/cli/demo/servers.js'
import { ident } from '../../src/postgres/quote.js'
import { sync, type RunEvent, type SyncOptions } from '../../src/index.js'
import { createPair, type Db, type Pair, type PairOptions } from '../support/databases.js'
import { createPlainPair, type PlainPair } from '../support/roles.js'
import { startVersion } from '../support/versions.js'

let cleanups: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.toReversed()) await cleanup()
  cleanups = []
})

async function pairOf(options: PairOptions): Promise<Pair> {
  const pair = await createPair(options)
  cleanups.push(pair.drop)
  return pair
}

async function plainPairOf(options: Parameters<typeof createPlainPair>[0]): Promise<PlainPair> {
  const plain = await createPlainPair(options)
  cleanups.push(plain.drop)
  return plain
}

const configOf = (pair: Pair): SyncOptions => ({
  main: pair.main.url,
  standby: pair.standby.url,
  env: { PATH: process.env.PATH }
})

/** All of its structure, whatever the schema. */
async function structureOf(db: Db): Promise<string> {
  const { stdout } = await promisify(execFile)('pg_dump', ['--schema-only', `--dbname=${db.url}`], {
    maxBuffer: 1 << 26
  })
  return stdout.replace(/^\\(un)?restrict .*$/gm, '')
}

interface Told {
  name: string
  message: string
  hint: string | undefined
}

/** The run fails by one error, and the standby's structure is what it was. */
async function refused(pair: Pair, config: SyncOptions): Promise<Told & { events: RunEvent[] }> {
  const before = await structureOf(pair.standby)
  const events: RunEvent[] = []
  const error = await sync(config, { emit: event => void events.push(event) }).then(
    () => undefined,
    (thrown: Told) => thrown
  )
  if (!error) throw new Error('the run did not fail')
  expect(await structureOf(pair.standby)).toBe(before)
  return { name: error.name, message: error.message, hint: error.hint, events }
}

describe('no right', () => {
  it('to read a table on main', async () => {
    const { pair, config, reader } = await plainPairOf({ ddl: 'CREATE TABLE t (id integer PRIMARY KEY)' })
    await pair.main.exec(`CREATE TABLE secret (id integer); REVOKE ALL ON secret FROM ${reader.name}`)
    const told = await refused(pair, { ...config, syncSchema: true, schemaMethod: 'pgdump' })
    expect(told).toMatchObject({
      name: 'ProgramError',
      message: expect.stringMatching(/^pg_dump of main .* failed: .*permission denied for table secret$/),
      hint: expect.stringContaining('GRANT SELECT on it')
    })
  })

  it('to alter what somebody else owns on the standby, after what could be altered', async () => {
    const { pair, config } = await plainPairOf({
      ddl: 'CREATE TABLE a (id integer PRIMARY KEY)',
      main: 'ALTER TABLE a ADD more text; CREATE TABLE b (id integer PRIMARY KEY, more text)'
    })
    await pair.standby.exec('CREATE TABLE b (id integer PRIMARY KEY); GRANT ALL ON b TO public')
    for (const schemaMethod of ['pgdump', 'catalog'] as const) {
      const told = await refused(pair, { ...config, syncSchema: true, schemaMethod })
      expect(told).toMatchObject({
        name: 'SchemaError',
        message:
          'TABLE public.b could not be changed on the standby, and nothing was changed: must be owner of table b',
        hint: expect.stringContaining('must own')
      })
    }
  })

  it('to make anything in a schema of the standby', async () => {
    const { pair, config, owner } = await plainPairOf({ ddl: '', main: 'CREATE TABLE t (id integer)' })
    await pair.standby.exec(`REVOKE CREATE ON SCHEMA public FROM ${owner.name}`)
    const told = await refused(pair, { ...config, syncSchema: true })
    expect(told.message).toBe(
      'TABLE public.t could not be created on the standby, and nothing was changed: permission denied for schema public'
    )
    expect(told.hint).toBeDefined()
  })
})

describe('what the standby’s cluster lacks', () => {
  let old: ThrowawayServer
  beforeAll(async () => {
    old = await startVersion(12)
  })
  afterAll(() => old?.stop())
  const unique = () => `r_bad_${randomBytes(4).toString('hex')}`

  it('a role, named with what needs it before anything is done', async () => {
    const pair = await pairOf({
      servers: { standby: old.url },
      main: 'CREATE TABLE first (id integer); CREATE TABLE t (id integer); CREATE VIEW v AS SELECT 1 AS one'
    })
    const [owner, reader] = [unique(), unique()]
    await pair.main.exec(`CREATE ROLE ${owner}; CREATE ROLE ${reader}; ALTER TABLE t OWNER TO ${owner};
      GRANT SELECT ON v TO ${reader}`)
    cleanups.push(async () => {
      await pair.main.exec(`DROP OWNED BY ${owner}, ${reader}; DROP ROLE ${owner}, ${reader}`)
    })
    const config = { ...configOf(pair), schemaMethod: 'pgdump' as const }
    const told = await refused(pair, { ...config, withOwner: true, withPrivileges: true })
    expect(told.name).toBe('SchemaError')
    expect(told.message).toContain(`role ${owner}, which TABLE public.t needs`)
    expect(told.message).toMatch(new RegExp(`role ${reader}, which (VIEW public.v|ACL public.TABLE v) needs`))
    expect(told.hint).toContain('CREATE ROLE')
    const report = await sync(config)
    expect(report.ok).toBe(true)
  })

  it('a tablespace', async ({ skip }) => {
    const pair = await pairOf({ servers: { standby: old.url } })
    const [row] = await pair.main.query<{ n: number }>(
      `SELECT current_setting('server_version_num')::int AS n`
    )
    if (row!.n < 150000) return skip('a tablespace in place needs PostgreSQL 15')
    const space = unique()
    await pair.main.exec('SET allow_in_place_tablespaces = on')
    await pair.main.exec(`CREATE TABLESPACE ${space} LOCATION ''`)
    cleanups.push(async () => {
      await pair.main.exec('DROP TABLE IF EXISTS t')
      await pair.main.exec(`DROP TABLESPACE ${space}`)
    })
    await pair.main.exec(`CREATE TABLE before (); CREATE TABLE t (id integer) TABLESPACE ${space}`)
    const told = await refused(pair, configOf(pair))
    expect(told).toMatchObject({
      name: 'SchemaError',
      message: `the standby lacks tablespace ${space}, which TABLE public.t needs`,
      hint: expect.stringContaining('CREATE TABLESPACE')
    })
  })

  it.each(['pgdump', 'catalog'] as const)('a language, by %s', async schemaMethod => {
    const pair = await pairOf({
      main: `CREATE TABLE before (); CREATE LANGUAGE "Odd one" HANDLER plpgsql_call_handler;
        CREATE FUNCTION f() RETURNS integer LANGUAGE "Odd one" AS 'BEGIN RETURN 1; END'`
    })
    expect(await refused(pair, { ...configOf(pair), schemaMethod })).toMatchObject({
      name: 'SchemaError',
      message: 'the standby lacks language Odd one, which FUNCTION public.f() needs',
      hint: expect.stringContaining('CREATE LANGUAGE')
    })
  })
})

describe('a lock that another session holds', () => {
  const ddl = 'CREATE TABLE a (id integer PRIMARY KEY); CREATE TABLE t (id integer PRIMARY KEY)'
  const main = 'ALTER TABLE a ADD more text; ALTER TABLE t ADD more text'

  it.each([[false], [true]])(
    'is tried for, told, and nothing is half applied (psql: %s)',
    async forcePsql => {
      const pair = await pairOf({ ddl, main })
      // A long query, as far as a lock can tell.
      await pair.standby.exec('BEGIN; SELECT count(*) FROM t')
      const told = await refused(pair, { ...configOf(pair), lockTimeout: 100, forcePsql })
      expect(told).toMatchObject({
        name: 'SchemaError',
        message:
          'TABLE public.t could not be changed on the standby, and nothing was changed: canceling statement due to lock timeout',
        hint: expect.stringContaining('--lock-timeout')
      })
      expect(told.events.filter(event => event.type === 'retry').length).toBeGreaterThan(2)
    }
  )

  it.each([[false], [true]])('is waited for, by and by (psql: %s)', async forcePsql => {
    const pair = await pairOf({ ddl, main })
    await pair.standby.exec('BEGIN; SELECT count(*) FROM t')
    let retries = 0
    const report = await sync(
      { ...configOf(pair), lockTimeout: 100, forcePsql },
      {
        emit(event) {
          if (event.type === 'retry' && ++retries === 2) void pair.standby.exec('ROLLBACK')
        }
      }
    )
    expect(report.ok).toBe(true)
    expect(retries).toBeGreaterThanOrEqual(2)
    expect(await structureOf(pair.standby)).toBe(await structureOf(pair.main))
  })

  it('against reading its structure is told, with what helps', async () => {
    const pair = await pairOf({ ddl, main })
    await pair.standby.exec('BEGIN; LOCK TABLE t IN ACCESS EXCLUSIVE MODE')
    const error = await sync({ ...configOf(pair), lockTimeout: 100, schemaMethod: 'pgdump' }).catch(
      (thrown: Error) => thrown
    )
    await pair.standby.exec('ROLLBACK')
    expect(error).toMatchObject({
      name: 'ProgramError',
      message: expect.stringMatching(/^pg_dump of standby .* failed: .*timeout/),
      hint: expect.stringContaining('lock')
    })
  })
})

describe('what cannot be made again', () => {
  it('a view of main that stands on what the standby lacks: the old one stays', async () => {
    const pair = await pairOf({
      ddl: 'CREATE TABLE t (id integer PRIMARY KEY, a text)',
      main: `CREATE SCHEMA other; CREATE FUNCTION other.f(text) RETURNS text LANGUAGE sql AS 'SELECT $1';
        ALTER TABLE t ADD b text; CREATE VIEW v AS SELECT id, other.f(a) AS a FROM t; CREATE VIEW w AS SELECT a FROM v`,
      standby: 'CREATE VIEW v AS SELECT a FROM t; CREATE VIEW w AS SELECT a FROM v'
    })
    for (const schemaMethod of ['pgdump', 'catalog'] as const) {
      expect(await refused(pair, { ...configOf(pair), schemaMethod })).toMatchObject({
        name: 'SchemaError',
        message:
          'VIEW public.v could not be changed on the standby, and nothing was changed: schema "other" does not exist'
      })
    }
  })

  it('a function whose body is wrong is no concern of ours', async () => {
    const pair = await pairOf({
      main: `SET check_function_bodies = off; CREATE FUNCTION f() RETURNS integer LANGUAGE sql AS 'SELECT no FROM where_at_all';
        CREATE FUNCTION g() RETURNS integer LANGUAGE plpgsql AS 'no code'`,
      standby: `CREATE FUNCTION f() RETURNS text LANGUAGE sql AS 'SELECT NULL::text'`
    })
    expect((await sync(configOf(pair))).ok).toBe(true)
    expect(await structureOf(pair.standby)).toBe(await structureOf(pair.main))
  })

  it('a materialized view whose query fails is named, and all else is done', async () => {
    const pair = await pairOf({
      ddl: `CREATE TABLE t (id integer PRIMARY KEY); CREATE FUNCTION f(integer) RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT 1'`,
      main: 'CREATE MATERIALIZED VIEW m AS SELECT 1 / (id - 1) AS x FROM t; INSERT INTO t VALUES (1)'
    })
    const report = await sync(configOf(pair))
    expect(report.ok).toBe(false)
    expect(JSON.stringify(report)).toContain('division by zero')
    expect(await pair.standby.query('SELECT id FROM t')).toEqual([{ id: 1 }])
  })
})

describe('a pg_dump that dies', () => {
  it.each([
    [
      'half-way, and says it is well',
      'pg_dump "$@" | head -c 900',
      /archive cannot be read: it ends too early/
    ],
    [
      'half-way, with a word',
      'pg_dump "$@" | head -c 900; echo "pg_dump: error: no more" >&2; exit 1',
      /failed: no more/
    ],
    ['by a signal', 'pg_dump "$@" | head -c 900; kill -9 $$', /ended by SIGKILL/],
    ['before a word', 'exit 3', /pg_dump of (main|standby) .* failed/],
    ['after a newer program’s archive', `printf 'PGDMP\\001\\143\\000\\004\\010\\001'`, /version 1\.99/]
  ])('%s', async (_, script, message) => {
    const folder = await mkdtemp(join(tmpdir(), 'pgsyncer-badinput-'))
    cleanups.push(() => rm(folder, { recursive: true }))
    const path = join(folder, 'pg_dump')
    await writeFile(path, `#!/bin/sh\ncase "$*" in *--version*) exec pg_dump --version;; esac\n${script}\n`)
    await chmod(path, 0o755)
    const pair = await pairOf({
      main: 'CREATE TABLE t (id integer); CREATE TABLE u (id integer); CREATE VIEW v AS SELECT * FROM t',
      standby: 'CREATE TABLE u (other text)'
    })
    const told = await refused(pair, { ...configOf(pair), pgDump: path })
    expect(told.message).toMatch(message)
    expect(told.message.length).toBeGreaterThan(20)
  })
})

describe('names', () => {
  const names = [
    `we"ird 'one'`,
    'a.b',
    'new\nline',
    'таблица 表',
    '$$',
    '$x$ $1',
    'back\\slash',
    '-- /* ;',
    'Select',
    ' ',
    '%s %I',
    'pgsyncer_aside_1'
  ]
  /** One of each kind, by that name in every place; `changed` is the same a little otherwise. */
  const objects = (name: string, changed: boolean) => {
    const n = ident(name)
    const text = `'${name.replaceAll("'", "''")}'`
    return `SET LOCAL standard_conforming_strings = on; CREATE SCHEMA ${n}; SET LOCAL search_path = ${n};
      CREATE TYPE ${ident(`${name} e`)} AS ENUM (${changed ? "'z', " : ''}${text}, 'other');
      CREATE DOMAIN ${ident(`${name} d`)} AS ${changed ? 'varchar(99)' : 'text'} CONSTRAINT ${n} CHECK (VALUE <> ${text});
      CREATE TABLE ${n} (${changed ? `${n} bigint, id text` : `id integer PRIMARY KEY, ${n} integer`}, e ${ident(`${name} e`)} DEFAULT ${text}, d ${ident(`${name} d`)}
        , CONSTRAINT ${ident(`${name} c`)} CHECK (${n} ${changed ? '>' : '<'} 5));
      CREATE INDEX ${ident(`${name} i`)} ON ${n} (${n}${changed ? ' DESC' : ''});
      CREATE FUNCTION ${n}(${n} ${changed ? 'integer' : 'text'}) RETURNS text LANGUAGE sql AS $body$SELECT ${text}::text$body$;
      CREATE FUNCTION ${ident(`${name} t`)}() RETURNS trigger LANGUAGE plpgsql AS $body$BEGIN RETURN NEW; END$body$;
      CREATE TRIGGER ${n} BEFORE ${changed ? 'UPDATE' : 'INSERT'} ON ${n} FOR EACH ROW EXECUTE FUNCTION ${ident(`${name} t`)}();
      CREATE VIEW ${ident(`${name} v`)} AS SELECT ${n} AS ${ident(`${name} x`)}, e FROM ${n};
      COMMENT ON COLUMN ${n}.${n} IS ${changed ? "'no'" : text}; COMMENT ON VIEW ${ident(`${name} v`)} IS ${text};`
  }
  it.each(names)('%j in every place', async name => {
    const pair = await pairOf({ main: objects(name, false), standby: objects(name, true) })
    const config = {
      ...configOf(pair),
      schemas: [name],
      allow: ['all' as const],
      cleanExtra: { rows: true, objects: true }
    }
    for (const options of [{ schemaMethod: 'pgdump' as const }, { forcePsql: true }]) {
      const report = await sync({ ...config, ...options })
      expect(report.schema.changes.filter(change => change.status !== 'applied')).toEqual([])
      expect(await structureOf(pair.standby)).toBe(await structureOf(pair.main))
      await pair.standby.exec(`DROP SCHEMA ${ident(name)} CASCADE; ${objects(name, true)}`)
    }
    const report = await sync({ ...config, schemaMethod: 'catalog' })
    expect(report.schema.changes.filter(change => change.status !== 'applied')).toEqual([])
    expect(await structureOf(pair.standby)).toBe(await structureOf(pair.main))
  })
})

describe('what goes in circles', () => {
  const circles: Record<string, [first: string, then: string]> = {
    'two views': [
      'CREATE TABLE t (id integer PRIMARY KEY, a #); CREATE VIEW a AS SELECT a FROM t; CREATE VIEW b AS SELECT a FROM a',
      'CREATE OR REPLACE VIEW a AS SELECT a FROM b'
    ],
    'a view and a function of its rows': [
      'CREATE TABLE t (id integer PRIMARY KEY, a #); CREATE VIEW a AS SELECT a FROM t; CREATE FUNCTION f(a) RETURNS # LANGUAGE sql AS $$SELECT $1.a$$',
      'CREATE OR REPLACE VIEW a AS SELECT f(NULL) AS a FROM t'
    ],
    'two functions': [
      `CREATE FUNCTION f(x # DEFAULT NULL) RETURNS # LANGUAGE plpgsql AS 'BEGIN RETURN g(); END'`,
      `CREATE FUNCTION g(x # DEFAULT f()) RETURNS # LANGUAGE plpgsql AS 'BEGIN RETURN f(); END'`
    ],
    'a table and a function that its default and its check call': [
      `CREATE TABLE t (id integer PRIMARY KEY, a #); CREATE FUNCTION f(t) RETURNS # LANGUAGE sql AS 'SELECT $1.a'`,
      'ALTER TABLE t ALTER a SET DEFAULT f(NULL), ADD CONSTRAINT c CHECK (f(t) IS NULL OR a IS NOT NULL)'
    ],
    'two tables with foreign keys both ways': [
      'CREATE TABLE t (id # PRIMARY KEY, u #); CREATE TABLE u (id # PRIMARY KEY, t # REFERENCES t)',
      'ALTER TABLE t ADD FOREIGN KEY (u) REFERENCES u'
    ]
  }
  describe.each(Object.entries(circles))('%s', (_, [first, then]) => {
    it.each([
      ['on main alone', () => ''],
      ['on both, of other types', (of: (type: string) => string) => of('bigint')],
      ['on main, half of it on the standby', () => first.replaceAll('#', 'bigint')]
    ])('%s', async (__, standby) => {
      const of = (type: string) => `${first}; ${then}`.replaceAll('#', type)
      const pair = await pairOf({ main: of('integer'), standby: standby(of) })
      // An overload that only the standby has would make the calls ambiguous.
      const cleanExtra = { rows: true, objects: true }
      const report = await sync({ ...configOf(pair), allow: ['all'], cleanExtra })
      expect(report.schema.changes.filter(change => change.status !== 'applied')).toEqual([])
      expect(await structureOf(pair.standby)).toBe(await structureOf(pair.main))
    })
  })
})

describe('event triggers that forbid DDL', () => {
  const forbid = `CREATE FUNCTION forbid() RETURNS event_trigger LANGUAGE plpgsql AS $$BEGIN RAISE EXCEPTION 'no DDL here, ask Ann'; END$$;`
  const ddl = `CREATE TABLE t (id integer PRIMARY KEY); ${forbid}`
  const main =
    'ALTER TABLE t ADD more text; CREATE INDEX t_more ON t (more); CREATE VIEW v AS SELECT 1 AS one'

  it.each(['ddl_command_start', 'ddl_command_end'])('are silent for a superuser (%s)', async event => {
    const pair = await pairOf({
      ddl,
      main,
      standby: `CREATE EVENT TRIGGER no_ddl ON ${event} EXECUTE FUNCTION forbid()`
    })
    expect((await sync(configOf(pair))).ok).toBe(true)
    await pair.standby.exec('ALTER EVENT TRIGGER no_ddl DISABLE; DROP EVENT TRIGGER no_ddl')
    expect(await structureOf(pair.standby)).toBe(await structureOf(pair.main))
  })

  it.each(['ddl_command_start', 'ddl_command_end'])(
    'stop anybody else, in their own words (%s)',
    async event => {
      const { pair, config } = await plainPairOf({ ddl: 'CREATE TABLE t (id integer PRIMARY KEY)', main })
      await pair.standby.exec(`CREATE SCHEMA guard; SET search_path = guard; ${forbid}
      CREATE EVENT TRIGGER no_ddl ON ${event} EXECUTE FUNCTION guard.forbid(); RESET search_path`)
      const told = await refused(pair, { ...config, syncSchema: true })
      expect(told).toMatchObject({
        name: 'SchemaError',
        message:
          'TABLE public.t could not be changed on the standby, and nothing was changed: no DDL here, ask Ann'
      })
      await pair.standby.exec('ALTER EVENT TRIGGER no_ddl DISABLE')
    }
  )
})

describe('rows that a constraint does not allow, with the structure alone', () => {
  const ddl =
    'CREATE TABLE p (id integer PRIMARY KEY); CREATE TABLE t (id integer PRIMARY KEY, p integer, a integer)'
  const standby =
    'INSERT INTO t SELECT n, n, n FROM generate_series(1, 9) n; INSERT INTO p SELECT n FROM generate_series(0, 9) n; '
  it.each([
    ['NOT NULL', 'ALTER TABLE t ALTER a SET NOT NULL', 'INSERT INTO t VALUES (4711, 1, NULL)', /"a"/],
    [
      'CHECK',
      'ALTER TABLE t ADD CONSTRAINT low CHECK (a < 10)',
      'INSERT INTO t VALUES (4711, 1, 10)',
      /"low"/
    ],
    [
      'CHECK NOT VALID that is validated',
      'ALTER TABLE t ADD CONSTRAINT low CHECK (a < 10)',
      'INSERT INTO t VALUES (4711, 1, 10); ALTER TABLE t ADD CONSTRAINT low CHECK (a < 10) NOT VALID',
      /"low"/
    ],
    [
      'UNIQUE',
      'ALTER TABLE t ADD CONSTRAINT one UNIQUE (a)',
      'INSERT INTO t VALUES (4710, 1, 4711), (4712, 1, 4711)',
      /"one"/
    ],
    [
      'a unique index',
      'CREATE UNIQUE INDEX one ON t (a)',
      'INSERT INTO t VALUES (4710, 1, 4711), (4712, 1, 4711)',
      /"one"/
    ],
    [
      'FOREIGN KEY',
      'ALTER TABLE t ADD CONSTRAINT t_p FOREIGN KEY (p) REFERENCES p',
      'INSERT INTO t VALUES (10, 4711, 1)',
      /"t_p"/
    ],
    [
      'EXCLUDE',
      'ALTER TABLE t ADD CONSTRAINT apart EXCLUDE USING btree (a WITH =)',
      'INSERT INTO t VALUES (4710, 1, 4711), (4712, 1, 4711)',
      /"apart"/
    ]
  ])('%s: it is named with a row, and the others are made', async (_, main, rows, name) => {
    const pair = await pairOf({
      ddl,
      main: `${main}; CREATE INDEX other ON t (p); ALTER TABLE p ADD CONSTRAINT good CHECK (id >= 0)`,
      standby: `${standby}; ${rows}`
    })
    const report = await sync({ ...configOf(pair), syncData: false })
    expect(report.ok).toBe(false)
    const failed = report.schema.changes.filter(change => change.status === 'failed')
    expect(failed).toHaveLength(1)
    expect(failed[0]!.reason).toMatch(name)
    expect(
      await pair.standby.query(
        `SELECT (SELECT count(*)::int FROM pg_class WHERE relname = 'other') AS i, (SELECT count(*)::int FROM pg_constraint WHERE conname = 'good') AS c`
      )
    ).toEqual([{ i: 1, c: 1 }])
    expect(failed[0]!.reason).toMatch(/4711/)
  })
})
