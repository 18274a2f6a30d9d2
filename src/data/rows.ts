/**
 * Brings the rows of all units to main's state, in the order that foreign keys ask for: parents before children
 * for what is written, children before parents for what is deleted, a circle in one transaction. A unit that fails
 * is reported; the others go on.
 */
import pLimit from 'p-limit'
import { DataError, messageOf, PgsyncerError } from '../core/errors.js'
import { retrying } from '../core/retry.js'
import { codeOf } from '../postgres/failure.js'
import { bucketExpression } from './buckets.js'
import type { Visit } from './chunks.js'
import { compareUnit, keepSamples, revisitUnit, visitUnit } from './compare.js'
import type { DataContext } from './context.js'
import { loadUnit } from './load.js'
import { mend, type Chunk } from './mend.js'
import { copyMover } from './move.js'
import { mendMultiset } from './multiset.js'
import { differs, newTally, type Tally } from './tally.js'
import type { Unit } from './unit.js'

export interface UnitResult {
  unit: Unit
  tally: Tally
  status: 'identical' | 'differs' | 'synced' | 'failed'
  reason?: string
  hint?: string
}

/** Compares every unit; writes nothing. */
export async function compareUnits(context: DataContext, units: readonly Unit[]): Promise<UnitResult[]> {
  const limit = pLimit(context.workers)
  return Promise.all(
    bySize(units).map(unit =>
      limit(() =>
        attempt(context, unit, newTally(unit), async tally => {
          await compareUnit(context, unit, tally)
          return differs(tally) ? 'differs' : 'identical'
        })
      )
    )
  )
}

/**
 * Writes every unit.
 * @param empty units whose table on the standby has no row: they are loaded, not compared.
 * @param compared what compareUnits found, for the units that it was run on: only their differing chunks are visited.
 */
export async function writeUnits(
  context: DataContext,
  units: readonly Unit[],
  empty: ReadonlySet<Unit>,
  compared: ReadonlyMap<Unit, UnitResult>
): Promise<UnitResult[]> {
  const run = new Writing(context, empty, compared)
  return run.all(units)
}

/** Units that must be compared before anything is written: in a circle, or where rows may be deleted. */
export function comparedFirst(context: DataContext, unit: Unit): boolean {
  return context.deletes || (unit.strategy !== 'multiset' && context.graph.circular(unit))
}

class Writing {
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
    if (this.context.deletes) {
      for (const unit of this.context.graph.ordered().reverse()) {
        const result = results.find(one => one.unit === unit)
        if (result && this.#deletesLater(unit) && result.tally.delete > 0) await this.#delete(result)
      }
    }
    return results
  }

