/** The rows of a plan's file, table by table in the order of the file, as patches take them. */
import { ConfigError } from '../../core/errors.js'
import type { PatchRow } from '../../data/patchstage.js'
import type { PlanHead, PlanRow } from './document.js'
import { changedHint, readRows } from './reader.js'

/** Rows at most, and characters about as many, that are handed on at a time. */
const [most, enough] = [200, 256 * 1024]

export interface TableBatches {
  /** As the plan names it. */
  table: string
  /** Must be read to their end before the next table is asked for. */
  batches: AsyncIterable<PatchRow[]>
}

/** @throws ConfigError for a row whose table or columns the head does not name. */
export async function* batchesOf(
  path: string,
  plan: PlanHead,
  signal: AbortSignal
): AsyncGenerator<TableBatches> {
  const tables = new Map(plan.tables.map(table => [table.name, Object.keys(table.columns)]))
  const rows = readRows(path, signal)
  try {
    let next = await rows.next()
    while (!next.done) {
      const { table } = next.value
      const columns = tables.get(table)
      if (!columns)
        throw new ConfigError(`${path} has a row of ${table}, which its head does not name`, {
          hint: changedHint
        })
      const batches = async function* (): AsyncGenerator<PatchRow[]> {
        let batch: PatchRow[] = []
        let size = 0
        for (; !next.done && next.value.table === table; next = await rows.next()) {
          const row = patchRow(path, next.value, columns)
          batch.push(row)
          for (const value of row.values) size += value?.length ?? 0
          if (batch.length < most && size < enough) continue
          yield batch
          batch = []
          size = 0
        }
        if (batch.length > 0) yield batch
      }
      yield { table, batches: batches() }
    }
  } finally {
    await rows.return(undefined)
  }
}

function patchRow(path: string, row: PlanRow, columns: readonly string[]): PatchRow {
  const given = row.op === 'delete' ? row.was : row.row
  if (Object.keys(given).length !== columns.length || !columns.every(name => Object.hasOwn(given, name)))
    throw new ConfigError(
      `${path} has a row of ${row.table} whose columns are not the table’s: ${Object.keys(given).join(', ')}`,
      { hint: changedHint }
    )
  return {
    op: row.op,
    before: row.op === 'insert' ? null : row.before,
    after: row.op === 'delete' ? null : row.after,
    values: columns.map(name => given[name]!)
  }
}
