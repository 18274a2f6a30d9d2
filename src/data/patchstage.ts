/** Rows of a patch in a temporary table of the transaction: what is done with each, its digests, and the written columns. */
import { pipeline } from 'node:stream/promises'
import type pg from 'pg'
import { from as copyFrom } from 'pg-copy-streams'
import { DataError } from '../core/errors.js'
import { copyText } from '../postgres/copytext.js'
import { columnList, ident } from '../postgres/quote.js'
import type { Text } from './images.js'
import { writtenColumns, type Unit } from './unit.js'

export interface Patch {
  unit: Unit
  /** SQL of a row's digest over `t`. */
  digest: string
  stage: string
  /** Of rows without a key, by digest: how many copies there are, go, and come. */
  copies?: string
}

export interface PatchRow {
  op: 'insert' | 'update' | 'delete'
  before: Text
  after: Text
  /** Of the written columns: the row to be; of a delete, the one that goes. */
  values: readonly Text[]
}

/** Columns of the stage before the table's own. */
const own = ['pgsyncer_op', 'pgsyncer_before', 'pgsyncer_after']
export const op = own[0]!

/** Columns that a table can have. */
const most = 1600

/**
 * Makes the stage; it goes with the transaction.
 * @throws DataError for a table that is too wide.
 */
export async function openStage(client: pg.Client, unit: Unit, digest: string, nth: number): Promise<Patch> {
  if (unit.written.length + own.length > most) {
    throw new DataError(
      `${unit.name} has ${unit.written.length} columns: a plan can write ${most - own.length} at most`,
      {
        table: unit.name,
        hint: 'Leave it out of the plan with -T, and bring it over by sync.'
      }
    )
  }
  const stage = `pg_temp.pgsyncer_plan_${nth}`
  const columns = [
    ...own.map(name => `''::text AS ${name}`),
    ...(unit.written.length > 0 ? [writtenColumns(unit, 't.')] : [])
  ]
  await client.query(
    `CREATE TEMPORARY TABLE pgsyncer_plan_${nth} ON COMMIT DROP AS SELECT ${columns.join(', ')} FROM ${unit.source} WITH NO DATA`
  )
  return { unit, digest, stage }
}

/** Adds rows to the stage, as they come. */
export async function fillStage(
  client: pg.Client,
  { unit, stage }: Patch,
  batches: AsyncIterable<readonly PatchRow[]>,
  signal: AbortSignal
): Promise<void> {
  const names = columnList([...own, ...unit.written.map(({ name }) => name)])
  const target = client.query(copyFrom(`COPY ${stage} (${names}) FROM STDIN`))
  await pipeline(linesOf(batches), target, { signal })
}

async function* linesOf(batches: AsyncIterable<readonly PatchRow[]>): AsyncGenerator<Buffer> {
  for await (const batch of batches)
    yield* copyText(batch.map(({ op: kind, before, after, values }) => [kind, before, after, ...values]))
}

/** Afterwards the planner knows the stage, and, without a key, the copies are counted. */
export async function closeStage(client: pg.Client, patch: Patch): Promise<void> {
  const { unit, stage, digest } = patch
  await client.query(`ANALYZE ${stage}`)
  if (unit.strategy !== 'multiset') return mergeTwins(client, patch)
  const copies = `${stage}_copies`
  await client.query(
    `CREATE TEMPORARY TABLE ${copies.replace('pg_temp.', '')} ON COMMIT DROP AS
     SELECT w.digest, w.going, w.change, pg_catalog.count(h.digest) AS copies
     FROM (SELECT digest, pg_catalog.count(*) FILTER (WHERE gone) AS going, sum(CASE WHEN gone THEN -1 ELSE 1 END) AS change
       FROM (SELECT pgsyncer_before AS digest, true AS gone FROM ${stage} WHERE pgsyncer_before IS NOT NULL
         UNION ALL SELECT pgsyncer_after, false FROM ${stage} WHERE pgsyncer_after IS NOT NULL) s GROUP BY digest) w
     LEFT JOIN (SELECT ${digest} AS digest FROM ${unit.source}) h USING (digest)
     GROUP BY w.digest, w.going, w.change`
  )
  patch.copies = copies
}

/**
 * One key may be written in two ways (1.0 and 1.00): then a row goes, and another comes in its place.
 * @throws DataError where the plan has a row twice.
 */
async function mergeTwins(client: pg.Client, { unit, stage }: Patch): Promise<void> {
  const key = columnList(unit.key.map(({ name }) => name))
  const twice = `SELECT 1 FROM ${stage} GROUP BY ${key} HAVING pg_catalog.count(*) > 1 LIMIT 1`
  if ((await client.query(twice)).rows.length === 0) return
  const same = unit.key.map(({ name }) => `d.${ident(name)} = s.${ident(name)}`).join(' AND ')
  await client.query(
    `UPDATE ${stage} s SET ${op} = 'update', pgsyncer_before = d.pgsyncer_before
     FROM ${stage} d WHERE s.${op} = 'insert' AND d.${op} = 'delete' AND ${same}`
  )
  await client.query(
    `DELETE FROM ${stage} d USING ${stage} s WHERE d.${op} = 'delete' AND s.${op} = 'update' AND ${same}`
  )
  if ((await client.query(twice)).rows.length === 0) return
  throw new DataError(`the plan has a row of ${unit.name} twice`, {
    table: unit.name,
    hint: 'Take one of them out, or make the plan anew with diff --plan.'
  })
}
