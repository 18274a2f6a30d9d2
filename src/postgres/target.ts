/**
 * Finds the one way in that a DSN allows: every host, every sslmode's attempt and every place of a password in libpq's
 * order, until a server lets us in that is of the kind asked for.
 */
import { createReadStream, statSync } from 'node:fs'
import type { Socket } from 'node:net'
import { platform } from 'node:os'
import pg from 'pg'
import { getFileName, getPassword } from 'pgpass/lib/helper.js'
import { addSecret } from '../core/redact.js'
import { ConfigError, ConnectionError } from '../core/errors.js'
import type { Env, Settings } from './dsn.js'
import { loginFailure } from './failure.js'
import type { Role } from './server.js'
import { tlsAttempts, type Tls } from './tls.js'

export interface Target {
  host: string
  port: number
  tls: Tls
  password: string | undefined
}

/** Seconds a connection may take where the DSN names no connect_timeout; libpq would wait for ever. */
const defaultTimeout = 30

export function timeout(settings: Settings): number {
  const seconds = Number(settings.connect_timeout ?? defaultTimeout)
  return Number.isFinite(seconds) && seconds > 0 ? seconds : defaultTimeout
}

/** @param more of the startup message, which the driver's own types do not know in full. */
export function dataClient(
  settings: Settings,
  target: Target,
  more: { replication?: 'database'; stream?: () => Socket } = {}
): pg.Client {
  const config: pg.ClientConfig = {
    ...more,
    host: target.host,
    port: target.port,
    database: settings.dbname ?? '',
    user: settings.user ?? '',
    password: target.password ?? '',
    ssl: target.tls,
    options: settings.options ?? '',
    application_name: 'pgsyncer',
    keepAlive: true,
    // The system's own first look is after two hours; a server that lost its power answers none.
    keepAliveInitialDelayMillis: 30_000,
    connectionTimeoutMillis: timeout(settings) * 1000
  }
  const client = new pg.Client(config)
  // A connection lost while idle: the next query on it fails and is dealt with there.
  client.on('error', () => {})
  return client
}

export async function findTarget(role: Role, settings: Settings, env: Env) {
  const hosts = (settings.hostaddr ?? settings.host ?? '').split(',')
  const ports = (settings.port ?? '').split(',')
  let failure: Error | undefined
  for (const [index, host] of hosts.entries()) {
    const port = Number(ports[index] ?? ports[0])
    if (!Number.isInteger(port) || port < 1 || port > 65535) {
      throw new ConfigError(`the port of ${role} is not a number from 1 to 65535`)
    }
    const address = `${host}:${port}/${settings.dbname}`
    const password = settings.password || (await passwordFromFile(settings, host, port, env))
    let met: Error | undefined
    for (const tls of tlsAttempts(role, settings, host, env)) {
      const target = { host, port, tls, password }
      const client = dataClient(settings, target)
      try {
        await client.connect()
        const found = await describe(client)
        if (accepts(settings.target_session_attrs, found)) return { target, ...found }
        met = new ConnectionError(`${role} at ${address} is not ${settings.target_session_attrs}`)
        break
      } catch (error) {
        // That a server has no TLS is no reason where it was only tried first.
        if (!met || /does not support SSL/.test(met.message))
          met = loginFailure(role, address, settings.user ?? '', error)
      } finally {
        await client.end().catch(() => {})
      }
    }
    failure = met ?? failure
  }
  throw failure ?? new ConnectionError(`${role} cannot be reached`)
}

async function describe(client: pg.Client) {
  const { rows } = await client.query<{
    number: string
    version: string
    recovery: boolean
    readonly: string
  }>(
    `SELECT current_setting('server_version_num') AS number, current_setting('server_version') AS version,
            pg_catalog.pg_is_in_recovery() AS recovery, current_setting('transaction_read_only') AS readonly`
  )
  const row = rows[0]!
  return {
    versionNumber: Number(row.number),
    version: row.version.split(' ')[0] ?? row.version,
    recovery: row.recovery,
    readonly: row.readonly === 'on'
  }
}

function accepts(wanted: string | undefined, found: { recovery: boolean; readonly: boolean }): boolean {
  switch (wanted) {
    case 'read-write':
      return !found.readonly
    case 'read-only':
      return found.readonly
    case 'primary':
      return !found.recovery
    case 'standby':
      return found.recovery
    default:
      return true
  }
}

/** `~/.pgpass`, which, as in libpq, counts only where no one else can read it. */
async function passwordFromFile(
  settings: Settings,
  host: string,
  port: number,
  env: Env
): Promise<string | undefined> {
  const file = settings.passfile ?? getFileName({ ...env })
  const stat = statSync(file, { throwIfNoEntry: false })
  if (!stat?.isFile() || (platform() !== 'win32' && (stat.mode & 0o077) !== 0)) return undefined
  const wanted = {
    host: host.startsWith('/') ? 'localhost' : host,
    port,
    database: settings.dbname,
    user: settings.user
  }
  const password = await new Promise<string | undefined>(resolve => {
    getPassword(wanted, createReadStream(file), resolve)
  })
  addSecret(password)
  return password
}
