/**
 * Writes what is left of a batch, rows and position in one transaction and, where nothing has to be looked at before the commit, in one
 * round trip: new rows by COPY straight into their table, few rows as literals, many through a stage and the upsert of the data engine.
 */
import type pg from 'pg'
import { FollowError } from '../../../core/errors.js'
import {
  insertStatement,
  sameKey,
  stageStatement,
  updateStatement,
  upsertRows,
  upsertStatements
} from '../../../data/upsert.js'
import { codeOf, isConnectionLoss } from '../../../postgres/failure.js'
import { columnList } from '../../../postgres/quote.js'
import { affected } from '../../../postgres/wire.js'
import type { ChangeBatch } from '../../ports.js'
import { keyOf, nameOf } from '../../table.js'
import { collapse, type Outcome, type Segment } from './collapse.js'
import { positionStatement } from './record.js'
import { isRefusal, refusal } from './refusal.js'
import { Script } from './script.js'
import { writeSingly } from './single.js'
import type { Prepared, Tables } from './tables.js'
import { assignments, hasKey, hasOneOf, rowOf } from './values.js'

/** Rows of one table up to which literals are faster than a stage. */
const few = 50
/** Batches in which a table's new rows are taken for such as may be there already, after some were. */
const wary = 64

/** What a statement of the fast way is about. */
interface About {
  readonly prepared: Prepared
  /** New rows go straight into the table. */
  readonly straight?: boolean
  /** It must store or find so many rows. */
  readonly rows?: number
}

interface Stages {
  rows?: string
  keys?: string
}

/** Writes in one session. */
export class Writer {
  readonly #stages = new Map<Prepared, Stages>()
  /** Up to which batch. */
  readonly #wary = new Map<Prepared, number>()
  #batches = 0
  #made = 0

  /** @param replica no trigger of the standby fires. */
  constructor(
    private readonly client: pg.Client,
    private readonly tables: Tables,
    private readonly name: string,
    private readonly replica: boolean
  ) {}

  /** @throws FollowError where the standby refuses a change, which is named; nothing is written then. */
  async write(batch: ChangeBatch): Promise<void> {
    this.#batches++
    const segments = collapse(batch.changes)
    if (!segments || !this.#atOnce(batch)) return this.#singly(batch)
    for (;;) {
      let failed: About | undefined
      try {
        return await this.#fast(segments, batch, about => (failed = about))
      } catch (error) {
        if (isConnectionLoss(error)) throw error
        await this.client.query('ROLLBACK')
        if (codeOf(error) === '23505' && failed?.straight)
          this.#wary.set(failed.prepared, this.#batches + wary)
        else if (error instanceof Mismatch || isRefusal(error)) return this.#singly(batch)
        else throw error
      }
    }
  }

  /** A key that others refer to changes by an UPDATE where foreign keys fire: a DELETE would reach them. */
  #atOnce({ changes }: ChangeBatch): boolean {
    if (this.replica) return true
    return !changes.some(
      ({ table, row, old }) =>
        row !== undefined &&
        old !== undefined &&
        this.tables.of(table).referenced &&
        keyOf(table, old) !== keyOf(table, row)
    )
  }

