/** A first copy out of one transaction that sees one moment of main. */
import type pg from 'pg'
import { to as copyTo } from 'pg-copy-streams'
import { ident, qualified } from '../../postgres/quote.js'
import type { Server } from '../../postgres/server.js'
import type { Position, Snapshot } from '../ports.js'
import type { Followed } from '../shapes.js'
import { nameOf, type FollowedTable } from '../table.js'

/** What one kind of source does otherwise than another. */
export interface Moment {
  position: Position
  /** SQL over the alias `t`: which rows are copied; undefined: all. */
  condition?(table: FollowedTable): string
  /** SQL that is run before the transaction is committed. */
  done?: string
}

/**
 * Opens a session and begins the transaction.
 * @param moment settles what the copy is, with a session that has not begun it yet and is to begin it.
 */
export async function openCopy(
  server: Server,
  followed: readonly Followed[],
  signal: AbortSignal,
  moment: (client: pg.Client) => Promise<Moment>
): Promise<Snapshot> {
  signal.throwIfAborted()
  const client = await server.connect()
  const end = () => void client.end().catch(() => {})
  signal.addEventListener('abort', end, { once: true })
  const close = async () => {
    signal.removeEventListener('abort', end)
    await client.end().catch(() => {})
  }
  try {
    signal.throwIfAborted()
    return new TransactionCopy(client, await moment(client), followed, close)
  } catch (error) {
    await close()
    throw signal.aborted ? signal.reason : error
  }
}

/** What `moment` begins with. */
export const beginCopy = 'BEGIN ISOLATION LEVEL REPEATABLE READ'

class TransactionCopy implements Snapshot {
  constructor(
    private readonly client: pg.Client,
    private readonly moment: Moment,
    private readonly followed: readonly Followed[],
    readonly close: () => Promise<void>
  ) {}

  get position(): Position {
    return this.moment.position
  }

  estimate(table: FollowedTable): number {
    return this.followed.find(({ shape }) => nameOf(shape) === nameOf(table))?.table.estimate ?? -1
  }

  async *copy(
    table: FollowedTable,
    expressions: readonly string[] | undefined,
    signal: AbortSignal
  ): AsyncGenerator<Buffer> {
    signal.throwIfAborted()
    const values = expressions ?? table.columns.map(({ name }) => `t.${ident(name)}`)
    const where = this.moment.condition ? ` WHERE ${this.moment.condition(table)}` : ''
    const query = `SELECT ${values.join(', ')} FROM ${qualified(table.schema, table.name)} t${where}`
    const stream = this.client.query(copyTo(`COPY (${query}) TO STDOUT`))
    const cut = () => stream.destroy(signal.reason as Error)
    signal.addEventListener('abort', cut, { once: true })
    let whole = false
    try {
      yield* stream as AsyncIterable<Buffer>
      whole = true
    } finally {
      signal.removeEventListener('abort', cut)
      // The server is in the middle of its answer.
      if (!whole) await this.close()
    }
  }

  async done(): Promise<void> {
    if (this.moment.done) await this.client.query(this.moment.done)
    await this.client.query('COMMIT')
  }
}
