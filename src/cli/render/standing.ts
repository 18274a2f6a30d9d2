/** What capture did or found on main, and how far a sink's streams are, for people. */
import type { Lag } from '../../core/events.js'
import type { DeadLettersReport } from '../../follow/deadletters.js'
import type { CaptureReport, StatusReport } from '../../follow/standing.js'
import type { TextStyle } from './style.js'
import { table } from './table.js'
import { bytes, shown, some, wrap } from './words.js'

/** The statements where they were asked for, the objects, and one sentence. */
export function renderCapture(report: CaptureReport, style: TextStyle): string {
  const { statements, dryRun, status } = report
  if (dryRun) return statements.map(statement => `${statement};\n`).join('')
  const { paint, width } = style
  const colour = { present: paint.good, missing: paint.bad, differs: paint.differs }
  const states = new Map<string, (text: string) => string>(Object.entries(colour))
  const columns = [
    { heading: 'Object' },
    { heading: 'Kind' },
    { heading: 'State', paint: (cell: string) => (states.get(cell) ?? String)(cell) },
    { heading: '' }
  ]
  // After a removal only what is left is news.
  const objects = status.objects.filter(({ state }) => report.action !== 'remove' || state !== 'missing')
  const rows = objects.map(({ name, kind, state, detail }) => [shown(name), kind, state, shown(detail ?? '')])
  const parts = [paint.bold(`pgsyncer capture ${report.action}`)]
  if (rows.length > 0) parts.push(table(columns, rows, width, paint))
  parts.push(...status.notes.map(note => wrap(`- ${shown(note)}`, width - 2).join('\n    ')))
  parts.push(`${verdict(report, style)}\n`)
  return parts.join('\n\n')
}

function verdict({ action, statements, status, ok }: CaptureReport, { paint }: TextStyle): string {
  const what = `${status.source} capture ${status.name}`
  const told = {
    install: statements.length > 0 ? `${what} is installed` : `${what} was installed already`,
    remove: statements.length > 0 ? `${what} is removed` : `there was nothing of the ${what}`,
    status: `${what} is installed`
  }
  return ok
    ? paint.good(paint.bold(told[action]))
    : paint.bad(paint.bold(`${what} is not installed as it must be`))
}

/** A line a stream; with --verbose, its position too. Times are the sink's, in UTC. */
export function renderStatus(
  { streams, lag = {} }: StatusReport,
  { paint, width, verbose }: TextStyle
): string {
  if (streams.length === 0) return 'The sink remembers no stream.\n'
  const headings = ['Stream', 'Source', 'Tables', 'Moved', 'Behind', ...(verbose ? ['Position'] : [])]
  const rows = streams.map(({ name, origin, tables, position, updated }) => {
    const copying = Object.values(tables).filter(copied => copied === null).length
    const followed = String(Object.keys(tables).length)
    return [
      shown(name),
      shown(origin.split(' ')[0]!),
      copying > 0 ? `${followed}, ${copying} not copied yet` : followed,
      updated?.slice(0, 'YYYY-MM-DD HH:MM:SS'.length) ?? '',
      behind(lag[name]),
      ...(verbose ? [shown(position ?? 'at the beginning')] : [])
    ]
  })
  const columns = headings.map(heading => ({ heading }))
  return `${table(columns, rows, width, paint)}\n`
}

/** Each with its reason; with --verbose, the message itself. */
export function renderDeadLetters(
  { stream, group, letters, replayed }: DeadLettersReport,
  action: string,
  { width, verbose }: TextStyle
): string {
  const whose = `the group ${group} of the stream ${stream}`
  if (action === 'replay') return `${some(replayed, 'message')} given to ${whose} again\n`
  if (letters.length === 0) return `Nothing was put aside for ${whose}.\n`
  const told = letters.flatMap(({ where, reason, at, content }) => [
    `  ${at === undefined ? '' : `${new Date(at).toISOString()}  `}${shown(where)}`,
    ...wrap(shown(reason), width, '    '),
    ...(verbose ? [`    ${shown(content)}`] : [])
  ])
  return `${told.join('\n')}\n\n${some(letters.length, 'message')} put aside for ${whose}\n`
}

function behind(lag: Lag | undefined): string {
  if (!lag) return ''
  const parts: string[] = []
  if (lag.rows !== undefined) parts.push(some(lag.rows, 'change'))
  if (lag.bytes !== undefined) parts.push(bytes(lag.bytes))
  if (lag.retainedBytes !== undefined) parts.push(`the slot keeps ${bytes(lag.retainedBytes)}`)
  return parts.join(', ')
}
