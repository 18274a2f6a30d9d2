/** What a group could not apply. */
import { completeFollow, type FollowOptions } from './config.js'
import type { DeadLetter } from './transports/broker.js'
import { openBroker } from './wiring.js'

export interface DeadLettersReport {
  version: 1
  command: 'dead-letters'
  ok: true
  stream: string
  group: string
  /** `list`: the oldest first. */
  letters: readonly DeadLetter[]
  /** `replay`: how many were given to the group again. */
  replayed: number
}

/** @throws ConfigError for wrong options; ConnectionError. */
export async function deadLetters(
  options: Partial<FollowOptions>,
  action: 'list' | 'replay'
): Promise<DeadLettersReport> {
  const config = completeFollow(options, ['via'])
  const broker = await openBroker(config, { group: config.group })
  try {
    const letters = action === 'list' ? await broker.deadLetters() : []
    const replayed = action === 'replay' ? await broker.replay() : 0
    const { name: stream, group } = config
    return { version: 1, command: 'dead-letters', ok: true, stream, group, letters, replayed }
  } finally {
    await broker.close()
  }
}
