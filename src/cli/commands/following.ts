/** What follow, publish and apply share: they run, are seen, and tell at their end what they did. */
import { setFlagsFromString } from 'node:v8'
import type { EmitFollow } from '../../core/events.js'
import type { FollowContext } from '../../follow/running.js'
import type { FollowReport } from '../../follow/report.js'
import { exitCodes } from '../exit.js'
import { write, type Io } from '../io.js'
import type { CliSettings } from '../option.js'
import { renderFollow, showFollow } from '../render/follow.js'
import { renderJson } from '../render/json.js'
import { paintFor } from '../render/paint.js'
import { ownVersion } from '../version.js'
import { styleOf } from './style.js'

export interface About {
  /** Where changes come from and go to, without passwords. */
  main: string
  to: string
  stream: string
  source: string
}

/** Runs `work`, shows it on standard error and, with --http, as a page, and prints its report. */
export async function runFollowing(
  cli: CliSettings,
  io: Io,
  about: About,
  work: (context: FollowContext) => Promise<FollowReport>
): Promise<number> {
  // Changes live until their batch is written: most die young where there is room for them.
  setFlagsFromString('--semi-space-growth-factor=2')
  const shown = showFollow(io, cli, paintFor(io, io.stderr, cli.noColor))
  const page = cli.http === undefined ? undefined : await serve(cli.http, about)
  const emit: EmitFollow = event => {
    shown.emit(event)
    page?.emit(event)
  }
  try {
    if (page) shown.emit({ type: 'note', message: `the live page is at ${page.url}` })
    const report = await work({ signal: io.signal, emit })
    shown.stop()
    const style = styleOf(io, cli)
    if (cli.format === 'json') await write(io.stdout, renderJson(report))
    else if (!cli.quiet) await write(io.stdout, renderFollow(report, style))
    return exitCodes.done
  } finally {
    shown.stop()
    await page?.close()
  }
}

async function serve(address: string, about: About) {
  const { serveFollow } = await import('../serve/server.js')
  return serveFollow(address, { ...about, version: ownVersion() })
}
