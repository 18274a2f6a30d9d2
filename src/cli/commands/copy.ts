/** `pgsyncer copy`: one table in batches of its id, or, with --sections, an ever-growing one into a section a key. */
import { setFlagsFromString } from 'node:v8'
import type { RunEvent } from '../../core/events.js'
import { redact } from '../../core/redact.js'
import type { CopyReport } from '../../copy/run.js'
import type { Settings } from '../config.js'
import { exitCodes } from '../exit.js'
import { write, type Io } from '../io.js'
import type { CliSettings } from '../option.js'
import { renderCopy, renderSections, type SectionsReport } from '../render/copy.js'
import { renderJson } from '../render/json.js'
import { paintFor } from '../render/paint.js'
import { showProgress } from '../render/progress.js'
import { count } from '../render/words.js'
import type { Run } from './command.js'
import { styleOf } from './style.js'

export const run: Run = (settings, io) =>
  settings.cli.sections ? runSections(settings, io) : runCopy(settings, io)

async function runCopy({ copy: options, cli }: Settings, io: Io): Promise<number> {
  // Rows live until their batch is saved. Where heap.ts lets it grow again, they die in V8's young generation, with their bytes:
  // 1,000,000 rows took 155 MB without this, 137 MB with it.
  setFlagsFromString('--semi-space-growth-factor=2')
  const { copy } = await import('../library.js')
  const progress = showProgress(io, cli, paintFor(io, io.stderr, cli.noColor))
  let rows = 0
  const emit = (event: RunEvent) => {
    if (event.type === 'rows') rows += event.rows
    progress.emit(event)
  }
  let report: CopyReport
  try {
    report = await copy(options, { signal: io.signal, emit })
  } catch (error) {
    progress.stop()
    // It ended before its time; what is there is there.
    if (rows > 0 && cli.logFormat === 'text')
      await write(io.stderr, `pgsyncer: ${count(rows)} rows are copied; --resume goes on behind them\n`)
    throw error
  }
  progress.stop()
  return show(io, cli, report, renderCopy(report, styleOf(io, cli)))
}

async function runSections({ sections: options, cli }: Settings, io: Io): Promise<number> {
  const { copySections } = await import('../library.js')
  const progress = showProgress(io, cli, paintFor(io, io.stderr, cli.noColor))
  const result = await copySections(options, { signal: io.signal, emit: progress.emit }).finally(() =>
    progress.stop()
  )
  const notes = result.notes.map(redact)
  const report: SectionsReport = { version: 1, command: 'copy', ok: true, ...result, notes }
  return show(io, cli, report, renderSections(report, styleOf(io, cli)))
}

async function show(
  io: Io,
  { format, quiet }: CliSettings,
  report: CopyReport | SectionsReport,
  text: string
): Promise<number> {
  if (format === 'json') await write(io.stdout, renderJson(report))
  else if (!quiet) await write(io.stdout, text)
  return exitCodes.done
}
