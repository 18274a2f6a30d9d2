/**
 * The run's connections for rows: pairs of one to main, inside the one cut, and one to the standby. Work borrows a
 * pair; a pair that met an error is thrown away, and the next borrower gets a new one.
 */
import pLimit, { type LimitFunction } from 'p-limit'
import type pg from 'pg'
import { DataError } from '../core/errors.js'
import { backendOf, cancelBackend } from '../postgres/backend.js'
import { codeOf } from '../postgres/failure.js'
import { literal } from '../postgres/quote.js'
import type { Server } from '../postgres/server.js'

export interface Pair {
  main: pg.Client
  standby: pg.Client
  /** The standby's stage tables of this connection: unit → table name. */
  stages: Map<string, string>
}

async function takeUp(main: pg.Client, snapshot: string): Promise<void> {
  try {
    await main.query(`SET TRANSACTION SNAPSHOT ${literal(snapshot)}`)
  } catch (error) {
    await main.end().catch(() => {})
    throw ['22023', '42704'].includes(codeOf(error) ?? '') ? snapshotGone(error) : error
  }
}

const snapshotGone = (cause?: unknown) =>
  new DataError('main’s snapshot is gone: the connection that held the cut was lost', {
    hint: 'Run again: what is done is done, and the rest follows main’s next moment.',
    cause
  })

export class PairPool {
  readonly #idle: Pair[] = []
  readonly #open = new Set<Pair>()
  readonly #limit: LimitFunction
  #closed = false

  /**
   * @param cut main's exported snapshot; undefined where main cannot export one, and then `size` must be 1.
   * @param replica the standby's role may set session_replication_role, so that no trigger fires.
   */
  constructor(
    readonly main: Server,
    readonly standby: Server,
    readonly cut: { readonly snapshot: string | undefined; readonly isLost: boolean },
    readonly replica: boolean,
    size: number,
    readonly signal: AbortSignal
  ) {
    this.#limit = pLimit(size)
    signal.addEventListener('abort', () => void this.#cancel(), { once: true })
  }

  /** Runs `use` with a pair, as soon as one is free. */
  async run<T>(use: (pair: Pair) => Promise<T>): Promise<T> {
    return this.#limit(async () => {
      this.signal.throwIfAborted()
      const pair = this.#idle.pop() ?? (await this.open())
      try {
        const result = await use(pair)
        this.#idle.push(pair)
        return result
      } catch (error) {
        // An error leaves main's transaction unusable, and the cut with it; a new connection takes the cut up again.
        await this.discard(pair)
        throw error
      }
    })
  }

  /** Another pair beside the pool's, for work that holds one while it borrows more; the caller discards it. */
  async open(): Promise<Pair> {
    const [main, standby] = await Promise.allSettled([this.#openMain(), this.#openStandby()])
    if (main.status === 'fulfilled' && standby.status === 'fulfilled') {
      const pair = { main: main.value, standby: standby.value, stages: new Map<string, string>() }
      this.#open.add(pair)
      if (!this.#closed) return pair
      // The run ended while they were on their way.
      await this.discard(pair)
      throw new DataError('the run has ended')
    }
    if (main.status === 'fulfilled') await main.value.end().catch(() => {})
    if (standby.status === 'fulfilled') await standby.value.end().catch(() => {})
    throw main.status === 'rejected' ? main.reason : (standby as PromiseRejectedResult).reason
  }

  async discard(pair: Pair): Promise<void> {
    this.#open.delete(pair)
    await Promise.allSettled([pair.main.end(), pair.standby.end()])
  }

  async close(): Promise<void> {
    this.#closed = true
    await Promise.all([...this.#open].map(pair => this.discard(pair)))
  }

  async #openMain(): Promise<pg.Client> {
    const { snapshot } = this.cut
    // Main may be away for long, and then has forgotten the snapshot all the same.
    if (snapshot !== undefined && this.cut.isLost) throw snapshotGone()
    const client = await this.main.connect()
    await client.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY')
    if (snapshot !== undefined) await takeUp(client, snapshot)
    // A chunk is too small for parallel workers to pay; the pairs are the parallelism.
    if (this.main.can.parallel) await client.query('SET max_parallel_workers_per_gather = 0')
    return client
  }

  async #openStandby(): Promise<pg.Client> {
    const client = await this.standby.connect()
    if (this.replica) await client.query('SET session_replication_role = replica')
    if (this.standby.can.parallel) await client.query('SET max_parallel_workers_per_gather = 0')
    return client
  }

  /** Stops what the servers are doing for us; each open transaction rolls back. */
  async #cancel(): Promise<void> {
    const cancel = async (server: Server, clients: pg.Client[]) => {
      for (const client of clients) await cancelBackend(server, backendOf(client))
    }
    const pairs = [...this.#open]
    await Promise.all([
      cancel(
        this.main,
        pairs.map(pair => pair.main)
      ),
      cancel(
        this.standby,
        pairs.map(pair => pair.standby)
      )
    ])
  }
}
