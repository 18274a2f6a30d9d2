/**
 * Keeps reading of main under `--max-rate`. Rows that come here by COPY are counted to the byte; rows that main only hashes, or sends
 * to the standby itself, count as many bytes as the table has for each of its rows, TOAST included. What one statement reads is paid for
 * when it has been read: a whole table is hashed in pieces, where main can read it so.
 */
import type { Readable } from 'node:stream'
import type pg from 'pg'
import { Rate } from '../core/rate.js'
import type { Capabilities } from '../postgres/capabilities.js'
import { pageRanges } from './pages.js'
import type { Unit } from './unit.js'

interface Size {
  /** Of main's files, TOAST included. */
  bytes: number
  /** As the planner guesses it, where the table was never analysed. */
  rows: number
  /** Of the table's file, or the largest of its partitions' files. */
  pages: number
}

export class Pace {
  readonly #rate: Rate | undefined
  /** By the table's OID. */
  readonly #sizes = new Map<number, Promise<Size>>()

  /** @param perSecond bytes; 0: no limit. */
  constructor(
    perSecond: number,
    readonly can: Pick<Capabilities, 'tidRange'>,
    readonly signal: AbortSignal
  ) {
    this.#rate = perSecond > 0 ? new Rate(perSecond) : undefined
  }

  /** So many rows of the unit were read; settles when that is paid for. `main` must be idle. */
  async rows(main: pg.Client, unit: Unit, count: number): Promise<void> {
    if (!this.#rate || count === 0) return
    const { bytes, rows } = await this.#size(main, unit)
    await this.#rate.take((bytes / Math.max(1, rows)) * count, this.signal)
  }

  /** The same for all of the unit's rows, which one statement reads. */
  async scan(main: pg.Client, unit: Unit): Promise<void> {
    if (this.#rate) await this.#rate.take((await this.#size(main, unit)).bytes, this.signal)
  }

  /**
   * Conditions that hold together for all of the unit's rows, each for as much as may be read in about a second: each is paid for when the
   * next is asked for. `main` must be in a transaction, and idle whenever one is asked for.
   */
  async *pieces(main: pg.Client, unit: Unit): AsyncGenerator<string, undefined> {
    if (!this.#rate) return yield 'true'
    const { bytes, pages } = await this.#size(main, unit)
    const seconds = Math.ceil(bytes / this.#rate.perSecond)
    const pieces = this.can.tidRange ? pageRanges(pages, Math.min(pages, seconds)) : ['true']
    for (const piece of pieces) {
      yield piece
      await this.#rate.take(bytes / pieces.length, this.signal)
    }
  }

  #size(main: pg.Client, unit: Unit): Promise<Size> {
    const { oid } = unit.main
    const size = this.#sizes.get(oid) ?? sizeOf(main, unit)
    this.#sizes.set(oid, size)
    // A failure is of this connection, and not to be kept.
    size.catch(() => this.#sizes.delete(oid))
    return size
  }

  /** Main's bytes, let through as they are paid for. */
  through(source: Readable): Readable | AsyncIterable<Buffer> {
    return this.#rate ? paid(source, this.#rate, this.signal) : source
  }
}

async function* paid(source: Readable, rate: Rate, signal: AbortSignal): AsyncGenerator<Buffer> {
  for await (const bytes of source as AsyncIterable<Buffer>) {
    await rate.take(bytes.length, signal)
    yield bytes
  }
}

async function sizeOf(main: pg.Client, unit: Unit): Promise<Size> {
  const { oid, kind } = unit.main
  const { rows: sizes } = await main.query<{ bytes: string; pages: number }>(
    `WITH RECURSIVE part AS (SELECT ${oid}::oid AS oid
       UNION ALL SELECT i.inhrelid FROM pg_catalog.pg_inherits i JOIN part p ON i.inhparent = p.oid WHERE ${kind === 'p'})
     SELECT coalesce(pg_catalog.sum(pg_catalog.pg_table_size(oid)), 0)::text AS bytes,
       (pg_catalog.max(pg_catalog.pg_relation_size(oid)) / current_setting('block_size')::int)::float8 AS pages FROM part`
  )
  const { rows: plans } = await main.query<{ 'QUERY PLAN': [{ Plan: { 'Plan Rows': number } }] }>(
    `EXPLAIN (FORMAT JSON) SELECT FROM ${unit.source}`
  )
  const [{ bytes, pages }] = sizes as [(typeof sizes)[0]]
  return { bytes: Number(bytes), rows: plans[0]!['QUERY PLAN'][0].Plan['Plan Rows'], pages }
}
