/**
 * A COMMIT whose answer is lost with the connection may have happened or not. For work that must not be done twice the
 * server is asked afterwards, by the transaction's own number.
 */
import { setTimeout as wait } from 'node:timers/promises'
import type pg from 'pg'
import { DataError } from '../core/errors.js'
import { retrying } from '../core/retry.js'
import { isConnectionLoss } from '../postgres/failure.js'
import type { DataContext } from './context.js'

/**
 * Commits; settles where the transaction is known to be committed, and fails where it is not.
 * @throws DataError where nobody can tell: the work must then not be tried again.
 */
export async function commitOnce(context: DataContext, client: pg.Client, table: string): Promise<void> {
  const { can } = context.pool.standby
  const id = can.transactionStatus ? await transactionOf(client) : undefined
  try {
    await client.query('COMMIT')
  } catch (error) {
    if (!isConnectionLoss(error)) throw error
    const done = await (id === undefined ? Promise.reject(error) : wasCommitted(context, id)).catch(
      (cause: unknown) => {
        if (context.signal.aborted) throw context.signal.reason
        throw new DataError(
          `the connection to the standby was lost while rows of ${table} were committed, and it cannot be learned whether they are there`,
          { table, hint: 'Run again: the next run compares the table, and mends it.', cause }
        )
      }
    )
    if (!done) throw error
  }
}

async function transactionOf(client: pg.Client): Promise<string> {
  const { rows } = await client.query<{ id: string }>('SELECT pg_catalog.txid_current()::text AS id')
  return rows[0]!.id
}

/** Asked until the server knows: it may still be at work on a COMMIT whose client has gone, or be away. */
function wasCommitted({ pool, retry, signal }: DataContext, id: string): Promise<boolean> {
  return retrying('the last COMMIT', retry, async () => {
    const client = await pool.standby.connect()
    try {
      for (;;) {
        const { rows } = await client.query<{ status: string | null }>(
          'SELECT pg_catalog.txid_status($1::text::bigint) AS status',
          [id]
        )
        const status = rows[0]?.status
        if (status !== 'in progress') return status === 'committed'
        await wait(50, undefined, { signal })
      }
    } finally {
      await client.end().catch(() => {})
    }
  })
}
