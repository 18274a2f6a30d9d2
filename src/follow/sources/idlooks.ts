/** Looks at tables by their ids, batch by batch, from where the last look ended. */
import { FollowError } from '../../core/errors.js'
import { codeOf } from '../../postgres/failure.js'
import { columnList, ident, qualified } from '../../postgres/quote.js'
import type { Server } from '../../postgres/server.js'
import type { FollowConfig } from '../config.js'
import type { Change, ChangeBatch } from '../ports.js'
import { horizon } from './horizon.js'
import { readIds, type IdTable, type Reach } from './ids.js'
import type { Reader } from './reader.js'
import type { Watching } from './watching.js'
import { pad, type Watermarks } from './watermarks.js'

/** Milliseconds after which a position that has moved without changes is told. */
export const idle = 10_000

/** Up to which id a table is read now, and behind which. */
interface Range {
  after: bigint | undefined
  to: bigint
}

export class IdLooks {
  /** Rows asked for at once: fewer where rows are large. */
  #size: number
  #told: string | undefined
  #toldAt = performance.now()

  constructor(
    private readonly server: Server,
    private readonly config: FollowConfig,
    private readonly reader: Reader,
    private readonly watching: Watching,
    private readonly marks: Watermarks,
    private tables: readonly IdTable[],
    private readonly signal: AbortSignal,
    private readonly reach: Reach | undefined
  ) {
    this.#size = config.batchSize
  }

  /** Everything that is committed when it begins. */
  async *look(last: boolean): AsyncGenerator<ChangeBatch> {
    for (const { name } of this.tables) {
      let range = await this.#range(this.#table(name))
      while (range) {
        const { changes, rest } = await this.#batch(name, range)
        if (changes.length > 0) yield this.#tell(changes)
        range = rest
      }
    }
    const moved = this.marks.position !== this.#told
    if (moved && (last || performance.now() - this.#toldAt > idle)) yield this.#tell([])
  }

  #tell(changes: Change[]): ChangeBatch {
    const { position } = this.marks
    this.#told = position
    this.#toldAt = performance.now()
    return { changes, position, committedAt: undefined }
  }

  /** As it is now. */
  #table(name: string): IdTable {
    return this.tables.find(table => table.name === name)!
  }

  async #range({ name, shape, id, reach, ids }: IdTable): Promise<Range | undefined> {
    const mark = this.marks.get(name)
    if (reach === 'locks') {
      const to = await horizon(this.reader, ids!, mark, this.signal)
      if (mark !== undefined && to < mark && !(to < 0n && mark === 0n))
        throw setBack(name, ids!.sequence, mark, to)
      return mark === undefined || to > mark ? { after: mark, to } : undefined
    }
    const [row] = await this.reader.unsafe<{ last: string | null }[]>(
      `SELECT pg_catalog.max(t.${ident(id)})::text AS last FROM ${qualified(shape.schema, shape.name)} t`
    )
    if (row!.last === null) return undefined
    const overlap = reach === 'overlap' ? BigInt(this.config.overlap) : 0n
    return { after: mark === undefined ? undefined : mark - overlap, to: BigInt(row!.last) }
  }

  /** The first rows of the range, and what is left of it. */
  async #batch(name: string, range: Range): Promise<{ changes: Change[]; rest: Range | undefined }> {
    const { shape, id } = this.#table(name)
    // The id stands before the row, unless the row begins with it.
    const leads = shape.columns[0]!.name === id
    const names = shape.columns.map(column => column.name)
    const after = range.after === undefined ? '' : `t.${ident(id)} > ${range.after} AND `
    const read = await this.#lines(
      `SELECT ${columnList(leads ? names : [id, ...names], 't.')} FROM ${qualified(shape.schema, shape.name)} t
       WHERE ${after}t.${ident(id)} <= ${range.to} ORDER BY t.${ident(id)} LIMIT ${this.#size}`
    )
    if (!read) return { changes: [], rest: range }
    const { lines, whole } = read
    const all = whole && lines.length < this.#size
    this.#size = whole
      ? Math.min(this.#size * 2, this.config.batchSize)
      : Math.max(1, Math.floor(lines.length / 2))
    const [before, behind] = this.marks.around(name)
    const floor = this.marks.get(name)
    let last = range.after
    const changes = lines.map((line): Change => {
      const end = line.indexOf('\t')
      last = BigInt(end === -1 ? line : line.slice(0, end))
      const at = floor !== undefined && last < floor ? floor : last
      return {
        table: shape,
        operation: 'insert',
        row: leads ? line : line.slice(end + 1),
        version: 1n,
        position: before + pad(at) + behind
      }
    })
    const reached = all ? range.to : last!
    this.marks.set(name, reached)
    return { changes, rest: all ? undefined : { after: reached, to: range.to } }
  }

  /** Undefined: the table is not any more what the query takes it for, and was read anew. */
  async #lines(query: string): Promise<{ lines: string[]; whole: boolean } | undefined> {
    try {
      const read = await this.reader.lines(query)
      return (await this.#changed()) ? undefined : read
    } catch (error) {
      // No such column, no such table.
      if (!['42703', '42P01'].includes(codeOf(error) ?? '') || !(await this.#changed())) throw error
      return undefined
    }
  }

  /** Whether a shape has changed; if so they are read anew. */
  async #changed(): Promise<boolean> {
    const { watching, reader, server, config } = this
    const [row] = await reader.unsafe<{ now: string }[]>(`SELECT ${watching.fingerprint} AS now`)
    if (watching.isTrue(row!.now)) return false
    await watching.read(reader)
    this.tables = await readIds(reader, server.can, watching.followed, config, this.reach)
    return true
  }
}

function setBack(table: string, sequence: string, mark: bigint, last: bigint): FollowError {
  return new FollowError(
    `${sequence} stands at ${last}, before ${mark}, up to which ${table} was read: it was set back, or the table is another one`,
    {
      table,
      hint: `Ids that were there before cannot be told from new ones: set the sequence forward, or copy ${table} anew.`
    }
  )
}
