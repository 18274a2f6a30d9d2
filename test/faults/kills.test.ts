/**
 * kill -9 of the program, of sessions on the standby, and of its whole server, at a moment that a seed chooses: after so many bytes
 * have passed between program and server. The standby is never worse than before, nothing stays behind, and the next run ends it.
 */
import type { ChildProcess } from 'node:child_process'
import { existsSync } from 'node:fs'
import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { afterAll, afterEach, beforeAll, describe, expect, inject, test, vi } from 'vitest'
import { findBinaries } from '../../src/cli/demo/binaries.js'
import { startServer, type ThrowawayServer } from '../../src/cli/demo/servers.js'
import { createPair, type Pair } from '../support/databases.js'
import { randomOf } from '../support/random.js'
import { startProxy, type Proxy } from '../support/proxy.js'
import { expectNoHelpers, modes, start, withTemp, type Mode } from './program.js'
import { expectGone, expectNothingLeft, expectNotWorse, expectSame, Stage, type Scene } from './scene.js'
import { seeds } from './seeds.js'

const built = existsSync(fileURLToPath(new URL('../../dist/main.js', import.meta.url)))

vi.setConfig({ testTimeout: 180_000 })

const nameOf = (url: string): string => new URL(url).pathname.slice(1)

/** The mode of a seed, and how far the run is to come: a share of the bytes that an undisturbed one moves. */
function chance(seed: number) {
  const random = randomOf(seed)
  random()
  return { mode: modes[Math.floor(random() * modes.length)]!, share: random(), random }
}

const by = (proxy: Proxy, scene: Scene, sides: readonly ('main' | 'standby')[]) => ({
  main: sides.includes('main') ? proxy.url(scene.main) : scene.main,
  standby: sides.includes('standby') ? proxy.url(scene.standby) : scene.standby
})

/** What an undisturbed run of each mode moves by way of the proxy; such a run must end well. */
class Lengths {
  readonly #known = new Map<Mode, Promise<number>>()

  constructor(
    readonly stage: Stage,
    readonly proxy: Proxy,
    readonly sides: readonly ('main' | 'standby')[]
  ) {}

  of(mode: Mode): Promise<number> {
    const known = this.#known.get(mode) ?? this.#measure(mode)
    this.#known.set(mode, known)
    return known
  }

  async #measure(mode: Mode): Promise<number> {
    const scene = await this.stage.scene(modes.indexOf(mode) + 100_000)
    try {
      const before = this.proxy.sent + this.proxy.received
      const { code, stderr } = await start(by(this.proxy, scene, this.sides), mode).ended
      expect([code, code === 0 ? '' : stderr]).toEqual([0, ''])
      const bytes = this.proxy.sent + this.proxy.received - before
      await expectSame(scene, mode.cleans)
      await expectGone(scene)
      await expectNothingLeft(scene)
      return bytes
    } finally {
      await scene.drop()
    }
  }
}

describe.skipIf(!built)('the program is killed', () => {
  let stage: Stage
  let proxy: Proxy
  let lengths: Lengths
  beforeAll(async () => {
    stage = new Stage({ main: inject('adminUrl'), standby: inject('adminUrl') }, 'killed')
    proxy = await startProxy(inject('adminUrl'))
    lengths = new Lengths(stage, proxy, ['main', 'standby'])
  })
  afterAll(async () => {
    await proxy.stop()
    await stage.close()
  })

  test.each(seeds(2))('seed %d', async seed => {
    const { mode, share } = chance(seed)
    const moment = share * (await lengths.of(mode))
    const scene = await stage.scene(seed)
    try {
      await withTemp(async temp => {
        const began = proxy.sent + proxy.received
        const { child, ended } = start(by(proxy, scene, ['main', 'standby']), mode, { temp })
        void proxy
          .until(() => proxy.sent + proxy.received - began >= moment)
          .then(() => child.kill('SIGKILL'))
        await ended
        await expectGone(scene)
        await expectNoHelpers([nameOf(scene.main), nameOf(scene.standby)])
      })
      await expectNotWorse(scene)
      await expectNothingLeft(scene)
      const next = await start(scene, mode).ended
      expect([next.code, next.code === 0 ? '' : next.stderr]).toEqual([0, ''])
      await expectSame(scene, mode.cleans)
    } finally {
      await scene.drop()
    }
  })
})

