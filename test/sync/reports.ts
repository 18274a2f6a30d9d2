/** What tests ask of a report, in few words. */
import type { Report, TableReport } from '../../src/index.js'

/** `table` → inserts, updates, deletes, of the tables that differ. */
export function counts(report: Report): Record<string, [number, number, number]> {
  return Object.fromEntries(
    report.tables
      .filter(table => table.insert + table.update + table.delete > 0)
      .map(table => [table.table, [table.insert, table.update, table.delete]])
  )
}

/** Everything that failed, as sentences: an empty list reads better in a failed assertion than `ok: false`. */
export function failures(report: Report): string[] {
  return [
    ...report.tables
      .filter(table => table.status === 'failed')
      .map(table => `${table.table}: ${table.reason} | ${table.hint}`),
    ...report.sequences.filter(one => one.status === 'failed').map(one => `${one.name}: ${one.reason}`),
    ...report.views
      .filter(one => one.status === 'failed')
      .map(one => `materialized view ${one.schema}.${one.name} ${one.reason}`),
    ...report.failures
  ]
}

/** The report's entry for one table. */
export function tableOf(report: Report, name: string): TableReport {
  const found = report.tables.find(table => table.table === name)
  if (!found) throw new Error(`the report has no table ${name}`)
  return found
}

/** The error that a call ends with; fails where it ends well. */
export async function errorOf(call: Promise<unknown>): Promise<Error & { hint?: string }> {
  const outcome = await call.then(
    value => ({ value }),
    (error: unknown) => ({ error })
  )
  if ('error' in outcome) return outcome.error as Error & { hint?: string }
  throw new Error(`no error, but ${JSON.stringify(outcome.value).slice(0, 500)}`)
}
