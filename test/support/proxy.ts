/**
 * A TCP proxy before a server. It counts what comes through (what a server really sent is what crossed the wire), and on command
 * holds everything back, or cuts, so that a test meets a network that fails at a moment of its choice.
 */
import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'

export interface Proxy {
  /** The same URL by way of the proxy. */
  url(of: string): string
  /** Connections so far. */
  readonly connections: number
  /** Bytes from the server so far. */
  readonly received: number
  /** Bytes to the server so far. */
  readonly sent: number
  /** Holds back what comes from either side, on the connections that there are and, with `all`, on new ones too. */
  stall(which: 'present' | 'all'): void
  /** Lets everything pass again. */
  flow(): void
  /** Ends all connections, without a word. */
  cut(): void
  /** Settles as soon as the test holds; it is asked whenever anything has passed. */
  until(test: () => boolean): Promise<void>
  stop(): Promise<void>
}

/**
 * Listens on a port of its own, and hands everything on to the server of this URL.
 * @param loseAnswerTo the first time that a client sends this, the connection ends when the answer comes.
 */
export async function startProxy(target: string, loseAnswerTo?: string): Promise<Proxy> {
  let losing = loseAnswerTo
  let stalled = false
  const { hostname, port } = new URL(target)
  const open = new Set<Socket>()
  const waiting = new Set<() => void>()
  const count = { connections: 0, received: 0, sent: 0 }

  const pass = (from: Socket, to: Socket, counted: 'received' | 'sent') => {
    open.add(from)
    from.on('data', chunk => {
      count[counted] += chunk.length
      if (!to.write(chunk)) from.pause()
      for (const check of waiting) check()
    })
    to.on('drain', () => void (stalled || from.resume()))
    from.on('end', () => to.end())
    from.on('error', () => to.destroy())
    from.on('close', () => to.destroy() && open.delete(from))
    if (stalled) from.pause()
  }
  const server = createServer(client => {
    count.connections++
    const upstream = connect(Number(port || 5432), hostname)
    client.on('data', chunk => {
      if (losing === undefined || !chunk.includes(losing)) return
      losing = undefined
      upstream.removeAllListeners('data').once('data', () => client.destroy())
    })
    pass(client, upstream, 'sent')
    pass(upstream, client, 'received')
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const own = (server.address() as AddressInfo).port

  const cut = () => open.forEach(socket => void socket.destroy())
  return {
    url(of) {
      const url = new URL(of)
      url.hostname = '127.0.0.1'
      url.port = String(own)
      return url.href
    },
    get connections() {
      return count.connections
    },
    get received() {
      return count.received
    },
    get sent() {
      return count.sent
    },
    stall(which) {
      stalled = which === 'all'
      open.forEach(socket => void socket.pause())
    },
    flow() {
      stalled = false
      open.forEach(socket => void socket.resume())
    },
    cut,
    until(test) {
      return new Promise(resolve => {
        const check = () => {
          if (test() && waiting.delete(check)) resolve()
        }
        waiting.add(check)
        check()
      })
    },
    async stop() {
      cut()
      server.close()
      await once(server, 'close')
    }
  }
}
