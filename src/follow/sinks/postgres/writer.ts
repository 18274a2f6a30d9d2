/**
 * Writes batches in one session: what is left of a batch, and its position, in one transaction and, where nothing has to be looked at
 * before the commit, in one round trip. What the standby refuses is tried again change by change (single.ts).
 */
import type pg from 'pg'
import { FollowError } from '../../../core/errors.js'
import { codeOf, isConnectionLoss } from '../../../postgres/failure.js'
import { affected } from '../../../postgres/wire.js'
import type { ChangeBatch } from '../../ports.js'
import { keyOf } from '../../table.js'
import { collapse, type Segment } from './collapse.js'
import { Plan, type About } from './plan.js'
import { positionStatement } from './record.js'
import { isRefusal, refusal } from './refusal.js'
import { writeSingly } from './single.js'
import { Stages } from './stages.js'
import { replaces, type Prepared, type Tables } from './tables.js'
import { turnOver, Turns, turnStatement } from './turns.js'

/** Batches in which a table's new rows are taken for such as may be there already, after some were. */
const wary = 64

export class Writer {
  readonly #stages: Stages
  readonly #turns: Turns
  /** Up to which batch. */
  readonly #wary = new Map<Prepared, number>()
  #batches = 0

  /**
   * @param name of the stream whose position is written with the rows; undefined: it is remembered elsewhere.
   * @param replica no trigger or foreign key of the standby fires.
   */
  constructor(
    private readonly client: pg.Client,
    private readonly tables: Tables,
    private readonly name: string | undefined,
    private readonly replica: boolean
  ) {
    this.#stages = new Stages(client)
    this.#turns = new Turns(client)
  }

  /**
   * @throws FollowError where the standby refuses a change, which is named; TemporaryError where one of the batch's turns is over.
   *   Nothing is written then.
   */
  async write(batch: ChangeBatch): Promise<void> {
    this.#batches++
    if (batch.turns) await this.#turns.enter(batch.turns)
    const segments = collapse(batch.changes)
    if (!segments || this.#asMainDid(batch)) return this.#singly(batch)
    for (;;) {
      let failed: About | undefined
      try {
        return await this.#fast(segments, batch, about => (failed = about))
      } catch (error) {
        if (isConnectionLoss(error)) throw error
        await this.client.query('ROLLBACK')
        const late = turnOver(error)
        if (late) throw late
        if (codeOf(error) === '23505' && failed?.straight)
          this.#wary.set(failed.prepared, this.#batches + wary)
        else if (error instanceof Mismatch || isRefusal(error)) return this.#singly(batch)
        else throw refusal(error, failed?.prepared.table)
      }
    }
  }

  /** Some changes are made by main's own statement alone. */
  #asMainDid({ changes }: ChangeBatch): boolean {
    return changes.some(({ table, operation, row, old, absent }) => {
      const prepared = this.tables.of(table)
      if (absent?.length && replaces(prepared)) return true
      if (this.replica || !prepared.referenced) return false
      // Foreign keys fire: a row that others no longer refer to when it goes must not go before that, nor go where its key but changes.
      if (operation === 'delete') return prepared.acts
      return row !== undefined && old !== undefined && keyOf(table, old) !== keyOf(table, row)
    })
  }

  async #fast(
    segments: readonly Segment[],
    { position, turns }: ChangeBatch,
    failed: (about: About | undefined) => void
  ): Promise<void> {
    const isWary = (prepared: Prepared) => this.#batches <= (this.#wary.get(prepared) ?? 0)
    const plan = new Plan(this.tables, this.#stages, this.replica, isWary)
    const { script, expected } = plan
    script.add('BEGIN')
    if (turns) script.add(turnStatement(turns))
    if (!this.replica) script.add('SET CONSTRAINTS ALL DEFERRED')
    for (const segment of segments) await plan.add(segment)
    const moves = script.size
    if (this.name !== undefined) script.add(positionStatement(this.name, position))
    const looks = expected.size > 0
    if (!looks) script.add('COMMIT')
    const tags = await script.run(this.client, failed)
    if (this.name !== undefined) this.#moved(affected(tags[moves]!))
    if (!looks) return
    for (const [at, rows] of expected) if (affected(tags[at]!) !== rows) throw new Mismatch()
    await this.client.query('COMMIT')
  }

  #moved(records: number): void {
    if (records === 1) return
    throw new FollowError(`the standby has no record of the stream ${this.name} any more`, {
      hint: 'Somebody removed it from pgsyncer.stream: start again, and the tables are copied anew.'
    })
  }

  async #singly(batch: ChangeBatch): Promise<void> {
    try {
      await this.client.query(this.replica ? 'BEGIN' : 'BEGIN; SET CONSTRAINTS ALL DEFERRED')
      if (batch.turns) await this.client.query(turnStatement(batch.turns))
      await writeSingly(this.client, this.tables, batch.changes, this.replica)
      if (this.name !== undefined) {
        const { rowCount } = await this.client.query(positionStatement(this.name, batch.position))
        this.#moved(rowCount ?? 0)
      }
      await this.client.query('COMMIT')
    } catch (error) {
      if (!isConnectionLoss(error)) await this.client.query('ROLLBACK')
      throw turnOver(error) ?? refusal(error, undefined)
    }
  }
}

/** Not all rows were stored or found. */
class Mismatch extends Error {}
