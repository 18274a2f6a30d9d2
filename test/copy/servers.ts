/** Copies between two real databases: made for a test, with what it needs to wait for and to look at. */
import { setTimeout as delay } from 'node:timers/promises'
import pg from 'pg'
import { expect } from 'vitest'
import { copyTable, postgresPool, type CopyConfig, type PostgresPoolOptions } from '../../src/index.js'
import type { CopyTableOptions } from '../../src/copy/types.js'
import { createPair, type Db, type Pair, type PairOptions } from '../support/databases.js'
import { tableDigest } from '../support/digest.js'

export const config: CopyConfig = {
  batchSize: 100,
  maxRetries: 3,
  retriesDelay: 1,
  callTimeout: 30_000,
  fullCopyTimeout: 60_000
}

export interface Copying extends Pair {
  /** Copies `t`, or another table, as the command line does: rows are opaque. */
  copy(
    change?: Partial<CopyConfig>,
    pool?: Partial<PostgresPoolOptions>,
    options?: CopyTableOptions
  ): ReturnType<typeof copyTable>
}

export async function withPair(options: PairOptions, use: (pair: Copying) => Promise<void>): Promise<void> {
  const pair = await createPair(options)
  try {
    await use({
      ...pair,
      copy(change = {}, pool = {}, rest = {}) {
        const all = { ...config, ...change }
        const dsns = { main: pair.main.url, standby: pair.standby.url }
        const made = postgresPool({ ...dsns, table: 't', batchSize: all.batchSize, opaque: true, ...pool })
        return copyTable(all, made, 'main', 'standby', rest)
      }
    })
  } finally {
    await pair.drop()
  }
}

/** Both sides hold the same, as psql sees it. */
export async function expectSame({ main, standby }: Pair, table = 'public.t'): Promise<void> {
  const there = await tableDigest(main.url, table)
  expect(await tableDigest(standby.url, table)).toBe(there)
  expect(there).not.toMatch(/^0 /)
}

/** The process ids of our sessions in a database, with a condition on pg_stat_activity. */
export async function sessions(db: Db, condition = 'true'): Promise<number[]> {
  const rows = await db.query<{ pid: number }>(
    `SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'pgsyncer' AND ${condition}`
  )
  return rows.map(({ pid }) => pid)
}

export const waitsForLock = "wait_event_type = 'Lock'"

/** Asks until it is so; the test's own time-out is the limit. */
export async function until<T>(ask: () => Promise<T | false>): Promise<T> {
  for (;;) {
    const answer = await ask()
    if (answer !== false) return answer
    await delay(10)
  }
}

/** No session of ours is left in it. */
export const allGone = (db: Db) => until(async () => (await sessions(db)).length === 0)

/** Holds a table, so that whoever writes to it (or, with another mode, reads it) waits; the returned function lets go. */
export async function hold({ url }: Db, mode = 'EXCLUSIVE'): Promise<() => Promise<void>> {
  // Not the Db's own session: within a transaction, pg_stat_activity stands still.
  const holder = new pg.Client({ connectionString: url })
  holder.on('error', () => {})
  await holder.connect()
  await holder.query(`BEGIN; LOCK TABLE t IN ${mode} MODE`)
  return () => holder.end()
}

/** The one session of ours that waits for a lock. */
export const waiting = (db: Db) =>
  until(async () => {
    const [pid] = await sessions(db, waitsForLock)
    return pid ?? false
  })
