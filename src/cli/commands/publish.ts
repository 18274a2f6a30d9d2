/** `pgsyncer publish`: changes of main, as they come, to a broker. */
import { redact } from '../../core/redact.js'
import type { Run } from './command.js'
import { runFollowing } from './following.js'

export const run: Run = async ({ follow: options, cli }, io) => {
  const { publish } = await import('../../follow/publish.js')
  const { main, via = '', name: stream = 'default', source } = options
  const about = { main: redact(main), to: redact(via), stream, source }
  return runFollowing(cli, io, about, context => publish(options, context))
}
