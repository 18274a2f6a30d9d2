/**
 * Brings chunks of the standby to main's state, in one transaction: deletes, then upserts from a stage, then the
 * proof. The chunk's digest is taken again inside the transaction and must equal main's, or nothing is committed.
 */
import { DataError } from '../core/errors.js'
import { codeOf } from '../postgres/failure.js'
import {
  checkChildren,
  checkDeferrable,
  checkReferrers,
  deferConstraints,
  refuseDeletes,
  refuseUpdates,
  restoreConstraints
} from './constraints.js'
import type { DataContext } from './context.js'
import { addDigests, digests, sameDigest, type Digest } from './digest.js'
import { keyIn } from './key.js'
import { addCopies, proveCopies, removeCopies } from './multiset.js'
import type { Pair } from './pairs.js'
import type { Tally } from './tally.js'
import type { Unit } from './unit.js'
import { insertStatement, isIn, sameKey, stageStatement, upsertStatements, type Target } from './upsert.js'
import { chunkDiff, keyCount, type ChunkDiff } from './vector.js'

export interface Chunk {
  unit: Unit
  /** The rows, over `t`; the same text means the same rows on both sides. */
  condition: string
  /** What is known to differ; found again inside the transaction where it is left out. */
  diff?: ChunkDiff
  /** Of a table without a key: all that was found to differ in it. */
  copies?: Tally
}

export interface MendRules {
  /** Delete the standby's rows that main does not have. */
  deletes: boolean
  /** Delete and insert again what differs, instead of upserting it: for rows that swap unique values. */
  replace: boolean
}

/** conflict: rows of other chunks, or rows that main does not have, hold a unique value that this one needs. */
export type Outcome = 'done' | 'conflict'

/** The standby's digest is not main's after the writes. */
export class ProofError extends DataError {}

/** A unique or exclusion constraint met, or the proof did not hold: deleting first may still bring it about. */
export function isConflict(error: unknown): boolean {
  return error instanceof ProofError || ['23505', '23P01', '428C9'].includes(codeOf(error) ?? '')
}

/**
 * Mends the chunks in one transaction: all of them, or none. Rows go in the order of the chunks, and come in the
 * opposite order of their units: children stand first.
 * @throws DataError (ProofError) naming the table; the driver's error for anything else. Nothing is committed then.
 */
export async function mend(
  context: DataContext,
  pair: Pair,
  chunks: readonly Chunk[],
  rules: MendRules
): Promise<Outcome> {
  const { standby } = pair
  const units = [...new Set(chunks.map(chunk => chunk.unit))]
  const keyed = units.filter(unit => unit.strategy !== 'multiset')
  const copies = new Map(chunks.flatMap(chunk => (chunk.copies ? [[chunk.unit, chunk.copies] as const] : [])))
  for (const unit of keyed) await ensureStage(pair, unit)
  await standby.query('BEGIN')
  try {
    await context.mover.begin(pair, keyed)
    for (const unit of copies.keys()) {
      await standby.query(`LOCK TABLE ${unit.relation} IN SHARE ROW EXCLUSIVE MODE`)
    }
    const replaced = rules.replace || [...copies.keys()].some(unit => context.graph.to(unit).length > 0)
    const deferred = await deferConstraints(context, pair, units, replaced)
    const proofs: (() => Promise<void>)[] = []
    for (const chunk of chunks) proofs.push(await removeExtra(context, pair, chunk, rules))
    for (const unit of units.toReversed()) {
      const tally = copies.get(unit)
      if (tally) await addCopies(context, pair, unit, tally)
      else await applyStage(context, pair, unit, keyed, rules.replace)
    }
    await restoreConstraints(pair, deferred)
    for (const unit of units) {
      const anew = copies.has(unit)
      await checkChildren(context, pair, unit, anew ? unit.source : `${stageOf(pair, unit)} t`)
      await checkReferrers(context, pair, unit, anew || rules.deletes)
      const written = anew ? 'true' : isIn(targetOf(unit), stageOf(pair, unit))
      await checkDeferrable(context, pair, unit, written)
    }
    for (const proof of proofs) await proof()
    await context.mover.end(pair, keyed)
    await standby.query('COMMIT')
    return 'done'
  } catch (error) {
    await standby.query('ROLLBACK').catch(() => {})
    if (!rules.replace && keyed.length > 0 && isConflict(error)) return 'conflict'
    throw error
  }
}

