/** Takes messages from a queue, in their order and never more than it may hold. Closing it gives back what is not acknowledged, in its place. */
import { randomUUID } from 'node:crypto'
import type { Channel, ConsumeMessage } from 'amqplib'
import { FollowError } from '../../../core/errors.js'
import { News } from '../news.js'
import { judge } from './failure.js'
import { goodbye, type Link } from './link.js'

/** Milliseconds between two looks whether the queue is empty. */
const look = 50

export class Intake {
  #waiting: ConsumeMessage[] = []
  #failure: Error | undefined
  readonly #news = new News()
  #channel: Channel | undefined
  #unwatch = () => {}
  /** The broker gives a queue's messages to one channel, until that is closed. */
  readonly turn = randomUUID()

  private constructor(
    private readonly link: Link,
    private readonly queue: string
  ) {}

  /** @param ahead messages that it may hold. */
  static async open(link: Link, queue: string, ahead: number): Promise<Intake> {
    const intake = new Intake(link, queue)
    const fail = (failure: unknown) => {
      intake.#failure ??= judge(failure, link.place, `the queue ${queue}`)
      intake.#news.wake()
    }
    const channel = await link.channel(fail)
    intake.#channel = channel
    intake.#unwatch = link.watch(fail)
    try {
      await channel.prefetch(Math.min(ahead, 65_535))
      await channel.consume(queue, message => {
        if (message) intake.#waiting.push(message)
        else fail(gone(link, queue))
        intake.#news.wake()
      })
    } catch (error) {
      await intake.close()
      throw judge(intake.#failure ?? error, link.place, `the queue ${queue}`)
    }
    return intake
  }

  /**
   * What is there, but at most so many; waits for the first.
   * @param ended whether no more than what is in the queue is wanted.
   * @returns undefined: there is no more.
   */
  async take(most: number, ended: () => boolean, signal: AbortSignal): Promise<ConsumeMessage[] | undefined> {
    let empty = 0
    for (;;) {
      signal.throwIfAborted()
      if (this.#failure) throw this.#failure
      if (this.#waiting.length > 0) return this.#waiting.splice(0, most)
      if (ended()) {
        const { messageCount } = await this.#count()
        // A message that is on its way to us is counted no more, but is here before the next answer.
        empty = messageCount === 0 && this.#waiting.length === 0 ? empty + 1 : 0
        if (empty >= 3) return undefined
      }
      if (empty === 0) await this.#news.wait(signal, ended() ? look : undefined)
    }
  }

  /** Puts messages back before the others. */
  back(messages: readonly ConsumeMessage[]): void {
    this.#waiting.unshift(...messages)
  }

  /** @param all before it as well. */
  ack(message: ConsumeMessage, all: boolean): void {
    if (this.#failure) throw this.#failure
    try {
      this.#channel!.ack(message, all)
    } catch (error) {
      throw judge(error, this.link.place)
    }
  }

  /** Looks again. */
  nudge(): void {
    this.#news.wake()
  }

  /** Whether the channel, and so the turn, is still there. @throws what became of it. */
  async confirm(): Promise<void> {
    if (this.#failure) throw this.#failure
    await this.#count()
  }

  async close(): Promise<void> {
    this.#failure ??= new Error(`the receiver of ${this.queue} was closed`)
    this.#news.wake()
    this.#unwatch()
    await goodbye(this.#channel)
  }

  async #count() {
    try {
      return await this.#channel!.checkQueue(this.queue)
    } catch (error) {
      throw judge(this.#failure ?? error, this.link.place, `the queue ${this.queue}`)
    }
  }
}

const gone = (link: Link, queue: string) =>
  new FollowError(`the queue ${queue} on RabbitMQ at ${link.place.address} was deleted`, {
    hint: 'Start again, and it is made anew; messages that lay in it are lost.'
  })
