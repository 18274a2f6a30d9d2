/**
 * Kafka: a stream is a topic, a row is a key, a group is a consumer group. A message is sent when all replicas have it, and received
 * when the group's offset is behind it, which is moved after its writer has acknowledged.
 */
import type { IHeaders, KafkaMessage } from 'kafkajs'
import { ConfigError, FollowError } from '../../../core/errors.js'
import type { Decoded } from '../../message/decode.js'
import { Encoder } from '../../message/encode.js'
import type { ChangeBatch, Position, Turn } from '../../ports.js'
import { nameOf } from '../../table.js'
import {
  batchOf,
  defaultBatchSize,
  Reader,
  reasonText,
  type BrokerDelivery,
  type BrokerMessage,
  type BrokerOptions,
  type BrokerTransport,
  type DeadLetter,
  type From
} from '../broker.js'
import { endOf, Intake } from './intake.js'
import { readLetters } from './letters.js'
import { Link } from './link.js'
import type { Slice } from './offer.js'
import { behind, endsOf, moveGroup, type Ends } from './offsets.js'
import { partitionOf } from './partition.js'
import { namesOf, readPlace, type Names } from './place.js'
import { Sender, type Outgoing } from './sender.js'
import { ensureTopics, type TopicSettings } from './topology.js'

export interface KafkaOptions extends BrokerOptions, TopicSettings {
  /** `kafka://USER:PASSWORD@HOST:9092,HOST:9092?mechanism=plain|scram-sha-256|scram-sha-512`, or `kafkas://` for TLS. */
  readonly url: string
}

/**
 * Reaches the brokers, and makes or checks the topics.
 * @throws ConfigError for a URL that cannot be used, or a topic that is otherwise; ConnectionError where nobody answers, or not to us.
 */
export async function openKafka(options: KafkaOptions): Promise<BrokerTransport> {
  const link = new Link(readPlace(options.url))
  try {
    const names = namesOf(options.stream, options.group ?? '')
    const partitions = await ensureTopics(link, names, options.group !== undefined, options)
    const { clusterId } = await link.ask(admin => admin.describeCluster())
    return new KafkaTransport(link, names, partitions, clusterId, options)
  } catch (error) {
    await link.close()
    throw error
  }
}

/** Milliseconds between two looks whether the group has all. */
const look = 100
const never = new AbortController().signal

class KafkaTransport implements BrokerTransport {
  readonly pipelined = true
  readonly #encoder: Encoder
  readonly #reader: Reader
  readonly #sender: Sender
  readonly #batchSize: number
  /** By partition of the stream's topic: the offset behind what was handed over. */
  readonly #reached = new Map<number, string>()
  #intake: Intake | undefined
  #ended = false
  #closed = false

  constructor(
    private readonly link: Link,
    private readonly names: Names,
    private readonly partitions: number,
    private readonly cluster: string,
    private readonly options: KafkaOptions
  ) {
    this.#encoder = new Encoder(options)
    this.#reader = new Reader(options)
    this.#sender = new Sender(link)
    this.#batchSize = options.batchSize ?? defaultBatchSize
  }

  async send(batch: ChangeBatch, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    const emptied = this.partitions > 1 && batch.changes.find(one => one.operation === 'truncate')
    if (emptied) throw this.#unordered(nameOf(emptied.table))
    const messages = this.#encoder
      .encode(batch)
      .map(({ key, json }): Outgoing => ({ key, partition: partitionOf(key, this.partitions), value: json }))
    await this.#sender.send(this.names.topic, messages, signal)
  }

