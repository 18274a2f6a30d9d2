/**
 * A report as a script for psql on the standby: what a sync would run, as far as the report holds the rows. Every
 * name and value is quoted, no foreign text stands bare (in a comment it is kept on one line), and what removes
 * something is a comment unless `--clean-extra` asked for it.
 */
import { literal, qualified } from '../../postgres/quote.js'
import type { SchemaChange } from '../../schema/change.js'
import type { CleanExtra } from '../../sync/config.js'
import type { Report } from '../../sync/report.js'
import { rowStatements, type RowTexts } from './sqlrows.js'
import { shown, some } from './words.js'

export interface SqlStyle {
  /** Rows of each table that are written at most. */
  rows: number
  cleanExtra: CleanExtra
}

/** The whole script: one transaction, with the settings under which the values were printed. */
export function renderSql(report: Report, style: SqlStyle): string {
  const { changes } = report.schema
  const late = changes.filter(change => change.action !== 'drop' && isLate(change))
  const early = changes.filter(change => change.action !== 'drop' && !isLate(change))
  const drops = changes.filter(change => change.action === 'drop')
  return [
    ...head(report, style),
    ...settings,
    ...early.flatMap(change => changeLines(change, true)),
    ...rowLines(report, style),
    ...late.flatMap(change => changeLines(change, true)),
    ...drops.flatMap(change => changeLines(change, style.cleanExtra.objects)),
    ...sequenceLines(report, style.cleanExtra.rows),
    '',
    'COMMIT;',
    ''
  ].join('\n')
}

function head({ command, main, standby, cut }: Report, { rows, cleanExtra }: SqlStyle): string[] {
  const tense = command === 'diff' ? 'would do' : 'did'
  return [
    `-- What \`pgsyncer sync\` ${tense} to the standby ${shown(standby.address)}`,
    `-- to make it the same as ${shown(main.address)} was at ${shown(cut.time)}.`,
    '--',
    `-- At most ${some(rows, 'differing row')} of each table ${rows === 1 ? 'is' : 'are'} here (--sql-rows); where a table has more, a comment says how many.`,
    cleanExtra.rows && cleanExtra.objects
      ? '-- What only the standby has is removed (--clean-extra).'
      : '-- What only the standby has is removed by the lines that are comments here, as --clean-extra was not given for it.',
    '-- Run it with psql: psql -f FILE, connected to the standby.',
    ''
  ]
}

const settings = [
  '\\set ON_ERROR_STOP on',
  'BEGIN;',
  "SET LOCAL client_encoding = 'UTF8';",
  'SET LOCAL standard_conforming_strings = on;',
  "SET LOCAL TimeZone = 'UTC';",
  "SET LOCAL DateStyle = 'ISO, YMD';",
  "SET LOCAL IntervalStyle = 'postgres';",
  "SET LOCAL lc_monetary = 'C';",
  'SET LOCAL check_function_bodies = off;',
  "SET LOCAL search_path = '';",
  'SET CONSTRAINTS ALL DEFERRED;',
  '-- Foreign keys that cannot be deferred may need this, which takes a role that may set it:',
  '-- SET LOCAL session_replication_role = replica;'
]

/** Made after the rows, because the rows must be there for them, or must not set them off. */
function isLate({ kind }: SchemaChange): boolean {
  return /^(FK CONSTRAINT|TRIGGER|EVENT TRIGGER|RULE|MATERIALIZED VIEW DATA)$/.test(kind)
}

function changeLines(change: SchemaChange, live: boolean): string[] {
  const { action, kind, schema, name, sql, reason } = change
  const lines = [
    '',
    comment(`${action} ${kind} ${schema ? `${schema}.` : ''}${name}${reason ? `: ${reason}` : ''}`)
  ]
  return [...lines, ...(live ? sql : sql.map(commented))]
}

function rowLines(report: Report, { rows, cleanExtra }: SqlStyle): string[] {
  const tables = report.tables.map(table => ({ table, texts: rowStatements(table, rows) }))
  const lines: string[] = []
  const section = (pick: (texts: RowTexts) => string[], live: boolean) => {
    for (const { table, texts } of tables) {
      const statements = pick(texts)
      if (statements.length === 0) continue
      lines.push(
        '',
        comment(`${table.schema}.${table.table}`),
        ...(live ? statements : statements.map(commented))
      )
    }
  }
  // A row that goes may free a value that another takes.
  section(texts => texts.delete, cleanExtra.rows)
  section(texts => texts.update, true)
  section(texts => texts.insert, true)
  for (const { table, texts } of tables) {
    const label = `${table.schema}.${table.table}`
    const left = table.insert + table.update + table.delete + (table.left ?? 0) - texts.total
    if (left > 0)
      lines.push(
        '',
        comment(
          `${label}: ${some(left, 'more differing row is', 'more differing rows are')} not in this file`
        )
      )
    if (table.status === 'failed' || table.status === 'skipped') {
      lines.push('', comment(`${label}: ${table.status}${table.reason ? `: ${table.reason}` : ''}`))
    }
  }
  return lines
}

function sequenceLines({ sequences }: Report, backwards: boolean): string[] {
  const lines = sequences.flatMap(({ schema, name, status, main, called = true }) => {
    if (!['differs', 'synced', 'ahead'].includes(status)) return []
    const target = `${literal(qualified(schema, name)).trim()}::pg_catalog.regclass`
    const statement = `SELECT pg_catalog.setval(${target}, ${literal(main)}, ${called});`
    return [status === 'ahead' && !backwards ? commented(statement) : statement]
  })
  return lines.length > 0 ? ['', comment('sequences'), ...lines] : []
}

const comment = (text: string): string => `-- ${shown(text)}`

/** Every line of a statement as a comment; it may have line ends within a value. */
function commented(statement: string): string {
  return statement
    .split(/\r\n|\r|\n/)
    .map(line => `-- ${line}`)
    .join('\n')
}
