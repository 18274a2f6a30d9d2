/** One session of a source's stream: it ends with the signal, whatever it is at, and what it reads at once has a bound. */
import type pg from 'pg'
import { asQueryable, type Queryable, type Server } from '../../postgres/server.js'
import { copyOut } from '../../postgres/wire.js'

/** Bytes of rows' text that are held at once, but for the last row. */
export const room = 8 * 1024 * 1024

export class Reader implements Queryable {
  #client: Promise<pg.Client> | undefined

  /** @param settings SQL that a new session begins with. */
  constructor(
    private readonly server: Server,
    private readonly signal: AbortSignal,
    private readonly settings?: string
  ) {
    signal.addEventListener('abort', this.#end, { once: true })
  }

  async unsafe<T extends object[]>(query: string, parameters?: string[]): Promise<T> {
    return asQueryable(await this.#session()).unsafe<T>(query, parameters)
  }

  /**
   * The rows of a query in COPY's text form.
   * @param bound bytes of them at most, about.
   * @returns as many as there is room for, and whether these are all.
   */
  async lines(query: string, bound = room): Promise<{ lines: string[]; whole: boolean }> {
    const lines: string[] = []
    let left = bound
    const whole = await copyOut(await this.#session(), `COPY (${query}) TO STDOUT`, line => {
      if (left <= 0) return false
      left -= line.to - line.from
      lines.push(line.text())
      return true
    })
    // The rest of the answer is on its way to a session that nobody needs.
    if (!whole) this.#end()
    return { lines, whole }
  }

  close(): void {
    this.signal.removeEventListener('abort', this.#end)
    this.#end()
  }

  async #session(): Promise<pg.Client> {
    this.signal.throwIfAborted()
    this.#client ??= this.#open()
    return this.#client
  }

  async #open(): Promise<pg.Client> {
    const client = await this.server.connect()
    if (this.signal.aborted) void client.end()
    this.signal.throwIfAborted()
    if (this.settings) await client.query(this.settings)
    return client
  }

  /** A session that is in the middle of something is cut off. */
  readonly #end = (): void => {
    this.#client?.then(client => client.end()).catch(() => {})
    this.#client = undefined
  }
}
