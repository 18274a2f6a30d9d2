/**
 * A PostgreSQL database as the sink: rows and position are written in one transaction, by one session that holds the stream's lock, so
 * that a change is there once, whenever and wherever the power fails.
 */
import type pg from 'pg'
import type { EmitFollow } from '../../../core/events.js'
import { openServer } from '../../../postgres/connect.js'
import { refuseReadOnly } from '../../../postgres/guards.js'
import { Link } from '../../../postgres/link.js'
import type { Server } from '../../../postgres/server.js'
import type { FollowConfig } from '../../config.js'
import type { ChangeBatch, Position, Sink, StreamState } from '../../ports.js'
import type { FollowedTable } from '../../table.js'
import { loadTable } from './load.js'
import { holdRecord, makeTable, readRecord, streamTable, writeRecord } from './record.js'
import { refusal } from './refusal.js'
import { Tables } from './tables.js'
import { turnTable } from './turns.js'
import { Writer } from './writer.js'

const never = new AbortController().signal

/**
 * Opens the standby and takes the stream's lock there.
 * @param shared others write the same stream too: no lock is taken, and nothing is remembered, but whose turn it is (turns.ts); a batch that
 *   comes again must do no harm.
 * @throws ConfigError for a DSN that cannot be used, a hot standby, or a role without the rights; ConnectionError; GuardError where another
 *   process writes this stream.
 */
export async function openPostgresSink(
  config: FollowConfig,
  emit: EmitFollow,
  shared = false
): Promise<Sink> {
  const { lockTimeout, statementTimeout } = config
  const server = await openServer('standby', config.to, config.env, { lockTimeout, statementTimeout })
  try {
    await refuseReadOnly(server)
    await makeTable(server, shared ? turnTable : streamTable)
    const sink = new PostgresSink(server, config, await mayBeReplica(server), emit, shared)
    try {
      if (!shared) await sink.recall()
      return sink
    } catch (error) {
      await sink.close()
      throw error
    }
  } catch (error) {
    await server.close()
    throw error
  }
}

/** Asked within one statement, which leaves nothing set. */
async function mayBeReplica(server: Server): Promise<boolean> {
  try {
    await server.sql`SELECT pg_catalog.set_config('session_replication_role', 'replica', true)`
    return true
  } catch {
    return false
  }
}

class PostgresSink implements Sink {
  readonly capabilities = { partial: true, overwrites: true }
  readonly #tables: Tables
  readonly #link: Link
  readonly #writers = new WeakMap<pg.Client, Writer>()
  /** Up to where it is written, as far as that is known. */
  #position: Position | null = null

  /** @param replica the role may set session_replication_role. */
  constructor(
    private readonly server: Server,
    private readonly config: FollowConfig,
    private readonly replica: boolean,
    emit: EmitFollow,
    private readonly shared: boolean
  ) {
    this.#tables = new Tables(server, config, replica, emit)
    // Never a second try: what a lost session did not commit, and what it did, is known when the position is read again.
    this.#link = new Link(
      server,
      () => {},
      client => this.#begin(client),
      0
    )
  }

  async #begin(client: pg.Client): Promise<void> {
    const { name, lockTimeout } = this.config
    if (!this.shared) await holdRecord(client, this.server, name, lockTimeout)
    // A server that a network has cut off from us keeps the lock until it notices: within a minute.
    await client.query(
      'SET tcp_keepalives_idle = 30; SET tcp_keepalives_interval = 10; SET tcp_keepalives_count = 3'
    )
    if (this.replica) await client.query('SET session_replication_role = replica')
    this.#writers.set(client, new Writer(client, this.#tables, this.shared ? undefined : name, this.replica))
  }

  async recall(): Promise<StreamState | undefined> {
    const state = await this.#told(undefined, () =>
      this.#link.use(never, client => readRecord(client, this.config.name))
    )
    this.#position = state?.position ?? null
    return state
  }

  async remember(state: StreamState): Promise<void> {
    const write = (client: pg.Client) => writeRecord(client, this.config.name, state)
    await this.#told(undefined, () => this.#link.use(never, write))
    this.#position = state.position
  }

  async prepare(table: FollowedTable): Promise<readonly string[]> {
    return this.#told(table, () => this.#tables.prepare(table))
  }

  async hasRows(table: FollowedTable): Promise<boolean> {
    return this.#told(table, () => this.#tables.hasRows(this.#tables.of(table).target.relation))
  }

  async clear(table: FollowedTable): Promise<void> {
    await this.#tables.refuseReach(table)
    const statements = this.#tables.emptying([table])
    await this.#told(table, () => this.#link.use(never, client => client.query(statements.join(';'))))
  }

  loadOrder(tables: readonly FollowedTable[]): readonly FollowedTable[] {
    return this.#tables.ordered(tables)
  }

  expressions(): undefined {
    return undefined
  }

  async load(table: FollowedTable, text: AsyncIterable<Buffer>, signal: AbortSignal): Promise<number> {
    const prepared = this.#tables.of(table)
    return this.#link.use(signal, client => loadTable(client, prepared, text, this.replica))
  }

  async write(batch: ChangeBatch, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    // Changes of absent values are not to be made twice, and these were made.
    const known = !this.shared && batch.position === this.#position
    if (known && batch.changes.some(({ operation }) => operation !== 'insert')) return
    await this.#link.use(signal, client => this.#writers.get(client)!.write(batch))
    this.#position = batch.position
  }

  /** What the standby says against it becomes an error of ours. */
  async #told<T>(table: FollowedTable | undefined, work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (error) {
      throw refusal(error, table)
    }
  }

  async close(): Promise<void> {
    await this.#link.end().catch(() => {})
    await this.server.close().catch(() => {})
  }
}
