/**
 * Roles with the least rights: exactly what README's blocks grant, one grant less, and rights that hide a part of the rows. What
 * cannot be done is told in one message that names the object and the grant; nothing is ever taken for whole that is not.
 */
import { readFile } from 'node:fs/promises'
import { afterEach, describe, expect, test } from 'vitest'
import { check, diff, sync, type Report, type SyncOptions } from '../../src/index.js'
import { createPair, type Pair } from '../support/databases.js'
import { databaseDigest } from '../support/digest.js'
import { createRole, type Role } from '../support/roles.js'
import { counts, errorOf, failures, tableOf } from '../sync/reports.js'

const readme = await readFile(new URL('../../README.md', import.meta.url), 'utf8')
const section = readme.slice(readme.indexOf('\n## Rights\n'), readme.indexOf('\n## Speed\n'))
const [reading = '', writing = '', owning = '', wrapping = ''] = [
  ...section.matchAll(/```sql\n(.*?)```/gs)
].map(found => found[1]!)

type Name = 'reader' | 'writer' | 'owner'

interface Scene {
  pair: Pair
  roles: Record<Name, Role>
  config(main: Name | 'admin', standby: Name | 'admin'): SyncOptions
  /** Runs a block of README on one of the two. */
  grant(where: 'main' | 'standby', block: string): Promise<void>
}

const all = process.env.FAULTS === 'all'
/** The short form takes the first ones. */
const few = <T>(cases: readonly T[], count: number): readonly T[] => (all ? cases : cases.slice(0, count))

let scene: Scene | undefined
afterEach(async () => {
  if (!scene) return
  const { pair, roles } = scene
  scene = undefined
  // The session that drops the roles must be in neither database.
  const admin = await createPair()
  await pair.drop()
  for (const role of Object.values(roles)) await admin.main.exec(`DROP ROLE ${role.name}`)
  await admin.drop()
})

/** Nobody has a right here but the owner of all, a superuser. */
async function open(ddl: string, main = '', standby = ''): Promise<Scene> {
  const pair = await createPair({ ddl, main, standby })
  const roles = {
    reader: await createRole(pair.main, 'reader'),
    writer: await createRole(pair.main, 'writer'),
    owner: await createRole(pair.main, 'owner')
  }
  for (const db of [pair.main, pair.standby])
    await db.exec(`REVOKE ALL ON DATABASE ${db.name} FROM PUBLIC; REVOKE ALL ON SCHEMA public FROM PUBLIC`)
  scene = {
    pair,
    roles,
    config: (a, b) => ({
      main: a === 'admin' ? pair.main.url : roles[a].url(pair.main),
      standby: b === 'admin' ? pair.standby.url : roles[b].url(pair.standby),
      env: { PATH: process.env.PATH },
      retries: 0
    }),
    async grant(where, block) {
      const named = block.replaceAll(/\b(reader|writer|owner)\b/g, name => roles[name as Name].name)
      await pair[where].exec(named.replaceAll(/\bshop\b/g, pair[where].name))
    }
  }
  return scene
}

const same = async ({ main, standby }: Pair) =>
  expect(await databaseDigest(standby.url, ['public'])).toEqual(await databaseDigest(main.url, ['public']))

const numbers = (n: number) => `FROM generate_series(1, ${n}) n`
const ddl = `CREATE TABLE parent (id int PRIMARY KEY, v text UNIQUE); CREATE TABLE child (id serial PRIMARY KEY, parent int REFERENCES parent);
  CREATE TABLE own (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, up int REFERENCES own, twice int GENERATED ALWAYS AS (up * 2) STORED);
  CREATE TABLE loose (v text); CREATE TYPE mood AS ENUM ('sad', 'ok'); CREATE TABLE part (id int PRIMARY KEY, m mood) PARTITION BY RANGE (id);
  CREATE TABLE part_1 PARTITION OF part FOR VALUES FROM (0) TO (1000); CREATE SEQUENCE free; CREATE VIEW seen AS SELECT * FROM parent;
  CREATE FUNCTION two() RETURNS int LANGUAGE sql AS 'SELECT 2'`