  /** Once its parents are done; a circle's members start together. */
  #start(unit: Unit): Promise<UnitResult> {
    const known = this.#started.get(unit)
    if (known) return known
    const { graph } = this.context
    const group = graph.circular(unit) && unit.strategy !== 'multiset' ? graph.group(unit) : [unit]
    const parents = graph.before(unit).map(parent => this.#start(parent))
    const work = Promise.all(parents).then(() =>
      this.#limit(() =>
        group.length > 1 || graph.circular(unit)
          ? this.#group(group)
          : this.#one(unit).then(result => [result])
      )
    )
    for (const member of group) {
      this.#started.set(
        member,
        work.then(results => results.find(result => result.unit === member)!)
      )
    }
    return this.#started.get(unit)!
  }

  /** Others refer to it: its extra rows go after theirs. */
  #deletesLater(unit: Unit): boolean {
    return (
      this.context.graph.to(unit).length > 0 &&
      !this.context.graph.circular(unit) &&
      unit.strategy !== 'multiset'
    )
  }

  #one(unit: Unit): Promise<UnitResult> {
    const { context } = this
    const before = this.compared.get(unit)
    return attempt(context, unit, before?.tally ?? newTally(unit), async tally => {
      if (this.empty.has(unit)) {
        await loadUnit(context, unit, tally)
        await this.#verify(unit)
        return tally.insert > 0 ? 'synced' : 'identical'
      }
      if (unit.strategy === 'multiset') {
        if (!before) await compareUnit(context, unit, tally)
        await mendMultiset(context, unit, tally)
      } else await this.#mendChunks(unit, tally, before !== undefined)
      return differs(tally) ? 'synced' : 'identical'
    })
  }

  /** A loaded table by its digests, where that was asked for, or where its rows did not come from the cut itself. */
  async #verify(unit: Unit): Promise<void> {
    const ofCut = { ...this.context, mover: copyMover, deletes: true, since: new Map<Unit, string>() }
    if (!this.context.mover.ofCut) await new Writing(ofCut, new Set(), new Map()).#mend(unit, newTally(unit))
    else if (!this.context.verify) return
    const tally = newTally(unit)
    await compareUnit({ ...ofCut, samples: 0 }, unit, tally)
    if (!differs(tally)) return
    throw new DataError(`the rows loaded into ${unit.name} are not what main has`, {
      table: unit.name,
      hint: 'A trigger, a rule or another session changed them: run the sync again, which compares and mends the table.'
    })
  }

  async #mend(unit: Unit, tally: Tally): Promise<void> {
    if (unit.strategy !== 'multiset') return this.#mendChunks(unit, tally, false)
    await compareUnit(this.context, unit, tally)
    await mendMultiset(this.context, unit, tally)
  }

  async #mendChunks(unit: Unit, tally: Tally, revisit: boolean): Promise<void> {
    const { context } = this
    const deletes = context.deletes && !this.#deletesLater(unit)
    const conflicts: string[] = []
    const visit: Visit = async (pair, chunk) => {
      const rules = { deletes, replace: false }
      let outcome = await mend(context, pair, [chunk], rules)
      // Rows that did not come from the cut may be newer than it.
      if (outcome === 'conflict' && !context.mover.ofCut)
        outcome = await mend({ ...context, mover: copyMover }, pair, [chunk], rules)
      if (outcome === 'conflict') conflicts.push(chunk.condition)
    }
    if (revisit) await revisitUnit(context, unit, tally, visit)
    else await visitUnit(context, unit, tally, keepSamples(context, tally, visit))
    if (conflicts.length > 0) {
      await this.#transaction(
        unit.name,
        conflicts.map(condition => ({ unit, condition })),
        true
      )
    }
  }

  /** A circle: its chunks that differ, in one transaction. */
  async #group(group: readonly Unit[]): Promise<UnitResult[]> {
    const { context } = this
    const chunks: Chunk[] = []
    const results = await Promise.all(
      group.map(unit =>
        attempt(context, unit, newTally(unit), async tally => {
          const before = this.compared.get(unit)
          if (before) Object.assign(tally, before.tally)
          else await compareUnit(context, unit, tally)
          chunks.push(...tally.dirty.map(dirty => ({ unit, condition: dirtyCondition(unit, tally, dirty) })))
          return differs(tally) ? 'synced' : 'identical'
        })
      )
    )
    const failed = results.find(result => result.status === 'failed')
    if (failed || chunks.length === 0) return results
    return Promise.all(
      ((transaction: Promise<void>) =>
        results.map(result =>
          attempt(context, result.unit, result.tally, () => transaction.then(() => result.status))
        ))(this.#transaction(group.map(unit => unit.name).join(', '), chunks, false))
    )
  }

  /** Upserts, or, where unique values are swapped between rows, deletes and inserts again. */
  async #transaction(what: string, chunks: readonly Chunk[], replace: boolean): Promise<void> {
    const context = { ...this.context, mover: copyMover }
    const rules = { deletes: context.deletes, replace }
    const outcome = await retrying(what, context.retry, () =>
      context.pool.run(pair => mend(context, pair, chunks, rules))
    )
    if (outcome === 'conflict') await this.#transaction(what, chunks, true)
  }

  async #delete(result: UnitResult): Promise<void> {
    const { unit, tally } = result
    const chunks = this.context.since.has(unit)
      ? await this.#extraChunks(unit)
      : tally.dirty.map(dirty => ({ unit, condition: dirtyCondition(unit, tally, dirty) }))
    const after = await attempt(this.context, unit, tally, async () => {
      await this.#transaction(unit.name, chunks, false)
      return 'synced'
    })
    Object.assign(result, after)
  }

  async #extraChunks(unit: Unit): Promise<Chunk[]> {
    const chunks: Chunk[] = []
    await visitUnit(this.context, unit, newTally(unit), async (_, { condition }) => {
      chunks.push({ unit, condition })
    })
    return chunks
  }
}

function dirtyCondition(unit: Unit, tally: Tally, dirty: string): string {
  return unit.strategy === 'bucket' ? `${bucketExpression(unit, tally.buckets)} = ${dirty}` : dirty
}

/** The largest first, so that none is left alone at the end. */
function bySize(units: readonly Unit[]): Unit[] {
  return units.toSorted(
    (a, b) => Math.max(b.main.estimate, b.main.pages) - Math.max(a.main.estimate, a.main.pages)
  )
}

async function attempt(
  context: DataContext,
  unit: Unit,
  tally: Tally,
  work: (tally: Tally) => Promise<UnitResult['status']>
): Promise<UnitResult> {
  context.emit({ type: 'table-start', table: unit.name, rows: Math.round(unit.main.estimate) })
  let result: UnitResult
  try {
    context.signal.throwIfAborted()
    result = { unit, tally, status: await work(tally) }
  } catch (error) {
    if (context.signal.aborted) throw error
    result = { unit, tally, status: 'failed', ...explain(error) }
  }
  context.emit({ type: 'table-end', table: unit.name, status: result.status })
  return result
}

/** A driver's or our own error as a reason and a hint. */
function explain(error: unknown): { reason: string; hint?: string } {
  if (error instanceof PgsyncerError)
    return { reason: error.message, ...(error.hint !== undefined && { hint: error.hint }) }
  const { detail } = error as { detail?: unknown }
  const reason =
    typeof detail === 'string' && detail !== '' ? `${messageOf(error)} (${detail})` : messageOf(error)
  const hint = hints[codeOf(error) ?? '']
  return { reason, ...(hint !== undefined && { hint }) }
}

const hints: Record<string, string> = {
  '23505': 'A row that main does not have holds the value: --clean-extra removes it.',
  '23P01': 'A row that main does not have stands in the way: --clean-extra removes it.',
  '23503': 'Bring the table that it refers to up to date in the same run.',
  '23502': 'The standby forbids a NULL that main has: alter its column.',
  '23514': 'The standby has a CHECK that main’s rows break: alter it.',
  '42501':
    'Grant the role what it needs: SELECT on main; SELECT, INSERT, UPDATE, DELETE and TEMPORARY on the standby.',
  '55P03': 'Another session holds a lock on it: try again, or raise --lock-timeout.',
  '57014': 'Raise --statement-timeout, or lower --chunk-size.',
  '22P05': 'The standby’s encoding has no such character: create its database with UTF8.'
}