  async *receive(signal: AbortSignal): AsyncGenerator<BrokerDelivery> {
    const { topic, replay } = this.#receiving()
    signal.throwIfAborted()
    const intake = await Intake.open(this.link, this.names)
    this.#intake = intake
    // It could not be closed while it was opened.
    if (this.#closed) void intake.close()
    let ends: Ends | undefined
    try {
      for (;;) {
        const slices = await intake.take(this.#batchSize, this.#ended ? look : 1000, signal)
        if (slices) {
          const delivery = await this.#delivery(intake, slices, signal)
          if (delivery) yield delivery
        } else if (this.#ended) {
          ends ??= await endsOf(this.link, [topic, replay])
          if ((await behind(this.link, this.names, ends)) === 0) return
        }
      }
    } finally {
      const left = intake.close()
      // Who gives up does not wait for the brokers' goodbye; close() does.
      if (!signal.aborted) await left
    }
  }

  async end(): Promise<void> {
    this.#ended = true
  }

  async deadLetter({ content, handle, where }: BrokerMessage, reason: string): Promise<void> {
    const { dead } = this.#receiving()
    const headers = { reason: reasonText(reason), where, at: String(Date.now()) }
    const { key } = handle as KafkaMessage
    await this.#sender.send(dead, [{ key, partition: 0, value: content, headers }], never)
  }

  async deadLetters(limit = 1000): Promise<DeadLetter[]> {
    const { dead } = this.#receiving()
    const letters: DeadLetter[] = []
    const use = async (read: readonly KafkaMessage[]) => void letters.push(...read.map(letterOf))
    await readLetters(this.link, dead, limit, use, false)
    return letters
  }

  async replay(): Promise<number> {
    const { dead, replay } = this.#receiving()
    let count = 0
    const use = async (read: readonly KafkaMessage[]) => {
      count = read.length
      const messages = read.map(({ key, value }): Outgoing => ({ key, partition: 0, value: value ?? '' }))
      await this.#sender.send(replay, messages, never)
    }
    await readLetters(this.link, dead, Number.MAX_SAFE_INTEGER, use, true)
    return count
  }

  async seek(from: From): Promise<void> {
    await moveGroup(this.link, this.#receiving(), from)
  }

  async waiting(): Promise<number> {
    const names = this.#receiving()
    return behind(this.link, names, await endsOf(this.link, [names.topic, names.replay]))
  }

  async close(): Promise<void> {
    this.#closed = true
    await Promise.all([this.#intake?.close(), this.#sender.close()])
    await this.link.close()
  }

  /** All that can be read; what cannot goes to the dead letters, or is the error, once what lies before it is settled. */
  async #delivery(
    intake: Intake,
    taken: readonly Slice[],
    signal: AbortSignal
  ): Promise<BrokerDelivery | undefined> {
    const slices: Slice[] = []
    const messages: BrokerMessage[] = []
    const decoded: Decoded[] = []
    for (const slice of taken) {
      const { offer } = slice
      let end = 0
      for (const handle of slice.messages) {
        signal.throwIfAborted()
        const where = `${offer.topic} partition ${offer.partition} offset ${handle.offset}`
        const replayed = offer.topic === this.names.replay
        const message = { where, content: handle.value ?? Buffer.alloc(0), handle, replayed }
        const judged = this.#reader.judge(message)
        if ('decoded' in judged) {
          messages.push(message)
          decoded.push(judged.decoded)
        } else if (this.options.onDeadLetter) await this.#putAside(message, judged.poison)
        else if (end === 0) throw judged.poison
        else break
        end++
      }
      slices.push(end < slice.messages.length ? offer.shorten(slice, end) : slice)
    }
    if (decoded.length === 0) {
      await intake.ack(slices)
      return undefined
    }
    return {
      batch: { ...batchOf(decoded, this.#position(slices)), turns: this.#turns(intake, slices) },
      messages,
      ack: () => intake.ack(slices),
      nack: async () => intake.giveBack(slices)
    }
  }

  async #putAside(message: BrokerMessage, { message: reason }: FollowError): Promise<void> {
    await this.deadLetter(message, reason)
    const { where, content } = message
    this.options.onDeadLetter?.({ where, reason, at: Date.now(), content: content.toString() })
  }

  /** Where this receiver is, in each partition that it has had. */
  #position(slices: readonly Slice[]): Position {
    for (const slice of slices) {
      if (slice.offer.topic === this.names.topic) this.#reached.set(slice.offer.partition, endOf(slice))
    }
    return JSON.stringify(Object.fromEntries(this.#reached))
  }

  #turns(intake: Intake, slices: readonly Slice[]): Turn[] {
    return slices.map(slice => {
      const { topic, partition, turn } = slice.offer
      const lane = `kafka ${this.cluster} ${this.names.group} ${topic}/${partition}`
      return { lane, id: turn, confirm: () => intake.confirm(slice) }
    })
  }

  #receiving(): Names {
    if (this.options.group !== undefined) return this.names
    throw new ConfigError('a group must be given to receive', { hint: 'Name it: --group NAME.' })
  }

  #unordered(table: string): FollowError {
    return new FollowError(
      `${table} was truncated, which has no place among the ${this.partitions} partitions of ${this.names.topic}`,
      {
        table,
        hint: 'Publish tables that are truncated to a topic with one partition, or use DELETE instead.'
      }
    )
  }
}

function letterOf({ value, headers = {} }: KafkaMessage): DeadLetter {
  const text = (name: keyof IHeaders) => headers[name]?.toString() ?? ''
  const at = Number(text('at'))
  return {
    where: text('where'),
    reason: text('reason'),
    at: at > 0 ? at : undefined,
    content: value?.toString() ?? ''
  }
}
