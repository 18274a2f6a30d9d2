/**
 * Sends with confirmations: a window of messages is on its way at once, and a call settles when the broker has all of its own for good.
 * Messages leave in the order of the calls. After a failure nothing more is sent, so that there is never a gap.
 */
import type { ConfirmChannel, Options } from 'amqplib'
import { TemporaryError } from '../../../core/errors.js'
import { judge } from './failure.js'
import type { Link } from './link.js'

export interface Outgoing {
  /** Empty: straight to the queue that is named as the key. */
  readonly exchange: string
  readonly key: string
  readonly content: Buffer
  readonly options: Options.Publish
}

/** Messages that may be without confirmation. */
const window = 2000

export class Publisher {
  #channel: ConfirmChannel | undefined
  #failure: Error | undefined
  #open = 0
  /** The connection takes no more for now. */
  #full = false
  /** Lets the one go on who waits for room. */
  #go = () => {}
  readonly #calls = new Set<(failure: Error) => void>()
  /** The calls before, up to where all their messages have left. */
  #turn: Promise<unknown> = Promise.resolve()

  private constructor(private readonly link: Link) {}

  static async open(link: Link): Promise<Publisher> {
    const publisher = new Publisher(link)
    const fail = (error: Error) => publisher.#fail(judge(error, link.place))
    const channel = await link.confirmChannel(fail)
    publisher.#channel = channel
    link.watch(fail)
    channel.on('drain', () => {
      publisher.#full = false
      publisher.#go()
    })
    channel.on('return', ({ fields }) =>
      publisher.#fail(unroutable(link, fields.exchange, fields.routingKey))
    )
    return publisher
  }

  /** @throws ConnectionError; TemporaryError where a message finds no queue, or the broker cannot store it; the signal's reason. */
  send(messages: readonly Outgoing[], signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted()
    if (this.#failure) return Promise.reject(this.#failure)
    if (messages.length === 0) return Promise.resolve()
    return new Promise<void>((resolve, reject) => {
      const over = (act: () => void) => {
        this.#calls.delete(fail)
        signal?.removeEventListener('abort', abort)
        act()
      }
      const fail = (failure: Error) => over(() => reject(failure))
      const abort = () => over(() => reject(signal?.reason))
      this.#calls.add(fail)
      signal?.addEventListener('abort', abort, { once: true })
      let left = messages.length
      const confirmed = () => {
        if (--left === 0) over(resolve)
      }
      this.#turn = this.#turn.then(() => this.#publish(messages, confirmed, signal))
    })
  }

  async #publish(
    messages: readonly Outgoing[],
    confirmed: () => void,
    signal: AbortSignal | undefined
  ): Promise<void> {
    const settled = (error: unknown) => {
      this.#open--
      if (error) this.#fail(refused(this.link, error))
      else confirmed()
      this.#go()
    }
    for (const { exchange, key, content, options } of messages) {
      const stopped = () => this.#failure !== undefined || signal?.aborted === true
      while ((this.#open >= window || this.#full) && !stopped()) await this.#room(signal)
      // What has left cannot be called back; what has not, stays.
      if (stopped()) return
      this.#open++
      try {
        this.#full = !this.#channel!.publish(exchange, key, content, options, settled)
      } catch (error) {
        this.#fail(judge(error, this.link.place))
      }
    }
  }

  #room(signal: AbortSignal | undefined): Promise<void> {
    return new Promise(resolve => {
      const go = () => {
        signal?.removeEventListener('abort', go)
        this.#go = () => {}
        resolve()
      }
      this.#go = go
      signal?.addEventListener('abort', go, { once: true })
    })
  }

  #fail(failure: Error): void {
    this.#failure ??= failure
    for (const call of this.#calls) call(this.#failure)
    this.#go()
  }
}

function unroutable(link: Link, exchange: string, key: string): TemporaryError {
  const what = exchange === '' ? `queue ${key}` : `queue behind the exchange ${exchange}`
  return new TemporaryError(`RabbitMQ at ${link.place.address} has no ${what}: a message came back`, {
    hint: 'Start a receiver first (pgsyncer apply --group NAME): its queue is made then, and keeps what is published from then on.'
  })
}

/** A nack, or the end of the channel. */
function refused(link: Link, error: unknown): Error {
  if (!(error instanceof Error) || /nack/i.test(error.message)) {
    return new TemporaryError(`RabbitMQ at ${link.place.address} could not store a message`, {
      cause: error,
      hint: 'Its log says why: the disk may be full, or the queue’s length limited.'
    })
  }
  return judge(error, link.place)
}
