/** `--http`: metrics, health and the live page of a follower. It only listens to events, and never keeps the process alive. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { messageOf, ConfigError } from '../../core/errors.js'
import type { EmitFollow } from '../../core/events.js'
import { parseAddress, urlOf, withoutSecrets, type Address } from './address.js'
import { defaultStale, healthOf } from './health.js'
import { Listeners } from './listeners.js'
import { Metrics, type About } from './metrics.js'
import { page, policy } from './page.js'
import { snapshotOf } from './snapshot.js'
import { begin, fold, type Status } from './status.js'

export interface Served {
  emit: EmitFollow
  /** `http://127.0.0.1:9187/` */
  url: string
  /** Ends every connection. */
  close(): Promise<void>
}

type Log = (message: string) => void

const longestStale = 86_400

/**
 * Serves what the events tell.
 * @param address see parseAddress
 * @param log gets what goes wrong after the start.
 * @throws ConfigError where the address is none, or cannot be listened at.
 */
export async function serveFollow(address: string, about: About, log: Log = () => {}): Promise<Served> {
  const at = parseAddress(address)
  const shown: About = { ...about, main: withoutSecrets(about.main), to: withoutSecrets(about.to) }
  const metrics = new Metrics(shown)
  let status: Status = begin(Date.now())
  const listeners = new Listeners(() => JSON.stringify(snapshotOf(shown, status, Date.now())))

  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => {
      log(`--http: ${messageOf(error)}`)
      if (response.headersSent) response.destroy()
      else send(response, 500, 'This could not be answered; see the log.\n')
    })
  })

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const [pathname = '', query] = (request.url ?? '').split('?', 2)
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      response.setHeader('Allow', 'GET, HEAD')
      send(response, 405, 'Only GET and HEAD.\n')
    } else if (pathname === '/') {
      response.setHeader('Content-Security-Policy', policy)
      send(response, 200, page, 'text/html; charset=utf-8')
    } else if (pathname === '/events') {
      if (request.method === 'HEAD') send(response, 200, '', 'text/event-stream')
      else if (!listeners.add(response)) send(response, 503, 'Too many are looking.\n')
    } else if (pathname === '/metrics')
      send(response, 200, await metrics.text(status, Date.now()), metrics.contentType)
    else if (pathname === '/healthz') health(response, new URLSearchParams(query).get('stale'))
    else send(response, 404, 'There is /, /metrics and /healthz.\n')
  }

  function health(response: ServerResponse, wish: string | null): void {
    const stale = wish === null ? defaultStale : Number(wish)
    if (!Number.isInteger(stale) || stale < 1 || stale > longestStale) {
      send(response, 400, `stale must be whole seconds from 1 to ${longestStale}.\n`)
      return
    }
    const health = healthOf(status, Date.now(), stale)
    send(response, health.ok ? 200 : 503, `${JSON.stringify(health)}\n`, 'application/json')
  }

  const port = await listen(server, at)
  server.on('error', error => log(`--http: ${messageOf(error)}`))
  server.unref()
  return {
    url: urlOf(at.host, port),
    emit: event => {
      const now = Date.now()
      const before = status.state
      status = fold(status, event, now)
      metrics.take(event, now)
      if (status.state !== before) listeners.push()
    },
    close: async () => {
      listeners.end()
      metrics.close()
      await new Promise<void>(resolve => {
        server.close(() => resolve())
        server.closeAllConnections()
      })
    }
  }
}

function send(
  response: ServerResponse,
  status: number,
  body: string,
  type = 'text/plain; charset=utf-8'
): void {
  response.writeHead(status, {
    'Content-Type': type,
    'Content-Length': Buffer.byteLength(body),
    'Cache-Control': 'no-store',
    'X-Content-Type-Options': 'nosniff',
    'Referrer-Policy': 'no-referrer'
  })
  // Of the answer to HEAD, node leaves the body out.
  response.end(body)
}

/** Settles with the port that it has got. */
async function listen(server: Server, { host, port }: Address): Promise<number> {
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen({ host, port }, () => {
        server.off('error', reject)
        resolve()
      })
    })
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    const why = reasons[code ?? ''] ?? { what: messageOf(cause), hint: 'Give another address to --http.' }
    throw new ConfigError(`--http ${host}:${port}: ${why.what}`, { hint: why.hint, cause })
  }
  return (server.address() as AddressInfo).port
}

const reasons: Record<string, { what: string; hint: string }> = {
  EADDRINUSE: {
    what: 'the address is in use',
    hint: 'Another process listens there, perhaps another follower: give each its own port, such as --http 9188.'
  },
  EADDRNOTAVAIL: {
    what: 'this machine does not have that address',
    hint: 'Give an address of this machine to --http, such as 127.0.0.1:9187.'
  },
  ENOTFOUND: {
    what: 'no address is known for that name',
    hint: 'Give an address of this machine to --http, such as 127.0.0.1:9187.'
  },
  EACCES: { what: 'you may not listen there', hint: 'Give --http a port above 1023.' }
}
