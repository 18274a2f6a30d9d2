/** `pgsyncer capture`: what a source needs on main, made, removed or shown. */
import { exitCodes } from '../exit.js'
import { widthOf, write } from '../io.js'
import { renderCapture } from '../render/standing.js'
import { renderJson } from '../render/json.js'
import { paintFor } from '../render/paint.js'
import type { Command } from './command.js'

const actions = {
  install: 'Make what is missing; twice is as good as once',
  remove: 'Take all of it away',
  status: 'Show what is there'
}

export const captureCommand: Command = {
  name: 'capture',
  describe: 'install, remove or show what follow needs on main: triggers, outbox, publication, slot',
  actions,
  examples: [
    ['install --source wal -t orders -t customers', 'A publication and a slot'],
    ['install --source outbox -t "shop.*" --dry-run', 'Show the SQL alone']
  ],
  run: async ({ follow: options, cli, action }, io) => {
    const { capture } = await import('../../follow/standing.js')
    const report = await capture(options, action as keyof typeof actions, cli.dryRun)
    const style = {
      paint: paintFor(io, io.stdout, cli.noColor),
      width: widthOf(io.stdout),
      verbose: cli.verbose
    }
    if (cli.format === 'json') await write(io.stdout, renderJson(report))
    else if (!cli.quiet || !report.ok || cli.dryRun) await write(io.stdout, renderCapture(report, style))
    return report.ok ? exitCodes.done : exitCodes.failed
  }
}
