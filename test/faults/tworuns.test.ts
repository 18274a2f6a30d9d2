/** Two runs on one standby: the second is refused, whatever the first is, and no lock is left by a run that was killed. */
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createPair, type Pair } from '../support/databases.js'
import { tableDigest } from '../support/digest.js'
import { start, type Started } from './program.js'

const built = existsSync(fileURLToPath(new URL('../../dist/main.js', import.meta.url)))

let pair: Pair
/** Holds the standby's table, so that who writes to it waits. */
let holder: pg.Client
const running: Started[] = []

beforeEach(async () => {
  pair = await createPair({
    ddl: 'CREATE TABLE t (id int PRIMARY KEY, v text); CREATE TABLE other (id int PRIMARY KEY)',
    main: "INSERT INTO t SELECT n, 'v' || n FROM generate_series(1, 500) n; INSERT INTO other VALUES (1)",
    standby: "INSERT INTO t VALUES (1, 'old')"
  })
  holder = new pg.Client({ connectionString: pair.standby.url })
  holder.on('error', () => {})
  await holder.connect()
  await holder.query('BEGIN; LOCK TABLE t IN EXCLUSIVE MODE')
})

afterEach(async () => {
  for (const { child } of running.splice(0)) child.kill('SIGKILL')
  await holder.end()
  await pair.drop()
})

const urls = () => ({ main: pair.main.url, standby: pair.standby.url })

function sync(...argv: string[]): Started {
  const run = start(urls(), { argv: ['--sync-schema=false', '-t', 't', '--lock-timeout', '0', ...argv] })
  running.push(run)
  return run
}

function copy(...argv: string[]): Started {
  const run = start(urls(), { argv: ['--table', 't', ...argv] }, { command: 'copy' })
  running.push(run)
  return run
}

/** Until a session of ours waits for the table; gives its process id. */
async function waits(run: Started): Promise<number> {
  for (;;) {
    const [found] = await pair.main.query<{ pid: number }>(
      `SELECT pid FROM pg_stat_activity WHERE datname = $1 AND wait_event_type = 'Lock' AND application_name = 'pgsyncer'`,
      [pair.standby.name]
    )
    if (found) return found.pid
    if (run.child.exitCode !== null) throw new Error(`it ended with ${run.child.exitCode} and met no lock`)
    await delay(20)
  }
}

const letGo = () => holder.query('ROLLBACK')

async function expectSame(): Promise<void> {
  expect(await tableDigest(pair.standby.url, 'public.t')).toBe(await tableDigest(pair.main.url, 'public.t'))
}

const copyOther = () => start(urls(), { argv: ['--table', 'other'] }, { command: 'copy' })

describe.skipIf(!built)('while one run writes, the others are refused with 4, and it ends well:', () => {
  test('a sync, whatever comes', async () => {
    const one = sync()
    await waits(one)
    for (const { code, stderr } of await Promise.all([sync().ended, copyOther().ended])) {
      expect(code).toBe(4)
      expect(stderr).toMatch(/another run is writing to the standby/)
    }
    await letGo()
    expect((await one.ended).code).toBe(0)
    await expectSame()
  })

  test('a copy, a sync and another copy of its table, but none of another, and none that only reads', async () => {
    const one = copy()
    await waits(one)
    const others = [
      sync(),
      copy(),
      copyOther(),
      start(urls(), { argv: [] }, { command: 'diff' }),
      sync('--dry-run')
    ]
    const [refused, twin, other, diff, dry] = await Promise.all(others.map(({ ended }) => ended))
    expect([refused, twin, other, diff, dry].map(ended => ended?.code)).toEqual([4, 4, 0, 3, 3])
    expect(refused?.stderr).toMatch(/another run is writing to the standby/)
    expect(twin?.stderr).toMatch(/another run is copying public\.t/)
    await letGo()
    expect((await one.ended).code).toBe(0)
    await expectSame()
  })
})

describe.skipIf(!built)('a run that was killed', () => {
  test('leaves no lock: what it left at work ends by itself, and the next run goes on', async () => {
    const one = sync()
    const pid = await waits(one)
    one.child.kill('SIGKILL')
    await one.ended
    // Its statement still waits for the table, until its server looks for its client.
    const next = sync()
    while ((await waits(next)) === pid) await delay(20)
    await letGo()
    const { code, stderr } = await next.ended
    expect([code, code === 0 ? '' : stderr]).toEqual([0, ''])
    await expectSame()
  })

  test.runIf(process.env.FAULTS === 'all')(
    'and whose session does not end keeps the next one away, which names it',
    async ({ skip }) => {
      const one = sync()
      const pid = await waits(one)
      const title = await readFile(`/proc/${pid}/cmdline`, 'latin1').catch(() => '')
      if (!title.includes(pair.standby.name)) return skip('the server’s processes are not ours to stop')
      // As on a server that cannot look: stopped, it notices nothing.
      process.kill(pid, 'SIGSTOP')
      try {
        one.child.kill('SIGKILL')
        await one.ended
        const refused = await sync().ended
        expect(refused.code).toBe(4)
        expect(refused.stderr).toMatch(new RegExp(`still at work on the standby .*process ${pid}\\\\?\\)`))
      } finally {
        process.kill(pid, 'SIGCONT')
      }
      await letGo()
      expect((await sync().ended).code).toBe(0)
      await expectSame()
    }
  )
})

test.skipIf(!built)('a run whose lock is lost with its connection lets no other in between', async () => {
  const one = sync()
  const pid = await waits(one)
  const [lock] = await pair.main.query<{ pid: number }>(
    `SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND classid = 1885827449 AND mode = 'ExclusiveLock'
       AND database = (SELECT oid FROM pg_database WHERE datname = $1)`,
    [pair.standby.name]
  )
  expect(lock!.pid).not.toBe(pid)
  await pair.main.query('SELECT pg_terminate_backend($1)', [lock!.pid])
  const refused = await sync().ended
  expect(refused.code).toBe(4)
  // By the session that writes, or by the lock, where the run has taken it again meanwhile.
  expect(refused.stderr).toMatch(/still at work|another run is writing/)
  await letGo()
  expect((await one.ended).code).toBe(0)
  await expectSame()
})
