/** What is done on the standby beside the user's own structure and rows: nobody's event triggers are to hear of it. */
import type { Server } from './server.js'

/**
 * Runs statements, which take no parameters, in one transaction.
 * @param replica the role may set session_replication_role: without that right event triggers fire.
 */
export async function unheard(
  { sql }: Server,
  replica: boolean,
  ...statements: readonly string[]
): Promise<void> {
  const silence = replica ? ['SET LOCAL session_replication_role = replica'] : []
  await sql.unsafe([...silence, ...statements].join(';\n')).simple()
}
