/**
 * RabbitMQ: a stream is a durable topic exchange, a group is a durable queue behind it. A message is sent when the broker has confirmed
 * it, and received when the group's writer has acknowledged it.
 */
import type { ConsumeMessage, Options } from 'amqplib'
import { ConfigError } from '../../../core/errors.js'
import { Encoder, type Encoded } from '../../message/encode.js'
import type { ChangeBatch } from '../../ports.js'
import {
  batchOf,
  defaultBatchSize,
  Reader,
  reasonText,
  type BrokerDelivery,
  type BrokerMessage,
  type BrokerOptions,
  type BrokerTransport,
  type DeadLetter
} from '../broker.js'
import { Intake } from './intake.js'
import { Link } from './link.js'
import { namesOf, readPlace, type Names } from './place.js'
import { Publisher, type Outgoing } from './publisher.js'
import { ensureExchange, ensureQueues, type QueueKind } from './topology.js'

export interface RabbitMqOptions extends BrokerOptions {
  /** `amqp://USER:PASSWORD@HOST:5672/VHOST`, or `amqps://` for TLS. */
  readonly url: string
  /** classic by default; quorum where the broker has several nodes. */
  readonly queueKind?: QueueKind
}

/**
 * Opens the connection, and makes or checks the exchange and, for a group, its queues.
 * @throws ConfigError for a URL that cannot be used, or a queue with other properties; ConnectionError where nobody answers, or not to us.
 */
export async function openRabbitMq(options: RabbitMqOptions): Promise<BrokerTransport> {
  const place = readPlace(options.url)
  const link = await Link.open(place)
  try {
    const names = namesOf(options.stream, options.group ?? '')
    await ensureExchange(link, names)
    if (options.group !== undefined) await ensureQueues(link, names, options.queueKind ?? 'classic')
    return new RabbitMq(link, names, options)
  } catch (error) {
    await link.close()
    throw error
  }
}

/** Messages that a receiver holds, which may each be large. */
const mostHeld = 4000

class RabbitMq implements BrokerTransport {
  readonly pipelined = true
  readonly #encoder: Encoder
  readonly #reader: Reader
  readonly #batchSize: number
  #publisher: Promise<Publisher> | undefined
  #intake: Intake | undefined
  #ended = false

  constructor(
    private readonly link: Link,
    private readonly names: Names,
    private readonly options: RabbitMqOptions
  ) {
    this.#encoder = new Encoder(options)
    this.#reader = new Reader(options)
    this.#batchSize = options.batchSize ?? defaultBatchSize
  }

  async send(batch: ChangeBatch, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    const { exchange } = this.names
    const timestamp = Math.floor((batch.committedAt ?? 0) / 1000)
    const outgoing = this.#encoder.encode(batch).map(one => message(exchange, one, timestamp))
    const publisher = await this.#sending()
    await publisher.send(outgoing, signal)
  }

