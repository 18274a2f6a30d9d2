/** What `sync` and `diff` share: ask, run, show. */
import { resolve } from 'node:path'
import type { Report } from '../../sync/report.js'
import { confirmRemoval } from '../confirm.js'
import type { Settings } from '../config.js'
import { exitCodeOfReport } from '../exit.js'
import { write, type Io } from '../io.js'
import { acceptedBy, checkReportFiles, writeReports } from '../render/files.js'
import { renderJson } from '../render/json.js'
import { paintFor } from '../render/paint.js'
import { showProgress } from '../render/progress.js'
import { redacted, withSamples } from '../render/redacted.js'
import { renderText } from '../render/text.js'
import { defaults } from '../../sync/config.js'
import { styleOf } from './style.js'

/** Runs one of the two and shows its report; gives the exit code. */
export async function compareAndRender(
  command: Report['command'],
  settings: Settings,
  io: Io
): Promise<number> {
  const { cli } = settings
  checkReportFiles(cli.report, io.cwd)
  if (command === 'sync') await confirmRemoval(settings, io)
  const samples = settings.sync.samples ?? defaults.samples
  const report = redacted(await runLibrary(command, settings, samples, io))
  const code = exitCodeOfReport(report)
  const short = withSamples(report, samples)
  if (cli.format === 'json') await write(io.stdout, renderJson(short))
  else if (!cli.quiet || !report.ok || !report.identical) {
    const style = { ...styleOf(io, cli), accepted: acceptedBy(settings) }
    await write(io.stdout, renderText(short, style))
  }
  await writeReports(report, samples, settings, io.cwd)
  return code
}

async function runLibrary(
  command: Report['command'],
  { sync: options, cli }: Settings,
  samples: number,
  io: Io
): Promise<Report> {
  // Loaded only now: --help, --version and a wrong flag need no database driver.
  const { sync, diff } = await import('../library.js')
  const progress = showProgress(io, cli, paintFor(io, io.stderr, cli.noColor))
  const wanted = cli.report.some(path => path.toLowerCase().endsWith('.sql'))
    ? Math.max(samples, cli.sqlRows)
    : samples
  try {
    const run = command === 'sync' ? sync : diff
    const plan = options.plan === undefined ? {} : { plan: resolve(io.cwd, options.plan) }
    return await run({ ...options, ...plan, samples: wanted }, { signal: io.signal, emit: progress.emit })
  } finally {
    progress.stop()
  }
}
