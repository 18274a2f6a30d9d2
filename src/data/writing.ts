/**
 * Writes the rows of all units in the order that foreign keys ask for: parents before children for what is written,
 * children before parents for what is deleted, a circle in one transaction. A unit that fails is a result; the others
 * go on.
 */
import pLimit from 'p-limit'
import { DataError } from '../core/errors.js'
import { attempt, type UnitResult } from './attempt.js'
import { compareUnit, visitUnit } from './compare.js'
import type { DataContext } from './context.js'
import { explain } from './explain.js'
import { fillUnit } from './fill.js'
import type { Chunk } from './mend.js'
import { dirtyChunks, inOneTransaction, mendUnit } from './mending.js'
import { differs, newTally } from './tally.js'
import { bySize, type Unit } from './unit.js'

export class Writing {
  readonly #started = new Map<Unit, Promise<UnitResult>>()
  readonly #limit

  constructor(
    readonly context: DataContext,
    readonly empty: ReadonlySet<Unit>,
    readonly compared: ReadonlyMap<Unit, UnitResult>
  ) {
    this.#limit = pLimit(context.workers)
  }

  async all(units: readonly Unit[]): Promise<UnitResult[]> {
    const results = await Promise.all(bySize(units).map(unit => this.#start(unit)))
    if (!this.context.deletes) return results
    const of = new Map(results.map(result => [result.unit, result]))
    const childrenFirst = this.context.graph.ordered().reverse()
    const done = new Set<Unit>()
    for (const unit of childrenFirst) {
      if (done.has(unit) || !this.#deletesLater(unit)) continue
      const group = this.#circle(unit).map(member => of.get(member)!)
      for (const { unit: member } of group) done.add(member)
      if (group.every(result => result.status !== 'failed')) await this.#delete(group)
    }
    for (const unit of childrenFirst.toReversed()) {
      if (!inTheWay(of.get(unit)!)) continue
      const family = this.context.graph.family(unit)
      await this.#together(childrenFirst.filter(one => family.has(one)).map(one => of.get(one)!))
      if (this.empty.has(unit)) await this.#again(of.get(unit)!)
    }
    return results
  }

  /** One that was to be loaded before its parents were whole: they may be so now. */
  async #again(result: UnitResult): Promise<void> {
    const { context } = this
    const { unit } = result
    const again = await attempt(context, unit, newTally(unit), async tally => {
      await mendUnit(context, unit, tally, { deletes: false, compared: false })
      return differs(tally) ? 'synced' : 'identical'
    })
    Object.assign(result, { reason: undefined, hint: undefined, sqlstate: undefined }, again)
  }

  /** Once its parents are done; a circle's members start together. */
  #start(unit: Unit): Promise<UnitResult> {
    const known = this.#started.get(unit)
    if (known) return known
    const { graph } = this.context
    const together = graph.circular(unit)
    const group = this.#circle(unit)
    const parents = graph.before(unit).map(parent => this.#start(parent))
    const work = Promise.all(parents).then(() =>
      this.#limit(() => (together ? this.#group(group) : this.#one(unit).then(result => [result])))
    )
    for (const member of group) {
      this.#started.set(
        member,
        work.then(results => results.find(result => result.unit === member)!)
      )
    }
    return this.#started.get(unit)!
  }

  /** The units that are written in one transaction with this one. */
  #circle(unit: Unit): Unit[] {
    return this.context.graph.group(unit)
  }

