/** The backend that serves a session, and how another session stops it: what a client waits for, only its server can end. */
import type pg from 'pg'
import type { Server } from './server.js'

/** Its process ID, which pg knows and its types do not tell; null where the session never began. */
export function backendOf(client: pg.ClientBase): number | null {
  return (client as unknown as { processID: number | null }).processID
}

/** Stops what the backend is doing; its transaction must be rolled back. Where the server cannot be asked, nothing comes of it. */
export async function cancelBackend({ sql }: Server, pid: number | null): Promise<void> {
  if (pid) await sql`SELECT pg_catalog.pg_cancel_backend(${pid})`.catch(() => {})
}

/** From now on an abort stops what the session is doing. Returns what ends that. */
export function stopOnAbort(signal: AbortSignal, server: Server, client: pg.ClientBase): () => void {
  const stop = () => void cancelBackend(server, backendOf(client))
  signal.addEventListener('abort', stop)
  return () => signal.removeEventListener('abort', stop)
}

/** Runs `work` in a session of its own, which ends with it, and whose statement an abort stops. */
export async function inOwnSession<T>(
  server: Server,
  signal: AbortSignal,
  work: (client: pg.Client) => Promise<T>
): Promise<T> {
  const client = await server.connect()
  const release = stopOnAbort(signal, server, client)
  try {
    signal.throwIfAborted()
    return await work(client)
  } finally {
    release()
    await client.end().catch(() => {})
  }
}

/** Ends the session: also one that waits where it could not be cancelled. */
export async function endBackend({ sql }: Server, pid: number | null): Promise<void> {
  if (pid) await sql`SELECT pg_catalog.pg_terminate_backend(${pid})`.catch(() => {})
}
