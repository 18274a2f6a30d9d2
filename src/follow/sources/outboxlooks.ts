/** Looks at the outbox: window by window, each cut into batches. */
import { FollowError } from '../../core/errors.js'
import { qualified } from '../../postgres/quote.js'
import type { Server } from '../../postgres/server.js'
import { checkTriggers } from '../capture/check.js'
import { typesCastToJson } from '../capture/exact.js'
import { outboxNames, schema } from '../capture/outboxsql.js'
import { refuseKeyless } from '../capture/tables.js'
import type { FollowConfig } from '../config.js'
import type { Change, ChangeBatch, Operation, Position } from '../ports.js'
import type { FollowedTable } from '../table.js'
import { expansion } from './expand.js'
import { horizon, type Ids } from './horizon.js'
import { idle } from './idlooks.js'
import type { Reader } from './reader.js'
import type { Watching } from './watching.js'

/** Changes that are read at once at most, but for a batch that is larger. */
const window = 5000

export const positionOf = (id: bigint): Position => String(id).padStart(20, '0')

interface Read {
  changes: Timed[]
  /** All changes up to there are read. */
  to: bigint
}

interface Timed {
  change: Change
  at: number
}

export class OutboxLooks {
  readonly #outbox: string
  #mark = 0n
  #size: number
  #cast: ReadonlySet<string> = new Set()
  #told: bigint | undefined
  #toldAt = performance.now()

  constructor(
    private readonly server: Server,
    private readonly config: FollowConfig,
    private readonly reader: Reader,
    private readonly watching: Watching,
    private readonly ids: Ids,
    private readonly signal: AbortSignal
  ) {
    this.#outbox = outboxNames(config.name).outbox
    this.#size = Math.max(window, config.batchSize)
  }

