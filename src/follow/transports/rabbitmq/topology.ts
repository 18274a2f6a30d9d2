/** What the broker must have: made if missing, and refused if it is there with other properties. */
import type { Channel } from 'amqplib'
import type { Link } from './link.js'
import type { Names } from './place.js'

export type QueueKind = 'classic' | 'quorum'

/** @throws ConfigError for what is there with other properties. */
export async function ensureExchange(link: Link, { exchange }: Pick<Names, 'exchange'>): Promise<void> {
  await link.using(`the exchange ${exchange}`, channel =>
    channel.assertExchange(exchange, 'topic', { durable: true })
  )
}

/** The group's queue, bound to all that is published from now on, and the one for its dead letters. */
export async function ensureQueues(link: Link, names: Names, kind: QueueKind): Promise<void> {
  // Lazy: what waits lies on disk alone, however long a replica is away. Newer brokers do that anyhow.
  const common = { 'x-queue-type': kind, ...(kind === 'classic' && { 'x-queue-mode': 'lazy' }) }
  const declare = (name: string, more: Record<string, unknown>) => (channel: Channel) =>
    channel.assertQueue(name, { durable: true, arguments: { ...common, ...more } })
  // One consumer at a time, the others in reserve: two at once would not keep the order.
  const { queue, dead, exchange } = names
  await link.using(`the queue ${queue}`, declare(queue, { 'x-single-active-consumer': true }))
  await link.using(`the queue ${dead}`, declare(dead, {}))
  await link.using(`the queue ${queue}`, channel => channel.bindQueue(queue, exchange, '#'))
}
