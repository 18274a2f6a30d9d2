/** What a run must never do: show a password, go on after an abort, or wait for ever. */
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { openServer } from '../../src/postgres/connect.js'
import { applyConstraints, applyStructure } from '../../src/schema/apply.js'
import { type Bench, createBench, linesOf, optionsWith } from './bench.js'

let bench: Bench
let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pgsyncer-safety-'))
})
afterEach(async () => {
  await bench.drop()
  await rm(folder, { recursive: true })
})

/** The real program behind a script that writes down its arguments. */
async function watched(program: string): Promise<string> {
  const path = join(folder, program)
  await writeFile(path, `#!/bin/sh\necho "$0 $*" >> ${folder}/argv\nexec ${program} "$@"\n`)
  await chmod(path, 0o755)
  return path
}

it('hands no password to a program by its arguments', async () => {
  bench = await createBench(['public'], {
    main: 'CREATE TABLE t (id integer PRIMARY KEY)',
    standby: 'CREATE TABLE u ()'
  })
  const options = { pgDump: await watched('pg_dump'), psql: await watched('psql'), forcePsql: true }
  await bench.sync(options)
  const argv = await readFile(join(folder, 'argv'), 'utf8')
  expect(argv.match(/pg_dump --format=custom/g)).toHaveLength(2)
  expect(argv).toContain('psql -X')
  const { PGPASSWORD: password = 'none' } = bench.mainServer.libpqEnv
  expect(argv).not.toContain('://')
  expect(argv.includes(password)).toBe(false)
})

it('says which pg_dump is too old, and what else can be done', async () => {
  bench = await createBench(['public'])
  const old = join(folder, 'pg_dump')
  await writeFile(old, '#!/bin/sh\necho "pg_dump (PostgreSQL) 9.6.24"\n')
  await chmod(old, 0o755)
  await expect(bench.plan({ pgDump: old })).rejects.toMatchObject({
    name: 'ProgramError',
    message: expect.stringMatching(
      /^pg_dump 9\.6\.24 \(.*\) is older than main, which is PostgreSQL \d+.*: pg_dump \d+ or newer is needed$/
    )
  })
})

it('tells what pg_dump complains of', async () => {
  bench = await createBench(['public'], { main: 'CREATE TABLE t (id integer)' })
  await bench.main.exec(
    `CREATE ROLE "${bench.main.name}" LOGIN PASSWORD 'pw-of-nobody'; REVOKE ALL ON t FROM public`
  )
  const url = new URL(bench.main.url)
  url.username = bench.main.name
  url.password = 'pw-of-nobody'
  const nobody = await openServer('main', url.href, {}, { lockTimeout: 0, statementTimeout: 0 })
  try {
    Object.assign(bench.mainServer, { libpqEnv: nobody.libpqEnv })
    await expect(bench.plan()).rejects.toMatchObject({
      name: 'ProgramError',
      message: `pg_dump of main (${bench.mainServer.address}) failed: query failed: ERROR:  permission denied for table t`
    })
  } finally {
    await nobody.close()
    await bench.main.exec(`DROP ROLE "${bench.main.name}"`)
  }
})

it('names a schema that main does not have', async () => {
  bench = await createBench(['Public'])
  await expect(bench.plan()).rejects.toThrow('main has no schema named "Public"')
})

it('does not wait for a table that another holds', async () => {
  bench = await createBench(['public'], { ddl: 'CREATE TABLE t (a text)', main: 'CREATE INDEX t_a ON t (a)' })
  await bench.standby.exec('BEGIN; LOCK TABLE t IN ROW EXCLUSIVE MODE')
  const plan = await bench.plan()
  // The dump has read its part; what comes now needs a stronger lock.
  const options = optionsWith({ lockTimeout: 300 })
  const hasty = {
    ...plan,
    preamble: plan.preamble.map(line => line.replace('lock_timeout = 0', 'lock_timeout = 300'))
  }
  await applyConstraints(hasty, bench.standbyServer, options)
  expect(plan.changes).toMatchObject([
    { status: 'failed', reason: 'canceling statement due to lock timeout' }
  ])
})

it.each([[false], [true]])('stops within a statement when it is told to (psql: %s)', async forcePsql => {
  bench = await createBench(['public'], {
    ddl: `CREATE FUNCTION slow(integer) RETURNS integer LANGUAGE plpgsql IMMUTABLE AS
      'BEGIN PERFORM pg_catalog.pg_sleep(20); RETURN 1; END';
      CREATE TABLE t (a integer)`,
    standby: 'INSERT INTO t VALUES (1)',
    main: 'CREATE TABLE u (a integer); CREATE INDEX t_slow ON t (slow(a))'
  })
  const stop = new AbortController()
  const options = optionsWith({ forcePsql, signal: stop.signal })
  const plan = await bench.plan(options)
  await applyStructure(plan, bench.standbyServer, options)
  const started = Date.now()
  setTimeout(() => stop.abort(new Error('stopped by the test')), 500)
  await expect(applyConstraints(plan, bench.standbyServer, options)).rejects.toThrow('stopped by the test')
  expect(Date.now() - started).toBeLessThan(5_000)
  expect(linesOf(plan.changes)).toEqual([
    'create TABLE public.u applied',
    'create INDEX public.t_slow pending'
  ])
  const left = `SELECT count(*)::int AS n FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'CREATE INDEX t_slow%' AND state = 'active'`
  await expect.poll(async () => (await bench.standby.query<{ n: number }>(left))[0]!.n).toBe(0)
})
