/** `pgsyncer capture`: what a source needs on main, made, removed or shown. */
import type { CaptureAction } from '../../follow/standing.js'
import { exitCodes } from '../exit.js'
import { widthOf, write } from '../io.js'
import { renderCapture } from '../render/standing.js'
import { renderJson } from '../render/json.js'
import { paintFor } from '../render/paint.js'
import type { Run } from './command.js'

export const run: Run = async ({ follow: options, cli, action }, io) => {
  const { capture } = await import('../../follow/standing.js')
  const report = await capture(options, action as CaptureAction, cli.dryRun)
  const style = {
    paint: paintFor(io, io.stdout, cli.noColor),
    width: widthOf(io.stdout),
    verbose: cli.verbose
  }
  if (cli.format === 'json') await write(io.stdout, renderJson(report))
  else if (!cli.quiet || !report.ok || cli.dryRun) await write(io.stdout, renderCapture(report, style))
  return report.ok ? exitCodes.done : exitCodes.failed
}
