/**
 * The one cut: a read-only REPEATABLE READ transaction on main that lasts as long as the run, and whose exported
 * snapshot every connection that reads main takes up. All that a run says of main is true of this one moment.
 */
import type postgres from 'postgres'
import { messageOf } from '../core/errors.js'
import type { Server } from '../postgres/server.js'

export interface Cut {
  /** undefined: main cannot export one, and the run must do with one connection. */
  snapshot: string | undefined
  lsn: string | null
  time: string
  /**
   * No transaction that was open at the cut set its `updated_at` earlier than this: the `since` of the next run.
   */
  horizon: string
  /** The transaction itself, for the catalogs. */
  sql: postgres.ReservedSql
  /** Why there is no snapshot. */
  note: string | undefined
  close(): Promise<void>
}

/** Where other sessions' transactions cannot be seen, they are taken to be this old at most. */
const unseenAge = '1 hour'

export async function openCut(main: Server): Promise<Cut> {
  const sql = await main.sql.reserve()
  const begin = () => sql.unsafe('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY')
  await begin()
  let snapshot: string | undefined
  let note: string | undefined
  try {
    snapshot = (await sql.unsafe<{ id: string }[]>('SELECT pg_catalog.pg_export_snapshot() AS id'))[0]!.id
  } catch (error) {
    note = `main cannot export its snapshot (${messageOf(error)}): going on with one connection`
    await sql.unsafe('ROLLBACK')
    await begin()
  }
  const [now] = await sql.unsafe<{ time: string; lsn: string | null; horizon: string }[]>(`
    SELECT pg_catalog.now()::text AS time, ${lsnExpression(main)} AS lsn,
      least(pg_catalog.now(),
        (SELECT pg_catalog.min(a.xact_start) FROM pg_catalog.pg_stat_activity a),
        (SELECT pg_catalog.min(p.prepared) FROM pg_catalog.pg_prepared_xacts p),
        CASE WHEN EXISTS (SELECT 1 FROM pg_catalog.pg_stat_activity a WHERE a.query = '<insufficient privilege>')
          THEN pg_catalog.now() - interval '${unseenAge}' END)::text AS horizon`)
  return {
    snapshot,
    lsn: now!.lsn,
    time: now!.time,
    horizon: now!.horizon,
    sql,
    note,
    async close() {
      await sql.unsafe('ROLLBACK').catch(() => {})
      sql.release()
    }
  }
}

function lsnExpression(main: Server): string {
  const [current, replayed] = main.can.lsnNames
    ? ['pg_current_wal_lsn', 'pg_last_wal_replay_lsn']
    : ['pg_current_xlog_location', 'pg_last_xlog_replay_location']
  return `CASE WHEN pg_catalog.pg_is_in_recovery() THEN pg_catalog.${replayed}()::text ELSE pg_catalog.${current}()::text END`
}
