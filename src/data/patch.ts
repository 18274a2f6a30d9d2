/**
 * Rows that were named beforehand, one by one, written in the caller's transaction: they are staged, each must still be what it was
 * when it was named, then all are written, and each must be what it was to become. Nothing else of the table is looked at.
 */
import type pg from 'pg'
import { ident } from '../postgres/quote.js'
import {
  checkChildren,
  checkDeferrable,
  checkReferrers,
  deferConstraints,
  refuseDeletes,
  refuseUpdates,
  restoreConstraints
} from './constraints.js'
import type { WriteContext } from './context.js'
import { isConflict, ProofError, targetOf } from './mend.js'
import { op, type Patch } from './patchstage.js'
import { insertStatement, isIn, sameKey, upsertStatements } from './upsert.js'

/**
 * Writes all patches: rows go from children first, and come to parents first.
 * @param patches parents first, staged and found unchanged.
 * @throws DataError naming the table; the driver's error for anything else. The caller rolls back.
 */
export async function writePatches(
  context: WriteContext,
  client: pg.Client,
  patches: readonly Patch[]
): Promise<void> {
  await client.query('SAVEPOINT pgsyncer_patch')
  try {
    await write(context, client, patches, false)
  } catch (error) {
    // Rows that swap unique values: what comes waits until all that it replaces has gone.
    if (!isConflict(error)) throw error
    await client.query('ROLLBACK TO SAVEPOINT pgsyncer_patch')
    await write(context, client, patches, true)
  }
}

async function write(
  context: WriteContext,
  client: pg.Client,
  patches: readonly Patch[],
  replace: boolean
): Promise<void> {
  const pair = { standby: client }
  const units = patches.map(({ unit }) => unit)
  const coming = new Map(patches.map(patch => [patch.unit, comingOf(patch)] as const))
  const deferred = await deferConstraints(context, pair, units, replace)
  for (const patch of patches.toReversed()) await remove(context, client, patch, replace)
  for (const patch of patches) {
    const { unit } = patch
    const target = targetOf(unit)
    const rows = coming.get(unit)!
    if (unit.written.length === 0) {
      await client.query(`INSERT INTO ${unit.relation} SELECT FROM ${rows} s`)
    } else if (replace || unit.strategy === 'multiset') {
      await client.query(insertStatement(target, rows))
    } else {
      await refuseUpdates(context, pair, unit, coming)
      for (const statement of upsertStatements(target, rows)) await client.query(statement)
    }
  }
  await restoreConstraints(pair, deferred)
  for (const { unit, stage } of patches) {
    await checkChildren(context, pair, unit, `${coming.get(unit)!} t`)
    const { rows } = await client.query(`SELECT 1 FROM ${stage} WHERE ${op} = 'delete' LIMIT 1`)
    await checkReferrers(context, pair, unit, replace || rows.length > 0)
    const written = unit.strategy === 'multiset' ? 'true' : isIn(targetOf(unit), coming.get(unit)!)
    await checkDeferrable(context, pair, unit, written)
  }
  for (const patch of patches) await prove(client, patch)
}

const comingOf = ({ stage }: Patch): string => `(SELECT * FROM ${stage} WHERE ${op} <> 'delete')`

async function remove(
  context: WriteContext,
  client: pg.Client,
  patch: Patch,
  replace: boolean
): Promise<void> {
  const { unit, stage, digest } = patch
  const going = `(SELECT * FROM ${stage} WHERE ${op} ${replace ? "<> 'insert'" : "= 'delete'"})`
  if (unit.strategy !== 'multiset') {
    const gone = isIn(targetOf(unit), going)
    await refuseDeletes(context, { standby: client }, unit, gone)
    await client.query(`DELETE FROM ${unit.source} WHERE ${gone}`)
    return
  }
  // By place: copies are all the same, and only so many go.
  const copies = `SELECT place, part FROM (SELECT t.ctid AS place, t.tableoid AS part, ${digest} AS digest,
      pg_catalog.row_number() OVER (PARTITION BY ${digest}) AS nth FROM ${unit.source}) t
    JOIN (SELECT pgsyncer_before, pg_catalog.count(*) AS copies FROM ${going} s GROUP BY 1) s
      ON s.pgsyncer_before = t.digest AND t.nth <= s.copies`
  const gone = `(t.ctid, t.tableoid) IN (${copies})`
  await refuseDeletes(context, { standby: client }, unit, gone)
  await client.query(`DELETE FROM ${unit.source} WHERE ${gone}`)
}

