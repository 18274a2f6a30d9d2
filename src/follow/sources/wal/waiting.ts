/** A statement of main that may wait for long: an abort ends it there too, not only here. */
import type pg from 'pg'
import type { EmitFollow } from '../../../core/events.js'
import { backendOf, endBackend } from '../../../postgres/backend.js'
import type { Server } from '../../../postgres/server.js'

/** Milliseconds of waiting that need no explanation. */
const short = 2000

/** Runs a statement that waits for the transactions that are open. The client is ended where it fails or is aborted. */
export async function waitingFor<T extends object>(
  server: Server,
  client: pg.Client,
  statement: string,
  emit: EmitFollow,
  signal: AbortSignal
): Promise<T[]> {
  // Whatever it is waiting for: main would not notice that its client has gone.
  const stop = () => void endBackend(server, backendOf(client))
  const note = setTimeout(
    () =>
      emit({
        type: 'note',
        message: 'Main waits for the transactions that are open there to end, before changes can be read.'
      }),
    short
  )
  signal.addEventListener('abort', stop, { once: true })
  try {
    // However long they take: a limit would only begin the waiting anew.
    await client.query('SET lock_timeout = 0; SET statement_timeout = 0')
    signal.throwIfAborted()
    return (await client.query<T>(statement)).rows
  } catch (error) {
    await client.end().catch(() => {})
    throw signal.aborted ? signal.reason : error
  } finally {
    clearTimeout(note)
    signal.removeEventListener('abort', stop)
  }
}
