/** Who looks at the live page: Server-Sent Events, each second while somebody does, and at once when asked. */
import type { ServerResponse } from 'node:http'

/** Milliseconds. */
const interval = 1000
const most = 50

export class Listeners {
  readonly #all = new Set<ServerResponse>()
  #timer: NodeJS.Timeout | undefined

  constructor(private readonly text: () => string) {}

  /** Sends what there is now and from now on; false where there are too many. */
  add(response: ServerResponse): boolean {
    if (this.#all.size >= most) return false
    response.writeHead(200, {
      'Content-Type': 'text/event-stream',
      'Cache-Control': 'no-store',
      'X-Content-Type-Options': 'nosniff',
      'X-Accel-Buffering': 'no'
    })
    response.write(`retry: 2000\ndata: ${this.text()}\n\n`)
    this.#all.add(response)
    response.on('close', () => this.#remove(response))
    this.#timer ??= setInterval(() => this.push(), interval).unref()
    return true
  }

  push(): void {
    if (this.#all.size === 0) return
    const message = `data: ${this.text()}\n\n`
    // Who does not keep up misses some: each message says everything.
    for (const response of this.#all) if (!response.writableNeedDrain) response.write(message)
  }

  end(): void {
    for (const response of this.#all) response.end()
    this.#all.clear()
    clearInterval(this.#timer)
    this.#timer = undefined
  }

  #remove(response: ServerResponse): void {
    this.#all.delete(response)
    if (this.#all.size > 0) return
    clearInterval(this.#timer)
    this.#timer = undefined
  }
}
