/**
 * Reads a DSN as libpq does: a URI, `key=value` words or a bare database name, over a service, over the `PG*`
 * variables, over libpq's defaults. Here is text only: nothing is contacted and no file but the service file is read.
 */
import { existsSync, readFileSync } from 'node:fs'
import { homedir, userInfo } from 'node:os'
import { join } from 'node:path'
import { parse as parseUri } from 'pg-connection-string'
import { ConfigError } from '../core/errors.js'
import { addSecret } from '../core/redact.js'

export type Env = Readonly<Record<string, string | undefined>>

/** libpq's parameter keywords that mean something here. */
export type Keyword = (typeof keywords)[number]
export type Settings = Partial<Record<Keyword, string>>

const keywords = [
  'host', 'hostaddr', 'port', 'dbname', 'user', 'password', 'passfile', 'service', 'connect_timeout', 'options',
  'application_name', 'sslmode', 'sslrootcert', 'sslcert', 'sslkey', 'sslpassword', 'target_session_attrs'
] as const // prettier-ignore

/** Known to libpq and without effect here: each is a matter of its own network code. */
const ignored = new Set([
  'client_encoding', 'fallback_application_name', 'keepalives', 'keepalives_idle', 'keepalives_interval',
  'keepalives_count', 'tcp_user_timeout', 'gssencmode', 'krbsrvname', 'gsslib', 'gssdelegation', 'sslcompression',
  'sslcrl', 'sslcrldir', 'sslsni', 'sslnegotiation', 'requirepeer', 'require_auth', 'channel_binding',
  'ssl_min_protocol_version', 'ssl_max_protocol_version', 'load_balance_hosts', 'sslcertmode', 'replication'
]) // prettier-ignore

const variables: Record<string, Keyword> = {
  PGHOST: 'host',
  PGHOSTADDR: 'hostaddr',
  PGPORT: 'port',
  PGDATABASE: 'dbname',
  PGUSER: 'user',
  PGPASSWORD: 'password',
  PGPASSFILE: 'passfile',
  PGSERVICE: 'service',
  PGCONNECT_TIMEOUT: 'connect_timeout',
  PGOPTIONS: 'options',
  PGAPPNAME: 'application_name',
  PGSSLMODE: 'sslmode',
  PGSSLROOTCERT: 'sslrootcert',
  PGSSLCERT: 'sslcert',
  PGSSLKEY: 'sslkey',
  PGTARGETSESSIONATTRS: 'target_session_attrs'
}

/**
 * Everything that the DSN, its service and the environment say, in libpq's order of precedence.
 * @param what names the DSN in errors (`main`, `standby`).
 * @throws ConfigError where the text or the service cannot be understood; the message never holds the DSN.
 */
export function readDsn(what: string, dsn: string, env: Env): Settings {
  const given = parseDsn(what, dsn)
  addSecret(given.password)
  const fromEnv: Settings = {}
  for (const [name, key] of Object.entries(variables)) {
    const value = env[name]
    if (value !== undefined && value !== '') fromEnv[key] = value
  }
  addSecret(fromEnv.password)
  const service = given.service ?? fromEnv.service
  const fromService = service === undefined ? {} : readService(what, service, env)
  addSecret(fromService.password)
  const merged: Settings = { ...fromEnv, ...fromService, ...given }
  // What is given and empty is as good as not given.
  merged.user ||= userInfo().username
  merged.dbname ||= merged.user
  merged.host ||= merged.hostaddr || defaultHost()
  merged.port ||= '5432'
  return merged
}

