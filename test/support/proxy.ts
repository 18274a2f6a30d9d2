/**
 * A TCP proxy before a server. It counts what comes through (what a server really sent is what crossed the wire), and on command
 * holds everything back, delays, limits, cuts or refuses, so that a test meets a network that fails at a moment of its choice.
 */
import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'

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
  /** From now on each piece (64 KB at most) waits so many milliseconds, and as long as its bytes take at so many a second. */
  slow(how: { delay?: number; rate?: number }): void
  /** Ends all connections, without a word. */
  cut(): void
  /** Ends all connections and refuses new ones, as a host does where no server runs. */
  refuse(): Promise<void>
  /** Takes connections again, at the same port. */
  accept(): Promise<void>
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
  let pieceTime = (_: number) => 0
  const { hostname, port } = new URL(target)
  const open = new Set<Socket>()
  const waiting = new Set<() => void>()
  const count = { connections: 0, received: 0, sent: 0 }

  const pass = (from: Socket, to: Socket, counted: 'received' | 'sent') => {
    open.add(from)
    from.on('data', chunk => {
      count[counted] += chunk.length
      const time = pieceTime(chunk.length)
      if (time === 0) {
        if (!to.write(chunk)) from.pause()
      } else {
        from.pause()
        setTimeout(() => {
          if (to.write(chunk) && !stalled) from.resume()
        }, time)
      }
      for (const check of waiting) check()
    })
    to.on('drain', () => void (stalled || from.resume()))
    from.on('end', () => to.end())
    from.on('error', () => to.destroy())
    from.on('close', () => to.destroy() && open.delete(from))
    if (stalled) from.pause()
  }
  const take = (client: Socket) => {
    count.connections++
    const upstream = connect(Number(port || 5432), hostname)
    client.on('data', chunk => {
      if (losing === undefined || !chunk.includes(losing)) return
      losing = undefined
      upstream.removeAllListeners('data').once('data', () => client.destroy())
    })
    pass(client, upstream, 'sent')
    pass(upstream, client, 'received')
  }
  let own = 0
  const listen = async () => {
    const server = createServer(take).listen(own, '127.0.0.1')
    await once(server, 'listening')
    own = (server.address() as AddressInfo).port
    return server
  }
  let server: Server | undefined = await listen()
  const refuse = async () => {
    const closed = server && once(server, 'close')
    server?.close()
    server = undefined
    cut()
    await closed
  }

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
    slow({ delay = 0, rate = Infinity }) {
      pieceTime = bytes => delay + (bytes / rate) * 1000
    },
    cut,
    refuse,
    async accept() {
      server ??= await listen()
    },
    until(test) {
      return new Promise(resolve => {
        const check = () => {
          if (test() && waiting.delete(check)) resolve()
        }
        waiting.add(check)
        check()
      })
    },
    stop: refuse
  }
}
