/** `pgsyncer check`: preflight, a list of findings. */
import { exitCodes } from '../exit.js'
import { write } from '../io.js'
import { renderJson } from '../render/json.js'
import { paintFor } from '../render/paint.js'
import { showProgress } from '../render/progress.js'
import { redact } from '../../core/redact.js'
import { renderCheck } from '../render/text.js'
import type { Run } from './command.js'
import { styleOf } from './style.js'

export const run: Run = async ({ sync: options, cli }, io) => {
  const { check } = await import('../library.js')
  const progress = showProgress(io, cli, paintFor(io, io.stderr, cli.noColor))
  const report = await check(options, { signal: io.signal, emit: progress.emit }).finally(() =>
    progress.stop()
  )
  for (const finding of report.findings) {
    finding.message = redact(finding.message)
    if (finding.hint !== undefined) finding.hint = redact(finding.hint)
  }
  const style = styleOf(io, cli)
  if (cli.format === 'json') await write(io.stdout, renderJson(report))
  else if (!cli.quiet || !report.ok) await write(io.stdout, renderCheck(report, style))
  return report.ok ? exitCodes.done : exitCodes.failed
}