const rows = `INSERT INTO parent SELECT n, 'v' || n ${numbers(100)}; INSERT INTO child (parent) SELECT n ${numbers(100)}; INSERT INTO own (up) SELECT NULLIF(n - 1, 0) ${numbers(20)};
  INSERT INTO loose SELECT 'l' || n % 5 ${numbers(30)}; INSERT INTO part SELECT n, 'ok' ${numbers(50)}`
const moved = `SELECT setval('free', 77), lo_create(0)`
const drift = `UPDATE parent SET v = 'x' || id WHERE id < 20; DELETE FROM child WHERE id > 90; INSERT INTO loose VALUES ('more'); DELETE FROM part WHERE id % 7 = 0; INSERT INTO parent VALUES (999, 'extra')`
const clean = { cleanExtra: { rows: true, objects: true }, allow: ['all' as const] }
const plain = { ...clean, syncSchema: false }

/** Everything that a report says went wrong. */
const told = (report: Report) => failures(report).join('\n')

describe('exactly what README grants', () => {
  test('has its blocks', () => {
    for (const block of [reading, writing, owning, wrapping])
      expect(block).toMatch(/^(GRANT|CREATE|ALTER) .* TO (reader|writer|owner);$/m)
  })

  test.each([
    ['rows, by a writer', writing, 'writer', plain],
    ['rows, by a writer and the wrapper', writing + wrapping, 'writer', { ...plain, fdwMode: true }]
  ] as const)('%s: a drifted standby, then an empty one', async (_, block, role, options) => {
    const { pair, config, grant } = await open(ddl, `${rows}; ${moved}`, `${rows}; ${drift}`)
    await grant('main', reading)
    await grant('standby', block)
    const one = { ...config('reader', role), ...options }
    const found = await check(one)
    expect(found.findings.filter(({ level }) => level === 'error')).toEqual([])
    const done = await sync(one)
    expect(told(done)).toBe('')
    expect(counts(done)).toMatchObject({ parent: [0, 19, 1], child: [10, 0, 0], loose: [0, 0, 1] })
    await same(pair)
    await pair.standby.exec('TRUNCATE parent, child, loose, part')
    expect(told(await sync(one))).toBe('')
    await same(pair)
    expect(await pair.standby.query(`SELECT last_value::int AS n FROM free`)).toEqual([{ n: 77 }])
    expect((await diff(one)).identical).toBe(true)
  })

  test.each(few(['pgdump', 'catalog'] as const, 1))(
    'structure too, by an owner and %s: an empty standby, then one that has drifted',
    async schemaMethod => {
      const { pair, config, grant } = await open(
        '',
        `${ddl}; ${rows}; CREATE MATERIALIZED VIEW kept AS SELECT count(*) AS n FROM child; ${moved}`
      )
      await grant('main', reading)
      await grant('standby', owning)
      const one = { ...config('reader', 'owner'), ...clean, schemaMethod }
      for (const sql of [
        drift,
        'ALTER TABLE child ADD w int; DROP VIEW seen; DROP MATERIALIZED VIEW kept; CREATE INDEX more ON loose (v); DROP FUNCTION two'
      ]) {
        const done = await sync(one)
        expect(told(done)).toBe('')
        expect(done.schema.changes.filter(change => change.status !== 'applied')).toEqual([])
        await same(pair)
        await pair.standby.exec(sql)
      }
      expect(told(await sync(one))).toBe('')
      expect((await diff(one)).identical).toBe(true)
    }
  )
})

