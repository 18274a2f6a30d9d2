/**
 * A member of the group. Offsets move when the writer has acknowledged, and at no other time; while it writes, signs of life go on. When
 * the group is shared out anew, no more is handed over, and the partitions are given up only after what the writer has is settled, so
 * that two members never write changes of the same row.
 */
import { randomUUID } from 'node:crypto'
import type { Consumer, EachBatchPayload, TopicPartitionOffsetAndMetadata } from 'kafkajs'
import { TemporaryError } from '../../../core/errors.js'
import { News } from '../news.js'
import { isGettingReady, isRebalance, judge } from './failure.js'
import { goodbye, type Link } from './link.js'
import { Offer, type Slice } from './offer.js'
import type { Names } from './place.js'

/** Milliseconds. */
const beat = 1_000
const session = 10_000
const longestWrite = 60_000
const longestPoll = 250
/** Bytes that are fetched at a time: of a partition, and of all together. */
const fetched = 4 * 1024 * 1024
const fetchedInAll = 16 * 1024 * 1024
/** How often to try again, a fifth of a second apart, to join a group that is not ready. */
const tries = 100

export class Intake {
  readonly #offers = new Set<Offer>()
  #failure: Error | undefined
  #closing: Promise<void> | undefined
  /** Another one whenever the group was shared out. */
  #turn = randomUUID()
  readonly #news = new News()

  private constructor(
    private readonly link: Link,
    private readonly consumer: Consumer
  ) {}

  static async open(link: Link, { group, topic, replay }: Names): Promise<Intake> {
    let patience = tries
    const consumer = link.client(5).consumer({
      groupId: group,
      sessionTimeout: session,
      heartbeatInterval: beat,
      rebalanceTimeout: longestWrite,
      maxWaitTimeInMs: longestPoll,
      maxBytesPerPartition: fetched,
      maxBytes: fetchedInAll,
      allowAutoTopicCreation: false,
      retry: {
        retries: 5,
        initialRetryTime: 200,
        maxRetryTime: 3_000,
        restartOnFailure: async error => isGettingReady(error) && patience-- > 0
      }
    })
    const intake = new Intake(link, consumer)
    try {
      consumer.on('consumer.crash', ({ payload: { error, restart } }) => {
        if (!restart) intake.#fail(error)
      })
      consumer.on('consumer.group_join', () => {
        intake.#turn = randomUUID()
      })
      await consumer.connect()
      await consumer.subscribe({ topics: [topic, replay], fromBeginning: true })
      await consumer.run({
        autoCommit: false,
        eachBatchAutoResolve: false,
        partitionsConsumedConcurrently: 64,
        eachBatch: payload => intake.#offer(payload)
      })
      return intake
    } catch (error) {
      await intake.close()
      throw judge(error, link.place)
    }
  }

  /** What is there of any partition, but at most so many; undefined: nothing came within so many milliseconds. */
  async take(most: number, within: number | undefined, signal: AbortSignal): Promise<Slice[] | undefined> {
    for (let waited = false; ; waited = true) {
      signal.throwIfAborted()
      if (this.#failure) throw this.#failure
      const slices: Slice[] = []
      let room = most
      for (const offer of this.#offers) {
        if (room === 0 || offer.left === 0) continue
        const slice = offer.take(room)
        room -= slice.messages.length
        slices.push(slice)
      }
      if (slices.length > 0) return slices
      if (waited && within !== undefined) return undefined
      await this.#news.wait(signal, within)
    }
  }

  /** Moves the group's offsets behind these. */
  async ack(slices: readonly Slice[]): Promise<void> {
    // Where they are somebody else's now, that one gets them again.
    await this.#commit(slices, endOf)
    for (const slice of slices) slice.offer.settle(slice)
  }

  /** @throws TemporaryError where the group was shared out anew since these came. */
  async confirm(slice: Slice): Promise<void> {
    // What the group's offset is already: that it may be said says whose the partition is.
    if (await this.#commit([slice], ({ messages }) => messages[0]!.offset)) return
    const { topic, partition } = placeOf(slice)
    throw new TemporaryError(`partition ${partition} of ${topic} may be another receiver’s by now`)
  }

  /** They come again, before what follows them. */
  giveBack(slices: readonly Slice[]): void {
    for (const { offer } of slices) offer.abandon()
  }

  /** Never throws. */
  close(): Promise<void> {
    return (this.#closing ??= this.#leave())
  }

  async #leave(): Promise<void> {
    this.#failure ??= new Error('the receiver was closed')
    this.#fail(this.#failure)
    await goodbye(() => this.consumer.disconnect())
  }

  /** Says whether these were this member's, from when they came until now. */
  async #commit(slices: readonly Slice[], offsetOf: (slice: Slice) => string): Promise<boolean> {
    if (this.#failure) throw this.#failure
    const same = () => slices.every(({ offer }) => offer.turn === this.#turn)
    if (!same()) return false
    const offsets: TopicPartitionOffsetAndMetadata[] = slices.map(slice => ({
      ...placeOf(slice),
      offset: offsetOf(slice)
    }))
    try {
      await this.consumer.commitOffsets(offsets)
    } catch (error) {
      if (isRebalance(error)) return false
      throw judge(error, this.link.place)
    }
    return same()
  }

  async #offer({ batch, heartbeat, resolveOffset }: EachBatchPayload): Promise<void> {
    if (this.#failure || batch.messages.length === 0) return
    const offer = new Offer(batch.topic, batch.partition, this.#turn, batch.messages)
    this.#offers.add(offer)
    this.#news.wake()
    let failure: unknown
    try {
      while (!offer.over) {
        await offer.news(beat)
        if (offer.over) break
        await heartbeat().catch((error: unknown) => {
          failure = error
          for (const one of this.#offers) one.withdraw()
        })
      }
    } finally {
      this.#offers.delete(offer)
    }
    if (offer.resolved !== undefined && offer.turn === this.#turn) resolveOffset(offer.resolved)
    if (failure !== undefined) throw failure
  }

  #fail(error: unknown): void {
    this.#failure ??= judge(error, this.link.place)
    for (const offer of this.#offers) offer.abandon()
    this.#news.wake()
  }
}

const placeOf = ({ offer: { topic, partition } }: Slice) => ({ topic, partition })

/** The offset behind its last message. */
export const endOf = ({ messages }: Slice): string => String(BigInt(messages.at(-1)!.offset) + 1n)
