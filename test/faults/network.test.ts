/**
 * A network that delays, limits and cuts, and servers that are away for a while or for good: what passes between program and servers
 * goes by way of a proxy. A run ends well, of one moment of main, or says of every table what became of it.
 */
import { existsSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, beforeEach, describe, expect, inject, test, vi } from 'vitest'
import { startProxy, type Proxy } from '../support/proxy.js'
import { randomOf } from '../support/random.js'
import { modes, start, type Mode, type Started } from './program.js'
import { expectGone, expectNothingLeft, expectNotWorse, expectSame, Stage, type Scene } from './scene.js'
import { seeds } from './seeds.js'

const built = existsSync(fileURLToPath(new URL('../../dist/main.js', import.meta.url)))
const all = process.env.FAULTS === 'all'

vi.setConfig({ testTimeout: 180_000 })

type Role = 'main' | 'standby'

let stage: Stage
let number = 0
const proxies = new Map<Role, Proxy>()
const [plain] = modes as [Mode]

beforeAll(async () => {
  stage = new Stage({ main: inject('adminUrl'), standby: inject('adminUrl') }, 'network')
  for (const role of ['main', 'standby'] as const) proxies.set(role, await startProxy(inject('adminUrl')))
})
beforeEach(async () => {
  for (const proxy of proxies.values()) {
    await proxy.accept()
    proxy.flow()
    proxy.slow({})
  }
})
afterAll(async () => {
  for (const proxy of proxies.values()) await proxy.stop()
  await stage.close()
})

const moved = (role: Role) => proxies.get(role)!.sent + proxies.get(role)!.received

async function withScene(use: (scene: Scene, urls: Record<Role, string>) => Promise<void>): Promise<void> {
  const scene = await stage.scene(++number)
  try {
    await use(scene, {
      main: proxies.get('main')!.url(scene.main),
      standby: proxies.get('standby')!.url(scene.standby)
    })
  } finally {
    await scene.drop()
  }
}

interface Retry {
  what: string
  attempt: number
  delay: number
}

/** The retries that a run tells of, as they come. */
function retriesOf({ child }: Started, on: (retries: readonly Retry[]) => void = () => {}): readonly Retry[] {
  const retries: Retry[] = []
  createInterface({ input: child.stderr! }).on('line', line => {
    if (!line.startsWith('{')) throw new Error(line)
    const event = JSON.parse(line) as Retry & { event?: string }
    if (event.event !== 'retry') return
    retries.push(event)
    on(retries)
  })
  return retries
}

async function expectWell(scene: Scene, mode: Mode, run: Started) {
  const { code, stderr, report } = await run.ended
  expect([code, code === 0 ? '' : stderr]).toEqual([0, ''])
  await expectSame(scene, mode.cleans)
  await expectGone(scene)
  await expectNothingLeft(scene)
  return report!
}

/** It doubles with each try of the same work, up to 10 s. */
function expectGrowing(retries: readonly Retry[]): void {
  for (const { attempt, delay } of retries) {
    const least = Math.min(10_000, 200 * 2 ** (attempt - 1))
    expect(delay).toBeGreaterThanOrEqual(least)
    expect(delay).toBeLessThanOrEqual(2 * least)
  }
}

describe.skipIf(!built)('a network that', () => {
  test.runIf(all)('delays every piece and lets few bytes pass is waited for', async () => {
    await withScene(async (scene, urls) => {
      for (const proxy of proxies.values()) proxy.slow({ delay: 20, rate: 200_000 })
      const run = start(urls, plain)
      const retries = retriesOf(run)
      const report = await expectWell(scene, plain, run)
      expect(retries).toEqual([])
      expect(report.notes).toEqual([])
    })
  })

  test.each(seeds(1))('cuts all connections, again and again, seed %d', async seed => {
    const random = randomOf(seed)
    const mode = modes[Math.floor(random() * modes.length)]!
    await withScene(async (scene, urls) => {
      const run = start(urls, mode)
      const cuts: Role[] = []
      const roles: Role[] = ['main', 'standby']
      for (const role of roles) {
        let from = moved(role)
        const strike = async (left: number): Promise<void> => {
          const at = from + 20_000 + random() * 150_000
          await proxies.get(role)!.until(() => moved(role) >= at)
          if (run.child.exitCode !== null) return
          cuts.push(role)
          proxies.get(role)!.cut()
          from = moved(role)
          if (left > 1) await strike(left - 1)
        }
        void strike(2)
      }
      const { code, report, stderr } = await run.ended
      await expectGone(scene)
      await expectNothingLeft(scene)
      await expectNotWorse(scene)
      if (code !== 0) {
        // Main's first answers were cut: nothing had begun.
        expect([code, cuts.length > 0, stderr]).toEqual([
          1,
          true,
          expect.stringMatching(/connection|cannot be reached/)
        ])
        await expectWell(scene, mode, start(scene, mode))
      } else {
        await expectSame(scene, mode.cleans)
        expect(report!.cut.time).not.toBe('')
      }
    })
  })
})