  /** @throws FollowError where changes behind the position were taken away, or the outbox is another one. */
  async begin(after: Position | null): Promise<void> {
    this.#cast = await typesCastToJson(this.reader)
    const [row] = await this.reader.unsafe<{ id: string; last: string }[]>(
      `SELECT t.id::text AS id, s.last_value::text AS last FROM ${qualified(schema, outboxNames(this.config.name).taken)} t, ${this.ids.sequence} s`
    )
    const taken = BigInt(row!.id)
    this.#mark = after ? BigInt(after) : taken
    if (this.#mark > BigInt(row!.last)) throw this.#lost('is a later one: its changes are counted anew')
    if (this.#mark < taken) throw this.#lost(`has no changes up to ${taken} any more`)
    this.#told = this.#mark
  }

  /** Everything that is committed when it begins. */
  async *look(last: boolean): AsyncGenerator<ChangeBatch> {
    const end = await horizon(this.reader, this.ids, this.#mark, this.signal)
    if (end < this.#mark) throw this.#lost('is a later one: its changes are counted anew')
    let next = this.#mark < end ? this.#window(this.#mark, end) : undefined
    while (next) {
      const { changes, to }: Read = await next
      // The server reads on while these are dealt with.
      next = to < end ? this.#window(to, end) : undefined
      next?.catch(() => {})
      yield* this.#batches(changes, to)
      this.#mark = to
    }
    const moved = this.#told !== this.#mark
    if (moved && (last || performance.now() - this.#toldAt > idle))
      yield this.#tell([], this.#mark, undefined)
  }

  *#batches(changes: readonly Timed[], to: bigint): Generator<ChangeBatch> {
    const { batchSize } = this.config
    for (let i = 0; i < changes.length; i += batchSize) {
      const part = changes.slice(i, i + batchSize)
      const { change, at } = part.at(-1)!
      const position = i + part.length === changes.length ? to : change.version
      yield this.#tell(
        part.map(one => one.change),
        position,
        at
      )
    }
  }

  #tell(changes: Change[], id: bigint, committedAt: number | undefined): ChangeBatch {
    this.#told = id
    this.#toldAt = performance.now()
    return { changes, position: positionOf(id), committedAt }
  }

  /** The first changes of the range. */
  async #window(after: bigint, end: bigint): Promise<Read> {
    const parts = await this.reader.unsafe<
      { schema: string; name: string; last: string; count: number; old: boolean; shapes: string }[]
    >(
      `SELECT o."schema", o."table" AS name, pg_catalog.max(o.id)::text AS last, pg_catalog.count(*)::int AS count,
         pg_catalog.bool_or(o.old) AS old, ${this.watching.fingerprint} AS shapes
       FROM (SELECT id, "schema", "table", old_record IS NOT NULL AS old FROM ${qualified(schema, this.#outbox)}
         WHERE id > ${after} AND id <= ${end} ORDER BY id LIMIT ${this.#size}) o GROUP BY 1, 2`
    )
    if (parts.length === 0) return { changes: [], to: end }
    // A change tells of columns that were there when it was written: whoever sees it sees them in the catalogs too.
    if (!this.watching.isTrue(parts[0]!.shapes)) await this.#changed()
    const full = parts.reduce((sum, { count }) => sum + count, 0) === this.#size
    let to = full ? parts.map(({ last }) => BigInt(last)).reduce((a, b) => (a > b ? a : b)) : end
    const changes: Timed[] = []
    let cut = false
    for (const { schema, name, old } of parts) {
      const table = this.watching.shapes.find(shape => shape.schema === schema && shape.name === name)
      if (!table) continue
      const { outbox, cast } = { outbox: this.#outbox, cast: this.#cast }
      const { lines, whole } = await this.reader.lines(expansion({ table, outbox, cast, old, after, to }))
      for (const line of lines) changes.push(changeOf(table, line))
      if (whole) continue
      cut = true
      to = changes.at(-1)!.change.version
    }
    this.#size = cut
      ? Math.max(1, Math.floor(changes.length / 2))
      : Math.min(this.#size * 2, Math.max(window, this.config.batchSize))
    const upTo = cut ? changes.filter(({ change }) => change.version <= to) : changes
    if (parts.length > 1) upTo.sort((a, b) => (a.change.version < b.change.version ? -1 : 1))
    return { changes: upTo, to }
  }

  async #changed(): Promise<void> {
    const { watching, reader, server, config } = this
    await watching.read(reader)
    refuseKeyless(watching.followed)
    this.#cast = await typesCastToJson(reader)
    const { functions } = outboxNames(config.name)
    await checkTriggers({ can: server.can, sql: reader }, config, functions, 'row', watching.shapes)
  }

  #lost(what: string): FollowError {
    return new FollowError(`${schema}.${this.#outbox} ${what}, and the sink has read up to ${this.#mark}`, {
      hint: 'What lies between is lost: the tables must be copied anew, under another --name or into emptied tables without a record.'
    })
  }
}

const operations: Record<string, Operation> = {
  INSERT: 'insert',
  UPDATE: 'update',
  DELETE: 'delete',
  TRUNCATE: 'truncate'
}

function changeOf(table: FollowedTable, line: string): Timed {
  const idEnd = line.indexOf('\t')
  const operationEnd = line.indexOf('\t', idEnd + 1)
  const atEnd = line.indexOf('\t', operationEnd + 1)
  const version = BigInt(line.slice(0, idEnd))
  const operation = operations[line.slice(idEnd + 1, operationEnd)]!
  const at = Number(line.slice(operationEnd + 1, atEnd))
  const begin = { table, operation, version, position: positionOf(version) }
  if (operation === 'truncate') return { change: begin, at }
  const rowEnd = endOfRow(line, atEnd, table.columns.length)
  const row = line.slice(atEnd + 1, rowEnd)
  const old = line.slice(rowEnd + 1)
  if (operation === 'insert') return { change: { ...begin, row }, at }
  return { change: operation === 'delete' ? { ...begin, old } : { ...begin, row, old }, at }
}

/** Where the last of so many values ends that stand behind a tab. */
function endOfRow(line: string, from: number, values: number): number {
  let end = from
  for (let i = 0; i < values; i++) {
    end = line.indexOf('\t', end + 1)
    if (end === -1) return line.length
  }
  return end
}
