/** `pgsyncer follow`: changes of main, as they come, into another PostgreSQL or ClickHouse. */
import { setFlagsFromString } from 'node:v8'
import type { EmitFollow } from '../../core/events.js'
import { redact } from '../../core/redact.js'
import type { FollowOptions } from '../../follow/config.js'
import { exitCodes } from '../exit.js'
import { widthOf, write } from '../io.js'
import { renderFollow, showFollow } from '../render/follow.js'
import { renderJson } from '../render/json.js'
import { paintFor } from '../render/paint.js'
import { ownVersion } from '../version.js'
import type { Run } from './command.js'

export const run: Run = async ({ follow: options, cli }, io) => {
  // Changes live until their batch is written: most die young where there is room for them.
  setFlagsFromString('--semi-space-growth-factor=2')
  const { follow } = await import('../../follow/follow.js')
  const shown = showFollow(io, cli, paintFor(io, io.stderr, cli.noColor))
  const page = cli.http === undefined ? undefined : await serve(cli.http, options)
  const emit: EmitFollow = event => {
    shown.emit(event)
    page?.emit(event)
  }
  try {
    if (page) shown.emit({ type: 'note', message: `the live page is at ${page.url}` })
    const report = await follow(options, { signal: io.signal, emit })
    shown.stop()
    const style = {
      paint: paintFor(io, io.stdout, cli.noColor),
      width: widthOf(io.stdout),
      verbose: cli.verbose
    }
    if (cli.format === 'json') await write(io.stdout, renderJson(report))
    else if (!cli.quiet) await write(io.stdout, renderFollow(report, style))
    return exitCodes.done
  } finally {
    shown.stop()
    await page?.close()
  }
}

async function serve(address: string, { main, to, name = 'default', source }: FollowOptions) {
  const { serveFollow } = await import('../serve/server.js')
  return serveFollow(address, {
    main: redact(main),
    to: redact(to),
    stream: name,
    source,
    version: ownVersion()
  })
}
