/**
 * What a transport by way of a broker does beyond the port. A publisher and its receivers are in different processes, so `send` settles
 * when the broker has the batch for good; each group receives every message, from where it stopped.
 */
import { FollowError, messageOf } from '../../core/errors.js'
import { Decoder, type Decoded } from '../message/decode.js'
import type { Payload, ShapeOf } from '../message/message.js'
import type { From } from '../config.js'
import type { ChangeBatch, Delivery, Position, Transport } from '../ports.js'

export interface BrokerOptions {
  /** Lower-case letters, digits and _: what is made on the broker is named after it. */
  readonly stream: string
  /** Who receives: one for each replica. undefined: this one only sends. */
  readonly group?: string
  /** For a receiver: the tables that it knows. */
  readonly shapeOf?: ShapeOf
  /** What a sender tells of a row; `row` by default. */
  readonly payload?: Payload
  /** Changes of a received batch at most; 1,000 by default. */
  readonly batchSize?: number
  /** A message that cannot be read ends `receive` with an error (by default), or goes to the dead letters, and this is told of it. */
  readonly onDeadLetter?: (letter: DeadLetter) => void
}

/** A message as the broker gave it. */
export interface BrokerMessage {
  /** Where it is, for people: `public.items at 00000000016B3748:00000000`, or `pgsyncer.default partition 2 offset 17`. */
  readonly where: string
  readonly content: Buffer
  /** It was a dead letter: what came behind it then was received before. */
  readonly replayed: boolean
  /** The transport's own. */
  readonly handle: unknown
}

export interface BrokerDelivery extends Delivery {
  /** The message of each change. */
  readonly messages: readonly BrokerMessage[]
}

export interface DeadLetter {
  readonly where: string
  readonly reason: string
  /** Milliseconds since 1970 when it was put aside. */
  readonly at: number | undefined
  /** The message itself. */
  readonly content: string
}

export type { From }

export interface BrokerTransport extends Transport {
  /**
   * Batches for the group, cut as they come; their position is the transport's own. After `nack` the same changes come again, before
   * what follows them.
   */
  receive(signal: AbortSignal): AsyncIterable<BrokerDelivery>
  /**
   * Puts a message aside: settles when the broker has it among the group's dead letters for good. It is still part of its delivery,
   * which is acknowledged as if it had been written.
   */
  deadLetter(message: BrokerMessage, reason: string): Promise<void>
  /** The oldest first; they stay. At most `limit`, 1,000 by default. */
  deadLetters(limit?: number): Promise<DeadLetter[]>
  /** Gives all dead letters that there are now to the group again, behind what waits for it; settles with how many they were. */
  replay(): Promise<number>
  /**
   * Moves where the group goes on, for all its members. Call it before `receive`, and not again on a reconnect.
   * @throws GuardError where the group is receiving; ConfigError where the broker keeps nothing that was acknowledged.
   */
  seek(from: From): Promise<void>
  /** How many messages wait for the group. */
  waiting(): Promise<number>
  /** Ends everything; what is not acknowledged stays. Never throws. */
  close(): Promise<void>
}

/** A reason has a place in a message's headers, which are not large. */
export const reasonText = (reason: string): string => reason.slice(0, 1000)

export const defaultBatchSize = 1000

export type Judged = { readonly decoded: Decoded } | { readonly poison: FollowError }

const otherHint =
  'It is not as pgsyncer writes it, or the table is another one: --dead-letter-after puts it aside, and dead-letters list shows it.'

/** Reads messages for a receiver. */
export class Reader {
  readonly #decoder: Decoder

  constructor({ shapeOf }: Pick<BrokerOptions, 'shapeOf'>) {
    this.#decoder = new Decoder(shapeOf ?? (() => undefined))
  }

  judge({ content, where }: Pick<BrokerMessage, 'content' | 'where'>): Judged {
    try {
      return { decoded: this.#decoder.decode(content.toString()) }
    } catch (error) {
      const { hint = otherHint, table } = error as FollowError
      const details = { cause: error, hint, ...(table && { table }) }
      return { poison: new FollowError(`${messageOf(error)} (${where})`, details) }
    }
  }
}

/** What was decoded, as one batch. */
export function batchOf(decoded: readonly Decoded[], position: Position): ChangeBatch {
  return {
    changes: decoded.map(one => one.change),
    position,
    committedAt: decoded.findLast(one => one.committedAt !== undefined)?.committedAt
  }
}
