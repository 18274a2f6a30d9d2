/** What a copy did, for people: one sentence, and what it was about. */
import type { CopyReport } from '../../copy/run.js'
import type { SectionsResult } from '../../copy/sections/sections.js'
import type { TextStyle } from './style.js'
import { listed, shown, some, time, wrap } from './words.js'

/** The document of `copy --sections`. */
export interface SectionsReport extends SectionsResult {
  version: 1
  command: 'copy'
  ok: true
}

/** The servers, the table, and what was copied. */
export function renderCopy(report: CopyReport, style: TextStyle): string {
  const { paint } = style
  const { main, standby, table, rows, batches, retries, lastId, resumedAfter, idColumn, durationMs } = report
  const width = Math.max(main.address.length, standby.address.length)
  const server = (role: string, { address, version }: CopyReport['main']) =>
    `  ${role.padEnd(8)}${shown(address).padEnd(width)}  ${paint.dim(`PostgreSQL ${version}`)}`
  const behind = resumedAfter === null ? '' : ` behind ${idColumn} ${resumedAfter}`
  const parts = [`${some(rows, 'row')} in ${some(batches, 'batch', 'batches')}`]
  if (lastId !== null) parts.push(`up to ${idColumn} ${lastId}`)
  if (retries > 0) parts.push(some(retries, 'retry', 'retries'))
  const rate = durationMs > 0 ? `, ${some(Math.round((rows * 1000) / durationMs), 'row')}/s` : ''
  const said =
    rows === 0
      ? `${table}: nothing to copy${behind} (${time(durationMs)})`
      : `${table}${behind}: ${parts.join(', ')} (${time(durationMs)}${rate})`
  const head = [paint.bold('pgsyncer copy'), server('main', main), server('standby', standby)]
  return `${head.join('\n')}\n\n${verdict(said, style)}\n`
}

/** What was made, stored, and where the next run goes on. */
export function renderSections(report: SectionsReport, style: TextStyle): string {
  const { mode, rows, sections, chunks, cursor, durationMs, notes } = report
  const said = listed([
    `${some(rows, 'row')} stored in ${some(chunks, 'chunk')}`,
    mode === 'bootstrap' ? `${some(sections, 'section')} made` : `${some(sections, 'section')} there`
  ])
  const upTo = cursor === null ? '' : `, up to ${cursor}`
  const told = notes.map(note =>
    wrap(shown(note), style.width - 4)
      .map((line, at) => (at === 0 ? '  - ' : '    ') + line)
      .join('\n')
  )
  const before = told.length > 0 ? `${style.paint.bold('Notes')}\n${told.join('\n')}\n\n` : ''
  return `${before}${verdict(`${said}${upTo} (${time(durationMs)})`, style)}\n`
}

function verdict(text: string, { paint, width }: TextStyle): string {
  return wrap(shown(text), width)
    .map(line => paint.good(paint.bold(line)))
    .join('\n')
}
