/** `pgsyncer status`: how far the streams are, as their sink remembers. */
import { exitCodes } from '../exit.js'
import { widthOf, write } from '../io.js'
import { renderStatus } from '../render/standing.js'
import { renderJson } from '../render/json.js'
import { paintFor } from '../render/paint.js'
import type { Command } from './command.js'

export const statusCommand: Command = {
  name: 'status',
  describe: 'Show how far the streams into a sink are, and, with --maindsn, how far behind',
  examples: [['--to postgres://replica/shop', 'Every stream that ends there']],
  run: async ({ follow: options, cli }, io) => {
    const { status } = await import('../../follow/standing.js')
    const report = await status(options)
    const style = {
      paint: paintFor(io, io.stdout, cli.noColor),
      width: widthOf(io.stdout),
      verbose: cli.verbose
    }
    if (cli.format === 'json') await write(io.stdout, renderJson(report))
    else await write(io.stdout, renderStatus(report, style))
    return exitCodes.done
  }
}
