/** A replication slot as main describes it, and what can be wrong with it. Whatever a version does not tell is absent. */
import { FollowError, GuardError } from '../../core/errors.js'
import { literal } from '../../postgres/quote.js'
import type { Queryable } from '../../postgres/server.js'

export interface Slot {
  slot_name: string
  plugin: string | null
  slot_type: string
  database: string | null
  active: boolean
  active_pid: number | null
  restart_lsn: string | null
  confirmed_flush_lsn: string | null
  /** From 13. */
  wal_status?: string | null
  /** From 17. */
  invalidation_reason?: string | null
  /** Bytes of WAL that it keeps. */
  retained: number | null
}

/** The slot of that name, or undefined. */
export async function readSlot(sql: Queryable, name: string): Promise<Slot | undefined> {
  const [row] = await sql.unsafe<{ slot: string; retained: string | null }[]>(
    `SELECT pg_catalog.to_jsonb(s)::text AS slot,
       CASE WHEN NOT pg_catalog.pg_is_in_recovery()
         THEN pg_catalog.pg_wal_lsn_diff(pg_catalog.pg_current_wal_lsn(), s.restart_lsn)::text END AS retained
     FROM pg_catalog.pg_replication_slots s WHERE s.slot_name = ${literal(name)}`
  )
  if (!row) return undefined
  return { ...JSON.parse(row.slot), retained: row.retained === null ? null : Number(row.retained) }
}

/** What to do where changes are lost for good. */
export const copyAnew =
  'What was changed in between is known to nobody: take this capture away (pgsyncer capture remove), install one by another --name, and copy the tables anew with --clean-extra.'

/**
 * @param database that we are in.
 * @throws GuardError where it is not ours; FollowError where main has thrown away what it was to keep.
 */
export function refuseForeignSlot(slot: Slot, database: string): void {
  if (slot.slot_type !== 'logical' || slot.plugin !== 'pgoutput' || slot.database !== database) {
    const what = slot.slot_type === 'logical' ? `${slot.plugin} in the database ${slot.database}` : 'physical'
    throw new GuardError(`the replication slot ${slot.slot_name} is not one of this stream: it is ${what}`, {
      hint: 'Choose another --name: slots are named for a whole server.'
    })
  }
  const reason = lossOf(slot)
  if (reason !== undefined) {
    throw new FollowError(
      `main has thrown away the WAL of the replication slot ${slot.slot_name} (${reason})`,
      {
        hint: copyAnew
      }
    )
  }
}

/** Why the slot is of no use any more. */
export function lossOf({ wal_status, invalidation_reason, restart_lsn }: Slot): string | undefined {
  if (invalidation_reason) return invalidation_reason
  if (wal_status === 'lost') return 'wal_status is lost'
  return restart_lsn === null ? 'it has no restart_lsn' : undefined
}
