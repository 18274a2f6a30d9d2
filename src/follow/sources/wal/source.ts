/** Follows main by its WAL: a logical replication slot that keeps what is not written to the sink yet, and pgoutput that tells it. */
import { setTimeout as delay } from 'node:timers/promises'
import { FollowError } from '../../../core/errors.js'
import type { EmitFollow, Lag } from '../../../core/events.js'
import type { Server } from '../../../postgres/server.js'
import { readIdentified, type Identified } from '../../capture/identity.js'
import { copyAnew, readSlot, refuseForeignSlot, type Slot } from '../../capture/slot.js'
import { createSlotStatement, refuseUnfitServer, slotInUse, walName } from '../../capture/wal.js'
import type { FollowConfig } from '../../config.js'
import type { ChangeBatch, Operation, Position, Snapshot, Source, Start } from '../../ports.js'
import type { FollowedTable } from '../../table.js'
import { slotFailure, streamFailure } from './failure.js'
import { lsnText, parseLsn, partsOf, type Lsn } from './position.js'
import { readOrigin, refuseNoPublication, refuseNoSlotLeft, startCommand } from './preflight.js'
import { Receiver } from './receiver.js'
import { Relations } from './relations.js'
import { openSnapshot } from './snapshot.js'
import { WalStream } from './stream.js'
import { waitingFor } from './waiting.js'

/** Milliseconds between two signs of life, where main's wal_sender_timeout does not ask for more; in a stream that is to end, between two questions. */
const beat = 10_000
const question = 50
/** Milliseconds between two looks whether a slot is free. */
const look = 20

/**
 * Opens the source.
 * @throws ConfigError for tables that the WAL cannot tell of; FollowError where main or the capture is not fit; GuardError where the slot is
 *   in use for longer than lockTimeout, or not one of this stream.
 */
export async function openWal(server: Server, config: FollowConfig, emit: EmitFollow): Promise<Source> {
  await refuseUnfitServer(server)
  const followed = await readIdentified(server.sql, server.can, config)
  await refuseNoPublication(server, config, followed)
  const slot = await freeSlot(server, config, new AbortController().signal)
  if (!slot) await refuseNoSlotLeft(server)
  return new WalSource(server, config, emit, followed, await readOrigin(server, config))
}

class WalSource implements Source {
  readonly capabilities: { operations: ReadonlySet<Operation> }
  readonly tables: readonly FollowedTable[]
  readonly #closing = new AbortController()
  readonly #slot: string
  #acked: Lsn | undefined
  #receiver: Receiver | undefined
  /** What is running, to be ended and waited for. */
  readonly #open = new Set<{ close(): Promise<void> }>()

  constructor(
    private readonly server: Server,
    private readonly config: FollowConfig,
    private readonly emit: EmitFollow,
    private readonly followed: readonly Identified[],
    readonly origin: string
  ) {
    const operations: Operation[] = ['insert', 'update', 'delete']
    if (server.can.publicationTruncate) operations.push('truncate')
    this.capabilities = { operations: new Set(operations) }
    this.tables = followed.map(({ shape }) => shape)
    this.#slot = walName(config.name)
  }

