/** `pgsyncer dead-letters`: what could not be applied, shown or given again. */
import { exitCodes } from '../exit.js'
import { write } from '../io.js'
import { renderJson } from '../render/json.js'
import { renderDeadLetters } from '../render/standing.js'
import type { Run } from './command.js'
import { styleOf } from './style.js'

export const run: Run = async ({ follow: options, cli, action }, io) => {
  const { deadLetters } = await import('../../follow/deadletters.js')
  const report = await deadLetters(options, action as 'list' | 'replay')
  const style = styleOf(io, cli)
  if (cli.format === 'json') await write(io.stdout, renderJson(report))
  else if (!cli.quiet) await write(io.stdout, renderDeadLetters(report, action, style))
  return exitCodes.done
}
