/** Where the broker is, and what is named after the stream there. */
import { ConfigError } from '../../../core/errors.js'
import { readBrokerUrl, settingsOf, type BrokerUrl } from '../url.js'

export interface Place {
  /** `host:port/vhost`: safe to show. */
  readonly address: string
  readonly secure: boolean
  readonly host: string
  readonly port: number
  readonly vhost: string
  readonly username: string
  readonly password: string
  /** Seconds between two signs of life. */
  readonly heartbeat: number
}

/**
 * Reads `amqp://USER:PASSWORD@HOST:5672/VHOST?heartbeat=SECONDS`, or `amqps://` for TLS (5671).
 * @throws ConfigError
 */
export function readPlace(url: string): Place {
  const form = 'amqp://USER:PASSWORD@HOST:5672/VHOST, or amqps:// for TLS'
  const parts = readBrokerUrl(url, form, { amqp: 5672, amqps: 5671 })
  const { heartbeat } = settingsOf(parts, { heartbeat: /^[1-9]\d{0,3}$/ })
  const [{ host, port }, ...others] = parts.hosts as [BrokerUrl['hosts'][number]]
  if (others.length > 0) {
    throw new ConfigError("the broker's URL names several hosts, and RabbitMQ is reached by one", {
      hint: 'Name the one of a load balancer, or of any node of the cluster.'
    })
  }
  const vhost = parts.path || '/'
  return {
    address: `${host}:${port}${vhost.startsWith('/') ? vhost : `/${vhost}`}`,
    secure: parts.scheme === 'amqps',
    host,
    port,
    vhost,
    username: parts.username ?? 'guest',
    password: parts.password ?? 'guest',
    heartbeat: Number(heartbeat ?? 20)
  }
}

export interface Names {
  readonly exchange: string
  readonly queue: string
  readonly dead: string
}

export const namesOf = (stream: string, group: string): Names => ({
  exchange: `pgsyncer.${stream}`,
  queue: `pgsyncer.${stream}.${group}`,
  dead: `pgsyncer.${stream}.${group}.dead`
})
