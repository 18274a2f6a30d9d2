/** `pgsyncer dead-letters`: what could not be applied, shown or given again. */
import { exitCodes } from '../exit.js'
import { widthOf, write } from '../io.js'
import { renderJson } from '../render/json.js'
import { paintFor } from '../render/paint.js'
import { renderDeadLetters } from '../render/standing.js'
import type { Run } from './command.js'

export const run: Run = async ({ follow: options, cli, action }, io) => {
  const { deadLetters } = await import('../../follow/deadletters.js')
  const report = await deadLetters(options, action as 'list' | 'replay')
  const style = {
    paint: paintFor(io, io.stdout, cli.noColor),
    width: widthOf(io.stdout),
    verbose: cli.verbose
  }
  if (cli.format === 'json') await write(io.stdout, renderJson(report))
  else if (!cli.quiet) await write(io.stdout, renderDeadLetters(report, action, style))
  return exitCodes.done
}
