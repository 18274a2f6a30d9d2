/** The one connection to ClickHouse: statements, inserts, and what the server can do. Its client is kept silent. */
import { readFile } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { type ClickHouseClient, ClickHouseLogLevel, createClient } from '@clickhouse/client'
import { ConfigError, ConnectionError, messageOf } from '../../../core/errors.js'
import { addSecret } from '../../../core/redact.js'
import { type TextRow, valuesOf } from '../../../postgres/copytext.js'
import { type Capabilities, capabilitiesOf, insertPins } from './capabilities.js'
import { judge, type Place } from './failure.js'
import { ident } from './names.js'

type Settings = Readonly<Record<string, string>>

export interface Link extends Place {
  readonly can: Capabilities
  /** The answer's rows. @throws what judge() makes of the server's error; the signal's reason. */
  rows(query: string, signal?: AbortSignal): Promise<TextRow[]>
  run(query: string, signal?: AbortSignal): Promise<void>
  /** Rows as TabSeparated; settles when they are stored. */
  insert(
    table: string,
    columns: readonly string[],
    text: Buffer | AsyncIterable<Buffer>,
    signal?: AbortSignal,
    settings?: Settings
  ): Promise<void>
  close(): Promise<void>
}

/** Milliseconds without a byte from the server; a large block may take it a while. */
const patience = 600_000

/** Milliseconds for its first answers. */
const patienceAtFirst = 10_000

/** Below the three seconds after which old servers close an idle connection. */
const idle = 2_000

class Silence {
  trace(): void {}
  debug(): void {}
  info(): void {}
  warn(): void {}
  error(): void {}
}

interface Address extends Place {
  readonly url: string
  readonly password: string
  readonly settings: Settings
  /** The file with the authorities that may vouch for the server; undefined: those that Node knows. */
  readonly authorities: string | undefined
}

/**
 * Reads `clickhouse://USER:PASSWORD@HOST:8123/DATABASE?SETTING=VALUE`, or `clickhouses://` for TLS (8443). Of what stands behind `?`,
 * `sslrootcert` is a file as it is to libpq, and all else are settings of ClickHouse.
 * @throws ConfigError
 */
