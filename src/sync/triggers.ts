/** Triggers of the user's on the standby: they do not fire for us, or it is said that they do. */
import type { Unit } from '../data/unit.js'
import type { Session } from './session.js'

/** Where the role may not keep triggers from firing, the report says whose fired. */
export function noteTriggers(
  { replica, emit }: Pick<Session, 'replica' | 'emit'>,
  units: readonly Unit[]
): void {
  if (replica) return
  const fired = units.filter(unit => unit.standby.triggers.length > 0)
  for (const unit of fired) {
    const message = `triggers of ${unit.name} fire for the sync (${unit.standby.triggers.join(', ')}): the role may not set session_replication_role`
    emit({ type: 'note', table: unit.name, message })
  }
}
