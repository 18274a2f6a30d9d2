/**
 * A COMMIT whose answer is lost with the connection may have happened or not. For work that must not be done twice the
 * server is asked afterwards, by the transaction's own number.
 */
import type pg from 'pg'
import { isConnectionLoss } from '../postgres/failure.js'
import type { Server } from '../postgres/server.js'

/** Commits; settles where the transaction is known to be committed, and fails where it is not. */
export async function commitOnce(server: Server, client: pg.Client): Promise<void> {
  if (!server.can.transactionStatus) return void (await client.query('COMMIT'))
  const { rows } = await client.query<{ id: string }>('SELECT pg_catalog.txid_current()::text AS id')
  try {
    await client.query('COMMIT')
  } catch (error) {
    if (!isConnectionLoss(error) || !(await committed(server, rows[0]!.id))) throw error
  }
}

/** Asked until the server knows: it may still be at work on a COMMIT whose client has gone. */
async function committed(server: Server, id: string): Promise<boolean> {
  for (;;) {
    const [row] = await server.sql<{ status: string | null }[]>`
      SELECT pg_catalog.txid_status(${id}::text::bigint) AS status`
    if (row?.status !== 'in progress') return row?.status === 'committed'
  }
}
