/**
 * One moment of main: what was committed before it is in the copy, and what was committed after comes by the slot. A temporary slot tells the moment and
 * exports its snapshot, which each copy takes up in a session of its own.
 */
import { randomBytes } from 'node:crypto'
import type pg from 'pg'
import { to as copyTo } from 'pg-copy-streams'
import type { EmitFollow } from '../../../core/events.js'
import { columnList, ident, literal, qualified } from '../../../postgres/quote.js'
import type { Server } from '../../../postgres/server.js'
import type { Identified } from '../../capture/identity.js'
import { walName } from '../../capture/wal.js'
import type { Position, Snapshot } from '../../ports.js'
import { nameOf, type FollowedTable } from '../../table.js'
import { slotFailure } from './failure.js'
import { parseLsn, positionOf } from './position.js'
import { waitingFor } from './waiting.js'

/** @throws FollowError where main has no slot left; the signal's reason. */
export async function openSnapshot(
  server: Server,
  name: string,
  followed: readonly Identified[],
  emit: EmitFollow,
  signal: AbortSignal
): Promise<WalSnapshot> {
  const client = await server.connectReplication()
  const slot = `${walName(name)}_c${randomBytes(4).toString('hex')}`
  const create = `CREATE_REPLICATION_SLOT ${ident(slot)} TEMPORARY LOGICAL pgoutput EXPORT_SNAPSHOT`
  type Made = { consistent_point: string; snapshot_name: string }
  const [made] = await waitingFor<Made>(server, client, create, emit, signal).catch((error: unknown) => {
    throw slotFailure(error)
  })
  const { consistent_point, snapshot_name } = made!
  return new WalSnapshot(server, client, positionOf(parseLsn(consistent_point)), snapshot_name, followed)
}

export class WalSnapshot implements Snapshot {
  readonly #sessions = new Set<pg.Client>()

  constructor(
    private readonly server: Server,
    /** Holds the snapshot, as long as it does nothing else. */
    private readonly holder: pg.Client,
    readonly position: Position,
    private readonly snapshot: string,
    private readonly followed: readonly Identified[]
  ) {}

  estimate(table: FollowedTable): number {
    return this.#of(table)?.estimate ?? -1
  }

  async *copy(
    table: FollowedTable,
    expressions: readonly string[] | undefined,
    signal: AbortSignal
  ): AsyncGenerator<Buffer> {
    signal.throwIfAborted()
    const names = table.columns.map(column => column.name)
    const only = this.#of(table)?.table.kind === 'p' ? '' : 'ONLY '
    const rows = `SELECT ${expressions?.join(', ') ?? columnList(names, 't.')} FROM ${only}${qualified(table.schema, table.name)} t`
    const session = await this.server.connect()
    this.#sessions.add(session)
    const stop = () => cut(session)
    signal.addEventListener('abort', stop, { once: true })
    try {
      signal.throwIfAborted()
      await session.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY')
      await session.query(`SET TRANSACTION SNAPSHOT ${literal(this.snapshot)}`)
      yield* session.query(copyTo(`COPY (${rows}) TO STDOUT`)) as AsyncIterable<Buffer>
    } catch (error) {
      throw signal.aborted ? signal.reason : error
    } finally {
      signal.removeEventListener('abort', stop)
      this.#sessions.delete(session)
      await session.end().catch(() => {})
    }
  }

  /** The slot tells from the position on: there is nothing to take away. */
  async done(): Promise<void> {}

  async close(): Promise<void> {
    for (const session of this.#sessions) cut(session)
    await this.holder.end().catch(() => {})
  }

  #of(table: FollowedTable): Identified | undefined {
    return this.followed.find(({ shape }) => nameOf(shape) === nameOf(table))
  }
}

/** Ends a connection in the midst of an answer. */
function cut(client: pg.Client): void {
  const { connection } = client as pg.Client & { connection: pg.Connection }
  connection.stream.destroy(new Error('Connection terminated'))
}
