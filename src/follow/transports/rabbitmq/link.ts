/** The one connection to RabbitMQ. When it is lost, it stays lost: whoever uses it opens everything anew. */
import { isIP } from 'node:net'
import type { Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import amqp, { type Channel, type ChannelModel, type ConfirmChannel } from 'amqplib'
import { judge } from './failure.js'
import type { Place } from './place.js'

/** Closes something, but does not wait long for a broker that does not answer. */
export async function goodbye(what: { close(): Promise<void> } | undefined): Promise<void> {
  if (!what) return
  const over = new AbortController()
  // A channel that is closed already throws at once.
  const closed = Promise.resolve().then(() => what.close())
  const late = delay(patience.close, undefined, { signal: over.signal })
  await Promise.race([closed.catch(() => {}), late.catch(() => {})])
  over.abort()
}

/** Milliseconds that a broker may take to let us in, or to say goodbye. */
const patience = { open: 10_000, close: 2_000 }

export class Link {
  /** Why it is lost. */
  #failure: Error | undefined
  readonly #watching = new Set<(failure: Error) => void>()

  private constructor(
    readonly place: Place,
    private readonly model: ChannelModel
  ) {
    const lose = (error?: unknown) => this.#lose(error ?? new Error('it was closed'))
    model.on('error', lose)
    model.on('close', lose)
  }

  /** @throws ConnectionError */
  static async open(place: Place): Promise<Link> {
    const { secure, host, port, username, password, vhost, heartbeat } = place
    try {
      const model = await amqp.connect(
        {
          protocol: secure ? 'amqps' : 'amqp',
          hostname: host,
          port,
          username,
          password,
          // The library decodes it once more.
          vhost: encodeURIComponent(vhost),
          heartbeat
        },
        {
          timeout: patience.open,
          noDelay: true,
          keepAlive: true,
          ...(secure && isIP(host) === 0 && { servername: host }),
          clientProperties: { connection_name: 'pgsyncer' }
        }
      )
      return new Link(place, model)
    } catch (error) {
      throw judge(error, place)
    }
  }

  /** What the broker, or the cluster that it is of, is called. */
  get cluster(): string {
    const { serverProperties } = this.model.connection as unknown as { serverProperties: unknown }
    return String((serverProperties as { cluster_name?: unknown }).cluster_name ?? this.place.address)
  }

  /** Calls once when the connection is lost, at once if it is; returns how to stop that. */
  watch(lost: (failure: Error) => void): () => void {
    if (this.#failure) lost(this.#failure)
    else this.#watching.add(lost)
    return () => void this.#watching.delete(lost)
  }

  /** @param failed is told why the channel ended without being closed by us. */
  async channel(failed: (failure: Error) => void = () => {}): Promise<Channel> {
    return this.#opened(() => this.model.createChannel(), failed)
  }

  async confirmChannel(failed: (failure: Error) => void): Promise<ConfirmChannel> {
    return this.#opened(() => this.model.createConfirmChannel(), failed)
  }

  /** Does something on a channel of its own. @param what it is about, for the error. */
  async using<T>(what: string, work: (channel: Channel) => Promise<T>): Promise<T> {
    let reason: unknown
    const channel = await this.channel(failure => (reason ??= failure))
    try {
      return await work(channel)
    } catch (error) {
      throw judge(reason ?? error, this.place, what)
    } finally {
      await goodbye(channel)
    }
  }

  /** Never throws. */
  async close(): Promise<void> {
    if (this.#failure) return
    this.#failure = new Error('the link to RabbitMQ was closed')
    await goodbye(this.model)
    // A broker that does not answer must not keep us.
    ;(this.model.connection as unknown as { stream: Socket }).stream.destroy()
  }

  async #opened<T extends Channel>(open: () => Promise<T>, failed: (failure: Error) => void): Promise<T> {
    if (this.#failure) throw this.#failure
    try {
      const channel = await open()
      channel.on('error', (error: Error) => failed(error))
      return channel
    } catch (error) {
      throw judge(this.#failure ?? error, this.place)
    }
  }

  #lose(error: unknown): void {
    if (this.#failure) return
    this.#failure = judge(error, this.place)
    for (const lost of this.#watching) lost(this.#failure)
    this.#watching.clear()
  }
}
