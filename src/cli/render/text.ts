/** A report for people: what was compared, what is not the same, and one last line that says it all. */
import type { CheckReport } from '../../sync/check.js'
import type { Report, TableReport } from '../../sync/report.js'
import { paintStatus, type Paint } from './paint.js'
import { sampleLine } from './samples.js'
import { structureSection } from './structure.js'
import { because, type TextStyle } from './style.js'
import { table, type Column } from './table.js'
import { verdict } from './verdict.js'
import { count, shown, some, wrap } from './words.js'

/** The whole report, one section after another, each followed by an empty line. */
export function renderText(report: Report, style: TextStyle): string {
  const { text, style: meaning } = verdict(report)
  const sections = [
    heading(report, style),
    structureSection(report, style),
    tableSection(report, style),
    sequenceSection(report, style),
    viewSection(report, style),
    sentences('Failures', report.failures, style),
    sentences('Notes', report.notes, style),
    wrap(text, style.width)
      .map(line => style.paint[meaning](style.paint.bold(line)))
      .join('\n')
  ]
  return `${sections.filter(section => section !== '').join('\n\n')}\n`
}

function heading({ command, main, standby, cut }: Report, { paint, width }: TextStyle): string {
  const longest = Math.max(main.address.length, standby.address.length)
  const server = (role: string, { address, version }: Report['main']) =>
    `  ${role.padEnd(8)}${shown(address).padEnd(longest)}  ${paint.dim(`PostgreSQL ${version}`)}`
  const moment = [cut.time, cut.lsn && `LSN ${cut.lsn}`, cut.snapshot && `snapshot ${cut.snapshot}`]
  const [first = '', ...rest] = flow(moment.filter(Boolean) as string[], width - indent)
  return [
    paint.bold(`pgsyncer ${command}`),
    server('main', main),
    server('standby', standby),
    ...[`  ${'cut'.padEnd(8)}${first}`, ...rest.map(line => ' '.repeat(indent) + line)].map(line =>
      line.replaceAll(dot, paint.dim(dot))
    )
  ].join('\n')
}

const indent = 10
const dot = ' · '

/** In lines of at most `width` columns, without parting what belongs together. */
function flow(parts: readonly string[], width: number): string[] {
  const lines: string[] = []
  for (const part of parts) {
    const longer = lines.length > 0 ? lines.at(-1) + dot + part : undefined
    if (longer !== undefined && longer.length <= width) lines[lines.length - 1] = longer
    else lines.push(part)
  }
  return lines
}

const differing = (one: TableReport) =>
  one.status !== 'identical' || (one.left ?? 0) > 0 || one.reason !== undefined

function tableSection({ command, tables, totals }: Report, style: TextStyle): string {
  const { paint, width, verbose } = style
  if (tables.length === 0) return ''
  const listed = verbose ? tables : tables.filter(differing)
  const same = tables.length - listed.length
  const lines = [paint.bold('Tables')]
  if (listed.length > 0) lines.push(table(columns(paint), listed.map(cells), width, paint))
  for (const one of listed) {
    const details = [
      ...(one.reason === undefined ? [] : because(one.reason, one.hint, style)),
      // Of a sync it is the counts that matter; the rows were seen in the diff.
      ...(command === 'diff' || verbose ? sampleLines(one, style) : [])
    ]
    if (details.length > 0) lines.push('', `  ${paint.bold(nameOf(one))}`, ...details)
  }
  if (listed.length > 0 && same > 0) lines.push('')
  if (same > 0) {
    const rest = same === totals.tables ? ['The one table is', 'All'] : ['The other table is', 'The other']
    lines.push(
      `  ${same === 1 ? rest[0] : `${rest[1]} ${some(same, 'table')} are`} ${paint.good('identical')}.`
    )
  }
  return lines.join('\n')
}