async function prove(client: pg.Client, { unit, stage, digest, copies }: Patch): Promise<void> {
  const wrong = copies
    ? `SELECT 1 FROM ${copies} c LEFT JOIN (SELECT ${digest} AS digest, pg_catalog.count(*) AS n FROM ${unit.source} GROUP BY 1) h
         USING (digest) WHERE c.copies + c.change <> coalesce(h.n, 0)`
    : `SELECT 1 FROM ${stage} s LEFT JOIN ${unit.source} ON ${sameKey(targetOf(unit))}
       WHERE ${digestOrNull(digest)} IS DISTINCT FROM s.pgsyncer_after`
  const { rows } = await client.query(`${wrong} LIMIT 1`)
  if (rows.length === 0) return
  throw new ProofError(`the rows written to ${unit.name} are not what the plan says`, {
    table: unit.name,
    hint: 'A trigger, a rule or a column that cannot hold the value changed them; nothing was written.'
  })
}

/** NULL where there is no such row. */
const digestOrNull = (digest: string): string => `CASE WHEN t.tableoid IS NOT NULL THEN ${digest} END`

/** How many rows of each kind a stage holds. */
export async function countPatch(
  client: pg.Client,
  { stage }: Patch
): Promise<{ insert: number; update: number; delete: number }> {
  const { rows } = await client.query<{ op: 'insert' | 'update' | 'delete'; n: string }>(
    `SELECT ${op} AS op, pg_catalog.count(*)::text AS n FROM ${stage} GROUP BY 1`
  )
  const counts = { insert: 0, update: 0, delete: 0 }
  for (const { op: kind, n } of rows) counts[kind] = Number(n)
  return counts
}

/** Rows of the table that are not as they were when they were named, each as its key and what became of it. */
export async function changedRows(client: pg.Client, patch: Patch, most: number): Promise<string[]> {
  const { unit, stage, digest, copies } = patch
  if (copies) {
    const { rows } = await client.query<{ n: string; missing: string }>(
      `SELECT (SELECT ${shownRow(unit.written.map(({ name }) => name))} FROM ${stage} s WHERE s.pgsyncer_before = c.digest LIMIT 1) AS n,
         (c.going - c.copies)::text AS missing
       FROM ${copies} c WHERE c.copies < c.going LIMIT ${most}`
    )
    return rows.map(
      ({ n, missing }) => `${n}: ${missing} of its copies ${missing === '1' ? 'is' : 'are'} gone`
    )
  }
  const { rows } = await client.query<{ key: string; became: string }>(
    `SELECT ${shownRow(unit.key.map(({ name }) => name))} AS key,
       CASE WHEN ${op} = 'insert' THEN 'is there now' WHEN t.tableoid IS NULL THEN 'is gone' ELSE 'is another now' END AS became
     FROM ${stage} s LEFT JOIN ${unit.source} ON ${sameKey(targetOf(unit))}
     WHERE ${digestOrNull(digest)} IS DISTINCT FROM s.pgsyncer_before LIMIT ${most}`
  )
  return rows.map(({ key, became }) => `${key} ${became}`)
}

/** `(id, part) = (1, a)`, cut where it is long. */
function shownRow(names: readonly string[]): string {
  const list = names.join(', ').replaceAll("'", "''")
  const values = names.map(name => `s.${ident(name)}`).join(', ')
  return `'(${list}) = ' || pg_catalog.left(ROW(${values})::text, 200)`
}
