/** The source that is woken by a trigger's signal, which carries nothing: what was inserted is read by its id, as poll reads it. */
import type { EmitFollow } from '../../core/events.js'
import type { Server } from '../../postgres/server.js'
import { checkTriggers } from '../capture/check.js'
import { notifyFunctions } from '../capture/notify.js'
import { refuseRecovery } from '../capture/tables.js'
import type { FollowConfig } from '../config.js'
import type { Source, Start } from '../ports.js'
import { attend, maySignal } from './attend.js'
import type { IdLooks } from './idlooks.js'
import { IdReading } from './idreading.js'
import { Wake } from './wake.js'

/**
 * Opens it.
 * @throws ConfigError where a table has no id to go by; FollowError where a trigger is missing; GuardError where another process reads
 *   this stream.
 */
export async function openNotify(server: Server, config: FollowConfig, emit: EmitFollow): Promise<Source> {
  await refuseRecovery(server)
  const looking = (looks: IdLooks, { once }: Start, signal: AbortSignal) =>
    attend({
      look: last => looks.look(last),
      wake,
      signals,
      settles: !reading.overlaps,
      interval: config.interval,
      once,
      emit,
      signal
    })
  const reading = await IdReading.open(server, config, emit, looking)
  await checkTriggers(server, config, notifyFunctions(config.name), 'inserted', reading.tables)
  const signals = await maySignal(server.sql)
  const wake = await Wake.open(server, 'notify', config.name)
  return reading.alsoClosing(() => wake.close())
}