function readAddress(to: string, env: Readonly<Record<string, string | undefined>>): Address {
  const refuse = (what: string) =>
    new ConfigError(`the sink's URL ${what}`, {
      hint: 'It is clickhouse://USER:PASSWORD@HOST:8123/DATABASE, or clickhouses:// for TLS; special characters are written %XX.'
    })
  let url: URL
  try {
    url = new URL(to)
  } catch {
    throw refuse('cannot be read')
  }
  const decoded = (text: string) => {
    try {
      return decodeURIComponent(text)
    } catch {
      throw refuse('has a % that begins no %XX')
    }
  }
  addSecret(url.password)
  const password = url.password === '' ? (env.CLICKHOUSE_PASSWORD ?? '') : decoded(url.password)
  addSecret(password)
  const secure = url.protocol === 'clickhouses:'
  const address = `${url.hostname || 'localhost'}:${url.port || (secure ? 8443 : 8123)}`
  const path = url.pathname.replace(/^\//, '')
  if (path.includes('/')) throw refuse('names more than a database behind the host')
  const authorities = url.searchParams.get('sslrootcert') ?? undefined
  url.searchParams.delete('sslrootcert')
  return {
    authorities,
    url: `${secure ? 'https' : 'http'}://${address}`,
    address,
    user: decoded(url.username) || (env.CLICKHOUSE_USER ?? 'default'),
    password,
    database: decoded(path) || 'default',
    settings: Object.fromEntries(url.searchParams)
  }
}

/**
 * Reaches the server, and finds out what it can.
 * @throws ConfigError for a URL that cannot be used; ConnectionError where nobody answers, or not to us.
 */
export async function openLink(to: string, env: Readonly<Record<string, string | undefined>>): Promise<Link> {
  const place = readAddress(to, env)
  const { url, user, password, database, settings, authorities } = place
  const tls = authorities === undefined ? {} : { tls: { ca_cert: await readAuthorities(authorities) } }
  const client = createClient({
    url,
    username: user,
    password,
    database,
    clickhouse_settings: settings,
    application: 'pgsyncer',
    request_timeout: patience,
    max_open_connections: 8,
    keep_alive: { enabled: true, idle_socket_ttl: idle, eagerly_destroy_stale_sockets: true },
    ...tls,
    log: { LoggerClass: Silence, level: ClickHouseLogLevel.OFF }
  })
  const work = asWork(place)
  const first = AbortSignal.timeout(patienceAtFirst)
  try {
    const can = await judgeServer(client, work, first)
    return new HttpLink(place, client, can, work)
  } catch (error) {
    await client.close()
    if (!first.aborted) throw error
    throw new ConnectionError(
      `ClickHouse at ${place.address} did not answer within ${patienceAtFirst / 1000} s`,
      {
        cause: error,
        sqlstate: 'ETIMEDOUT',
        hint: 'Check host and port: it is that of HTTP, 8123 by default, or with clickhouses:// that of HTTPS, 8443.'
      }
    )
  }
}

async function readAuthorities(path: string): Promise<Buffer> {
  try {
    return await readFile(path)
  } catch (cause) {
    throw new ConfigError(`the sink's sslrootcert cannot be read: ${messageOf(cause)}`, {
      hint: '?sslrootcert=FILE in the URL names a file of this machine.',
      cause
    })
  }
}

type Work = <T>(signal: AbortSignal | undefined, work: () => Promise<T>, table?: string) => Promise<T>

function asWork(place: Place): Work {
  return async (signal, work, table) => {
    signal?.throwIfAborted()
    try {
      return await work()
    } catch (error) {
      throw signal?.aborted ? signal.reason : judge(error, place, table)
    }
  }
}

async function judgeServer(client: ClickHouseClient, work: Work, signal: AbortSignal): Promise<Capabilities> {
  const column = async (query: string) =>
    work(signal, async () => {
      const text = await (await client.query({ query, format: 'TabSeparated', abort_signal: signal })).text()
      return text.split('\n').filter(line => line !== '')
    })
  const [version = ''] = await column('SELECT version()')
  const [zone = ''] = await column('SELECT timezone()')
  const types = await column('SELECT name FROM system.data_type_families')
  const settings = await column('SELECT name FROM system.settings')
  return capabilitiesOf(version, zone, new Set(types), new Set(settings))
}

class HttpLink implements Link {
  readonly address: string
  readonly database: string
  readonly user: string
  readonly #pins: Settings

  constructor(
    { address, database, user }: Place,
    private readonly client: ClickHouseClient,
    readonly can: Capabilities,
    private readonly work: Work
  ) {
    this.address = address
    this.database = database
    this.user = user
    this.#pins = insertPins(can)
  }

  rows(query: string, signal?: AbortSignal): Promise<TextRow[]> {
    return this.work(signal, async () => {
      const text = await (
        await this.client.query({ query, format: 'TabSeparated', ...aborting(signal) })
      ).text()
      return text === '' ? [] : text.replace(/\n$/, '').split('\n').map(valuesOf)
    })
  }

  async run(query: string, signal?: AbortSignal): Promise<void> {
    await this.work(signal, () => this.client.command({ query, ...aborting(signal) }))
  }

  async insert(
    table: string,
    columns: readonly string[],
    text: Buffer | AsyncIterable<Buffer>,
    signal?: AbortSignal,
    settings: Settings = {}
  ): Promise<void> {
    const values = Readable.from(Buffer.isBuffer(text) ? [text] : text, { objectMode: false })
    // Its failure is the insert's.
    values.on('error', () => {})
    try {
      await this.work(
        signal,
        () =>
          this.client.insert({
            table: `${ident(this.database)}.${ident(table)}`,
            columns: columns.map(ident) as [string, ...string[]],
            values,
            format: 'TabSeparated',
            clickhouse_settings: { ...this.#pins, ...settings },
            ...aborting(signal)
          }),
        table
      )
    } finally {
      values.destroy()
    }
  }

  async close(): Promise<void> {
    await this.client.close().catch(() => {})
  }
}

const aborting = (signal: AbortSignal | undefined) => (signal ? { abort_signal: signal } : {})
