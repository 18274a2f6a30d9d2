/**
 * A network may swallow what is sent without a word, and a statement may take hours: silence by itself says nothing. So a server is asked
 * now and then, by a session of its own, for a word. Where it has given none for long, all connections to it are given up as if they had
 * been cut, and whoever used them goes on as after any lost connection.
 */
import { randomBytes } from 'node:crypto'
import { connect, Socket } from 'node:net'
import { once } from 'node:events'
import { setTimeout as wait } from 'node:timers/promises'
import type pg from 'pg'
import { ConnectionError } from '../core/errors.js'
import { backendOf } from './backend.js'
import { arrayText } from './quote.js'

/** Milliseconds that a server which has much to do may be silent at least. */
const shortest = 5_000

/** Milliseconds for the last words to a server. */
const farewell = 5_000

/** Looks in the time of a limit. */
const looks = 4

export class Pulse {
  /** What helper programs call themselves to the server: theirs are sessions of ours. */
  readonly program = `pgsyncer ${randomBytes(4).toString('hex')}`
  readonly #sockets = new Set<Socket>()
  #lost = new AbortController()
  #timer: NodeJS.Timeout | undefined
  #asking: pg.Client | undefined
  #asked: Promise<void> | undefined
  /** Process ids on the server. */
  readonly #sessions = new Set<number>()
  /** Sessions that were given up: the server may not know it yet, and hold their locks. */
  #orphans: number[] | undefined
  #ask = async (): Promise<void> => {}

  /** Aborted when the connections are given up; then there is another. */
  get lost(): AbortSignal {
    return this.#lost.signal
  }

  /** A socket that is given up with the others. */
  socket = (): Socket => this.#track(new Socket())

  /** The same, connected. */
  async connected(to: { host: string; port: number } | { path: string }): Promise<Socket> {
    const socket = this.#track(connect(to))
    await once(socket, 'connect')
    return socket
  }

  /**
   * Begins to ask.
   * @param open makes a session.
   * @param limit milliseconds of silence; 5 s at least.
   * @param what the server is called.
   */
  keep(open: () => Promise<pg.Client>, limit: number, what: string): void {
    const patience = Math.max(shortest, limit)
    let heard = performance.now()
    this.#ask = async () => {
      const client = (this.#asking ??= await open())
      await client.query('SELECT 1')
      heard = performance.now()
      if (this.#orphans) await this.#endOrphans(client, this.#orphans, patience)
    }
    const look = () => {
      this.#asked ??= this.#ask()
        // Whether it can be reached, those who work with it find out by themselves.
        .catch(() => void (this.#asking = undefined))
        .finally(() => (this.#asked = undefined))
      if (performance.now() - heard < patience) return
      heard = performance.now()
      this.#giveUp(new ConnectionError(`connection terminated: ${what} was silent for ${patience / 1000} s`))
    }
    // At once: a session that came later might be heard where the earlier ones are not.
    look()
    this.#timer ??= setInterval(look, patience / looks).unref()
  }

  /** A session that is ended on the server, too, once its connection was given up. */
  session(client: pg.Client): void {
    const pid = backendOf(client)
    if (pid === null) return
    this.#sessions.add(pid)
    client.once('end', () => this.#sessions.delete(pid))
  }

  async #endOrphans(client: pg.Client, pids: readonly number[], silence: number): Promise<void> {
    await client.query(
      `SELECT pg_catalog.pg_terminate_backend(pid) FROM pg_catalog.pg_stat_activity
       WHERE (pid = ANY ($1::int[]) AND application_name = 'pgsyncer' OR application_name = $3) AND usename = current_user
         AND backend_start < pg_catalog.now() - $2::float8 * interval '1 millisecond'`,
      [arrayText(pids.map(String)), silence, this.program]
    )
    this.#orphans = undefined
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer)
    // A run that begins anew would wait for what these hold.
    const last = async () => {
      await this.#asked
      if (this.#orphans) await this.#ask().catch(() => {})
      await this.#asking?.end().catch(() => {})
    }
    await Promise.race([last(), wait(farewell, undefined, { ref: false })])
  }

  #giveUp(reason: Error): void {
    const before = this.#lost
    this.#lost = new AbortController()
    this.#orphans = [...this.#sessions]
    for (const socket of this.#sockets) socket.destroy(reason)
    before.abort(reason)
  }

  #track(socket: Socket): Socket {
    this.#sockets.add(socket)
    socket.once('close', () => this.#sockets.delete(socket))
    return socket
  }
}
