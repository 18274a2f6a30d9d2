/** Addresses: `--http`'s, which without a host is this machine's alone (nothing is shown to the network by accident), and shown ones. */
import { ConfigError } from '../../core/errors.js'
import { redact } from '../../core/redact.js'

export interface Address {
  host: string
  port: number
}

/**
 * Reads `127.0.0.1:9187`, `[::1]:9187`, `:9187` or `9187`; port 0 is any that is free.
 * @throws ConfigError
 */
export function parseAddress(text: string): Address {
  const found = /^(?:(?:\[([0-9a-f:.]+)\]|([\w.-]+))?:)?(\d{1,5})$/i.exec(text.trim())
  const port = Number(found?.[3])
  if (!found || port > 65_535)
    throw new ConfigError(`--http: ${JSON.stringify(text)} is no address to listen at`, {
      hint: 'Write 127.0.0.1:9187, [::1]:9187, or a port alone for this machine only; 0.0.0.0:9187 is open to the network.'
    })
  return { host: found[1] ?? found[2] ?? '127.0.0.1', port }
}

/** As a URL has it. */
export const urlOf = (host: string, port: number): string =>
  `http://${host.includes(':') ? `[${host}]` : host}:${port}/`

/**
 * A DSN as anyone may see it: where it leads and as whom. What else it says (passwords of any kind, certificates' places, options)
 * is left out rather than searched for secrets.
 */
export function withoutSecrets(dsn: string): string {
  // A password may hold what ends it here.
  const text = redact(dsn.trim())
  const uri = /^(\w+:\/\/)(?:([^@/?#]*)@)?([^?#]*)/.exec(text)
  if (uri) {
    const [, scheme = '', login, rest = ''] = uri
    const user = login?.split(':')[0]
    return `${scheme}${user ? `${user}@` : ''}${rest}`
  }
  const words = [...text.matchAll(/(\w+)\s*=\s*('(?:\\.|[^'\\])*'|(?:\\.|[^\s'\\])*)/g)]
  if (words.length === 0) return text
  const told = words.filter(([, key = '']) =>
    ['host', 'hostaddr', 'port', 'dbname', 'user', 'service'].includes(key)
  )
  return told.map(([, key, value]) => `${key}=${value}`).join(' ')
}