  async #fast(
    segments: readonly Segment[],
    { position }: ChangeBatch,
    failed: (about: About | undefined) => void
  ): Promise<void> {
    for (const { outcomes } of segments) for (const outcome of outcomes) await this.#makeStages(outcome)
    const script = new Script<About>()
    const expected: (number | undefined)[] = []
    const sink: Into = {
      add: (statement, about) => void (script.add(statement, about), expected.push(about?.rows)),
      copy: (into, lines, about) => void (script.copy(into, lines, about), expected.push(about?.rows))
    }
    this.#begin(sink)
    for (const { truncated, outcomes } of segments) {
      for (const statement of this.tables.emptying(truncated)) sink.add(statement)
      const byName = new Map(outcomes.map(outcome => [nameOf(outcome.table), outcome]))
      const ordered = this.tables
        .ordered(outcomes.map(({ table }) => table))
        .map(table => byName.get(nameOf(table))!)
      for (const outcome of ordered.toReversed()) this.#delete(sink, outcome)
      for (const outcome of ordered) this.#put(sink, outcome)
    }
    sink.add(positionStatement(this.name, position), undefined)
    const looks = expected.some(rows => rows !== undefined)
    if (!looks) sink.add('COMMIT')
    const tags = await script.run(this.client, failed)
    this.#moved(tags[looks ? tags.length - 1 : tags.length - 2]!)
    if (!looks) return
    if (expected.some((rows, i) => rows !== undefined && affected(tags[i]!) !== rows)) throw new Mismatch()
    await this.client.query('COMMIT')
  }

  #begin(sink: Into): void {
    sink.add('BEGIN')
    if (!this.replica) sink.add('SET CONSTRAINTS ALL DEFERRED')
  }

  #moved(tag: string): void {
    if (affected(tag) === 1) return
    throw new FollowError(`the standby has no record of the stream ${this.name} any more`, {
      hint: 'Somebody removed it from pgsyncer.stream: start again, and the tables are copied anew.'
    })
  }

  #delete(sink: Into, { table, gone }: Outcome): void {
    if (gone.length === 0) return
    const prepared = this.tables.of(table)
    const { target } = prepared
    const about = { prepared }
    if (gone.length <= few) {
      sink.add(`DELETE FROM ${target.source} WHERE ${hasOneOf(target.key, gone)}`, about)
      return
    }
    const stage = this.#stages.get(prepared)!.keys!
    sink.copy(stage, gone, about)
    sink.add(`DELETE FROM ${target.source} USING ${stage} s WHERE ${sameKey(target)}`, about)
    sink.add(`TRUNCATE ${stage}`)
  }

  #put(sink: Into, outcome: Outcome): void {
    const prepared = this.tables.of(outcome.table)
    const { target } = prepared
    this.#partial(sink, prepared, outcome)
    const straight = this.#straight(prepared)
    const rows = straight ? outcome.rows : [...outcome.fresh, ...outcome.rows]
    if (straight && outcome.fresh.length > 0) {
      const into = `${target.relation} (${columnList(target.columns)})`
      // Of rows without a key none can be told to be there already.
      const about = { prepared, straight: target.key.length > 0, ...this.#stored(outcome.fresh.length) }
      sink.copy(into, outcome.fresh, about)
    }
    if (rows.length === 0) return
    // Rows that are nothing but their key are left as they are.
    const about = { prepared, ...(target.settable.length > 0 && this.#stored(rows.length)) }
    if (rows.length <= few && target.upsert) {
      sink.add(upsertRows(target, rows.map(rowOf)), about)
      return
    }
    const stage = this.#stages.get(prepared)!.rows!
    sink.copy(stage, rows, { prepared })
    if (target.upsert) sink.add(upsertStatements(target, stage)[0]!, about)
    else for (const statement of this.#replace(prepared, stage)) sink.add(statement, { prepared })
    sink.add(`TRUNCATE ${stage}`)
  }

  /** For a key that ON CONFLICT cannot use. */
  #replace({ target, table }: Prepared, stage: string): string[] {
    const always = target.columns.length - target.settable.length > table.keyLength
    return always
      ? [
          `DELETE FROM ${target.source} USING ${stage} s WHERE ${sameKey(target)}`,
          insertStatement(target, stage)
        ]
      : upsertStatements(target, stage)
  }

  #partial(sink: Into, prepared: Prepared, { partial }: Outcome): void {
    const { target } = prepared
    for (const { absent, rows } of partial) {
      const set = target.settable.filter(name => !absent.includes(target.columns.indexOf(name)))
      if (set.length === 0) continue
      if (rows.length <= few) {
        for (const line of rows) {
          const values = assignments(target.columns, line, i => set.includes(target.columns[i]!))
          sink.add(`UPDATE ${target.source} SET ${values} WHERE ${hasKey(target.key, line)}`, {
            prepared,
            rows: 1
          })
        }
        continue
      }
      const stage = this.#stages.get(prepared)!.rows!
      sink.copy(stage, rows, { prepared })
      sink.add(updateStatement({ ...target, settable: set }, stage), { prepared, rows: rows.length })
      sink.add(`TRUNCATE ${stage}`)
    }
  }

  /** A trigger or rule may keep rows from being stored. */
  #stored(rows: number): { rows: number } | undefined {
    return this.replica ? undefined : { rows }
  }

  /** New rows need no stage, unless some of them may be there already. */
  #straight(prepared: Prepared): boolean {
    return prepared.table.keyLength === 0 || this.#batches > (this.#wary.get(prepared) ?? 0)
  }

  async #makeStages({ table, fresh, rows, partial, gone }: Outcome): Promise<void> {
    const prepared = this.tables.of(table)
    const { target } = prepared
    if (target.key.length === 0) return
    const stages = this.#stages.get(prepared) ?? {}
    this.#stages.set(prepared, stages)
    const put = fresh.length + rows.length
    const many = put > few || partial.some(one => one.rows.length > few) || (put > 0 && !target.upsert)
    if (many) stages.rows ??= await this.#makeStage(target)
    if (gone.length > few) stages.keys ??= await this.#makeStage({ ...target, columns: target.key })
  }

  async #makeStage(target: Prepared['target']): Promise<string> {
    const stage = `pgsyncer_stage_${++this.#made}`
    await this.client.query(stageStatement(target, stage))
    return `pg_temp.${stage}`
  }

  async #singly(batch: ChangeBatch): Promise<void> {
    try {
      await this.client.query(this.replica ? 'BEGIN' : 'BEGIN; SET CONSTRAINTS ALL DEFERRED')
      await writeSingly(this.client, this.tables, batch.changes)
      const { rowCount } = await this.client.query(positionStatement(this.name, batch.position))
      this.#moved(`UPDATE ${rowCount}`)
      await this.client.query('COMMIT')
    } catch (error) {
      if (!isConnectionLoss(error)) await this.client.query('ROLLBACK')
      throw refusal(error, undefined)
    }
  }
}

/** Where statements are put. */
interface Into {
  add(statement: string, about?: About): void
  copy(into: string, lines: readonly string[], about?: About): void
}

/** Not all rows were stored or found. */
class Mismatch extends Error {}
