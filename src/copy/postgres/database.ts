/** One table of one PostgreSQL server as a `Database`: whatever fails says which server, which table, and what to do. */
import type pg from 'pg'
import { DataError, PgsyncerError } from '../../core/errors.js'
import type { Emit } from '../../core/events.js'
import { explain } from '../../data/explain.js'
import { Link } from '../../postgres/link.js'
import { holdPart } from '../../postgres/locks.js'
import type { Server } from '../../postgres/server.js'
import { lowestId } from '../ids.js'
import type { Database, Row } from '../types.js'
import type { Layout } from './layout.js'
import { asLine, asValues, Reader } from './reader.js'
import { greatestId, Writer } from './writer.js'

export class PostgresDatabase implements Database {
  readonly #link: Link
  readonly #reader: Reader
  readonly #writer: Writer

  /**
   * @param most rows of an answer.
   * @param opaque rows are what only another PostgresDatabase reads.
   * @param floor main's rows with lower ids are left out; asked when rows are read.
   */
  constructor(
    private readonly server: Server,
    private readonly layout: Layout,
    most: number,
    opaque: boolean,
    emit: Emit,
    floor: () => bigint | undefined
  ) {
    let again = false
    this.#link = new Link(server, emit, async client => {
      await setUp(client, server)
      if (server.role === 'main') return
      await holdPart(client, server, { name: `copy ${layout.table}`, words: layout.table }, again)
      again = true
    })
    const lowest = () => (server.role === 'main' ? floor() : undefined) ?? lowestId
    this.#reader = new Reader(this.#link, layout, most, lowest, opaque ? asLine : asValues)
    this.#writer = new Writer(this.#link, layout)
  }

  /** @throws GuardError where another run is at it. */
  async open(signal: AbortSignal): Promise<void> {
    await this.#link.use(signal, async () => {})
  }

  async getMaxId(signal: AbortSignal): Promise<bigint> {
    return (await this.greatestId(signal)) ?? 0n
  }

  /** The same, but undefined for an empty table. */
  async greatestId(signal: AbortSignal): Promise<bigint | undefined> {
    const { names } = this.layout
    const target = { source: this.layout.source(this.server.role), key: [names.idColumn] }
    return this.#explained(async () => {
      this.#reader.restart(lowestId)
      return this.#link.use(signal, client => greatestId(client, target))
    })
  }

  loadRows(minId: bigint, maxId: bigint, signal: AbortSignal): Promise<Row[]> {
    return this.#explained(() => this.#reader.load(minId, maxId, signal))
  }

  saveRows(rows: readonly Row[], signal: AbortSignal): Promise<void> {
    return this.#explained(() => this.#writer.save(rows, signal))
  }

  async close(): Promise<void> {
    this.#reader.restart(lowestId)
    await this.#link.end()
    await this.server.close()
  }

  async #explained<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (error) {
      if (error instanceof PgsyncerError) throw error
      const { reason, hint, sqlstate } = explain(error)
      const { table } = this.layout
      const details = { table, cause: error, ...(sqlstate !== undefined && { sqlstate }) }
      // The others are about what sync can do.
      const fits = ['42501', '22P05', '23502', '23514'].includes(sqlstate ?? '')
      throw new DataError(reason, { ...details, ...(fits && hint !== undefined && { hint }) })
    }
  }
}

async function setUp(client: pg.Client, { can }: Server): Promise<void> {
  // In order of id, and only as many as are wanted: never by reading all and sorting.
  await client.query('SET enable_seqscan = off; SET enable_bitmapscan = off')
  if (can.parallel) await client.query('SET max_parallel_workers_per_gather = 0')
}
