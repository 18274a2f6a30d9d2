/** `pgsyncer status`: how far the streams are, as their sink remembers. */
import { exitCodes } from '../exit.js'
import { write } from '../io.js'
import { renderStatus } from '../render/standing.js'
import { renderJson } from '../render/json.js'
import type { Run } from './command.js'
import { styleOf } from './style.js'

export const run: Run = async ({ follow: options, cli }, io) => {
  const { status } = await import('../../follow/standing.js')
  const report = await status(options)
  const style = styleOf(io, cli)
  if (cli.format === 'json') await write(io.stdout, renderJson(report))
  else await write(io.stdout, renderStatus(report, style))
  return exitCodes.done
}
