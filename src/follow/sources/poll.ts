/** The source that looks, now and then, at tables whose ids only grow: what was inserted, and nothing else. It needs nothing on main. */
import { setTimeout as delay } from 'node:timers/promises'
import type { EmitFollow } from '../../core/events.js'
import type { Server } from '../../postgres/server.js'
import type { FollowConfig } from '../config.js'
import type { Source, Start } from '../ports.js'
import type { IdLooks } from './idlooks.js'
import { IdReading } from './idreading.js'
import type { Reach } from './ids.js'

/**
 * Opens it.
 * @param reach for tests alone: how far ids are read, where that is not to be found out.
 * @throws ConfigError where a table has no id to go by, or may not be read.
 */
export async function openPoll(
  server: Server,
  config: FollowConfig,
  emit: EmitFollow,
  reach?: Reach
): Promise<Source> {
  const looking = async function* (looks: IdLooks, { once }: Start, signal: AbortSignal) {
    for (;;) {
      yield* looks.look(once)
      if (once) return
      await delay(config.interval, undefined, { signal })
    }
  }
  return IdReading.open(server, config, emit, looking, reach)
}
