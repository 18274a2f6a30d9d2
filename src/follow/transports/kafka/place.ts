/** Where the brokers are, how to be let in, and what is named after the stream there. */
import type { SASLOptions } from 'kafkajs'
import { ConfigError } from '../../../core/errors.js'
import { readBrokerUrl, settingsOf } from '../url.js'

export interface Place {
  /** `host:port,host:port`: safe to show. */
  readonly address: string
  readonly brokers: readonly string[]
  readonly secure: boolean
  readonly username: string | undefined
  readonly sasl: SASLOptions | undefined
}

/**
 * Reads `kafka://USER:PASSWORD@HOST:9092,HOST:9092?mechanism=plain|scram-sha-256|scram-sha-512`, or `kafkas://` for TLS (9093). Without a
 * user nobody logs in.
 * @throws ConfigError
 */
export function readPlace(url: string): Place {
  const form = 'kafka://USER:PASSWORD@HOST:9092,HOST:9092?mechanism=scram-sha-256, or kafkas:// for TLS'
  const parts = readBrokerUrl(url, form, { kafka: 9092, kafkas: 9093 })
  const { mechanism } = settingsOf(parts, { mechanism: /^(plain|scram-sha-256|scram-sha-512)$/ })
  const { username, password = '' } = parts
  if (mechanism !== undefined && username === undefined) {
    throw new ConfigError(`the broker's URL has mechanism=${mechanism}, but no user`, {
      hint: `It is ${form}.`
    })
  }
  if (parts.path !== '') {
    throw new ConfigError(`the broker's URL names ${parts.path} behind the host`, {
      hint: 'The topic has the stream’s name (--name).'
    })
  }
  const brokers = parts.hosts.map(({ host, port }) => `${host.includes(':') ? `[${host}]` : host}:${port}`)
  return {
    address: brokers.join(','),
    brokers,
    secure: parts.scheme === 'kafkas',
    username,
    sasl:
      username === undefined
        ? undefined
        : ({ mechanism: mechanism ?? 'plain', username, password } as SASLOptions)
  }
}

export interface Names {
  readonly topic: string
  /** The group's id. */
  readonly group: string
  readonly dead: string
  /** Dead letters on their way back: to this group alone. */
  readonly replay: string
}

export function namesOf(stream: string, group: string): Names {
  const own = `pgsyncer.${stream}.${group}`
  return { topic: `pgsyncer.${stream}`, group: own, dead: `${own}.dead`, replay: `${own}.replay` }
}
