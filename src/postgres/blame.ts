/** A driver's error does not say which server it came from; a person must know. */
import type pg from 'pg'
import type { Role } from './server.js'

const blamed = new WeakMap<object, Role>()

/** Which server an error came from, where that is known. */
export function roleOf(error: unknown): Role | undefined {
  return typeof error === 'object' && error !== null ? blamed.get(error) : undefined
}

/** From now on every error of the client's queries is known to be this server's. */
export function blame(client: pg.Client, role: Role): void {
  const remember = (error: unknown) => {
    // What one server said of its rows ends the other's COPY with the same error: it stays the first one's.
    if (typeof error === 'object' && error !== null && !blamed.has(error)) blamed.set(error, role)
  }
  const query = client.query.bind(client) as (...args: unknown[]) => unknown
  client.query = ((...args: unknown[]) => {
    const running = query(...args)
    if (running instanceof Promise)
      return running.catch((error: unknown) => {
        remember(error)
        throw error
      })
    // A stream (COPY, a cursor): our listener is the first.
    ;(running as NodeJS.EventEmitter | undefined)?.on?.('error', remember)
    return running
  }) as typeof client.query
}
