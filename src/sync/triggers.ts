/** Triggers of the user's on the standby: they do not fire for us, or it is said that they do. */
import type { Unit } from '../data/unit.js'
import { firing } from '../postgres/tables.js'
import type { Session } from './session.js'

const because = (replica: boolean): string =>
  replica ? 'they are enabled ALWAYS or for REPLICA' : 'the role may not set session_replication_role'

/** Of the tables of the run. */
export function noteTriggers(
  { replica, emit }: Pick<Session, 'replica' | 'emit'>,
  units: readonly Unit[]
): void {
  for (const unit of units) {
    const fired = firing(unit.standby.triggers, replica)
    if (fired.length === 0) continue
    const message = `triggers of ${unit.name} fire for the sync (${fired.join(', ')}): ${because(replica)}`
    emit({ type: 'note', table: unit.name, message })
  }
}

/** Of the database, which hear of each statement that changes its structure, stages rows or refreshes a view, unless they are for others. */
export async function noteEventTriggers({
  standby,
  replica,
  emit
}: Pick<Session, 'standby' | 'replica' | 'emit'>): Promise<void> {
  const there = await standby.sql<{ name: string; enabled: string }[]>`
    SELECT evtname::text AS name, evtenabled::text AS enabled FROM pg_catalog.pg_event_trigger WHERE evtenabled <> 'D' AND evtevent <> 'login' ORDER BY 1`
  const fired = firing(there, replica)
  if (fired.length === 0) return
  const message = `event triggers of the standby may fire for what is done there (${fired.join(', ')}): ${because(replica)}`
  emit({ type: 'note', message })
}
