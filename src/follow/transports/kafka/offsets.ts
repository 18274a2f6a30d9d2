/** Where a group stands in its topics, and how it is put elsewhere. */
import type { SeekEntry } from 'kafkajs'
import { ConfigError, GuardError } from '../../../core/errors.js'
import type { From } from '../broker.js'
import { goodbye, type Link } from './link.js'
import type { Names } from './place.js'

/** By `topic/partition`: the offset of what will be written next. */
export type Ends = ReadonlyMap<string, bigint>

export function endsOf(link: Link, topics: readonly string[]): Promise<Ends> {
  return link.ask(async admin => {
    const ends = new Map<string, bigint>()
    for (const topic of topics) {
      for (const { partition, high } of await admin.fetchTopicOffsets(topic))
        ends.set(`${topic}/${partition}`, BigInt(high))
    }
    return ends
  })
}

/** How many messages before these ends the group has not acknowledged. */
export function behind(link: Link, { group, topic, replay }: Names, ends: Ends): Promise<number> {
  return link.ask(async admin => {
    let count = 0n
    for (const name of [topic, replay]) {
      const [of] = await admin.fetchOffsets({ groupId: group, topics: [name] })
      const lows = new Map((await admin.fetchTopicOffsets(name)).map(one => [one.partition, BigInt(one.low)]))
      for (const { partition, offset } of of!.partitions) {
        const at = BigInt(offset) < 0n ? lows.get(partition)! : BigInt(offset)
        const left = (ends.get(`${name}/${partition}`) ?? 0n) - at
        if (left > 0n) count += left
      }
    }
    return Number(count)
  })
}

/** @throws GuardError where somebody receives for the group; ConfigError for a position that is none of this topic's. */
export function moveGroup(link: Link, { group, topic }: Names, from: From): Promise<void> {
  return link.ask(async admin => {
    const { groups } = await admin.describeGroups([group])
    if ((groups[0]?.members.length ?? 0) > 0) {
      throw new GuardError(`the group ${group} is receiving, so where it begins cannot be changed`, {
        hint: 'Stop all its receivers, or take the name of another group (--group).'
      })
    }
    await commit(link, group, topic, await entries())

    async function entries(): Promise<SeekEntry[]> {
      if (typeof from === 'object' && 'timestamp' in from)
        return admin.fetchTopicOffsetsByTimestamp(topic, from.timestamp)
      const all = await admin.fetchTopicOffsets(topic)
      if (typeof from === 'string') {
        return all.map(({ partition, low, high }) => ({
          partition,
          offset: from === 'earliest' ? low : high
        }))
      }
      const wanted = offsetsOf(from.position)
      const strange = Object.keys(wanted).find(one => !all.some(({ partition }) => String(partition) === one))
      if (strange !== undefined) {
        throw new ConfigError(`the topic ${topic} has no partition ${strange}`, {
          hint: `It has ${all.length}, numbered from 0.`
        })
      }
      return all.map(({ partition, low }) => ({ partition, offset: wanted[partition] ?? low }))
    }
  })
}

/** Offsets are committed by a member: we are one for that moment, and read nothing. */
async function commit(link: Link, groupId: string, topic: string, partitions: SeekEntry[]): Promise<void> {
  const consumer = link.client(3).consumer({ groupId, maxWaitTimeInMs: 100, allowAutoTopicCreation: false })
  try {
    const joined = new Promise<void>((resolve, reject) => {
      consumer.on('consumer.group_join', () => resolve())
      consumer.on('consumer.crash', ({ payload: { error, restart } }) => void (restart || reject(error)))
    })
    await consumer.connect()
    await consumer.subscribe({ topics: [topic], fromBeginning: true })
    await consumer.run({ autoCommit: false, eachBatchAutoResolve: false, eachBatch: async () => {} })
    await joined
    await consumer.commitOffsets(partitions.map(one => ({ topic, ...one })))
  } finally {
    await goodbye(() => consumer.disconnect())
  }
}

/** @throws ConfigError */
function offsetsOf(position: string): Record<string, string> {
  try {
    const parts = Object.entries(JSON.parse(position) as Record<string, unknown>)
    if (parts.every(([, offset]) => /^\d+$/.test(String(offset))))
      return Object.fromEntries(parts.map(([partition, offset]) => [partition, String(offset)]))
  } catch {
    // Said below.
  }
  throw new ConfigError(`${position} is no position in a Kafka topic`, {
    hint: 'It is an offset by partition, as in {"0":"1200","1":"980"}.'
  })
}
