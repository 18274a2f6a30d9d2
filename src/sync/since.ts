/** From when on each table is compared by its `updated_at`: the user's time, or the standby's own record. */
import type { ForeignKeyGraph } from '../data/foreignkeys.js'
import type { Unit } from '../data/unit.js'
import { hasUpdatedAt } from '../data/updated.js'
import type { Server } from '../postgres/server.js'
import type { SyncConfig } from './config.js'
import { readRecord } from './record.js'
import type { Session } from './session.js'

/** Identifies main in the standby's record. */
export const sourceName = (main: Server): string => main.address

export async function sinceTimes(
  session: Pick<Session, 'config' | 'standby' | 'main' | 'emit'>,
  units: readonly Unit[],
  graph: ForeignKeyGraph
): Promise<Map<Unit, string>> {
  const { config, standby, main, emit } = session
  const since = new Map<Unit, string>()
  if (!config.useUpdatedAt) return since
  const recorded = config.lastSyncTime === undefined ? await readRecord(standby, sourceName(main)) : undefined
  const given = givenSince(config)
  for (const unit of units) {
    const time = given ?? recorded?.get(unit.name)?.[hasUpdatedAt(unit) === 'zoned' ? 'zoned' : 'local']
    const why = !hasUpdatedAt(unit)
      ? 'it has no key or no column updated_at'
      : graph.circular(unit)
        ? 'it refers to itself, or stands in a circle of foreign keys'
        : time === undefined
          ? 'the standby has no record of an earlier run, and no --last-sync-time was given'
          : undefined
    if (why === undefined) since.set(unit, time!)
    else emit({ type: 'note', table: unit.name, message: `${unit.name} is compared in full: ${why}` })
  }
  return since
}

/** The user's own time; one without a zone is UTC. */
export function givenSince({ lastSyncTime: time }: SyncConfig): string | undefined {
  if (time === undefined) return undefined
  return /(Z|UTC|[+-]\d{2}(:?\d{2})?)$/.test(time.slice(10)) ? time : `${time} UTC`
}
