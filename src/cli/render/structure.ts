/**
 * The structure's part of a report for people: what is changed, why, what that may do to those who use the standby,
 * and, before it is done, its SQL. Two changes are told in full; of two thousand, those that a person must know of.
 */
import { type Hazard, labelOf, type SchemaChange } from '../../schema/change.js'
import type { Report } from '../../sync/report.js'
import { meaningOf, paintStatus } from './paint.js'
import { because, type TextStyle } from './style.js'
import { count, fit, shown, some, wrap } from './words.js'

/** More changes of one action and status are summed up, if there is nothing to say of each. */
const few = { applied: 12, pending: 40 }
/** Where there is something to say of each, so many are named; of what failed, all. */
const many = 20
/** With more changes than these, only those that lose something show their SQL. */
const shortEnough = 20
/** Statements of a change that are shown without --verbose. */
const glance = 3

/** Empty where nothing differs. */
export function structureSection({ command, schema }: Report, style: TextStyle): string {
  const { changes } = schema
  if (changes.length === 0) return ''
  const groups = groupsOf(changes, style.verbose)
  const listed = new Set(groups.flatMap(group => group.listed))
  const detailed = command === 'diff' || style.verbose
  const withSql = (change: SchemaChange) =>
    style.verbose ||
    (command === 'diff' &&
      change.status === 'pending' &&
      (listed.size <= shortEnough || losses(change).length > 0))
  return [
    style.paint.bold('Structure'),
    ...changes
      .filter(change => listed.has(change))
      .flatMap(change => changeLines(change, { detailed, sql: withSql(change) }, style)),
    ...groups.filter(group => group.summed.length > 0).flatMap(group => summary(group, detailed, style)),
    ...(listed.size < changes.length ? [style.paint.dim('  --verbose names each of them.')] : []),
    ...(command === 'diff' ? demands(changes, style) : [])
  ].join('\n')
}

interface Group {
  listed: SchemaChange[]
  summed: SchemaChange[]
}

function groupsOf(changes: readonly SchemaChange[], verbose: boolean): Group[] {
  if (verbose) return [{ listed: [...changes], summed: [] }]
  const alike = new Map<string, SchemaChange[]>()
  for (const change of changes) {
    const key = `${change.action} ${change.status} ${isPlain(change)}`
    const group = alike.get(key)
    if (group) group.push(change)
    else alike.set(key, [change])
  }
  return [...alike.values()].map(group => {
    const { status } = group[0]!
    if (status === 'failed') return { listed: group, summed: [] }
    const named = !isPlain(group[0]!)
      ? many
      : group.length > few[status as keyof typeof few]
        ? 0
        : group.length
    return { listed: group.slice(0, named), summed: group.slice(named) }
  })
}

/** Nothing is to be known of it but what it is. */
function isPlain(change: SchemaChange): boolean {
  return (
    (change.status === 'applied' || change.status === 'pending') &&
    change.reason === undefined &&
    losses(change).length === 0
  )
}

const losses = ({ hazards }: SchemaChange): Hazard[] => hazards.filter(name => meaningOf(name) === 'bad')

function changeLines(
  change: SchemaChange,
  show: { detailed: boolean; sql: boolean },
  style: TextStyle
): string[] {
  const { action, status, hazards, reason } = change
  return [
    head(action, status, fit(shown(labelOf(change)), style.width - indent), style),
    ...(reason === undefined ? [] : because(reason, undefined, style)),
    ...(show.detailed && status !== 'left' ? hazardLines(hazards, style) : []),
    ...(show.sql ? sqlLines(change.sql, style) : [])
  ]
}

const indent = 19

function head(action: string, status: string, text: string, { paint }: TextStyle): string {
  return `  ${action.padEnd(7)} ${paintStatus(paint, status)}${' '.repeat(9 - status.length)}${text}`
}

function hazardLines(hazards: readonly string[], { paint, width }: TextStyle): string[] {
  if (hazards.length === 0) return []
  const lines = wrap(`hazards: ${hazards.join(', ')}`, width, '    ')
  return lines.map(line => line.replace(/[a-z]+-[a-z-]+|authorization/g, name => paintStatus(paint, name)))
}

function sqlLines(statements: readonly string[], { paint, width, verbose }: TextStyle): string[] {
  const show = (line: string) => paint.dim(`    ${verbose ? shown(line) : fit(shown(line), width - 4)}`)
  if (verbose) {
    return statements.flatMap(text =>
      text
        .trim()
        .split(/\r\n|\r|\n/)
        .map(line => show(line.replaceAll('\t', '  ')))
    )
  }
  const rest = statements.length - glance
  return [
    ...statements.slice(0, glance).map(text => show(text.trim().replace(/\s+/g, ' '))),
    ...(rest > 0 ? [paint.dim(`    … and ${some(rest, 'more statement')}`)] : [])
  ]
}

function summary({ listed, summed }: Group, detailed: boolean, style: TextStyle): string[] {
  const { action, status } = summed[0]!
  const kinds = tally(summed.map(change => change.kind)).map(([kind, n]) => `${count(n)} ${kind}`)
  const more = listed.length > 0 ? `… and ${count(summed.length)} more: ` : ''
  const [first = '', ...rest] = wrap(more + kinds.join(', '), style.width - indent)
  const hazards = tally(summed.flatMap(change => change.hazards)).map(([name, n]) => `${count(n)} ${name}`)
  return [
    head(action, status, first, style),
    ...rest.map(line => ' '.repeat(indent) + line),
    ...(detailed ? hazardLines(hazards, style) : [])
  ]
}

/** Each once, in the order in which they come, with how often. */
function tally(words: readonly string[]): [string, number][] {
  const counts = new Map<string, number>()
  for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1)
  return [...counts]
}

/** What a sync would refuse, and what it takes. */
function demands(changes: readonly SchemaChange[], { paint, width, accepted }: TextStyle): string[] {
  const { allow, cleanExtra } = accepted ?? { allow: [], cleanExtra: false }
  const met = changes.flatMap(change =>
    change.status !== 'pending' || (cleanExtra && change.action === 'drop') ? [] : losses(change)
  )
  const needed = [...new Set(met)].filter(name => !allow.includes('all') && !allow.includes(name))
  if (needed.length === 0) return []
  const extra = needed.includes('deletes-data') && !cleanExtra
  const sentence = `A sync refuses this without --allow ${needed.join(',')}${extra ? '; for what main does not have, --clean-extra is enough' : ''}.`
  return wrap(sentence, width, '  ').map(line => paint.differs(line))
}
