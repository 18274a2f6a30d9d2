/** How far a stream is behind, asked of main alone: from outside, while another process follows. */
import type { Lag } from '../core/events.js'
import { ident, literal } from '../postgres/quote.js'
import type { Server } from '../postgres/server.js'
import type { StreamState } from './ports.js'

/** @returns undefined where main cannot tell: poll and notify leave nothing there. */
export async function lagOf(
  main: Server,
  name: string,
  { origin }: Pick<StreamState, 'origin'>
): Promise<Lag | undefined> {
  if (origin.startsWith('wal ')) {
    const [slot] = await main.sql.unsafe<{ bytes: string | null; retained: string | null }[]>(
      `SELECT pg_catalog.pg_wal_lsn_diff(now.lsn, s.confirmed_flush_lsn)::text AS bytes,
         pg_catalog.pg_wal_lsn_diff(now.lsn, s.restart_lsn)::text AS retained
       FROM pg_catalog.pg_replication_slots s, (SELECT pg_catalog.pg_current_wal_lsn() AS lsn) now
       WHERE s.slot_name = ${literal(`pgsyncer_${name}`)}`
    )
    if (!slot) return undefined
    const { bytes, retained } = slot
    return {
      ...(bytes !== null && { bytes: Number(bytes) }),
      ...(retained !== null && { retainedBytes: Number(retained) })
    }
  }
  if (origin.startsWith('outbox ')) {
    const outbox = `pgsyncer.${ident(`outbox_${name}`)}`
    const [there] = await main.sql.unsafe<{ found: boolean }[]>(
      `SELECT pg_catalog.to_regclass(${literal(outbox)}) IS NOT NULL AS found`
    )
    if (!there!.found) return undefined
    const [row] = await main.sql.unsafe<{ rows: string }[]>(
      `SELECT pg_catalog.count(*)::text AS rows FROM ${outbox}`
    )
    return { rows: Number(row!.rows) }
  }
  return undefined
}
