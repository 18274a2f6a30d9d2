import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { addSecret } from '../../src/core/redact.js'
import { findPgDump, findPsql, majorOf } from '../../src/schema/programs.js'
import { runProgram } from '../../src/schema/run.js'

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pgsyncer-programs-'))
})
afterEach(() => rm(folder, { recursive: true }))

/** A program that says it is pg_dump of that version. */
async function fake(place: string, version: string, name = 'pg_dump'): Promise<string> {
  return script(place, name, `echo 'pg_dump (PostgreSQL) ${version}'`)
}

async function script(place: string, name: string, body: string): Promise<string> {
  await mkdir(join(folder, place), { recursive: true })
  const path = join(folder, place, name)
  await writeFile(path, `#!/bin/sh\n${body}\n`)
  await chmod(path, 0o755)
  return path
}

const main15 = 'main, which is PostgreSQL 15.20'
const find = (named?: string) =>
  findPgDump(named, 150020, main15, { PATH: join(folder, 'bin') }, [join(folder, 'pg/*/bin')])

describe('findPgDump', () => {
  it('takes the one in PATH where it is new enough, though another is newer', async () => {
    const path = await fake('bin', '15.18 (Debian 15.18-0+deb12u1)')
    await fake('pg/17/bin', '17.6')
    expect(await find()).toEqual({ path, version: '15.18', versionNumber: 150018 })
  })

  it('takes the newest of the usual folders where the one in PATH is too old', async () => {
    await fake('bin', '9.6.24')
    await fake('pg/9.6/bin', '9.6.24')
    await fake('pg/16/bin', '16.2')
    const path = await fake('pg/17/bin', '17.6')
    await fake('pg/15/bin', '15.1')
    expect((await find()).path).toBe(path)
  })

  it('takes the named one and no other', async () => {
    await fake('bin', '17.6')
    const old = await fake('old', '9.6.24')
    await expect(find(old)).rejects.toThrow(
      `pg_dump 9.6.24 (${old}) is older than ${main15}: pg_dump 15 or newer is needed`
    )
  })

  it('does not take Debian’s wrapper, which chooses a version by itself', async () => {
    const wrapper = await fake('share', '17.0', 'pg_wrapper')
    await mkdir(join(folder, 'bin'))
    await symlink(wrapper, join(folder, 'bin/pg_dump'))
    const path = await fake('pg/15/bin', '15.1')
    expect((await find()).path).toBe(path)
  })

  it('says where it looked and what to do where all are too old', async () => {
    const path = await fake('bin', '14.9')
    const error = await find().catch((caught: unknown) => caught)
    expect(error).toMatchObject({
      name: 'ProgramError',
      message: `pg_dump 14.9 (${path}) is older than ${main15}: pg_dump 15 or newer is needed`,
      hint: expect.stringMatching(
        /Looked in PATH, .*pg\/\*\/bin\. .*postgresql-client-15.*--pgdump PATH.*--sync-schema=false/
      )
    })
  })

  it('says so where there is none', async () => {
    await expect(find()).rejects.toMatchObject({
      name: 'ProgramError',
      message: `pg_dump is not installed, and pg_dump 15 or newer is needed to read the structure of ${main15}`,
      hint: expect.stringContaining('postgresql-client-15')
    })
  })

  it('says so where the named one is missing or something else', async () => {
    const missing = join(folder, 'no such')
    await expect(find(missing)).rejects.toThrow(`${missing} cannot be run as pg_dump`)
    const other = await script('bin', 'pg_dump', 'echo hello')
    await expect(find(other)).rejects.toThrow('it says "hello" when asked for its version')
  })
})

it('findPsql takes the one beside pg_dump, unless another is named', async () => {
  const dump = await fake('pg/15/bin', '15.1')
  const psql = await script('pg/15/bin', 'psql', 'exit 0')
  const named = await script('mine', 'psql', 'exit 0')
  expect(await findPsql(undefined, dump, {}, [])).toBe(psql)
  expect(await findPsql(named, dump, {}, [])).toBe(named)
  await expect(findPsql(join(folder, 'none'), dump, {}, [])).rejects.toThrow('there is no program at')
  await rm(psql)
  await expect(findPsql(undefined, dump, { PATH: '' }, [])).rejects.toThrow('psql is not installed')
})

it('majorOf knows that there were two numbers before 10', () => {
  expect([90624, 100023, 150018].map(majorOf)).toEqual(['9.6', '10', '15'])
})

describe('runProgram', () => {
  const run = (path: string, signal = new AbortController().signal, input?: string) =>
    runProgram(path, ['one arg'], {
      libpqEnv: { PGPASSWORD: 'tr0ub4dor' },
      env: { PATH: process.env.PATH, PGHOST: 'not.meant', HOME: '/home/me' },
      signal,
      ...(input !== undefined && { input })
    })

  it('hands over the connection by the environment, and nothing else of ours', async () => {
    const path = await script('bin', 'show', 'echo "$1|$PGPASSWORD|$PGHOST|$HOME|$LC_ALL|$(cat)"')
    const { code, stdout } = await run(path, undefined, 'input')
    expect([code, stdout.toString()]).toEqual([0, 'one arg|tr0ub4dor||/home/me|C|input\n'])
  })

  it('hides the password in what the program complains of', async () => {
    addSecret('tr0ub4dor')
    const path = await script('bin', 'fail', 'echo "bad password $PGPASSWORD" >&2; exit 3')
    expect(await run(path)).toMatchObject({ code: 3, stderr: 'bad password ***' })
  })

  it('is ended by an abort', async () => {
    const path = await script('bin', 'wait', 'exec sleep 60')
    const stop = new AbortController()
    const running = run(path, stop.signal)
    setTimeout(() => stop.abort(new Error('stopped by the test')), 200)
    await expect(running).rejects.toThrow('stopped by the test')
  })
})
