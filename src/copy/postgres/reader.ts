/**
 * Reads rows in order of id, through the index, one piece ahead: while one batch is saved, the next is on its way. A piece is found
 * by where it begins and by its number of rows, never by its end, so that however many ids are missing, no query finds nothing; a
 * range is answered from what was read.
 */
import type pg from 'pg'
import { valuesOf } from '../../postgres/copytext.js'
import type { Link } from '../../postgres/link.js'
import { columnList, ident, literal } from '../../postgres/quote.js'
import { idsEnd } from '../ids.js'
import type { Row } from '../types.js'
import type { Layout } from './layout.js'
import { copyOut, type Line } from '../../postgres/wire.js'

/** Bytes of text of a piece, after which it ends early: rows may be large. */
const budget = 16 * 1024 * 1024

interface Piece {
  rows: Row[]
  /** Nothing lies behind it. */
  last: boolean
}

export class Reader {
  /** Read and not yet given: all rows from `#from` up to `#next`. */
  #queue: Row[] = []
  #from = 0n
  #next = 0n
  /** When the last piece was read, there was nothing behind it. */
  #ended = false
  #ahead: { piece: Promise<Piece>; stop: AbortController } | undefined
  /** Rows of a piece; less than `most` where rows are large. */
  #limit: number

  /**
   * @param most rows of a piece and of an answer.
   * @param floor rows with lower ids are as if they were not there.
   * @param form what a row is made of: `asValues` or `asLine`.
   */
  constructor(
    private readonly link: Link,
    private readonly layout: Layout,
    private readonly most: number,
    private readonly floor: () => bigint,
    private readonly form: (line: Line) => Row
  ) {
    this.#limit = most
  }

  /** The first rows, at most `most`, with ids from `minId` up to but not including `maxId`. */
  async load(minId: bigint, maxId: bigint, signal: AbortSignal): Promise<Row[]> {
    const floor = this.floor()
    const from = minId > floor ? minId : floor
    if (from >= maxId || from >= idsEnd) return []
    if (!this.#goesOn(from)) this.restart(from)
    while (this.#queue.length < this.#limit && !this.#ended && this.#next < maxId) await this.#more(signal)
    const rows = this.#take(Math.min(this.#limit, this.#below(maxId)))
    this.#from = rows.length > 0 ? idAfter(rows) : maxId
    if (!this.#ended && this.#queue.length < this.#limit) this.#ahead ??= this.#start()
    return rows
  }

  /** The first rows of the queue; most often all of them, which are not touched one by one. */
  #take(count: number): Row[] {
    if (count < this.#queue.length) return this.#queue.splice(0, count)
    const rows = this.#queue
    this.#queue = []
    return rows
  }

  /** Forgets what was read. */
  restart(from: bigint): void {
    this.#ahead?.stop.abort()
    this.#ahead = undefined
    this.#queue = []
    this.#from = this.#next = from
    this.#ended = false
  }

  #goesOn(from: bigint): boolean {
    const first = this.#queue[0]
    if (from < this.#from) return false
    return first ? from <= idIn(first) : !this.#ended && from <= this.#next
  }

  /** How many rows of the queue have ids below. */
  #below(maxId: bigint): number {
    let [low, high] = [0, this.#queue.length]
    while (low < high) {
      const middle = (low + high) >> 1
      if (idIn(this.#queue[middle]!) < maxId) low = middle + 1
      else high = middle
    }
    return low
  }

  async #more(signal: AbortSignal): Promise<void> {
    const { piece, stop } = this.#ahead ?? this.#start()
    this.#ahead = undefined
    const give = () => stop.abort(signal.reason)
    signal.addEventListener('abort', give, { once: true })
    try {
      const { rows, last } = await piece
      if (this.#queue.length === 0) this.#queue = rows
      else for (const row of rows) this.#queue.push(row)
      if (rows.length > 0) this.#next = idAfter(rows)
      this.#ended = last || this.#next >= idsEnd
    } finally {
      signal.removeEventListener('abort', give)
    }
  }

  #start(): { piece: Promise<Piece>; stop: AbortController } {
    const stop = new AbortController()
    const from = this.#next
    const piece = this.link.use(stop.signal, client => this.#read(client, from))
    // It may fail long before anyone asks for it.
    piece.catch(() => {})
    return { piece, stop }
  }

  async #read(client: pg.Client, from: bigint): Promise<Piece> {
    const id = `t.${ident(this.layout.names.idColumn)}`
    const query = `SELECT ${columnList(this.layout.columns(), 't.')} FROM ${this.layout.source(this.link.server.role)}
      WHERE ${id} >= ${literal(String(from))}::bigint ORDER BY ${id} LIMIT ${this.#limit}`
    const rows: Row[] = []
    let bytes = 0
    const whole = await copyOut(client, `COPY (${query}) TO STDOUT`, line => {
      rows.push(this.form(line))
      bytes += line.to - line.from
      return bytes <= budget || rows.length >= this.#limit
    })
    if (!whole) {
      this.link.drop()
      this.#limit = rows.length
      return { rows, last: false }
    }
    const last = rows.length < this.#limit
    if (bytes < budget / 2) this.#limit = Math.min(this.most, this.#limit * 2)
    return { rows, last }
  }
}

/** A row as its values: text as PostgreSQL prints it, or null. */
export const asValues = (line: Line): Row => valuesOf(line.text())

/** A row as its id and what only the writer reads. */
export const asLine = (line: Line): Row => [line.id(), line]

const idIn = (row: Row): bigint => BigInt(row[0] as string | bigint)
const idAfter = (rows: readonly Row[]): bigint => idIn(rows.at(-1)!) + 1n
