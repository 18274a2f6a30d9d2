/** The topics that must be there: made if missing, and refused if they are there otherwise. */
import type { ITopicConfig } from 'kafkajs'
import { ConfigError } from '../../../core/errors.js'
import type { Link } from './link.js'
import type { Names } from './place.js'

export interface TopicSettings {
  /** Of the stream's topic: as many receivers of a group can work side by side. undefined: as there are, or the broker's default. */
  readonly partitions?: number
  /** Copies of each topic that is made; undefined: the broker's default. */
  readonly replication?: number
}

/**
 * Makes or checks the stream's topic, and, for a group, those of its dead letters.
 * @returns how many partitions the stream's topic has.
 * @throws ConfigError where it has another number of them than asked for: rows would change places, and lose their order.
 */
export async function ensureTopics(
  link: Link,
  { topic, dead, replay }: Names,
  grouped: boolean,
  { partitions, replication }: TopicSettings
): Promise<number> {
  const one = (name: string, more: Partial<ITopicConfig>): ITopicConfig => ({
    topic: name,
    ...(replication !== undefined && { replicationFactor: replication }),
    ...more
  })
  const wanted = [one(topic, partitions === undefined ? {} : { numPartitions: partitions })]
  if (grouped) {
    // Dead letters do not go before somebody has looked at them.
    const configEntries = [{ name: 'retention.ms', value: '-1' }]
    wanted.push(one(dead, { numPartitions: 1, configEntries }), one(replay, { numPartitions: 1 }))
  }
  return link.ask(async admin => {
    const there = new Set(await admin.listTopics())
    const missing = wanted.filter(one => !there.has(one.topic))
    // Another one who makes it at the same moment is no error.
    if (missing.length > 0) await admin.createTopics({ topics: missing, waitForLeaders: true })
    const { topics } = await admin.fetchTopicMetadata({ topics: [topic] })
    const count = topics[0]!.partitions.length
    if (partitions !== undefined && partitions !== count) {
      throw new ConfigError(
        `the topic ${topic} on Kafka at ${link.place.address} has ${count} partitions, not ${partitions}`,
        {
          hint: 'Take the number that it has, or the name of another stream: rows that change their partition lose their order.'
        }
      )
    }
    return count
  })
}