describe('one grant less', () => {
  const lines = (block: string) => block.trim().split('\n')
  const without = (block: string, line: string) =>
    lines(block)
      .filter(other => other !== line)
      .join('\n')

  /** What is said: of the run, of its tables, and of the sequences. */
  async function said(one: SyncOptions): Promise<string> {
    const outcome = await sync(one).then(
      report => {
        expect(report.ok).toBe(false)
        return told(report)
      },
      (error: Error & { hint?: string }) => {
        expect(error.constructor.name).toMatch(
          /^(ConfigError|ConnectionError|ProgramError|SchemaError|DataError)$/
        )
        return `${error.message} | ${error.hint}`
      }
    )
    expect(outcome).not.toMatch(/undefined|\bat .*\.ts:/)
    return outcome
  }

  const reads: [string, RegExp][] = lines(reading).map((line, i) => [
    line,
    [
      /CONNECT/,
      /schema public.*USAGE|USAGE.*schema/s,
      /^parent: .*permission denied for table parent \| GRANT SELECT/m,
      /^free: .*GRANT SELECT ON SEQUENCE/m
    ][i]!
  ])
  test.each(few(reads, 3).slice(all ? 0 : 1))('on main: %s', async (line, message) => {
    const { config, grant } = await open(ddl, `${rows}; ${moved}`, `${rows}; ${drift}`)
    await grant('main', without(reading, line))
    await grant('standby', writing)
    expect(await said({ ...config('reader', 'writer'), ...plain })).toMatch(message)
  })

  const writes: [string, RegExp][] = lines(writing).map((line, i) => [
    line,
    [
      /CONNECT/,
      /USAGE/,
      /^parent: .*permission denied for table parent \| GRANT SELECT, INSERT, UPDATE, DELETE/m,
      /^free: .*permission denied|GRANT.*SEQUENCE/m
    ][i]!
  ])
  test.each(few(writes, 3).slice(all ? 0 : 2))('on the standby: %s', async (line, message) => {
    const { config, grant } = await open(ddl, `${rows}; ${moved}`, `${rows}; ${drift}`)
    await grant('main', reading)
    await grant('standby', without(writing, line))
    expect(await said({ ...config('reader', 'writer'), ...plain })).toMatch(message)
  })

  test.each(few(['pgdump', 'catalog'] as const, 1))(
    'SELECT on one table, with structure by %s',
    async schemaMethod => {
      const { config, grant, pair, roles } = await open('', `${ddl}; ${rows}`)
      await grant('main', `${reading}; REVOKE SELECT ON child FROM reader`)
      await grant('standby', owning)
      const message = await said({ ...config('reader', 'owner'), schemaMethod })
      expect(message).toMatch(/main.*permission denied for table child.* \| .*SELECT/)
      await pair.main.exec(`GRANT SELECT ON child TO ${roles.reader.name}`)
      expect(told(await sync({ ...config('reader', 'owner'), schemaMethod }))).toBe('')
    }
  )
})

