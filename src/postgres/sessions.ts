/** Sessions of one server, opened as they are needed and kept for what comes next. */
import type pg from 'pg'
import { stopOnAbort } from './backend.js'
import type { Server } from './server.js'

export class Sessions {
  readonly #idle: pg.Client[] = []

  constructor(
    readonly server: Server,
    readonly signal: AbortSignal
  ) {}

  /** Runs `work` in one of them, whose statement an abort stops. One that met an error is not used again. */
  async use<T>(work: (client: pg.Client) => Promise<T>): Promise<T> {
    this.signal.throwIfAborted()
    const client = this.#idle.pop() ?? (await this.server.connect())
    const release = stopOnAbort(this.signal, this.server, client)
    try {
      const result = await work(client)
      this.#idle.push(client)
      return result
    } catch (error) {
      await client.end().catch(() => {})
      throw error
    } finally {
      release()
    }
  }

  /** Ends those that nobody uses. */
  async close(): Promise<void> {
    await Promise.all(this.#idle.splice(0).map(client => client.end().catch(() => {})))
  }
}
