/** What poll and notify share: rows are read by ids that only grow, so that inserts alone are seen. */
import type { EmitFollow, Lag } from '../../core/events.js'
import { asQueryable, type Server } from '../../postgres/server.js'
import { ident } from '../../postgres/quote.js'
import type { FollowConfig } from '../config.js'
import type { ChangeBatch, Operation, Snapshot, Source, Start } from '../ports.js'
import { nameOf, type FollowedTable } from '../table.js'
import { beginCopy, openCopy } from './copying.js'
import { horizon } from './horizon.js'
import { IdLooks } from './idlooks.js'
import { readIds, type IdTable, type Reach } from './ids.js'
import { Reader } from './reader.js'
import { originOf, Watching } from './watching.js'
import { Watermarks } from './watermarks.js'

/** When to look: what tells one kind from the other. */
export type Looking = (looks: IdLooks, start: Start, signal: AbortSignal) => AsyncGenerator<ChangeBatch>

export class IdReading implements Source {
  readonly capabilities = { operations: new Set<Operation>(['insert']) }
  readonly #over = new AbortController()
  #close = async (): Promise<void> => {}

  private constructor(
    private readonly server: Server,
    private readonly config: FollowConfig,
    readonly origin: string,
    private readonly watching: Watching,
    private readonly ids: readonly IdTable[],
    private readonly reach: Reach | undefined,
    private readonly looking: Looking
  ) {}

  /** @throws ConfigError where a table has no id to go by, or may not be read. */
  static async open(
    server: Server,
    config: FollowConfig,
    emit: EmitFollow,
    looking: Looking,
    reach?: Reach
  ): Promise<IdReading> {
    const watching = await Watching.open(server.sql, server.can, config)
    const ids = await readIds(server.sql, server.can, watching.followed, config, reach)
    for (const { name, reason } of ids) {
      if (reason === undefined) continue
      emit({
        type: 'note',
        table: name,
        message: `${reason}: the last ${config.overlap} ids are read again at each look, and a row that is committed later than that is missed`
      })
    }
    const origin = await originOf(server.sql, server.can, config)
    return new IdReading(server, config, origin, watching, ids, reach, looking)
  }

  get tables(): readonly FollowedTable[] {
    return this.watching.shapes
  }

  /** A table is read without waiting for its writers. */
  get overlaps(): boolean {
    return this.ids.some(({ reach }) => reach !== 'locks')
  }

  /** What is to be closed with it. */
  alsoClosing(close: () => Promise<void>): this {
    this.#close = close
    return this
  }

  async snapshot(tables: readonly FollowedTable[], signal: AbortSignal): Promise<Snapshot> {
    const all = AbortSignal.any([signal, this.#over.signal])
    const names = tables.map(nameOf)
    const chosen = this.ids.filter(({ name }) => names.includes(name))
    return openCopy(this.server, this.watching.followed, all, async client => {
      const sql = asQueryable(client)
      const marks = new Watermarks(names)
      for (const { name, ids, reach } of chosen)
        if (reach === 'locks') marks.set(name, await horizon(sql, ids!, undefined, all))
      await client.query(`${beginCopy} READ ONLY`)
      for (const { name, id, shape, reach } of chosen) {
        if (reach === 'locks') continue
        const [row] = await sql.unsafe<{ last: string | null }[]>(
          `SELECT pg_catalog.max(t.${ident(id)})::text AS last FROM ${ident(shape.schema)}.${ident(shape.name)} t`
        )
        marks.set(name, BigInt(row!.last ?? 0))
      }
      const condition = ({ schema, name }: FollowedTable) => {
        const found = chosen.find(one => one.name === nameOf({ schema, name }))!
        return `t.${ident(found.id)} <= ${marks.get(found.name)}`
      }
      return { position: marks.position, condition }
    })
  }

  async *stream(start: Start, signal: AbortSignal): AsyncGenerator<ChangeBatch> {
    const all = AbortSignal.any([signal, this.#over.signal])
    all.throwIfAborted()
    const reader = new Reader(this.server, all)
    try {
      const marks = Watermarks.from(this.tables.map(nameOf), start)
      const { server, config, watching, ids, reach } = this
      yield* this.looking(new IdLooks(server, config, reader, watching, marks, ids, all, reach), start, all)
    } catch (error) {
      throw all.aborted ? all.reason : error
    } finally {
      reader.close()
    }
  }

  /** Main keeps nothing for it. */
  async ack(): Promise<void> {}

  async lag(): Promise<Lag> {
    return {}
  }

  async close(): Promise<void> {
    this.#over.abort(new Error('the source was closed'))
    await this.#close()
  }
}
