/**
 * One session at a time, made anew whenever the last one is lost. Work that is given up (its signal is aborted) loses its
 * session at once, and the server is told to end it: a statement must not go on behind the back of the next one.
 */
import type pg from 'pg'
import type { Emit } from '../core/events.js'
import { retrying } from '../core/retry.js'
import { isTransient } from './failure.js'
import type { Server } from './server.js'

/** Tries after the first, of work that met a lost connection or a deadlock: 6 seconds in all. */
const retries = 5
/** Milliseconds that a session is given to end in good order. */
const patience = 5000

interface Session {
  client: pg.Client
  /** How the server knows it: a process id alone may soon be another session's. */
  pid: number
  started: string
}

export class Link {
  #session: Session | undefined
  #turn: Promise<unknown> = Promise.resolve()
  /** Given up, and perhaps still at work. */
  #left: Session[] = []

  /**
   * @param setUp run once on each new session.
   * @param tries further ones of work that met a lost connection or a deadlock: none where it must not be done twice.
   */
  constructor(
    readonly server: Server,
    private readonly emit: Emit,
    private readonly setUp: (client: pg.Client) => Promise<void> = async () => {},
    private readonly tries = retries
  ) {}

  /**
   * Runs `work` when all earlier work is done, and again (so it must be such that it can be repeated) after a deadlock, or, on a
   * new session, after the loss of its connection.
   * @throws the signal's reason at once when it is aborted; the work's last error.
   */
  async use<T>(signal: AbortSignal, work: (client: pg.Client) => Promise<T>): Promise<T> {
    const policy = { retries: this.tries, signal, emit: this.emit, transient: isTransient }
    const turn = this.#turn.then(() => retrying(this.server.address, policy, () => this.#once(signal, work)))
    this.#turn = turn.catch(() => {})
    return turn
  }

  async #once<T>(signal: AbortSignal, work: (client: pg.Client) => Promise<T>): Promise<T> {
    return unlessAborted(signal, async () => {
      const session = (this.#session ??= await this.#open(signal))
      try {
        const give = () => this.#abandon(session)
        signal.addEventListener('abort', give, { once: true })
        try {
          return await work(session.client)
        } finally {
          signal.removeEventListener('abort', give)
        }
      } catch (error) {
        // What state it is in, nobody knows.
        if (this.#session === session) {
          this.#session = undefined
          void session.client.end().catch(() => {})
        }
        throw error
      }
    })
  }

  async #open(signal: AbortSignal): Promise<Session> {
    const session = await this.#connect(signal)
    await whileWanted(signal, session.client, async () => {
      await this.#terminateLeft(session.client)
      await this.setUp(session.client)
    })
    return session
  }

  async #connect(signal?: AbortSignal): Promise<Session> {
    const client = await this.server.connect()
    const query = `SELECT pid, backend_start::text AS started FROM pg_catalog.pg_stat_activity
      WHERE pid = pg_catalog.pg_backend_pid()`
    const { rows } = await whileWanted(signal, client, () =>
      client.query<{ pid: number; started: string }>(query)
    )
    return { client, ...rows[0]! }
  }

  /** Gives up the session that is there, as if its work had been aborted. */
  drop(): void {
    if (this.#session) this.#abandon(this.#session)
  }

  #abandon(session: Session): void {
    if (this.#session === session) this.#session = undefined
    this.#left.push(session)
    destroy(session.client)
  }

  /** A session that waits for its client's rows heeds no cancelling, but it does end. */
  async #terminateLeft(client: pg.Client): Promise<void> {
    for (let session = this.#left[0]; session !== undefined; session = this.#left[0]) {
      await client.query(
        `SELECT pg_catalog.pg_terminate_backend(pid) FROM pg_catalog.pg_stat_activity
         WHERE pid = $1 AND backend_start = $2::timestamptz`,
        [session.pid, session.started]
      )
      this.#left.shift()
    }
  }

  /** Ends all sessions, the server's side of those that were given up too; takes 5 seconds at most. */
  async end(): Promise<void> {
    let client = this.#session?.client
    this.#session = undefined
    const work = async () => {
      if (this.#left.length > 0) {
        client ??= (await this.#connect()).client
        await this.#terminateLeft(client)
      }
      await client?.end()
    }
    let timer: NodeJS.Timeout | undefined
    const late = new Promise<void>(resolve => (timer = setTimeout(resolve, patience)))
    // A server that does not answer has nothing left to say.
    await Promise.race([work().catch(() => {}), late])
    clearTimeout(timer)
    if (client) destroy(client)
  }
}

/** The work's result, or the signal's reason as soon as it is aborted; the work then goes on unheard. */
export async function unlessAborted<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  signal.throwIfAborted()
  let stop: () => void
  const aborted = new Promise<never>((_, reject) => {
    stop = () => reject(signal.reason)
    signal.addEventListener('abort', stop, { once: true })
  })
  try {
    return await Promise.race([work(), aborted])
  } finally {
    signal.removeEventListener('abort', stop!)
  }
}

/** Works on a new session, which is closed where that fails or nobody waits for it any more. */
async function whileWanted<T>(
  signal: AbortSignal | undefined,
  client: pg.Client,
  work: () => Promise<T>
): Promise<T> {
  const close = () => destroy(client)
  signal?.addEventListener('abort', close, { once: true })
  try {
    if (signal?.aborted) throw signal.reason
    return await work()
  } catch (error) {
    close()
    throw error
  } finally {
    signal?.removeEventListener('abort', close)
  }
}

/** Closes the socket without a word. */
function destroy(client: pg.Client): void {
  const { connection } = client as unknown as { connection: { stream: { destroy(): void } } }
  connection.stream.destroy()
}
