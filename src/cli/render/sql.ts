/**
 * A report as a script for psql on the standby: what a sync would run, as far as the report holds the rows. Every
 * name and value is quoted, no foreign text stands bare (in a comment it is kept on one line), and what removes rows
 * or objects that main does not have is a comment unless `--clean-extra` asked for it.
 */
import { literal, qualified } from '../../postgres/quote.js'
import { unpinned } from '../../postgres/session.js'
import type { CleanExtra } from '../../sync/config.js'
import type { Report } from '../../sync/report.js'
import { rowStatements, type RowTexts } from './sqlrows.js'
import { comment, commented, structureParts } from './sqlstructure.js'
import { shown, some } from './words.js'

export interface SqlStyle {
  /** Rows of each table that are written at most. */
  rows: number
  cleanExtra: CleanExtra
}

/** The whole script: structure, rows, what the rows must satisfy; one transaction as far as PostgreSQL lets it. */
export function renderSql(report: Report, style: SqlStyle): string {
  const parts = structureParts(report.schema)
  const rows = rowLines(report, style)
  const given = new Set(parts.preamble.map(nameOfSetting))
  const here = settings.filter(line => !given.has(nameOfSetting(line)))
  return [
    ...head(report, style, parts.deleting),
    '\\set ON_ERROR_STOP on',
    "SET client_encoding = 'UTF8';",
    ...parts.preamble,
    ...part('What must be committed before it is used; each statement by itself', parts.before),
    ...(parts.before.length > 0 ? [''] : []),
    'BEGIN;',
    ...here,
    ...part('1. Structure', parts.structure),
    ...part('2. Rows', [
      ...(rows.length > 0 ? ['SET CONSTRAINTS ALL DEFERRED;', ...replicaHint(given)] : []),
      ...rows
    ]),
    ...part('3. What the rows must satisfy', [
      // No table can be altered while checks of its rows are waiting.
      ...(rows.length > 0 && parts.constraints.length > 0 ? ['SET CONSTRAINTS ALL IMMEDIATE;'] : []),
      ...parts.constraints
    ]),
    ...parts.left,
    ...sequenceLines(report, style.cleanExtra.rows),
    '',
    'COMMIT;',
    ...part('What no transaction can hold; each statement by itself', parts.after),
    ...part('4. Materialized views', viewLines(report, style.cleanExtra.rows)),
    ''
  ].join('\n')
}

const part = (title: string, lines: readonly string[]): string[] =>
  lines.length > 0 ? ['', `-- ${title}`, ...lines] : []

const nameOfSetting = (line: string): string =>
  /^SET (?:LOCAL )?(\w+) /.exec(line)?.[1]?.toLowerCase() ?? line

function head(
  { command, main, standby, cut }: Report,
  { rows, cleanExtra }: SqlStyle,
  deleting: number
): string[] {
  const tense = command === 'diff' ? 'would do' : 'did'
  return [
    `-- What \`pgsyncer sync\` ${tense} to the standby ${shown(standby.address)}`,
    `-- to make it the same as ${shown(main.address)} was at ${shown(cut.time)}.`,
    '--',
    `-- At most ${some(rows, 'differing row')} of each table ${rows === 1 ? 'is' : 'are'} here (--sql-rows); where a table has more, a comment says how many.`,
    cleanExtra.rows && cleanExtra.objects
      ? '-- What only the standby has is removed (--clean-extra).'
      : '-- What only the standby has is removed by the lines that are comments here, as --clean-extra was not given for it.',
    ...(deleting > 0
      ? [
          `-- ${some(deleting, 'change')} of the structure ${deleting === 1 ? 'deletes' : 'delete'} data: look for "deletes-data".`
        ]
      : []),
    '-- Run it with psql, connected to the standby: psql -X -v ON_ERROR_STOP=1 -f FILE',
    ''
  ]
}

const settings = [
  'SET LOCAL standard_conforming_strings = on;',
  "SET LOCAL TimeZone = 'UTC';",
  "SET LOCAL DateStyle = 'ISO, YMD';",
  "SET LOCAL IntervalStyle = 'postgres';",
  "SET LOCAL lc_monetary = 'C';",
  'SET LOCAL check_function_bodies = off;',
  "SET LOCAL search_path = '';"
]

function replicaHint(given: ReadonlySet<string>): string[] {
  if (given.has('session_replication_role')) return []
  return [
    '-- Foreign keys that cannot be deferred may need this, which takes a role that may set it:',
    '-- SET LOCAL session_replication_role = replica;'
  ]
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
    const untold = table.status === 'differs' && table.reason !== undefined
    if (table.status === 'failed' || table.status === 'skipped' || untold) {
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

/** Behind the transaction's settings: a view is made under those that the database has. */
function viewLines({ views, schema }: Report, empties: boolean): string[] {
  const refresh = (one: Report['views'][number], how = '') =>
    `REFRESH MATERIALIZED VIEW ${qualified(one.schema, one.name)}${how};`
  const lines = views.flatMap(one => {
    if (!one.populated) return []
    if (one.status !== 'identical') return [refresh(one)]
    if (schema.identical) return []
    // What its statement changes may have made the view anew, and empty.
    const name = literal(qualified(one.schema, one.name)).trim()
    const made = `WHERE oid = ${name}::pg_catalog.regclass AND NOT relispopulated`
    return [`SELECT ${literal(refresh(one)).trim()} FROM pg_catalog.pg_class ${made} \\gexec`]
  })
  const emptied = views
    .filter(({ populated, status, standby }) => !populated && status !== 'identical' && standby !== null)
    .map(one => refresh(one, ' WITH NO DATA'))
  const all = [...lines, ...(empties ? emptied : emptied.map(commented))]
  return all.length > 0 ? [unpinned + ';', ...all] : []
}