function parseDsn(what: string, dsn: string): Settings {
  const text = dsn.trim()
  if (/^postgres(ql)?:\/\//i.test(text)) return parseUriDsn(what, text)
  if (text.includes('=')) return parseWords(what, text)
  if (/^\w+:\/\//.test(text) || /[\s/:@]/.test(text)) {
    throw malformed(what, 'it is neither a postgres:// URI nor key=value words')
  }
  return { dbname: text }
}

/** A URI may name several hosts, which no URL parser takes: each host is read in a URI of its own. */
function parseUriDsn(what: string, uri: string): Settings {
  const parts = /^(\w+:\/\/)(?:([^/?#]*)@)?([^/?#]*)([^?#]*)(?:\?(.*))?$/s.exec(uri)
  const unreadable = () =>
    malformed(
      what,
      'the URI cannot be parsed: write %40 for @, %2F for /, %3A for : and %25 for % within a name or password'
    )
  if (!parts || /%(?![0-9a-f]{2})/i.test(uri)) throw unreadable()
  const [, scheme = '', login, authority = '', path = '', query = ''] = parts
  const settings: Settings = {}
  const hosts: string[] = []
  const ports: string[] = []
  for (const host of authority.split(',')) {
    try {
      const one = parseUri(`${scheme}${login === undefined ? '' : `${login}@`}${host}${path}`)
      hosts.push(one.host ?? '')
      ports.push(one.port ?? '')
      if (one.user) settings.user = one.user
      if (one.password) settings.password = one.password
    } catch {
      throw unreadable()
    }
  }
  if (hosts.some(host => host !== '')) settings.host = hosts.join(',')
  if (ports.some(port => port !== '')) settings.port = ports.map(port => port || '5432').join(',')
  try {
    if (path.length > 1) settings.dbname = decodeURIComponent(path.slice(1))
    // Not URLSearchParams, to which a + is a space.
    for (const word of query.split('&').filter(Boolean)) {
      const [key = '', ...value] = word.split('=')
      put(what, settings, decodeURIComponent(key), decodeURIComponent(value.join('=')))
    }
  } catch (error) {
    throw error instanceof ConfigError ? error : unreadable()
  }
  return settings
}

/** libpq's `keyword = value` words; a value may be quoted, and a backslash takes the next character as it is. */
function parseWords(what: string, text: string): Settings {
  const settings: Settings = {}
  const word = /\s*(\w+)\s*=\s*(?:'((?:\\.|[^'\\])*)'|((?:\\.|[^\s'\\])*))(?=\s|$)/sy
  while (word.lastIndex < text.length) {
    const found = word.exec(text)
    if (!found) throw malformed(what, 'the key=value words cannot be parsed: quote values that hold spaces')
    put(what, settings, found[1] ?? '', (found[2] ?? found[3] ?? '').replace(/\\(.)/gs, '$1'))
  }
  return settings
}

function put(what: string, settings: Settings, key: string, value: string): void {
  if ((keywords as readonly string[]).includes(key)) settings[key as Keyword] = value
  else if (key === 'ssl' && value === 'true') settings.sslmode = 'require'
  else if (!ignored.has(key)) throw malformed(what, `it has the unknown parameter ${JSON.stringify(key)}`)
}

/** The service file's own format: `[name]`, `key=value` lines, and `#` only at the start of a line. */
function readService(what: string, service: string, env: Env): Settings {
  const files = [
    env.PGSERVICEFILE ?? join(env.HOME ?? homedir(), '.pg_service.conf'),
    join(env.PGSYSCONFDIR ?? '/etc/postgresql-common', 'pg_service.conf')
  ]
  for (const file of files.filter(existsSync)) {
    const settings: Settings = {}
    let section: string | undefined
    let found = false
    for (const raw of readFileSync(file, 'utf8').split('\n')) {
      const line = raw.trim()
      if (line === '' || line.startsWith('#')) continue
      if (line.startsWith('[')) section = line.slice(1, line.lastIndexOf(']'))
      else if (section === service && line.includes('=')) {
        put(
          `${what}'s service`,
          settings,
          line.slice(0, line.indexOf('=')).trim(),
          line.slice(line.indexOf('=') + 1).trim()
        )
      }
      found ||= section === service
    }
    if (found) return settings
  }
  throw new ConfigError(
    `the service ${JSON.stringify(service)} of ${what} is in none of ${files.join(', ')}`,
    {
      hint: 'Add it there, or set PGSERVICEFILE to the file that has it.'
    }
  )
}

function defaultHost(): string {
  return (
    ['/var/run/postgresql', '/tmp'].find(folder => existsSync(join(folder, '.s.PGSQL.5432'))) ?? 'localhost'
  )
}

function malformed(what: string, why: string): ConfigError {
  return new ConfigError(`the DSN of ${what} cannot be used: ${why}`, {
    hint: 'Write postgres://user:password@host:port/database, or host=… dbname=… user=…, or service=NAME.'
  })
}
