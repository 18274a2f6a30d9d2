/**
 * The source that reads what triggers wrote down: every change of every kind, in the order of its id, up to where no change can come
 * any more. What the sink has is taken away from main.
 */
import type { EmitFollow, Lag } from '../../core/events.js'
import { literal, qualified } from '../../postgres/quote.js'
import type { Server } from '../../postgres/server.js'
import { checkOutbox, checkTriggers } from '../capture/check.js'
import { outboxNames, schema } from '../capture/outboxsql.js'
import { refuseKeyless, refuseRecovery } from '../capture/tables.js'
import type { FollowConfig } from '../config.js'
import type { ChangeBatch, Operation, Position, Snapshot, Source, Start } from '../ports.js'
import type { FollowedTable } from '../table.js'
import { attend, maySignal } from './attend.js'
import { beginCopy, openCopy } from './copying.js'
import { lastId, type Ids } from './horizon.js'
import { OutboxLooks, positionOf } from './outboxlooks.js'
import { Reader } from './reader.js'
import { Wake } from './wake.js'
import { originOf, Watching } from './watching.js'

/** Milliseconds between two looks without a signal at most. */
const longestSleep = 1000
/** Milliseconds between two times that changes are taken away. */
const pause = 1000

/**
 * Opens it.
 * @throws ConfigError for tables that cannot be followed; FollowError where what captures changes is not there, or not for this role;
 *   GuardError where another process reads this stream.
 */
export async function openOutbox(server: Server, config: FollowConfig, emit: EmitFollow): Promise<Source> {
  await refuseRecovery(server)
  const watching = await Watching.open(server.sql, server.can, config)
  refuseKeyless(watching.followed)
  await checkOutbox(server.sql, config)
  const { functions, outbox } = outboxNames(config.name)
  await checkTriggers(server, config, functions, 'row', watching.shapes)
  const [row] = await server.sql.unsafe<{ oid: string }[]>(
    `SELECT ${literal(qualified(schema, outbox))}::regclass::oid::text AS oid`
  )
  const ids = { oid: Number(row!.oid), sequence: qualified(schema, `${outbox}_id_seq`) }
  const origin = await originOf(server.sql, server.can, config)
  const signals = await maySignal(server.sql)
  const wake = await Wake.open(server, 'outbox', config.name)
  return new OutboxSource(server, config, emit, origin, watching, ids, signals, wake)
}

class OutboxSource implements Source {
  readonly capabilities = { operations: new Set<Operation>(['insert', 'update', 'delete', 'truncate']) }
  readonly #over = new AbortController()
  readonly #outbox: string
  readonly #taken: string
  #acked = -1n
  #gone = -1n
  #goneAt = performance.now()

  constructor(
    private readonly server: Server,
    private readonly config: FollowConfig,
    private readonly emit: EmitFollow,
    readonly origin: string,
    private readonly watching: Watching,
    private readonly ids: Ids,
    private readonly signals: boolean,
    private readonly wake: Wake
  ) {
    const { outbox, taken } = outboxNames(config.name)
    this.#outbox = qualified(schema, outbox)
    this.#taken = qualified(schema, taken)
  }

  get tables(): readonly FollowedTable[] {
    return this.watching.shapes
  }

  /** Changes of these tables that the copy has are taken away with it; those that it has not will come. */
  async snapshot(tables: readonly FollowedTable[], signal: AbortSignal): Promise<Snapshot> {
    const all = AbortSignal.any([signal, this.#over.signal])
    return openCopy(this.server, this.watching.followed, all, async client => {
      await client.query(beginCopy)
      const { rows } = await client.query<{ id: string }>(`SELECT id::text AS id FROM ${this.#taken}`)
      const names = tables.map(table => `(${literal(table.schema)}, ${literal(table.name)})`).join(', ')
      return {
        position: positionOf(BigInt(rows[0]!.id)),
        done: `DELETE FROM ${this.#outbox} WHERE ("schema", "table") IN (${names})`
      }
    })
  }

  async *stream({ after, once }: Start, signal: AbortSignal): AsyncGenerator<ChangeBatch> {
    const all = AbortSignal.any([signal, this.#over.signal])
    all.throwIfAborted()
    // Whatever the statistics of a table that fills and empties all the time say: its index leads straight to what is new.
    const reader = new Reader(this.server, all, 'SET enable_seqscan = off; SET enable_bitmapscan = off')
    const looks = new OutboxLooks(this.server, this.config, reader, this.watching, this.ids, all)
    try {
      await looks.begin(after)
      const { wake, signals, config } = this
      yield* attend({
        look: last => looks.look(last),
        wake,
        signals,
        settles: true,
        interval: Math.min(config.interval, longestSleep),
        once,
        emit: () => {},
        signal: all
      })
    } catch (error) {
      throw all.aborted ? all.reason : error
    } finally {
      reader.close()
    }
  }

  async ack(position: Position): Promise<void> {
    this.#acked = BigInt(position)
    if (performance.now() - this.#goneAt > pause) await this.#take()
  }

  /** Ids that were given and not acked; a change that was rolled back counts until it is passed. */
  async lag(): Promise<Lag> {
    const last = await lastId(this.server.sql, this.ids)
    const [row] = await this.server.sql.unsafe<{ id: string }[]>(`SELECT id::text AS id FROM ${this.#taken}`)
    const done = BigInt(row!.id) > this.#acked ? BigInt(row!.id) : this.#acked
    return { rows: last > done ? Number(last - done) : 0 }
  }

  async close(): Promise<void> {
    this.#over.abort(new Error('the source was closed'))
    // What cannot be taken away now is passed over the next time.
    await this.#take().catch(() => {})
    await this.wake.close()
  }

  async #take(): Promise<void> {
    const to = this.#acked
    if (to <= this.#gone) return
    await this.server.sql.unsafe(
      `WITH gone AS (DELETE FROM ${this.#outbox} WHERE id <= ${to}) UPDATE ${this.#taken} SET id = ${to} WHERE id < ${to}`
    )
    this.#gone = to
    this.#goneAt = performance.now()
  }
}
