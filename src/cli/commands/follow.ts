/** `pgsyncer follow`: changes of main, as they come, into another PostgreSQL or ClickHouse. */
import { redact } from '../../core/redact.js'
import type { Run } from './command.js'
import { runFollowing } from './following.js'

export const run: Run = async ({ follow: options, cli }, io) => {
  const { follow } = await import('../../follow/follow.js')
  const { main, to, name: stream = 'default', source } = options
  const about = { main: redact(main), to: redact(to), stream, source }
  return runFollowing(cli, io, about, context => follow(options, context))
}
