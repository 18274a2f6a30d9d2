/** What applying a plan did, for people. */
import type { PlanReport } from '../../sync/plan/report.js'
import type { TextStyle } from './style.js'
import { table } from './table.js'
import { count, listed, shown, some, time, wrap } from './words.js'

/** The server, the tables, what else was changed, and one sentence. */
export function renderPlan(report: PlanReport, style: TextStyle): string {
  const { paint, width } = style
  const { standby, kind, cut, failures, notes, missing } = report
  const head = [
    paint.bold('pgsyncer apply-plan'),
    `  ${'standby'.padEnd(8)}${shown(standby.address)}  ${paint.dim(`PostgreSQL ${standby.version}`)}`,
    `  ${kind.padEnd(8)}${paint.dim('of')} ${shown(cut)}`
  ]
  const sections = [
    head.join('\n'),
    tables(report, style),
    section('Structure', report.structure, style),
    section(
      'Sequences',
      report.sequences.map(
        ({ schema, name, status, value, reason }) =>
          `${schema}.${name}: ${status === 'set' ? `set to ${value}` : `left at ${value}, as ${reason}`}`
      ),
      style
    ),
    section('Not in the plan', missing, style),
    section('Failures', failures, style),
    section('Notes', notes, style),
    wrap(shown(verdict(report)), width)
      .map(line => paint[report.ok ? 'good' : 'bad'](paint.bold(line)))
      .join('\n')
  ]
  return `${sections.filter(text => text !== '').join('\n\n')}\n`
}

function tables(report: PlanReport, { paint, width }: TextStyle): string {
  if (report.tables.length === 0) return ''
  const columns = ['table', 'insert', 'update', 'delete'].map((heading, at) => ({ heading, right: at > 0 }))
  const cells = report.tables.map(one => [
    shown(`${one.schema}.${one.table}`),
    ...[one.insert, one.update, one.delete].map(count)
  ])
  return [paint.bold('Tables'), table(columns, cells, width, paint)].join('\n')
}

function section(title: string, lines: readonly string[], { paint, width }: TextStyle): string {
  if (lines.length === 0) return ''
  const items = lines.flatMap(line =>
    wrap(shown(line), width - 4).map((part, at) => (at === 0 ? '  - ' : '    ') + part)
  )
  return [paint.bold(title), ...items].join('\n')
}

function verdict({ applied, ok, kind, tables: all, structure, undo, durationMs }: PlanReport): string {
  const sum = (what: 'insert' | 'update' | 'delete') => all.reduce((total, one) => total + one[what], 0)
  const rows = [
    [sum('insert'), 'inserted'],
    [sum('update'), 'updated'],
    [sum('delete'), 'deleted']
  ] as const
  const done = rows.filter(([n]) => n > 0).map(([n, what]) => `${some(n, 'row')} ${what}`)
  if (structure.length > 0) done.push(`${some(structure.length, 'object')} changed`)
  const work = done.length > 0 ? listed(done) : 'it holds nothing to do'
  const took = `(${time(durationMs)})`
  if (!applied) return `The ${kind} can be applied as it is, and nothing was written: ${work} ${took}`
  const end = ok ? '' : '; what failed after it is named above'
  const back = undo === undefined ? '' : `; the way back is in ${undo}`
  return `The ${kind} is applied: ${work}${back}${end} ${took}`
}
