/** The last line of a report: what came out of it, in one plain sentence. */
import type { Report } from '../../sync/report.js'
import { listed, some, time } from './words.js'

/** The sentence, and what it means for the colour. */
export function verdict(report: Report): { text: string; style: 'good' | 'differs' | 'bad' } {
  const took = time(report.durationMs)
  if (!report.ok) return { text: `${failed(report)} (${took})`, style: 'bad' }
  const { totals, command } = report
  const size = `${some(totals.tables, 'table')}, ${some(totals.rows.main, 'row')}`
  if (command === 'diff') {
    if (report.identical)
      return { text: `The databases are identical: ${size}${skipped(report)} (${took})`, style: 'good' }
    return {
      text: `The standby differs: ${listed(differences(report))}${skipped(report)} (${took})`,
      style: 'differs'
    }
  }
  const done = changes(report, ['inserted', 'updated', 'deleted'])
  const objects = report.schema.changes.filter(change => change.status === 'applied').length
  if (objects > 0) done.push(`${some(objects, 'object')} changed`)
  const views = report.views.filter(view => view.refreshed).length
  if (views > 0) done.push(`${some(views, 'materialized view')} refreshed`)
  const work = done.length > 0 ? listed(done) : 'nothing had to be changed'
  if (report.identical)
    return {
      text: `The standby is now the same as main: ${size}; ${work}${skipped(report)} (${took})`,
      style: 'good'
    }
  return {
    text: `Done, but the standby still differs: ${listed(differences(report))}; ${work}${skipped(report)} (${took})`,
    style: 'differs'
  }
}

function failed(report: Report): string {
  const parts: string[] = []
  const { tables, failed: broken } = report.totals
  if (broken > 0) parts.push(`${broken} of ${some(tables, 'table')}`)
  const objects = report.schema.changes.filter(change => change.status === 'failed').length
  if (objects > 0) parts.push(some(objects, 'object'))
  parts.push(...besides(report, 'failed'))
  if (report.failures.length > 0) parts.push(some(report.failures.length, 'further step'))
  const others = differences(report)
  const rest = others.length > 0 ? `; besides, the standby differs: ${listed(others)}` : ''
  return `Failed: ${listed(parts)}, each named above${rest}`
}

function differences(report: Report): string[] {
  const tables = report.tables.filter(table => table.status === 'differs' || (table.left ?? 0) > 0)
  const parts: string[] = []
  if (tables.length > 0) {
    const rows = report.command === 'diff' ? changes(report, ['to insert', 'to update', 'to delete']) : []
    const left = tables.reduce((sum, table) => sum + (table.left ?? 0), 0)
    if (left > 0) rows.push(`${some(left, 'row')} that main does not have`)
    parts.push(
      `${tables.length} of ${some(report.totals.tables, 'table')}${rows.length > 0 ? ` (${rows.join(', ')})` : ''}`
    )
  }
  const rest = report.schema.changes.filter(({ status }) => status === 'pending' || status === 'left')
  const objects = rest.length
  if (objects > 0) parts.push(some(objects, 'object'))
  return [...parts, ...besides(report, 'differs')]
}

/** How many of what is no table and no object. */
function besides({ sequences, views }: Report, status: 'failed' | 'differs'): string[] {
  const kinds = [
    ['sequence', sequences],
    ['materialized view', views]
  ] as const
  return kinds.flatMap(([kind, all]) => {
    const n = all.filter(one => one.status === status).length
    return n > 0 ? [some(n, kind)] : []
  })
}

function changes({ totals }: Report, [insert, update, remove]: readonly [string, string, string]): string[] {
  const all = [
    [totals.insert, insert],
    [totals.update, update],
    [totals.delete, remove]
  ] as const
  return all
    .filter(([n]) => n > 0)
    .map(([n, what], at) => (at === 0 ? `${some(n, 'row')} ${what}` : `${n.toLocaleString('en-US')} ${what}`))
}

function skipped({ totals }: Report): string {
  return totals.skipped > 0 ? `; ${some(totals.skipped, 'table')} skipped` : ''
}