describe('a part of the rows', () => {
  const two = `CREATE TABLE t (id int PRIMARY KEY, v text); CREATE TABLE u (id int PRIMARY KEY, v text)`
  const filled = `INSERT INTO t SELECT n, 'v' ${numbers(9)}; INSERT INTO u SELECT n, 'v' ${numbers(9)}`
  const policy = 'ALTER TABLE t ENABLE ROW LEVEL SECURITY; CREATE POLICY few ON t USING (id > 5)'
  const hidden = /^t: .*row-level security.* \| .*BYPASSRLS/

  const hiding: [string, string, Partial<SyncOptions>][] = [
    ['an empty standby, by the wrapper', '', { fdwMode: true }],
    ['a drifted one', `${filled}; UPDATE t SET v = 'x'; UPDATE u SET v = 'x'`, {}],
    ['an empty standby', '', {}],
    ['with rows too many', `${filled}; INSERT INTO t VALUES (99, 'extra')`, { verify: true }]
  ]
  test.each(few(hiding, 2))(
    'row security on main, into %s: the table fails, and keeps its rows',
    async (_, standby, options) => {
      const { config, grant, pair, roles } = await open(two, `${filled}; ${policy}`, standby)
      await grant('main', reading)
      await grant('standby', writing + wrapping)
      const before = await pair.standby.query('SELECT * FROM t ORDER BY id')
      const one = { ...config('reader', 'writer'), ...plain, ...options }
      for (const report of [await diff(one), await sync(one)]) {
        expect(failures(report)).toEqual([expect.stringMatching(hidden)])
        expect(report.ok && report.identical).toBe(false)
      }
      expect(await pair.standby.query('SELECT * FROM t ORDER BY id')).toEqual(before)
      await pair.main.exec(`ALTER ROLE ${roles.reader.name} BYPASSRLS`)
      expect(told(await sync(one))).toBe('')
      await same(pair)
    }
  )

  test('row security on the standby, whose writer would see a part: the same; nor does FORCE spare an owner', async () => {
    const { config, grant, pair, roles } = await open(
      two,
      filled,
      `${filled}; ${policy}; UPDATE u SET v = 'x'`
    )
    await grant('main', reading)
    await grant('standby', writing)
    const done = await sync({ ...config('reader', 'writer'), ...plain })
    expect(failures(done)).toEqual([expect.stringMatching(hidden)])
    expect(tableOf(done, 'u').status).toBe('synced')
    await grant(
      'standby',
      `${owning}; ALTER TABLE t OWNER TO owner; ALTER TABLE u OWNER TO owner; ALTER TABLE t FORCE ROW LEVEL SECURITY; UPDATE t SET v = 'x'`
    )
    expect(failures(await sync({ ...config('reader', 'owner'), ...plain }))).toEqual([
      expect.stringMatching(hidden)
    ])
    await pair.standby.exec('ALTER TABLE t NO FORCE ROW LEVEL SECURITY')
    expect(told(await sync({ ...config('reader', 'owner'), ...plain }))).toBe('')
    await same(pair)
    expect(roles.owner.name).toMatch(/^r_/)
  })

  test('a column that the reader may not see fails its table, unless it is left out', async () => {
    const { config, grant, pair } = await open(two, filled, `${filled}; UPDATE t SET v = 'x'`)
    await grant('main', `${reading}; REVOKE SELECT ON t FROM reader; GRANT SELECT (id) ON t TO reader`)
    await grant('standby', writing)
    const one = { ...config('reader', 'writer'), ...plain }
    expect(failures(await sync(one))).toEqual([
      expect.stringMatching(/^t: .*main.*permission denied for table t \| .*GRANT SELECT/)
    ])
    const rest = { ...one, excludeColumns: { t: ['v'] } }
    await pair.standby.exec('DELETE FROM t WHERE id = 3')
    const done = await sync(rest)
    expect(told(done)).toBe('')
    expect(counts(done)).toEqual({ t: [1, 0, 0] })
    expect(await pair.standby.query('SELECT count(*)::int AS n FROM t')).toEqual([{ n: 9 }])
  })

  test('a column that the writer may not set: the table is left as it was', async () => {
    const { config, grant, pair } = await open(two, filled, `${filled}; UPDATE t SET v = 'x'`)
    await grant('main', reading)
    await grant('standby', `${writing}; REVOKE UPDATE ON t FROM writer; GRANT UPDATE (id) ON t TO writer`)
    expect(failures(await sync({ ...config('reader', 'writer'), ...plain }))).toEqual([
      expect.stringMatching(
        /^t: .*standby.*permission denied for table t \| GRANT SELECT, INSERT, UPDATE, DELETE/
      )
    ])
    expect(await pair.standby.query(`SELECT count(*)::int AS n FROM t WHERE v = 'x'`)).toEqual([{ n: 9 }])
  })

  test('a circle of foreign keys, which a writer may not defer, is left as it was, and whose it must be is said', async () => {
    const circle = 'DELETE FROM own WHERE id > 15'
    const { config, grant, pair } = await open(ddl, rows, `${rows}; ${drift}; ${circle}`)
    await grant('main', reading)
    await grant('standby', writing)
    const done = await sync({ ...config('reader', 'writer'), ...plain })
    expect(failures(done)).toEqual([
      expect.stringMatching(/^own: .*must be owner of table own \| .*session_replication_role/)
    ])
    expect(await pair.standby.query('SELECT count(*)::int AS n FROM own')).toEqual([{ n: 15 }])
  })

  test('structure that another role owns on the standby: nothing is changed, and whose it must be is said', async () => {
    const { config, grant } = await open(two, `${filled}; ALTER TABLE t ADD w int`, filled)
    await grant('main', reading)
    await grant('standby', writing)
    const error = await errorOf(sync(config('reader', 'writer')))
    expect(`${error.message} | ${error.hint}`).toMatch(
      /TABLE public\.t could not be changed .*nothing was changed: must be owner of table t \| .*owner/
    )
  })
})