async function ensureStage(pair: Pair, unit: Unit): Promise<void> {
  if (pair.stages.has(unit.name)) return
  const stage = `pgsyncer_stage_${pair.stages.size + 1}`
  await pair.standby.query(stageStatement(targetOf(unit), stage))
  pair.stages.set(unit.name, `pg_temp.${stage}`)
}

const stageOf = (pair: Pair, unit: Unit): string => pair.stages.get(unit.name)!

/** What goes, goes, and what comes is staged, if it needs that. Returns the proof that the chunk is what it should be. */
async function removeExtra(
  context: DataContext,
  pair: Pair,
  chunk: Chunk,
  rules: MendRules
): Promise<() => Promise<void>> {
  const { unit, copies } = chunk
  if (copies) {
    const kept = await removeCopies(context, pair, unit, copies, rules.deletes)
    return () => proveCopies(context, pair, unit, copies, kept)
  }
  const expected = await stageChunk(context, pair, chunk, rules)
  return () => prove(pair, chunk, expected)
}

/** Deletes what goes, stages what comes, and says what the chunk's digest must be in the end. */
async function stageChunk(context: DataContext, pair: Pair, chunk: Chunk, rules: MendRules): Promise<Digest> {
  const { unit, condition } = chunk
  const diff = chunk.diff ?? (await chunkDiff(context, pair, unit, condition))
  if (rules.deletes && keyCount(diff.delete) > 0) {
    const gone = keyIn(unit.key, diff.delete)
    await refuseDeletes(context, pair, unit, gone)
    await pair.standby.query(`DELETE FROM ${unit.source} WHERE ${gone}`)
  }
  const wanted = unit.key.map((_, i) => [...diff.insert[i]!, ...diff.update[i]!])
  if (keyCount(wanted) > 0) {
    await context.mover.move(pair, unit, keyIn(unit.key, wanted), stageOf(pair, unit), context.pace)
  }
  return rules.deletes ? diff.main : addDigests(diff.main, diff.extra)
}

async function applyStage(
  context: DataContext,
  pair: Pair,
  unit: Unit,
  units: readonly Unit[],
  replace: boolean
): Promise<void> {
  const { standby } = pair
  const stage = stageOf(pair, unit)
  const target = targetOf(unit)
  if (!replace) {
    await refuseUpdates(context, pair, unit, new Map(units.map(one => [one, stageOf(pair, one)])))
    for (const statement of upsertStatements(target, stage)) await standby.query(statement)
    return
  }
  await refuseDeletes(context, pair, unit, isIn(target, stage))
  await standby.query(`DELETE FROM ${unit.source} USING ${stage} s WHERE ${sameKey(target)}`)
  await standby.query(insertStatement(target, stage))
}

/** The unit as what rows are written to. */
export function targetOf(unit: Unit): Target {
  const key = unit.key.map(column => column.name)
  const columns = unit.written.map(column => column.name)
  const always = new Set(
    unit.standby.columns.filter(column => column.identity === 'a').map(column => column.name)
  )
  // An ALWAYS identity cannot be set by an update; where such a value differs, the proof asks for a replacement.
  const settable = columns.filter(name => !key.includes(name) && !always.has(name))
  return { ...unit, columns, key, settable }
}

async function prove(pair: Pair, chunk: Chunk, expected: Digest): Promise<void> {
  const [found] = await digests(pair.standby, chunk.unit, [chunk.condition])
  if (sameDigest(found!, expected)) return
  throw new ProofError(`the rows written to ${chunk.unit.name} are not what main has`, {
    table: chunk.unit.name,
    hint: 'A trigger, a rule, another session or a column that cannot hold the value changed them; the chunk was left as it was.'
  })
}