describe.skipIf(!built)('of the standby', () => {
  let server: ThrowawayServer
  let stage: Stage
  let proxy: Proxy
  let lengths: Lengths
  beforeAll(async () => {
    const settings = { synchronous_commit: 'on', autovacuum_naptime: '1' }
    server = await startServer({ binaries: await findBinaries(15), name: 'faults', settings })
    stage = new Stage({ main: inject('adminUrl'), standby: server.url }, 'standby')
    proxy = await startProxy(server.url)
    lengths = new Lengths(stage, proxy, ['standby'])
  })
  afterAll(async () => {
    await proxy.stop()
    await stage.close()
    await server.stop('immediate')
  })

  /** Disturbs a run once, lets it come to its end, and makes another one where it did not end well. */
  async function disturbed(seed: number, disturb: (scene: Scene, random: () => number) => Promise<void>) {
    const { mode, share, random } = chance(seed)
    const moment = share * (await lengths.of(mode))
    const scene = await stage.scene(seed)
    try {
      const began = proxy.sent + proxy.received
      const { ended } = start(by(proxy, scene, ['standby']), mode)
      const moved = () => proxy.sent + proxy.received - began
      let struck: Promise<void> | undefined
      void proxy.until(() => moved() >= moment).then(() => (struck = disturb(scene, random)))
      const first = await ended
      await struck
      await scene.reconnect()
      await expectGone(scene)
      await expectNotWorse(scene)
      await expectNothingLeft(scene)
      expect([0, 1]).toContain(first.code)
      if (first.code === 0) await expectSame(scene, mode.cleans)
      else {
        const next = await start(scene, mode).ended
        expect([next.code, next.code === 0 ? '' : next.stderr]).toEqual([0, ''])
        await expectSame(scene, mode.cleans)
      }
      return first
    } finally {
      await scene.drop()
    }
  }

  describe('sessions are ended', () => {
    test.each(seeds(1))('seed %d', async seed => {
      await disturbed(seed, async (scene, random) => {
        const one = random() < 0.5 ? 'ORDER BY pid LIMIT 1' : ''
        await scene.admin.standby.query(
          `SELECT pg_terminate_backend(pid) FROM (SELECT pid FROM pg_stat_activity
             WHERE application_name LIKE 'pg%' AND datname = $1 ${one}) s`,
          [nameOf(scene.standby)]
        )
      })
    })
  })

  describe('the server is ended', () => {
    test.each(seeds(1))('seed %d', async seed => {
      await disturbed(seed, async (_, random) => server.restart(random() < 0.5 ? 'fast' : 'immediate'))
    })
  })

  describe('one of its processes is killed', () => {
    test.runIf(process.env.FAULTS === 'all').each(seeds(1))('seed %d', async seed => {
      await disturbed(seed, async scene => {
        const { rows } = await scene.admin.standby.query<{ pid: number }>(
          `SELECT pid FROM pg_stat_activity WHERE application_name LIKE 'pg%' AND datname = $1 ORDER BY query_start DESC LIMIT 1`,
          [nameOf(scene.standby)]
        )
        // The server then ends all its sessions, and recovers.
        for (const { pid } of rows) process.kill(pid, 'SIGKILL')
      })
    })
  })
})

describe.skipIf(!built)('the program is killed while', () => {
  let pair: Pair
  const urls = () => ({ main: pair.main.url, standby: pair.standby.url })
  afterEach(() => pair.drop())

  test('psql has read a part of the structure: nothing of it is there', async () => {
    pair = await createPair({
      main: 'CREATE TABLE a (id int); CREATE TABLE b (id int); CREATE TABLE c (id int)'
    })
    await withTemp(async temp => {
      // What psql sees of a program that ends in the middle of a line's end.
      const psql = join(temp, 'psql')
      await writeFile(psql, '#!/bin/sh\nsed "/CREATE TABLE public.b /,\\$ d" | psql "$@"\n', { mode: 0o755 })
      const { code } = await start(urls(), { argv: ['--force-psql', '--psql', psql] }).ended
      expect(code).toBe(1)
      await rm(psql)
    })
    expect(await pair.standby.query(`SELECT to_regclass('a') AS a, to_regclass('b') AS b`)).toEqual([
      { a: null, b: null }
    ])
    const next = await start(urls(), { argv: ['--force-psql'] }).ended
    expect([next.code, next.report?.identical]).toEqual([0, true])
  })

  test('an index is built concurrently: the next run makes it whole, concurrently or not', async () => {
    pair = await createPair({
      ddl: 'CREATE TABLE t (id int PRIMARY KEY, v text); INSERT INTO t VALUES (1)',
      main: 'CREATE INDEX t_v ON t (v)'
    })
    await pair.standby.exec('BEGIN; LOCK TABLE t IN ROW EXCLUSIVE MODE')
    const argv = ['--lock-timeout', '0', '--concurrent-indexes']
    const { child, ended } = start(urls(), { argv })
    await waitsForLock(pair, child)
    child.kill('SIGKILL')
    await ended
    // It waits for the table still: it ends because nobody waits for it.
    await sessionsGone(pair)
    await pair.standby.exec('ROLLBACK')
    const invalid = 'SELECT indexrelid::regclass::text AS name FROM pg_index WHERE NOT indisvalid'
    expect(await pair.standby.query(invalid)).toEqual([{ name: 't_v' }])
    const next = await start(urls(), { argv: [] }).ended
    expect([next.code, next.report?.identical]).toEqual([0, true])
    expect(await pair.standby.query(invalid)).toEqual([])
    expect(await pair.standby.query(`SELECT to_regclass('t_v') IS NOT NULL AS there`)).toEqual([
      { there: true }
    ])
  })
})

async function waitsForLock(pair: Pair, child: ChildProcess): Promise<void> {
  for (;;) {
    const rows = await pair.main.query(
      `SELECT FROM pg_stat_activity WHERE datname = $1 AND wait_event_type = 'Lock'`,
      [pair.standby.name]
    )
    if (rows.length > 0) return
    if (child.exitCode !== null) throw new Error(`it ended with ${child.exitCode} and met no lock`)
    await delay(20)
  }
}

async function sessionsGone(pair: Pair): Promise<void> {
  const left = () =>
    pair.main.query(`SELECT FROM pg_stat_activity WHERE datname = $1 AND application_name LIKE 'pg%'`, [
      pair.standby.name
    ])
  while ((await left()).length > 0) await delay(20)
}