function columns(paint: Paint): Column[] {
  const right = ['rows main', 'rows standby', 'insert', 'update', 'delete'].map(heading => ({
    heading,
    right: true,
    optional: heading.startsWith('rows')
  }))
  return [{ heading: 'table' }, { heading: 'status', paint: status => paintStatus(paint, status) }, ...right]
}

function cells(one: TableReport): string[] {
  const { status, rows, reason } = one
  const numbers = [rows.main, rows.standby, one.insert, one.update, one.delete]
  // What was not looked at has no rows that one could tell; the reason says why.
  const unknown = status !== 'identical' && reason !== undefined && numbers.every(n => n === 0)
  return [nameOf(one), status, ...numbers.map(n => (unknown ? '–' : count(n)))]
}

const nameOf = (one: TableReport): string => shown(`${one.schema}.${one.table}`)

function sampleLines(one: TableReport, { paint, width }: TextStyle): string[] {
  const rest = one.insert + one.update + one.delete + (one.left ?? 0) - one.samples.length
  return [
    ...one.samples.map(sample => sampleLine(sample, paint, width)),
    ...(one.samples.length > 0 && rest > 0 ? [paint.dim(`    … and ${some(rest, 'more row')}`)] : [])
  ]
}

const sequenceSection = ({ sequences }: Report, style: TextStyle): string =>
  smallSection('Sequences', ['sequence', 'main', 'standby'], sequences, style)

const viewSection = ({ views }: Report, style: TextStyle): string =>
  smallSection('Materialized views', ['view', 'rows main', 'rows standby'], views, style)

/** Of what has one number on each side. */
function smallSection(
  title: string,
  [what, main, standby]: readonly [string, string, string],
  all: readonly (Report['sequences'][number] | Report['views'][number])[],
  style: TextStyle
): string {
  const { paint, width, verbose } = style
  const listed = verbose ? all : all.filter(one => one.status !== 'identical' || one.reason !== undefined)
  if (listed.length === 0) return ''
  const rows = listed.map(one => [
    shown(`${one.schema}.${one.name}`),
    one.status,
    number(one.main),
    number(one.standby)
  ])
  const reasons = listed.flatMap((one, i) => {
    if (one.reason === undefined) return []
    const [hint, next] = [one, listed[i + 1]].map(other =>
      other && 'hint' in other ? other.hint : undefined
    )
    // Of several the last one says it.
    return because(`${one.schema}.${one.name}: ${one.reason}`, hint === next ? undefined : hint, style)
  })
  const heads: Column[] = [
    { heading: what },
    { heading: 'status', paint: status => paintStatus(paint, status) },
    { heading: main, right: true },
    { heading: standby, right: true }
  ]
  return [paint.bold(title), table(heads, rows, width, paint), ...reasons].join('\n')
}

/** A sequence may be beyond what a JavaScript number can hold. */
const number = (n: string | number | null): string =>
  n === null ? '–' : String(n).replace(/\B(?=(\d{3})+$)/g, ',')

function sentences(title: string, texts: readonly string[], { paint, width }: TextStyle): string {
  const lines = texts.flatMap(text => wrap(shown(text), width, '  '))
  return texts.length === 0 ? '' : [paint.bold(title), ...lines].join('\n')
}

/** The findings of `check`, the worst of them summed up. */
export function renderCheck(report: CheckReport, { paint, width }: TextStyle): string {
  const margin = ' '.repeat(9)
  const lines = report.findings.flatMap(({ level, check, message, hint }) => {
    const [first, ...rest] = wrap(`${check}: ${shown(message)}`, width, margin)
    return [
      `${paintStatus(paint, level)}${margin.slice(level.length)}${first!.slice(margin.length)}`,
      ...rest,
      ...(hint === undefined ? [] : wrap(shown(hint), width, margin).map(line => paint.dim(line)))
    ]
  })
  const errors = report.findings.filter(finding => finding.level === 'error').length
  const last = report.ok ? paint.good('Ready to sync.') : paint.bad(`Not ready: ${some(errors, 'error')}.`)
  return `${[...lines, '', last].join('\n')}\n`
}
