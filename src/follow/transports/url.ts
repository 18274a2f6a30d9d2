/** The parts that the brokers' URLs have in common. A password is known as a secret before anything else is done with it. */
import { ConfigError } from '../../core/errors.js'
import { addSecret } from '../../core/redact.js'

export interface BrokerUrl {
  /** Without the colon. */
  readonly scheme: string
  readonly username: string | undefined
  readonly password: string | undefined
  /** In the order of the URL; at least one. */
  readonly hosts: readonly { readonly host: string; readonly port: number }[]
  /** Behind the first slash, decoded; empty: nothing is there. */
  readonly path: string
  readonly query: URLSearchParams
}

const shape = /^([a-z]+):\/\/(?:([^:@/]*)(?::([^@/]*))?@)?([^/?#]*)(?:\/([^?#]*))?(?:\?([^#]*))?$/i

/**
 * Reads `SCHEME://USER:PASSWORD@HOST:PORT[,HOST:PORT…]/PATH?NAME=VALUE`.
 * @param form how it should look, for the hint.
 * @param ports by scheme: where the URL has none.
 * @throws ConfigError
 */
export function readBrokerUrl(
  text: string,
  form: string,
  ports: Readonly<Record<string, number>>
): BrokerUrl {
  const refuse = (what: string) =>
    new ConfigError(`the broker's URL ${what}`, {
      hint: `It is ${form}; special characters are written %XX.`
    })
  const decoded = (part: string) => {
    try {
      return decodeURIComponent(part)
    } catch {
      throw refuse('has a % that begins no %XX')
    }
  }
  const [, scheme = '', username, password, authority = '', path = '', query = ''] = shape.exec(text) ?? []
  addSecret(password)
  const port = ports[scheme.toLowerCase()]
  if (port === undefined) throw refuse('cannot be read')
  const secret = password === undefined ? undefined : decoded(password)
  addSecret(secret)
  const hosts = authority.split(',').map(one => {
    const [, host = '', digits] = /^(\[[^\]]+\]|[^:]*)(?::(\d+))?$/.exec(one) ?? []
    const number = digits === undefined ? port : Number(digits)
    if (host === '' || number < 1 || number > 65_535) throw refuse(`has no host and port in ${one || 'it'}`)
    return { host: host.replace(/^\[|\]$/g, ''), port: number }
  })
  return {
    scheme: scheme.toLowerCase(),
    username: username === undefined || username === '' ? undefined : decoded(username),
    password: secret,
    hosts,
    path: decoded(path),
    query: new URLSearchParams(query)
  }
}

/** @throws ConfigError for a setting in the URL that nobody reads, or with a value that it does not have. */
export function settingsOf<Names extends string>(
  { query }: BrokerUrl,
  known: Readonly<Record<Names, RegExp>>
): Partial<Record<Names, string>> {
  const result: Partial<Record<Names, string>> = {}
  for (const [name, value] of query) {
    const pattern = (known as Readonly<Record<string, RegExp>>)[name]
    if (!pattern) {
      throw new ConfigError(`the broker's URL has a setting ${name} that is not known`, {
        hint: `It may have ${Object.keys(known).join(', ')}.`
      })
    }
    if (!pattern.test(value)) {
      throw new ConfigError(`the broker's URL has ${name}=${value}, which is no such setting`, {
        hint: 'heartbeat is seconds, 1 to 9999; mechanism is plain, scram-sha-256 or scram-sha-512.'
      })
    }
    result[name as Names] = value
  }
  return result
}