  /** Others refer to it, or to its circle: its extra rows go after theirs. */
  #deletesLater(unit: Unit): boolean {
    const { graph } = this.context
    const circle = this.#circle(unit)
    const inside = new Set(circle.map(member => member.standby.oid))
    const outside = circle.flatMap(member => graph.to(member)).filter(key => !inside.has(key.child))
    if (circle.every(member => member.strategy !== 'multiset')) return outside.length > 0
    // Without a key a changed row is one that goes and one that comes: only what is written in this run is worth waiting for.
    const written = new Set(graph.units.map(one => one.standby.oid))
    return outside.some(key => written.has(key.child))
  }

  async #one(unit: Unit): Promise<UnitResult> {
    const { context } = this
    const before = this.compared.get(unit)
    // What was found before it failed is not all, and no guard has been asked for the rest.
    if (before?.status === 'failed') return before
    return attempt(context, unit, before?.tally ?? newTally(unit), async tally => {
      if (this.empty.has(unit)) {
        await fillUnit(context, unit, tally)
        return tally.insert > 0 ? 'synced' : 'identical'
      }
      const deletes = context.deletes && !this.#deletesLater(unit)
      await mendUnit(context, unit, tally, { deletes, compared: before !== undefined })
      return differs(tally) ? 'synced' : 'identical'
    })
  }

  /** A circle: its chunks that differ, in one transaction. */
  async #group(group: readonly Unit[]): Promise<UnitResult[]> {
    const { context } = this
    const chunks: Chunk[] = []
    const results = await Promise.all(
      group.map(async unit => {
        const before = this.compared.get(unit)
        if (before?.status === 'failed') return before
        return attempt(context, unit, newTally(unit), async tally => {
          if (before) Object.assign(tally, before.tally)
          else await compareUnit(context, unit, tally)
          chunks.push(...dirtyChunks(unit, tally))
          return differs(tally) ? 'synced' : 'identical'
        })
      })
    )
    const failed = results.find(result => result.status === 'failed')
    const deletes = context.deletes && !this.#deletesLater(group[0]!)
    const transaction = failed
      ? Promise.reject(
          new DataError(`${failed.unit.name}, which stands in a circle of foreign keys with it, failed`, {
            hint: 'They are written together: mend what that table’s reason says, and run again.'
          })
        )
      : chunks.length > 0
        ? inOneTransaction(context, chunks, { deletes, replace: false })
        : Promise.resolve()
    return this.#conclude(results, transaction)
  }

  /** The results of units that were written by one transaction, once it has ended. */
  #conclude(results: readonly UnitResult[], transaction: Promise<void>): Promise<UnitResult[]> {
    // It may fail before anyone waits for it, or with nobody to wait.
    transaction.catch(() => {})
    return Promise.all(
      results.map(async result => {
        if (result.status !== 'synced') return result
        return attempt(this.context, result.unit, result.tally, () => transaction.then(() => 'synced'))
      })
    )
  }

  /** Removes a circle's extra rows, now that nothing refers to them any more. */
  async #delete(circle: readonly UnitResult[]): Promise<void> {
    const chunks: Chunk[] = []
    for (const { unit, tally } of circle) {
      if (tally.delete === 0 && circle.length === 1) continue
      chunks.push(
        ...(this.context.since.has(unit) ? await this.#extraChunks(unit) : dirtyChunks(unit, tally))
      )
    }
    if (circle.every(({ tally }) => tally.delete === 0) || chunks.length === 0) return
    const transaction = inOneTransaction(this.context, chunks, { deletes: true, replace: false })
    const after = await this.#conclude(circle, transaction)
    circle.forEach((result, i) => Object.assign(result, after[i]))
  }

  /**
   * The last resort where rows that go and rows that come stand in each other's way across tables (a parent's extra
   * row holds a unique value, and children still refer to it): a table and all that refer to it, in one transaction.
   */
  async #together(family: readonly UnitResult[]): Promise<void> {
    if (family.some(({ unit }) => this.context.since.has(unit))) return
    const written = family.filter(({ tally }) => tally.dirty.length > 0)
    const chunks = written.flatMap(({ unit, tally }) => dirtyChunks(unit, tally))
    if (chunks.length === 0) return
    try {
      await inOneTransaction(this.context, chunks, { deletes: true, replace: true })
    } catch (error) {
      if (this.context.signal.aborted) throw error
      // What stood in the way before may go now: what still stands there is the reason.
      for (const result of written)
        if (inTheWay(result)) Object.assign(result, { hint: undefined }, explain(error))
      return
    }
    for (const result of written) {
      Object.assign(result, { status: 'synced', reason: undefined, hint: undefined, sqlstate: undefined })
    }
  }

  async #extraChunks(unit: Unit): Promise<Chunk[]> {
    const chunks: Chunk[] = []
    await visitUnit(this.context, unit, newTally(unit), async (_, { condition }) => {
      chunks.push({ unit, condition })
    })
    return chunks
  }
}

/** It failed by a unique value or a reference: rows of other chunks or tables stand in its way. */
const inTheWay = ({ status, sqlstate }: UnitResult): boolean =>
  status === 'failed' && ['23505', '23P01', '23503'].includes(sqlstate ?? '')
