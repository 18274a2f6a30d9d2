/**
 * The one cut: a read-only REPEATABLE READ transaction on main that lasts until all of main is read, and whose exported
 * snapshot every connection that reads main takes up. All that a run says of main is true of this one moment.
 */
import { messageOf } from '../core/errors.js'
import { asQueryable, type Queryable, type Server } from '../postgres/server.js'

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
  sql: Queryable
  /** Why there is no snapshot. */
  note: string | undefined
  /** Its connection is lost, and what has not taken up the snapshot before cannot any more. */
  readonly isLost: boolean
  /** All is read that the run reads of this moment: nothing can take up the snapshot any more. */
  readonly isOver: boolean
  /** Ends it, so that main can clean up behind its clients while the standby builds indexes. May be called again. */
  close(): Promise<void>
}

/**
 * Transactions whose start cannot be seen are taken to be this old at most: other roles' sessions, those of a hot
 * standby's primary, and prepared ones, of which only the end is known.
 */
const unseenAge = '1 hour'

export async function openCut(main: Server): Promise<Cut> {
  const client = await main.connect()
  let isLost = false
  let isOver = false
  const lose = () => (isLost = true)
  client.once('end', lose)
  const sql = asQueryable(client)
  const horizon = await openSince(main, sql)
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
  const [now] = await sql.unsafe<{ time: string; lsn: string | null }[]>(
    `SELECT pg_catalog.now()::text AS time, ${lsnExpression(main)} AS lsn`
  )
  return {
    snapshot,
    lsn: now!.lsn,
    time: now!.time,
    horizon,
    sql,
    note,
    get isLost() {
      return isLost
    },
    get isOver() {
      return isOver
    },
    async close() {
      if (isOver) return
      isOver = true
      client.off('end', lose)
      await client.end().catch(() => {})
    }
  }
}

/**
 * Asked before the snapshot is taken: a transaction that ends between the two would otherwise be in neither. The
 * second less is for clocks: a start is set a moment before it is seen, and columns may be rounded.
 */
async function openSince(main: Server, sql: Queryable): Promise<string> {
  const [row] = await sql.unsafe<{ horizon: string }[]>(`
    SELECT (least(pg_catalog.now(),
      (SELECT pg_catalog.min(a.xact_start) FROM pg_catalog.pg_stat_activity a),
      (SELECT pg_catalog.min(p.prepared) - interval '${unseenAge}' FROM pg_catalog.pg_prepared_xacts p),
      CASE WHEN pg_catalog.pg_is_in_recovery()
        THEN least(pg_catalog.now(), pg_catalog.pg_last_xact_replay_timestamp()) - interval '${unseenAge}' END,
      CASE WHEN EXISTS (SELECT 1 FROM pg_catalog.pg_stat_activity a WHERE a.query = '<insufficient privilege>')
        THEN pg_catalog.now() - interval '${unseenAge}' END
      ) - interval '1 second')::text AS horizon`)
  return row!.horizon
}

function lsnExpression(main: Server): string {
  const [current, replayed] = main.can.lsnNames
    ? ['pg_current_wal_lsn', 'pg_last_wal_replay_lsn']
    : ['pg_current_xlog_location', 'pg_last_xlog_replay_location']
  return `CASE WHEN pg_catalog.pg_is_in_recovery() THEN pg_catalog.${replayed}()::text ELSE pg_catalog.${current}()::text END`
}
