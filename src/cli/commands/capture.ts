/** `pgsyncer capture`: what a source needs on main, made, removed or shown. */
import type { CaptureAction } from '../../follow/standing.js'
import { exitCodes } from '../exit.js'
import { write } from '../io.js'
import { renderCapture } from '../render/standing.js'
import { renderJson } from '../render/json.js'
import type { Run } from './command.js'
import { styleOf } from './style.js'

export const run: Run = async ({ follow: options, cli, action }, io) => {
  const { capture } = await import('../../follow/standing.js')
  const report = await capture(options, action as CaptureAction, cli.dryRun)
  const style = styleOf(io, cli)
  if (cli.format === 'json') await write(io.stdout, renderJson(report))
  else if (!cli.quiet || !report.ok || cli.dryRun) await write(io.stdout, renderCapture(report, style))
  return report.ok ? exitCodes.done : exitCodes.failed
}
