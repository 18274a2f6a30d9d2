/** The undo of a plan is a plan too: each row's way back, by the same digests. It is whole on the disk before anything is written. */
import { access } from 'node:fs/promises'
import type pg from 'pg'
import { ConfigError } from '../../core/errors.js'
import { rawRows } from '../../data/images.js'
import { op, type Patch } from '../../data/patchstage.js'
import { sameKey } from '../../data/upsert.js'
import { targetOf } from '../../data/mend.js'
import { columnList } from '../../postgres/quote.js'
import type { PlanHead, PlanRow } from './document.js'
import { changed, rowOf } from './rows.js'
import { PlanWriter } from './writer.js'

/** @throws ConfigError where there is such a file: it may be the only way back from another plan. */
export async function refuseOverwriting(path: string): Promise<void> {
  const there = await access(path).then(
    () => true,
    () => false
  )
  if (there)
    throw new ConfigError(`${path} is there already`, {
      hint: 'Name another file for the undo, or move that one away.'
    })
}

/**
 * Writes the file, before the patches are.
 * @param patches staged, and by the name that the plan gives each.
 * @param sequences of the undo.
 */
export async function writeUndo(
  path: string,
  client: pg.Client,
  plan: PlanHead,
  patches: ReadonlyMap<string, Patch>,
  sequences: PlanHead['sequences']
): Promise<void> {
  const out = await PlanWriter.create(path)
  try {
    await out.together(async put => {
      for (const [table, patch] of patches)
        for await (const row of rowsBack(client, table, patch)) await put(row)
    })
    const { rows } = await client.query<{ now: string }>('SELECT pg_catalog.clock_timestamp()::text AS now')
    await out.finish({
      ...plan,
      kind: 'undo',
      cut: { snapshot: null, lsn: null, time: rows[0]!.now },
      tables: plan.tables.map(table => ({ ...table, insert: table.delete, delete: table.insert })),
      structure: null,
      sequences,
      missing: []
    })
  } finally {
    await out.discard()
  }
}

async function* rowsBack(client: pg.Client, table: string, { unit, stage }: Patch): AsyncGenerator<PlanRow> {
  const names = unit.written.map(({ name }) => name)
  const keyed = unit.strategy !== 'multiset'
  const items = [`s.${op}`, 's.pgsyncer_before', 's.pgsyncer_after']
  if (names.length > 0) items.push(columnList(names, 's.'), ...(keyed ? [columnList(names, 't.')] : []))
  const from = keyed ? `${stage} s LEFT JOIN ${unit.source} ON ${sameKey(targetOf(unit))}` : `${stage} s`
  for await (const row of rawRows(client, `SELECT ${items.join(', ')} FROM ${from}`)) {
    const [kind, before, after] = row as [PlanRow['op'], string, string]
    const given = { values: row.slice(3, 3 + names.length) }
    const there = { values: row.slice(3 + names.length) }
    if (kind === 'insert') yield { table, op: 'delete', was: rowOf(unit, given), before: after }
    else if (kind === 'delete') yield { table, op: 'insert', row: rowOf(unit, given), after: before }
    else {
      yield {
        table,
        op: 'update',
        row: rowOf(unit, there),
        was: rowOf(unit, given, changed(unit, given, there)),
        before: after,
        after: before
      }
    }
  }
}
