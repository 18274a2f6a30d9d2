/** A broker, main and what receives from it, for tests of the whole way. */
import { setTimeout as delay } from 'node:timers/promises'
import amqp from 'amqplib'
import { Kafka, logLevel } from 'kafkajs'
import { expect } from 'vitest'
import { apply } from '../../../src/follow/apply.js'
import type { FollowOptions } from '../../../src/follow/config.js'
import { publish } from '../../../src/follow/publish.js'
import { createDatabase, type Db } from '../../support/databases.js'
import { findKafka } from '../../support/kafka.js'
import { findRabbitMq } from '../../support/rabbitmq.js'
import { type Follower, pgsyncer } from '../chaos/follower.js'

export interface Broker {
  /** For --via. */
  readonly via: string
  /** Puts a message among those of a stream that is there. */
  put(stream: string, content: string): Promise<void>
  close(): Promise<void>
}

export interface BrokerKind {
  readonly title: string
  readonly skipReason: string | undefined
  start(): Promise<Broker>
}

export async function findBrokers(): Promise<BrokerKind[]> {
  const [kafka, rabbit] = [await findKafka(), await findRabbitMq()]
  return [
    {
      ...kafka,
      async start() {
        const { address, close } = await kafka.start()
        return { via: `kafka://${address}`, put: (...given) => putKafka(address, ...given), close }
      }
    },
    {
      ...rabbit,
      async start() {
        const { url, close } = await rabbit.start()
        // Who does not answer for two seconds is gone.
        return { via: `${url}?heartbeat=1`, put: (...given) => putRabbit(url, ...given), close }
      }
    }
  ]
}

async function putKafka(address: string, stream: string, content: string): Promise<void> {
  const producer = new Kafka({ brokers: [address], logLevel: logLevel.NOTHING }).producer()
  await producer.connect()
  await producer.send({ topic: `pgsyncer.${stream}`, messages: [{ key: 'x', value: content }] })
  await producer.disconnect()
}

async function putRabbit(url: string, stream: string, content: string): Promise<void> {
  const connection = await amqp.connect(url)
  const channel = await connection.createConfirmChannel()
  channel.publish(`pgsyncer.${stream}`, 'public.other', Buffer.from(content))
  await channel.waitForConfirms()
  await connection.close()
}

export interface Line {
  readonly main: Db
  readonly replica: Db
  /** An applier's command line. */
  readonly apply: readonly string[]
  /** Publishes what main has committed. */
  published(more?: Partial<FollowOptions>): Promise<void>
  /** Applies all that waits. */
  applied(more?: Partial<FollowOptions>): Promise<void>
  /** `dead-letters list` or `replay`, as its JSON. */
  letters(action: 'list' | 'replay'): Promise<LettersReport>
  /** The rows of both. */
  rows(sql: string): Promise<{ main: unknown[]; replica: unknown[] }>
  drop(): Promise<void>
}

export interface LettersReport {
  letters: { where: string; reason: string; at: number; content: string }[]
  replayed: number
}

/** Main with an outbox, and a replica with the same table. */
export async function openLine(broker: Broker, name: string, ddl: string, table: string): Promise<Line> {
  const [main, replica] = [await createDatabase('main'), await createDatabase('replica')]
  await Promise.all([main.exec(ddl), replica.exec(ddl)])
  const { via } = broker
  const command = ['--via', via, '--name', name]
  await done(['capture', 'install', '--maindsn', main.url, '--source', 'outbox', '-t', table, '--name', name])
  return {
    main,
    replica,
    apply: ['apply', ...command, '--to', replica.url],
    async published(more) {
      await publish({ main: main.url, source: 'outbox', tables: [table], via, name, once: true, ...more })
    },
    async applied(more) {
      await apply({ via, name, to: replica.url, once: true, ...more })
    },
    letters: async action =>
      JSON.parse(await done(['dead-letters', action, ...command, '--format', 'json'])) as LettersReport,
    rows: async sql => ({ main: await main.query(sql), replica: await replica.query(sql) }),
    drop: async () => void (await Promise.all([main.drop(), replica.drop()]))
  }
}

/** Runs to its end; what it said. */
async function done(args: readonly string[]): Promise<string> {
  const { code, said } = await pgsyncer(args)
  expect([args[0], code, code === 0 ? '' : said]).toEqual([args[0], 0, ''])
  return said
}

/** Waits until it holds. @throws with what the followers said where it does not within a minute. */
export async function until(holds: () => Promise<boolean>, ...followers: Follower[]): Promise<void> {
  const deadline = performance.now() + 60_000
  while (!(await holds())) {
    if (performance.now() > deadline)
      throw new Error(`nothing moved for a minute:\n${followers.map(({ said }) => said).join('\n')}`)
    await delay(10)
  }
}
