/** `pgsyncer apply`: changes from a broker into PostgreSQL or ClickHouse. */
import { redact } from '../../core/redact.js'
import type { Run } from './command.js'
import { runFollowing } from './following.js'

export const run: Run = async ({ follow: options, cli }, io) => {
  const { apply } = await import('../../follow/apply.js')
  const { to, via = '', name: stream = 'default', group = 'default' } = options
  const about = { main: redact(via), to: redact(to), stream, source: `group ${group}` }
  return runFollowing(cli, io, about, context => apply(options, context))
}