describe.skipIf(!built)('a network that stalls', () => {
  test.each<Role>(all ? ['main', 'standby'] : ['standby'])(
    'the connections that there are, to %s: others are made',
    async role => {
      await withScene(async (scene, urls) => {
        const run = start(urls, { argv: ['--max-outage', '5s'] })
        const began = moved(role)
        void proxies
          .get(role)!
          .until(() => moved(role) - began > 300_000)
          .then(() => proxies.get(role)!.stall('present'))
        const { code, stderr } = await run.ended
        expect([code, code === 0 ? '' : stderr]).toEqual([0, ''])
        await expectSame(scene, plain.cleans)
        // What it gave up, the proxy still holds.
        proxies.get(role)!.cut()
        await expectGone(scene)
        await expectNothingLeft(scene)
      })
    }
  )

  test.runIf(all).each<Role>(['main', 'standby'])('all connections to %s, for good: it ends', async role => {
    await withScene(async (scene, urls) => {
      const slow = (url: string) => `${url}?connect_timeout=2`
      const run = start(
        { main: slow(urls.main), standby: slow(urls.standby) },
        { argv: ['--max-outage', '5s'] }
      )
      const began = moved(role)
      void proxies
        .get(role)!
        .until(() => moved(role) - began > 300_000)
        .then(() => proxies.get(role)!.stall('all'))
      const { code } = await run.ended
      expect(code).toBe(1)
      proxies.get(role)!.flow()
      proxies.get(role)!.cut()
      await expectGone(scene)
      await expectNotWorse(scene)
      await expectNothingLeft(scene)
      await expectWell(scene, plain, start(urls, plain))
    })
  })
})

describe.skipIf(!built)('a server that is away', () => {
  test.each<[Role, number]>(
    all
      ? [
          ['main', 0.3],
          ['main', 0.7],
          ['standby', 0.3],
          ['standby', 0.7]
        ]
      : [['main', 0.5]]
  )('and comes back: %s, when %d of its bytes have passed', async (role, share) => {
    const bytes = { main: 500_000, standby: 500_000 }[role]
    await withScene(async (scene, urls) => {
      const proxy = proxies.get(role)!
      const began = moved(role)
      const run = start(urls, plain)
      const away = all ? 10_000 : 1_000
      let waited = 0
      const retries = retriesOf(run, so => {
        waited = Math.max(waited, Math.max(...so.map(({ delay }) => delay)) * 2)
        if (waited > away) void proxy.accept()
      })
      void proxy.until(() => moved(role) - began > share * bytes).then(() => proxy.refuse())
      const report = await expectWell(scene, plain, run)
      expect(retries.length).toBeGreaterThan(1)
      expectGrowing(retries)
      if (role === 'main')
        expect(report.notes).toContainEqual(
          expect.stringMatching(/^the run began anew, because .*: this report is of main at its own cut/)
        )
    })
  })

  test.each<Role>(['main', 'standby'])('for good: %s', async role => {
    await withScene(async (scene, urls) => {
      const proxy = proxies.get(role)!
      const argv = ['--sync-schema=false', '--max-outage', '1s']
      const before = new Map(scene.before)
      const run = start(urls, { argv })
      const retries = retriesOf(run)
      const began = moved(role)
      void proxy.until(() => moved(role) - began > 120_000).then(() => proxy.refuse())
      const { code, report } = await run.ended
      expect(code).toBe(1)
      expect(Math.max(...retries.map(({ delay }) => delay))).toBeLessThanOrEqual(1000)
      const tables = new Map(report?.tables.map(one => [one.table, one]))
      expect([...tables.keys()].sort()).toEqual([...before.keys(), 'missing'].sort())
      expect(report!.failures.join()).toMatch(/cut short.*(refused the connection|lost)|ECONNREFUSED/)
      for (const table of tables.values()) {
        if (table.status === 'failed')
          expect(table.reason).toMatch(/refused|snapshot is gone|connection|missing|on main and/i)
      }
      await expectGone(scene)
      await expectNotWorse(scene)
      await proxy.accept()
      await expectWell(scene, plain, start(urls, plain))
    })
  })

  test('when the run begins: an error at once, or, with --connect-wait, patience', async () => {
    await withScene(async (scene, urls) => {
      const proxy = proxies.get('main')!
      await proxy.refuse()
      const hasty = start(urls, plain)
      const none = retriesOf(hasty)
      const { code, stderr } = await hasty.ended
      expect(code).toBe(1)
      expect(stderr).toMatch(/refused the connection/)
      expect(none).toEqual([])
      const run = start(urls, { argv: ['--connect-wait', '1m'] })
      const retries = retriesOf(run, so => void (so.length > 2 && proxy.accept()))
      await expectWell(scene, plain, run)
      expect(retries.length).toBeGreaterThan(2)
      expectGrowing(retries)
    })
  })
})
