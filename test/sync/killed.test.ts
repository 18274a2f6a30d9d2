/** A run that ends without a word, between its structure and what the rows must satisfy, and the one after it. */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { afterEach, expect, test } from 'vitest'
import { diff, sync, type RunEvent, type SyncOptions } from '../../src/index.js'
import { createPair, type Pair } from '../support/databases.js'
import { errorOf, failures } from './reports.js'

const program = fileURLToPath(new URL('../../dist/main.js', import.meta.url))

let pair: Pair
afterEach(() => pair.drop())

const ddl = `CREATE TABLE t (id integer PRIMARY KEY, a integer);
  INSERT INTO t SELECT n, n FROM generate_series(1, 500) n`
const main = `ALTER TABLE t ADD b text; UPDATE t SET b = 'b' || id; ALTER TABLE t ALTER b SET NOT NULL;
  CREATE INDEX t_b ON t (b); CREATE TABLE fresh (id integer PRIMARY KEY, t integer REFERENCES t);
  INSERT INTO fresh SELECT n, n FROM generate_series(1, 50) n; CREATE VIEW v AS SELECT b FROM t`

const config = (): SyncOptions => ({
  main: pair.main.url,
  standby: pair.standby.url,
  env: { PATH: process.env.PATH },
  lockTimeout: 0
})

/** The notes of a run that must end well. */
async function mended(): Promise<string[]> {
  const notes: string[] = []
  const report = await sync(config(), {
    emit: (event: RunEvent) => void (event.type === 'note' && notes.push(event.message))
  })
  expect(failures(report)).toEqual([])
  expect(report.schema.changes.filter(change => change.status !== 'applied')).toEqual([])
  expect(report.ok).toBe(true)
  return notes
}

const stopped = /^the run of \d{4}-.* stopped before the structure was whole/

const ours = () =>
  pair.standby.query(
    `SELECT relname::text AS name FROM pg_class WHERE relname LIKE 'pgsyncer%' OR relnamespace = to_regnamespace('pgsyncer')
     UNION ALL SELECT nspname::text FROM pg_namespace WHERE nspname = 'pgsyncer'`
  )

/** Until the run waits for a lock with this statement. */
async function waitsWith(statement: string, run: ChildProcess): Promise<void> {
  for (;;) {
    const rows = await pair.main.query(
      `SELECT FROM pg_stat_activity WHERE datname = $1 AND wait_event_type = 'Lock' AND query LIKE $2`,
      [pair.standby.name, `${statement}%`]
    )
    if (rows.length > 0) return
    if (run.exitCode !== null) throw new Error(`the run ended with ${run.exitCode} and met no lock`)
    await delay(20)
  }
}

/** Starts the program, ends it by SIGKILL where it waits, and lets go of what it waited for. */
async function killAt(statement: string, argv: string[] = []): Promise<void> {
  const { PATH } = process.env
  const run = spawn(process.execPath, [program, 'sync', '--lock-timeout', '0', '--yes', ...argv], {
    env: { PATH, MAIN_DSN: pair.main.url, STANDIN_DSN: pair.standby.url },
    stdio: 'ignore'
  })
  await waitsWith(statement, run)
  run.kill('SIGKILL')
  await once(run, 'exit')
  await pair.standby.exec('ROLLBACK')
  // What the server did for it ends when it finds nobody there.
  const sessions = `SELECT FROM pg_stat_activity WHERE datname = $1 AND application_name = 'pgsyncer'`
  while ((await pair.main.query(sessions, [pair.standby.name])).length > 0) await delay(20)
}

test('after the structure: the next run tells of it and makes it whole', async ({ skip }) => {
  if (!existsSync(program)) return skip('npm run build makes dist/main.js')
  pair = await createPair({ ddl, main })
  // Rows can be written, but nothing can be asked of them.
  await pair.standby.exec('ALTER TABLE t ADD b text')
  await pair.standby.exec('BEGIN; LOCK TABLE t IN ROW EXCLUSIVE MODE')
  await killAt('ALTER TABLE "public"."t" ALTER COLUMN "b" SET NOT NULL')
  expect(await pair.standby.query('SELECT count(*)::int AS n FROM fresh')).toEqual([{ n: 50 }])
  expect(await pair.standby.query(`SELECT to_regclass('t_b') AS index`)).toEqual([{ index: null }])
  expect(await ours()).not.toEqual([])
  expect((await diff(config())).identical).toBe(false)
  expect(await mended()).toEqual([expect.stringMatching(stopped)])
  expect(await ours()).toEqual([])
  expect((await diff(config())).identical).toBe(true)
  expect(await mended()).toEqual([])
})

test('within the structure: nothing of it is there, and the next run makes it whole', async ({ skip }) => {
  if (!existsSync(program)) return skip('npm run build makes dist/main.js')
  pair = await createPair({ ddl, main })
  await pair.standby.exec('BEGIN; SELECT count(*) FROM t')
  await killAt('ALTER TABLE %ADD COLUMN')
  expect(await pair.standby.query(`SELECT to_regclass('fresh') AS fresh, to_regclass('v') AS v`)).toEqual([
    { fresh: null, v: null }
  ])
  await mended()
  expect(await ours()).toEqual([])
  expect((await diff(config())).identical).toBe(true)
})

test('a mark whose structure was mended by hand is told once at most', async ({ skip }) => {
  if (!existsSync(program)) return skip('npm run build makes dist/main.js')
  pair = await createPair({ ddl, main })
  await pair.standby.exec('ALTER TABLE t ADD b text')
  await pair.standby.exec('BEGIN; LOCK TABLE t IN ROW EXCLUSIVE MODE')
  await killAt('ALTER TABLE "public"."t" ALTER COLUMN "b" SET NOT NULL')
  await pair.standby.exec(
    `CREATE INDEX t_b ON t (b); ALTER TABLE t ALTER b SET NOT NULL; DROP TABLE fresh;
      CREATE TABLE fresh (id integer PRIMARY KEY, t integer REFERENCES t)`
  )
  await mended()
  expect(await mended()).toEqual([])
  expect(await ours()).toEqual([])
})

test('a refusal, after which nothing was changed, leaves no mark', async () => {
  pair = await createPair({
    ddl,
    main: `CREATE SCHEMA other; CREATE TABLE other.o (); CREATE VIEW v AS SELECT * FROM other.o`
  })
  const error = await errorOf(sync(config()))
  expect(error.message).toMatch(/^VIEW public\.v could not be created .* nothing was changed/)
  expect(await ours()).toEqual([])
  await pair.main.exec('DROP VIEW v')
  expect(await mended()).toEqual([])
})
