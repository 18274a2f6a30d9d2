/**
 * How far a run may read (postgres/writers.ts says why): the greatest cursor is read first; then every transaction that is writing to
 * the source at that moment is waited for; only then are the rows up to that cursor read. What is inserted meanwhile
 * has later cursors, and is for the next round.
 */
import type pg from 'pg'
import { DataError } from '../../core/errors.js'
import { literal } from '../../postgres/quote.js'
import { asQueryable } from '../../postgres/server.js'
import { awaitWriters, type Writer } from '../../postgres/writers.js'
import type { Source } from './source.js'

export interface Settling {
  main: pg.Client
  source: Source
  /** Milliseconds; 0 waits for ever. */
  settleTimeout: number
  signal: AbortSignal
}

/** Milliseconds between two looks at the locks: at first, and at most. */
const shortest = 5
const longest = 200

/**
 * The cursor up to which every row later than `after` is committed; undefined where there is nothing later.
 * @throws DataError where a writer stays open for longer than `settleTimeout`.
 */
export async function settle(settling: Settling, after: string | null): Promise<string | undefined> {
  const end = await greatestCursor(settling, after)
  if (end === undefined) return undefined
  await awaitWriters(asQueryable(settling.main), settling.source.oid, {
    shortest,
    longest,
    signal: settling.signal,
    waiting(writers, waited) {
      if (settling.settleTimeout > 0 && waited > settling.settleTimeout) throw stuck(settling, writers)
    }
  })
  return end
}

/**
 * The greatest cursor that can be seen. A timestamptz is mostly `now()`, which is when its transaction began, maybe
 * long before it took its lock: only what is earlier than the oldest transaction counts then. That also keeps a row
 * from the future (a clock that is ahead) from hiding all others behind it.
 */
async function greatestCursor({ main, source }: Settling, after: string | null): Promise<string | undefined> {
  const conditions = [
    ...(after === null ? [] : [`${source.cursor} > ${literal(after)}::${source.type}`]),
    ...(source.moment ? [`${source.cursor} < (${oldestTransaction})`] : [])
  ]
  const { rows } = await main.query<{ at: string }>(
    `SELECT ${source.cursor}::text AS at FROM ${source.relation} t WHERE ${conditions.join(' AND ') || 'true'}
     ORDER BY ${source.cursor} DESC LIMIT 1`
  )
  return rows[0]?.at
}

const oldestTransaction = `SELECT least(pg_catalog.clock_timestamp(), pg_catalog.min(a.xact_start)) FROM pg_catalog.pg_stat_activity a
  WHERE a.datname = pg_catalog.current_database() AND a.pid <> pg_catalog.pg_backend_pid() AND a.query NOT LIKE 'autovacuum:%'`

/** What this run cannot wait for, as notes; asked once. */
export async function horizonNotes({ main, source }: Pick<Settling, 'main' | 'source'>): Promise<string[]> {
  const { rows } = await main.query<{ recovery: boolean; hidden: boolean }>(`
    SELECT pg_catalog.pg_is_in_recovery() AS recovery, EXISTS (SELECT 1 FROM pg_catalog.pg_stat_activity a
      WHERE a.datname = pg_catalog.current_database() AND a.query = '<insufficient privilege>') AS hidden`)
  const { recovery, hidden } = rows[0]!
  const late = `a row of ${source.name} that is committed after one with a later cursor may be missed`
  const notes: string[] = []
  if (recovery) notes.push(`main is a hot standby, whose writers cannot be seen: ${late}`)
  else if (!/[rp]/.test(source.kind))
    notes.push(`${source.name} is no table, so its writers cannot be seen: ${late}`)
  else if (source.moment && hidden)
    notes.push(
      `main hides when other sessions began (GRANT pg_read_all_stats shows it): ${late}, if its transaction began before the run`
    )
  return notes
}

function stuck({ source, settleTimeout }: Settling, waiting: readonly Writer[]): DataError {
  const who = waiting
    .map(({ id, pid }) => (pid === null ? `prepared ${id.slice(3)}` : `pid ${pid}`))
    .join(', ')
  return new DataError(
    `${waiting.length} ${waiting.length === 1 ? 'transaction is' : 'transactions are'} writing to ${source.name} on main for longer than ${settleTimeout} ms (${who})`,
    {
      table: source.name,
      hint: 'Nothing is lost: their rows may have lower cursors than those already seen, so none was read. Run again when they have ended, or raise --settle-timeout.'
    }
  )
}
