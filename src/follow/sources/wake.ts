/**
 * How a reader sleeps and is woken. One session, for as long as the source is open, holds three things: the right to be the only reader;
 * as long as the reader is awake, a lock that tells triggers so; and the ear for their signal. A trigger that cannot take
 * the lock need not signal. So that none is missed, whoever goes to sleep gives the lock back first, and then looks once more behind
 * everyone who is writing.
 */
import type pg from 'pg'
import { ConnectionError, GuardError } from '../../core/errors.js'
import { codeOf } from '../../postgres/failure.js'
import { ident } from '../../postgres/quote.js'
import type { Server } from '../../postgres/server.js'
import { awakeKey, channelOf, readerKey } from '../capture/signal.js'

/** Milliseconds that another reader's session is given to end: one that was cut off ends a little later than its program learns
 * of it. */
const patience = 5000

export class Wake {
  #signalled = false
  #heard: () => void = () => {}
  #lost: Error | undefined

  private constructor(
    private readonly client: pg.Client,
    private readonly key: string
  ) {
    client.on('notification', () => {
      this.#signalled = true
      this.#heard()
    })
    client.on('end', () => {
      // The driver's word for it is in the cause: another try may do.
      this.#lost = new ConnectionError('the connection to main that waits for signals was lost', {
        sqlstate: '08006',
        cause: new Error('Connection terminated unexpectedly')
      })
      this.#heard()
    })
  }

  /** @throws GuardError where another reader has it. */
  static async open(server: Server, kind: string, name: string): Promise<Wake> {
    const client = await server.connect()
    try {
      // Who listens before it can be seen to be there misses nothing.
      await client.query(`LISTEN ${ident(channelOf(name))}`)
      const { rows } = await client.query<{ before: string }>(
        `SELECT pg_catalog.current_setting('lock_timeout') AS before, pg_catalog.set_config('lock_timeout', '${patience}', false)`
      )
      // Triggers hold it too, for no longer than it takes to see that they can.
      await client
        .query(`SELECT pg_catalog.pg_advisory_lock(${readerKey(kind, name)})`)
        .catch(async (error: unknown) => {
          throw codeOf(error) === '55P03' ? await taken(client, kind, name) : error
        })
      await client.query(`SELECT pg_catalog.set_config('lock_timeout', $1, false)`, [rows[0]!.before])
      return new Wake(client, awakeKey(kind, name))
    } catch (error) {
      await client.end().catch(() => {})
      throw error
    }
  }

  /** Signals that came until now are dealt with by the look that follows. */
  forget(): void {
    this.#signalled = false
  }

  /** Triggers need not signal from now on. They hold the lock for no longer than it takes to ask for it. */
  async awake(): Promise<void> {
    await this.#query(`SELECT pg_catalog.pg_advisory_lock(${this.key})`)
  }

  /** Triggers signal from now on. */
  async asleep(): Promise<void> {
    await this.#query(`SELECT pg_catalog.pg_advisory_unlock(${this.key})`)
  }

  /** Settles with whether there was a signal since the last was forgotten, or at the latest after so many milliseconds. */
  async heard(time: number, signal: AbortSignal): Promise<boolean> {
    signal.throwIfAborted()
    if (!this.#signalled && !this.#lost) await this.#sleep(time, signal)
    signal.throwIfAborted()
    if (this.#lost) throw this.#lost
    return this.#signalled
  }

  #sleep(time: number, signal: AbortSignal): Promise<void> {
    return new Promise(resolve => {
      const up = () => {
        clearTimeout(timer)
        signal.removeEventListener('abort', up)
        resolve()
      }
      const timer = setTimeout(up, time)
      this.#heard = up
      signal.addEventListener('abort', up, { once: true })
    })
  }

  async close(): Promise<void> {
    await this.client.end().catch(() => {})
  }

  async #query(text: string): Promise<void> {
    if (this.#lost) throw this.#lost
    await this.client.query(text)
  }
}

async function taken(client: pg.Client, kind: string, name: string): Promise<GuardError> {
  const [classid, objid] = readerKey(kind, name)
    .split(', ')
    .map(part => `(${part})::bigint`)
  const { rows } = await client.query<{ pid: number; who: string }>(
    `SELECT l.pid, pg_catalog.concat_ws(', ', a.usename, a.client_addr, a.application_name) AS who FROM pg_catalog.pg_locks l
     LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid
     WHERE l.locktype = 'advisory' AND l.granted
       AND (l.classid::bigint, l.objid::bigint) = (${classid} & 4294967295, ${objid} & 4294967295)
       AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())`
  )
  const who = rows[0] ? ` (pid ${rows[0].pid} on main: ${rows[0].who})` : ''
  return new GuardError(`another process reads the ${kind} stream ${name}${who}`, {
    hint: 'Two would take changes from each other: end that one, or give this one a --name and a capture of its own.'
  })
}
