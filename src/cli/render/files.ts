/** `--report FILE`: the result in the form that the file's ending names. */
import { accessSync, constants, statSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { dirname, extname, resolve } from 'node:path'
import { ConfigError, messageOf, ProgramError } from '../../core/errors.js'
import type { Report } from '../../sync/report.js'
import type { Settings } from '../config.js'
import { renderHtml } from './html/page.js'
import { renderJson } from './json.js'
import { plain } from './paint.js'
import { withSamples } from './redacted.js'
import { renderSql } from './sql.js'
import type { TextStyle } from './style.js'
import { renderText } from './text.js'

/** @throws ConfigError where a report could not be written after a long run for a reason that is known before it. */
export function checkReportFiles(paths: readonly string[], cwd: string): void {
  const faults = paths.flatMap(path => {
    const file = resolve(cwd, path)
    try {
      if (statSync(file, { throwIfNoEntry: false })?.isDirectory())
        return [`--report ${path}: this is a folder`]
      accessSync(statSync(file, { throwIfNoEntry: false }) ? file : dirname(file), constants.W_OK)
      return []
    } catch {
      return [`--report ${path}: it cannot be written; is there such a folder, and may you write there?`]
    }
  })
  if (faults.length > 0) throw new ConfigError(faults.join('\n'))
}

/**
 * Writes every file that was asked for.
 * @throws ProgramError naming the first that could not be written, after all others were.
 */
export async function writeReports(
  report: Report,
  shownSamples: number,
  { sync, cli }: Pick<Settings, 'sync' | 'cli'>,
  cwd: string
): Promise<void> {
  let failure: ProgramError | undefined
  for (const path of cli.report) {
    try {
      await writeFile(resolve(cwd, path), content(path, report, shownSamples, { sync, cli }))
    } catch (cause) {
      failure ??= new ProgramError(`the report ${path} could not be written: ${messageOf(cause)}`, { cause })
    }
  }
  if (failure) throw failure
}

function content(
  path: string,
  report: Report,
  shownSamples: number,
  { sync, cli }: Pick<Settings, 'sync' | 'cli'>
): string {
  const ending = extname(path).toLowerCase()
  if (ending === '.sql') {
    return renderSql(report, {
      rows: cli.sqlRows,
      cleanExtra: sync.cleanExtra ?? { rows: false, objects: false }
    })
  }
  const short = withSamples(report, shownSamples)
  if (ending === '.html') return renderHtml(short)
  return ending === '.json'
    ? renderJson(short)
    : renderText(short, { paint: plain, width: 100, verbose: cli.verbose, accepted: acceptedBy({ sync }) })
}

/** What a run accepts of changes to the structure, for those who show what it would refuse. */
export function acceptedBy({ sync }: Pick<Settings, 'sync'>): NonNullable<TextStyle['accepted']> {
  return { allow: sync.allow ?? [], cleanExtra: sync.cleanExtra?.objects ?? false }
}
