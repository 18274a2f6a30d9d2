/**
 * A slot's stream as raw messages. What has come and is not taken yet is bounded: then the socket waits, and with it main. Main is told that
 * we live, however long the messages lie, and of progress only what was acked.
 * (PostgreSQL's documentation, "Streaming Replication Protocol".)
 */
import { once } from 'node:events'
import type { Duplex } from 'node:stream'
import type pg from 'pg'
import { isConnectionLoss } from '../../../postgres/failure.js'
import type { Lsn } from './position.js'

/** Bytes that may lie here before the socket waits. */
const room = 1024 * 1024
/** Taken messages that are kept before their places are given back. */
const many = 4096
/** Milliseconds that main is given to end the connection in good order. */
const patience = 1000
/** Microseconds from 1970 to 2000, where PostgreSQL's time begins. */
const epoch = 946_684_800_000_000n
const [keepalive, copyData] = Buffer.from('kd')

export class Receiver implements pg.Submittable {
  #stream: Duplex | undefined
  /** Messages; those before `at` are taken. */
  #messages: Buffer[] = []
  #at = 0
  #bytes = 0
  #acked: Lsn
  #failure: Error | undefined
  #wake = () => {}
  readonly #beat: NodeJS.Timeout

  /**
   * @param client a replication connection, which is the receiver's from now on.
   * @param acked what was acked before.
   * @param interval milliseconds from one tick to the next; a tick must tell.
   */
  constructor(
    private readonly client: pg.Client,
    private readonly command: string,
    acked: Lsn,
    interval: number,
    tick: () => void
  ) {
    this.#acked = acked
    this.#beat = setInterval(tick, interval)
    client.query(this)
  }

  /** The next message, if one has come. */
  take(): Buffer | undefined {
    const message = this.#messages[this.#at]
    if (!message) return undefined
    this.#at++
    this.#bytes -= message.length
    if (this.#at === this.#messages.length || this.#at === many) {
      this.#messages = this.#messages.slice(this.#at)
      this.#at = 0
    }
    if (this.#bytes < room / 2 && this.#stream?.isPaused()) this.#stream.resume()
    return message
  }

  /** Settles when a message is there; rejects with why none will come. */
  async arrival(): Promise<void> {
    if (this.#at < this.#messages.length) return
    if (this.#failure) throw this.#failure
    await new Promise<void>(resolve => (this.#wake = resolve))
    return this.arrival()
  }

  /** All before this LSN is durable in the sink. */
  ack(lsn: Lsn): void {
    if (lsn <= this.#acked) return
    this.#acked = lsn
    this.tell(false)
  }

  /** Tells main how far we are, and asks for the same in return. */
  tell(asks: boolean): void {
    if (!this.#stream?.writable) return
    const message = Buffer.alloc(39)
    message[0] = copyData!
    message.writeUInt32BE(38, 1)
    message.write('r', 5)
    // Written, flushed, applied.
    for (const at of [6, 14, 22]) message.write(this.#acked, at, 'hex')
    message.writeBigInt64BE(BigInt(Date.now()) * 1000n - epoch, 30)
    message[38] = asks ? 1 : 0
    this.#stream.write(message)
  }

  /** Ends the connection, in the midst of what main is sending; never fails. */
  async close(): Promise<void> {
    this.#fail(new Error('the source was closed'))
    this.#messages = []
    this.#at = 0
    const { client } = this
    const { connection } = client as pg.Client & { connection: pg.Connection }
    const { stream } = connection
    if (stream.destroyed) return
    const ended = once(client, 'end')
    const timer = setTimeout(() => stream.destroy(), patience)
    connection.end()
    // What still comes is read and dropped, so that the end is reached.
    stream.resume()
    await ended.catch(() => {})
    clearTimeout(timer)
  }

  submit(connection: pg.Connection): void {
    this.#stream = connection.stream
    connection.query(this.command)
    connection.once('replicationStart', () => this.tell(false))
  }

  handleCopyData({ chunk }: { chunk: Buffer }): void {
    if (this.#failure) return
    if (chunk[0] === keepalive && chunk[17] === 1) this.tell(false)
    // The driver uses its memory again as soon as we return.
    this.#messages.push(Buffer.from(chunk))
    this.#bytes += chunk.length
    if (this.#bytes > room) this.#stream?.pause()
    this.#wake()
  }

  handleCommandComplete(): void {}

  handleReadyForQuery(): void {
    this.#fail(new Error('Connection terminated: main has ended the stream'))
  }

  handleError(error: Error): void {
    // What a socket says of its own loss differs with the moment.
    this.#fail(
      isConnectionLoss(error) || 'code' in error
        ? error
        : new Error(`Connection terminated: ${error.message}`)
    )
  }

  #fail(error: Error): void {
    clearInterval(this.#beat)
    this.#failure ??= error
    this.#wake()
  }
}
