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

  /** The first rows of the range, never only a part of those with the same id, and what is left of it. */
  async #batch(name: string, range: Range): Promise<{ changes: Change[]; rest: Range | undefined }> {
    const { shape, id } = this.#table(name)
    // The id stands before the row, unless the row begins with it.
    const leads = shape.columns[0]!.name === id
    const names = shape.columns.map(column => column.name)
    const after = range.after === undefined ? '' : `t.${ident(id)} > ${range.after} AND `
    const rows = `SELECT ${columnList(leads ? names : [id, ...names], 't.')} FROM ${qualified(shape.schema, shape.name)} t`
    // One more than is wanted tells whether more of its id are to come.
    const read = await this.#lines(
      `${rows} WHERE ${after}t.${ident(id)} <= ${range.to} ORDER BY t.${ident(id)} LIMIT ${this.#size + 1}`
    )
    if (!read) return { changes: [], rest: range }
    const all = read.whole && read.lines.length <= this.#size
    this.#size = read.whole
      ? Math.min(this.#size * 2, this.config.batchSize)
      : Math.max(1, Math.floor(read.lines.length / 2))
    let { lines } = read
    if (!all) {
      const one = idIn(lines.at(-1)!)
      lines = lines.slice(
        0,
        lines.findIndex(line => idIn(line) === one)
      )
      // Rows of one id, however many: a position cannot tell them apart.
      if (lines.length === 0) {
        const same = await this.#lines(`${rows} WHERE t.${ident(id)} = ${one}`, Infinity)
        if (!same) return { changes: [], rest: range }
        ;({ lines } = same)
      }
    }
    const [before, behind] = this.marks.around(name)
    const floor = this.marks.get(name)
    let last = range.after
    const changes = lines.map((line): Change => {
      last = BigInt(idIn(line))
      const at = floor !== undefined && last < floor ? floor : last
      return {
        table: shape,
        operation: 'insert',
        row: leads ? line : line.slice(line.indexOf('\t') + 1),
        version: 1n,
        position: before + pad(at) + behind
      }
    })
    const reached = all ? range.to : last!
    this.marks.set(name, reached)
    return { changes, rest: all ? undefined : { after: reached, to: range.to } }
  }

  /** Undefined: the table is not any more what the query takes it for, and was read anew. */
  async #lines(query: string, bound?: number): Promise<{ lines: string[]; whole: boolean } | undefined> {
    try {
      const read = await this.reader.lines(query, bound)
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

/** The first value of a line. */
function idIn(line: string): string {
  const end = line.indexOf('\t')
  return end === -1 ? line : line.slice(0, end)
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
