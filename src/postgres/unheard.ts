/** What is done on the standby beside the user's own structure and rows: nobody's event triggers are to hear of it. */
import type { Server } from './server.js'

/**
 * Statements, which take no parameters, as one text that is one transaction where it is sent by itself.
 * @param replica the role may set session_replication_role: without that right event triggers fire.
 */
export function inSilence(replica: boolean, ...statements: readonly string[]): string {
  return [...(replica ? ['SET LOCAL session_replication_role = replica'] : []), ...statements].join(';\n')
}

/** Runs them. */
export async function unheard(
  { sql }: Server,
  replica: boolean,
  ...statements: readonly string[]
): Promise<void> {
  await sql.unsafe(inSilence(replica, ...statements)).simple()
}
