/**
 * One run at a time writes to a standby. Its own session holds the lock, which ends with that session whatever happens to the
 * program, so that no lock is ever stale. Each session that writes holds a shared lock under the run's own number as well: a run that
 * begins sees by it what another left at work (a killed program's COMMIT, say), and a run that loses its lock writes nothing until it
 * has it again.
 */
import { randomInt } from 'node:crypto'
import { setTimeout as wait } from 'node:timers/promises'
import type pg from 'pg'
import { ConnectionError, GuardError } from '../core/errors.js'
import { patience, wholeKey } from '../postgres/locks.js'
import type { Server } from '../postgres/server.js'

/** The first half of the writers' keys; the second is the number of their run. */
const writers = 1885827959

interface Holder {
  client: pg.Client
  /** How the server knows it: a process id alone may soon be another session's. */
  pid: number
  started: string
}

export class StandbyLock {
  readonly #run = randomInt(1, 2 ** 31)
  /** The session that holds the lock; one that could not be had fails whoever waits for it. */
  #holder: Promise<Holder>
  #released = false
  /** Whoever asks the holder's session, one after the other. */
  #turn: Promise<unknown> = Promise.resolve()

  private constructor(
    private readonly standby: Server,
    private last: Holder
  ) {
    this.#holder = Promise.resolve(last)
  }

  /** @throws GuardError where another run holds it, or is still at work. */
  static async take(standby: Server): Promise<StandbyLock> {
    const holder = await tryLock(standby)
    if (!holder) {
      throw new GuardError(`another run is writing to the standby ${standby.address}`, {
        hint: 'Wait until it has ended: its lock ends with it.'
      })
    }
    const lock = new StandbyLock(standby, holder)
    try {
      await lock.#refuseOthers(holder.client)
      return lock
    } catch (error) {
      await lock.release()
      throw error
    }
  }

  /** The same server, whose connections write under this lock alone. */
  guarded(): Server {
    const connect = async () => {
      const client = await this.standby.connect()
      try {
        await client.query(`SELECT pg_catalog.pg_advisory_lock_shared(${writers}, ${this.#run})`)
        // Only now: whoever takes the lock after this sees that session.
        await this.#hold()
        return client
      } catch (error) {
        await client.end().catch(() => {})
        throw error
      }
    }
    return Object.assign(Object.create(this.standby) as Server, { connect })
  }

  async release(): Promise<void> {
    this.#released = true
    const holder = await this.#holder.catch(() => undefined)
    await holder?.client.end().catch(() => {})
  }

  /** Settles when the lock is known to be held; takes it again where its session was lost. */
  #hold(): Promise<void> {
    const held = this.#turn.then(() => this.#ask())
    this.#turn = held.catch(() => {})
    return held
  }

  async #ask(): Promise<void> {
    try {
      await (await this.#holder).client.query('SELECT 1')
    } catch {
      if (this.#released) throw new ConnectionError('the run has ended')
      await (this.#holder = this.#again())
    }
  }

  async #again(): Promise<Holder> {
    const holder = await tryLock(this.standby, [this.last.pid, this.last.started])
    if (!holder) {
      throw new ConnectionError(
        `the connection that held the lock on the standby ${this.standby.address} was lost, and another run has it now`,
        { hint: 'Run again when that one has ended.' }
      )
    }
    this.last = holder
    return holder
  }

  /** @throws GuardError where sessions of another run do not end. */
  async #refuseOthers(client: pg.Client): Promise<void> {
    const deadline = performance.now() + patience
    for (;;) {
      const { rows } = await client.query<{ pid: number }>(
        `SELECT DISTINCT pid FROM pg_catalog.pg_locks WHERE locktype = 'advisory' AND classid = ${writers}
           AND database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())
           AND objid <> ${this.#run} ORDER BY pid`
      )
      if (rows.length === 0) return
      if (performance.now() > deadline) {
        const pids = rows.map(({ pid }) => pid).join(', ')
        throw new GuardError(
          `a run that was ended is still at work on the standby ${this.standby.address} (process ${pids})`,
          {
            hint: `Wait until its statement has ended, or end it: SELECT pg_terminate_backend(${rows[0]!.pid}).`
          }
        )
      }
      await wait(100)
    }
  }
}

/**
 * A session with the lock; undefined where another session has it.
 * @param ended the process id and start of our own last one, of which the server may not know yet that it is lost.
 */
async function tryLock(standby: Server, ended: (number | string)[] = []): Promise<Holder | undefined> {
  const client = await standby.connect()
  try {
    if (ended.length > 0) {
      await client.query(
        `SELECT pg_catalog.pg_terminate_backend(pid) FROM pg_catalog.pg_stat_activity
         WHERE pid = $1 AND backend_start = $2::timestamptz`,
        ended
      )
    }
    const deadline = performance.now() + patience
    for (;;) {
      const { rows } = await client.query<{ got: boolean; pid: number; started: string }>(
        `SELECT pg_catalog.pg_try_advisory_lock(${wholeKey}) AS got, pid, backend_start::text AS started
         FROM pg_catalog.pg_stat_activity WHERE pid = pg_catalog.pg_backend_pid()`
      )
      const { got, pid, started } = rows[0]!
      if (got) return { client, pid, started }
      // What was told to end takes a moment.
      if (ended.length === 0 || performance.now() > deadline) break
      await wait(100)
    }
  } catch (error) {
    await client.end().catch(() => {})
    throw error
  }
  await client.end().catch(() => {})
  return undefined
}