  async snapshot(_tables: readonly FollowedTable[], signal: AbortSignal): Promise<Snapshot> {
    const either = AbortSignal.any([signal, this.#closing.signal])
    either.throwIfAborted()
    // What is changed while the tables are copied must be kept from before.
    if (!(await this.#readSlot())) await this.#createSlot(either)
    const snapshot = await openSnapshot(this.server, this.config.name, this.followed, this.emit, either)
    this.#open.add(snapshot)
    return snapshot
  }

  async *stream(start: Start, signal: AbortSignal): AsyncGenerator<ChangeBatch> {
    const either = AbortSignal.any([signal, this.#closing.signal])
    either.throwIfAborted()
    const confirmed = await this.#confirmed(start, either)
    const target = start.once ? await this.#now() : undefined
    const { server, config } = this
    const stream = new WalStream({
      relations: new Relations(server, this.followed),
      confirmed,
      batchSize: config.batchSize,
      start,
      target
    })
    const interval = target === undefined ? await this.#beat() : question
    const begin = start.after === null ? confirmed : partsOf(start.after).lsn
    const client = await server.connectReplication()
    const receiver: Receiver = new Receiver(client, startCommand(this.#slot, begin), begin, interval, () => {
      receiver.tell(target !== undefined)
      stream.tick()
    })
    this.#receiver = receiver
    this.#open.add(receiver)
    try {
      yield* stream.read(receiver, either)
    } catch (error) {
      throw either.aborted ? either.reason : streamFailure(error, this.#slot)
    } finally {
      this.#open.delete(receiver)
    }
  }

  async ack(position: Position): Promise<void> {
    const { lsn } = partsOf(position)
    this.#acked = lsn
    this.#receiver?.ack(lsn)
  }

  async lag(): Promise<Lag> {
    const slot = await this.#readSlot()
    if (!slot) return {}
    const from = this.#acked === undefined ? slot.confirmed_flush_lsn : lsnText(this.#acked)
    const [row] = await this.server.sql<{ bytes: string | null }[]>`
      SELECT greatest(0, pg_catalog.pg_wal_lsn_diff(pg_catalog.pg_current_wal_lsn(), ${from}::pg_lsn))::text AS bytes`
    return {
      ...(row!.bytes !== null && { bytes: Number(row!.bytes) }),
      ...(slot.retained !== null && { retainedBytes: slot.retained })
    }
  }

  async close(): Promise<void> {
    this.#closing.abort(new Error('the source was closed'))
    await Promise.all([...this.#open].map(one => one.close()))
  }

  #readSlot(): Promise<Slot | undefined> {
    return readSlot(this.server.sql, this.#slot)
  }

  async #createSlot(signal: AbortSignal): Promise<void> {
    const client = await this.server.connect()
    try {
      await waitingFor(this.server, client, createSlotStatement(this.#slot), this.emit, signal)
    } catch (error) {
      throw slotFailure(error)
    } finally {
      await client.end().catch(() => {})
    }
  }

  /** Where main would begin, which must not lie behind where the sink is. */
  async #confirmed({ after }: Start, signal: AbortSignal): Promise<Lsn> {
    const { server, config } = this
    let slot = await freeSlot(server, config, signal)
    if (!slot && after === null) {
      await this.#createSlot(signal)
      slot = await this.#readSlot()
    }
    if (!slot) {
      throw new FollowError(`main has no replication slot ${this.#slot}, and the sink's position is of one`, {
        hint: copyAnew
      })
    }
    const confirmed = parseLsn(slot.confirmed_flush_lsn!)
    if (after !== null && confirmed > partsOf(after).lsn) {
      throw new FollowError(
        `the replication slot ${this.#slot} begins at ${slot.confirmed_flush_lsn}, past the sink's position ${lsnText(partsOf(after).lsn)}: it was made anew, or another program reads from it`,
        { hint: copyAnew }
      )
    }
    return confirmed
  }

  /**
   * Where the WAL ends now. What was committed without waiting for the disk is on it only when a later transaction that waits is: one that writes
   * nothing but a message for nobody.
   */
  async #now(): Promise<Lsn> {
    const { sql } = this.server
    await sql.begin(async one => {
      await one`SET LOCAL synchronous_commit = local`
      await one`SELECT pg_catalog.pg_logical_emit_message(true, 'pgsyncer', '')`
    })
    const [row] = await sql<{ lsn: string }[]>`SELECT pg_catalog.pg_current_wal_flush_lsn()::text AS lsn`
    return parseLsn(row!.lsn)
  }

  /** A third of what main waits for, so that two may be late. */
  async #beat(): Promise<number> {
    const [row] = await this.server.sql<{ timeout: number }[]>`
      SELECT setting::int AS timeout FROM pg_catalog.pg_settings WHERE name = 'wal_sender_timeout'`
    const timeout = row!.timeout
    return timeout > 0 ? Math.min(beat, Math.max(100, Math.floor(timeout / 3))) : beat
  }
}

/**
 * The slot, if there is one, when nobody reads from it: an earlier run's reader may need a moment to end.
 * @throws GuardError where that takes longer than lockTimeout.
 */
async function freeSlot(
  server: Server,
  config: FollowConfig,
  signal: AbortSignal
): Promise<Slot | undefined> {
  const name = walName(config.name)
  const deadline = config.lockTimeout === 0 ? Infinity : performance.now() + config.lockTimeout
  for (;;) {
    const slot = await readSlot(server.sql, name)
    if (slot) refuseForeignSlot(slot, server.database)
    if (!slot?.active) return slot
    if (performance.now() > deadline) throw slotInUse(name, slot.active_pid)
    await delay(look, undefined, { signal }).catch(() => signal.throwIfAborted())
  }
}
