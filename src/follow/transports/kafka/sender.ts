/**
 * Sends with the acknowledgement of all replicas, in pieces that a broker takes, one after the other. After an error a new producer sends the
 * same again: what is there twice does no harm, what is missing would.
 */
import { type Message, Partitioners, type Producer } from 'kafkajs'
import { retrying } from '../../../core/retry.js'
import { isPermanent, judge } from './failure.js'
import { goodbye, type Link } from './link.js'

export interface Outgoing {
  readonly key: string | Buffer | null
  readonly partition: number
  readonly value: string | Buffer
  readonly headers?: Record<string, string>
}

/** Bytes of a piece: a batch for one partition may have 1 MB, unless the topic says otherwise. */
const pieceSize = 800_000
/** Messages of a piece: the client's time for one grows with the square. */
const pieceLength = 1000
/** What a message needs besides its key and value. */
const overhead = 32
const tries = 5

export class Sender {
  #producer: Promise<Producer> | undefined
  #closed = false
  #turn: Promise<void> = Promise.resolve()

  constructor(private readonly link: Link) {}

  /**
   * Calls are sent one after the other; those that wait for one that fails, fail with it.
   * @throws ConnectionError, FollowError; the signal's reason.
   */
  send(topic: string, messages: readonly Outgoing[], signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    const sent = this.#turn.then(() => abortable(this.#sendAll(topic, messages, signal), signal))
    this.#turn = sent
    sent.catch(() => {
      if (this.#turn === sent) this.#turn = Promise.resolve()
    })
    return sent
  }

  async close(): Promise<void> {
    this.#closed = true
    await this.#drop()
  }

  async #sendAll(topic: string, messages: readonly Outgoing[], signal: AbortSignal): Promise<void> {
    for (const piece of pieces(messages)) {
      await retrying(
        'publishing',
        {
          retries: tries - 1,
          signal,
          emit: () => {},
          transient: error => !this.#closed && !isPermanent(error)
        },
        async () => {
          try {
            const producer = await (this.#producer ??= this.#open())
            await producer.send({ topic, messages: piece, acks: -1 })
          } catch (error) {
            // Its count of what it has sent may not be the broker's any more.
            await this.#drop()
            throw judge(error, this.link.place)
          }
        }
      )
    }
  }

  async #open(): Promise<Producer> {
    if (this.#closed) throw new Error('the sender was closed')
    const producer = this.link.client(3).producer({
      idempotent: true,
      allowAutoTopicCreation: false,
      createPartitioner: Partitioners.DefaultPartitioner
    })
    try {
      await producer.connect()
      return producer
    } catch (error) {
      await goodbye(() => producer.disconnect())
      throw error
    }
  }

  async #drop(): Promise<void> {
    const producer = await this.#producer?.catch(() => undefined)
    this.#producer = undefined
    if (producer) await goodbye(() => producer.disconnect())
  }
}

function* pieces(messages: readonly Outgoing[]): Generator<Message[]> {
  let piece: Message[] = []
  let size = 0
  for (const message of messages) {
    const own = Buffer.byteLength(message.value) + Buffer.byteLength(message.key ?? '') + overhead
    if (piece.length === pieceLength || (size + own > pieceSize && piece.length > 0)) {
      yield piece
      piece = []
      size = 0
    }
    piece.push(message)
    size += own
  }
  if (piece.length > 0) yield piece
}

/** Does not wait for the work once the signal is aborted. */
function abortable(work: Promise<void>, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason)
    if (signal.aborted) abort()
    signal.addEventListener('abort', abort, { once: true })
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort))
  })
}
