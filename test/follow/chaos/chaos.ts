/**
 * What must be true whatever happens: while twelve people write to main, the follower is killed five times, its connections to main
 * are cut ten times, and the sink is stopped and started twice; afterwards both sides are equal row for row.
 */
import { randomBytes } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import pg from 'pg'
import { expect } from 'vitest'
import { createDatabase, type Db } from '../../support/databases.js'
import { randomOf } from '../../support/random.js'
import { Follower, pgsyncer } from './follower.js'
import { postgresRows, type SinkServer } from './sinks.js'
import { ddl, filled, Writers } from './writers.js'

/** Slots are named for a whole server, on which other files have streams at the same time. */
const stream = `chaos_${randomBytes(4).toString('hex')}`
/** Milliseconds after which a condition that does not come true has failed. */
const patience = 60_000

export interface Differences {
  missing: string[]
  extra: string[]
}

type Disturbance = 'kill' | 'cut' | 'sink'

interface Wishes {
  /** That follows instead of pgsyncer. */
  program?: string
  /** Less of everything, unless all was asked for (CHAOS=all): it takes some minutes more. */
  short?: boolean
}

/**
 * @returns what was lost, and what is there that main does not have; both empty.
 */
export async function chaos(
  source: string,
  sink: SinkServer,
  { program, short = false }: Wishes = {}
): Promise<Differences> {
  const seed = 1
  const all = !short || process.env.CHAOS === 'all'
  // Committed changes that there must have been at least.
  const enough = all ? 20_000 : 6_000
  const disturbances = all ? { kill: 5, cut: 10, sink: 2 } : { kill: 2, cut: 3, sink: 1 }
  const main = await createDatabase('chaos')
  const mixed = source === 'outbox' || source === 'wal'
  const tables = mixed ? ['accounts', 'counters', 'events'] : ['events']
  const where = ['--maindsn', main.url, '--name', stream, ...tables.flatMap(table => ['-t', table])]
  const follow = ['follow', ...where, '--source', source, '--to', sink.to, '--interval', '200ms']
  const capture = (action: string) => pgsyncer(['capture', action, '--source', source, ...where])
  const watcher = new pg.Client(main.url)
  try {
    await main.exec(ddl + filled)
    await watcher.connect()
    if (source !== 'poll') expect(await capture('install')).toMatchObject({ code: 0 })
    const writers = new Writers(main.url, mixed, seed)
    const follower = new Follower([...follow, '--log-format', 'json'], program)
    try {
      for (const disturbance of shuffled(disturbances, randomOf(seed))) {
        await moved(sink, follower)
        await disturb(disturbance, follower, sink, watcher)
      }
      await untilMany(() => writers.committed, enough, follower)
    } finally {
      await writers.stop()
      await follower.stop()
    }
    expect(follower.kills).toBe(disturbances.kill)
    expect(await pgsyncer([...follow, '--once'], program)).toMatchObject({ code: 0 })
    const found: Differences = { missing: [], extra: [] }
    for (const table of tables) {
      const [ours, theirs] = await Promise.all([postgresRows(watcher, table), sink.rows(table)])
      expect(ours.length).toBeGreaterThan(0)
      const { missing, extra } = differences(ours, theirs)
      found.missing.push(...missing)
      found.extra.push(...extra)
    }
    if (source !== 'poll') {
      expect(await capture('remove')).toMatchObject({ code: 0 })
      expect(await leftovers(main)).toEqual([])
    }
    return found
  } finally {
    await watcher.end()
    if (source === 'wal') await dropSlots(main)
    await main.drop()
  }
}

function shuffled(counts: Record<Disturbance, number>, random: () => number): Disturbance[] {
  const all = (Object.keys(counts) as Disturbance[]).flatMap(one => Array<Disturbance>(counts[one]).fill(one))
  return all
    .map(one => [random(), one] as const)
    .sort(([a], [b]) => a - b)
    .map(([, one]) => one)
}

async function disturb(
  what: Disturbance,
  follower: Follower,
  sink: SinkServer,
  watcher: pg.Client
): Promise<void> {
  if (what === 'kill') return follower.kill()
  if (what === 'sink') return sink.restart()
  await watcher.query(
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'pgsyncer' AND datname = current_database()`
  )
}

/** The sink gets on. */
async function moved(sink: SinkServer, follower: Follower): Promise<void> {
  const position = () => sink.position(stream).catch(() => undefined)
  const before = await position()
  await until(async () => {
    const now = await position()
    return now !== undefined && now !== before
  }, follower)
}

/** Waits until it holds. @throws with what the follower said where it does not within a minute. */
export async function until(holds: () => Promise<boolean>, follower: Follower): Promise<void> {
  const deadline = performance.now() + patience
  while (!(await holds())) {
    if (performance.now() > deadline)
      throw new Error(`nothing moved for a minute; the follower said:\n${follower.said}`)
    await delay(20)
  }
}

/** Waits until there are so many, for as long as they become more. */
export async function untilMany(count: () => number, enough: number, follower: Follower): Promise<void> {
  while (count() < enough) {
    const before = count()
    await until(async () => count() > before, follower)
  }
}

/** The first of what is on one side alone, or more often there. */
export function differences(
  ours: readonly string[],
  theirs: readonly string[]
): Record<'missing' | 'extra', string[]> {
  const counts = new Map<string, number>()
  for (const row of ours) counts.set(row, (counts.get(row) ?? 0) + 1)
  for (const row of theirs) counts.set(row, (counts.get(row) ?? 0) - 1)
  const of = (sign: number) =>
    [...counts]
      .filter(([, count]) => count * sign > 0)
      .map(([row]) => row.slice(0, 120))
      .slice(0, 5)
  return { missing: of(1), extra: of(-1) }
}

/** What capture has left behind on main. */
async function leftovers(main: Db): Promise<unknown[]> {
  return main.query(`
    SELECT 'schema' AS kind, nspname::text AS name FROM pg_namespace WHERE nspname = 'pgsyncer'
    UNION ALL SELECT 'slot', slot_name FROM pg_replication_slots WHERE database = current_database()
    UNION ALL SELECT 'publication', pubname FROM pg_publication
    UNION ALL SELECT 'trigger', tgname FROM pg_trigger WHERE tgname LIKE '%pgsyncer%'`)
}

async function dropSlots(main: Db): Promise<void> {
  await main.query(
    `SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE database = current_database() AND NOT active`
  )
}