  async *receive(signal: AbortSignal): AsyncGenerator<BrokerDelivery> {
    const { queue } = this.#receiving()
    for (;;) {
      signal.throwIfAborted()
      const intake = await Intake.open(this.link, queue, Math.min(2 * this.#batchSize, mostHeld))
      this.#intake = intake
      let given = false
      const giveBack = async () => {
        given = true
        await intake.close()
      }
      try {
        for (;;) {
          const messages = await intake.take(this.#batchSize, () => this.#ended, signal)
          if (!messages) return
          const delivery = await this.#delivery(intake, messages, giveBack)
          if (delivery) yield delivery
          // What was given back comes again by a new channel, and with it what was behind it.
          if (given) break
        }
      } finally {
        await intake.close()
      }
    }
  }

  async end(): Promise<void> {
    this.#ended = true
    this.#intake?.nudge()
  }

  async deadLetter({ content, handle, where }: BrokerMessage, reason: string): Promise<void> {
    const { dead } = this.#receiving()
    const { properties } = handle as ConsumeMessage
    const headers = { reason: reasonText(reason), where, at: Date.now() }
    await this.#put(dead, content, { ...kept(properties), headers })
  }

  async deadLetters(limit = 1000): Promise<DeadLetter[]> {
    const { dead } = this.#receiving()
    // The channel's end gives all of them back, in their places.
    return this.link.using(`the queue ${dead}`, async channel => {
      const letters: DeadLetter[] = []
      while (letters.length < limit) {
        const message = await channel.get(dead)
        if (!message) break
        const { reason, where, at } = (message.properties.headers ?? {}) as Record<string, unknown>
        letters.push({
          where: String(where ?? ''),
          reason: String(reason ?? ''),
          at: typeof at === 'number' ? at : undefined,
          content: message.content.toString()
        })
      }
      return letters
    })
  }

  async replay(): Promise<number> {
    const { dead, queue } = this.#receiving()
    return this.link.using(`the queue ${dead}`, async channel => {
      const { messageCount } = await channel.checkQueue(dead)
      let done = 0
      for (; done < messageCount; done++) {
        const message = await channel.get(dead)
        if (!message) break
        await this.#put(queue, message.content, {
          ...kept(message.properties),
          headers: { [replayed]: true }
        })
        channel.ack(message)
      }
      return done
    })
  }

  async seek(): Promise<void> {
    throw new ConfigError('RabbitMQ keeps nothing that was acknowledged: a group goes on where it stopped', {
      hint: 'Leave --from away; a new group gets what is published from its first start on. Kafka can begin anywhere.'
    })
  }

  async waiting(): Promise<number> {
    const { queue } = this.#receiving()
    const { messageCount } = await this.link.using(`the queue ${queue}`, channel => channel.checkQueue(queue))
    return messageCount
  }

  async close(): Promise<void> {
    // First the channel: acknowledgements leave before its own goodbye, but not before the connection's.
    await this.#intake?.close()
    await this.link.close()
  }

  /** Everything up to the first message that cannot be read; that one alone, where it is the first. */
  async #delivery(
    intake: Intake,
    taken: readonly ConsumeMessage[],
    giveBack: () => Promise<void>
  ): Promise<BrokerDelivery | undefined> {
    const messages = taken.map(brokerMessage)
    const judged = messages.map(one => this.#reader.judge(one))
    const bad = judged.findIndex(one => 'poison' in one)
    const good = judged.slice(0, bad === -1 ? judged.length : bad)
    if (good.length === 0) {
      const { poison } = judged[0] as { poison: Error }
      const { onDeadLetter } = this.options
      intake.back(taken.slice(1))
      if (!onDeadLetter) throw poison
      await this.deadLetter(messages[0]!, poison.message)
      intake.ack(taken[0]!, false)
      const { where, content } = messages[0]!
      onDeadLetter({ where, reason: poison.message, at: Date.now(), content: content.toString() })
      return undefined
    }
    intake.back(taken.slice(good.length))
    const decoded = good.flatMap(one => ('decoded' in one ? [one.decoded] : []))
    const lane = `rabbitmq ${this.link.cluster} ${this.link.place.vhost} ${this.names.queue}`
    const turn = { lane, id: intake.turn, confirm: () => intake.confirm() }
    return {
      batch: { ...batchOf(decoded, decoded.at(-1)!.change.position), turns: [turn] },
      messages: messages.slice(0, good.length),
      ack: async () => intake.ack(taken[good.length - 1]!, true),
      nack: giveBack
    }
  }

  #receiving(): Names {
    if (this.options.group !== undefined) return this.names
    throw new ConfigError('a group must be given to receive', { hint: 'Name it: --group NAME.' })
  }

  #sending(): Promise<Publisher> {
    return (this.#publisher ??= Publisher.open(this.link))
  }

  async #put(queue: string, content: Buffer, options: Options.Publish): Promise<void> {
    const publisher = await this.#sending()
    await publisher.send([{ exchange: '', key: queue, content, options: { ...options, ...safe } }])
  }
}

/** On disk before it is confirmed, and back to us where no queue takes it. */
const safe = { persistent: true, mandatory: true } as const

/** The header of a dead letter that is given again. */
const replayed = 'replayed'

const message = (exchange: string, { table, position, json }: Encoded, timestamp: number): Outgoing => ({
  exchange,
  key: table,
  content: Buffer.from(json),
  options: { ...safe, ...identity(position), contentType: 'application/json', timestamp }
})

/** A message's id has room for 255 bytes; the position stands in the message too. */
const identity = (position: string) => (Buffer.byteLength(position) < 256 ? { messageId: position } : {})

const brokerMessage = (handle: ConsumeMessage): BrokerMessage => ({
  where: `${handle.fields.routingKey} at ${handle.properties.messageId ?? 'no position'}`,
  content: handle.content,
  replayed: handle.properties.headers?.[replayed] === true,
  handle
})

const kept = ({ messageId, contentType, timestamp }: ConsumeMessage['properties']): Options.Publish => ({
  messageId,
  contentType,
  timestamp
})
