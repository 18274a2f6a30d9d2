/**
 * Opens a server: the DSN is read, every host and sslmode that it allows is tried in order until one lets us in,
 * and from then on both drivers and the helper programs use exactly that result.
 */
import { isIP } from 'node:net'
import type pg from 'pg'
import postgres from 'postgres'
import { blame } from './blame.js'
import { capabilitiesOf } from './capabilities.js'
import { readDsn, type Env, type Settings } from './dsn.js'
import { loginFailure } from './failure.js'
import type { Role, Server } from './server.js'
import { Pulse } from './pulse.js'
import { pinStatements, sessionPins, type SessionLimits } from './session.js'
import { dataClient, findTarget, timeout, type Target } from './target.js'

/**
 * Opens main or the standby.
 * @throws ConfigError for a DSN that cannot be used; ConnectionError where no host lets us in.
 */
export async function openServer(role: Role, dsn: string, env: Env, limits: SessionLimits): Promise<Server> {
  const settings = readDsn(role, dsn, env)
  const database = settings.dbname ?? ''
  const user = settings.user ?? ''
  const { target, versionNumber, version } = await findTarget(role, settings, env)
  const pins = sessionPins(versionNumber, limits)
  const address = `${target.host}:${target.port}/${database}`
  const pulse = new Pulse()
  const { host, port } = target
  const way = host.startsWith('/') ? { path: `${host}/.s.PGSQL.${port}` } : { host, port }
  const sql = postgres({
    host,
    port,
    // Its types do not know it. To TLS it names the host that the socket has.
    ...({ socket: async () => Object.assign(await pulse.connected(way), { host }) } as object),
    database,
    user,
    pass: target.password ?? '',
    ssl: target.tls as never,
    max: 3,
    connect_timeout: timeout(settings),
    idle_timeout: 0,
    max_lifetime: null,
    keep_alive: 30,
    fetch_types: false,
    onnotice: () => {},
    connection: {
      application_name: 'pgsyncer',
      ...pins,
      ...(settings.options && { options: settings.options })
    }
  })
  const can = capabilitiesOf(versionNumber)
  const settle = can.clientCheck ? `${pinStatements(pins)}; ${noticeLoss}` : pinStatements(pins)
  const login = async (client: pg.Client, statements = settle) => {
    try {
      await client.connect()
      await client.query(statements)
      blame(client, role)
      pulse.session(client)
      return client
    } catch (error) {
      await client.end().catch(() => {})
      throw loginFailure(role, address, user, error)
    }
  }
  const connect = () => login(dataClient(settings, target, { stream: pulse.socket }))
  return {
    role,
    address,
    versionNumber,
    version,
    can,
    database,
    user,
    sql,
    libpqEnv: libpqEnv(settings, target, pulse.program),
    connect,
    connectReplication: () =>
      login(dataClient(settings, target, { replication: 'database' }), pinStatements(pins)),
    get lost() {
      return pulse.lost
    },
    watch: limit => pulse.keep(connect, limit, role),
    close: async () => {
      await Promise.all([sql.end({ timeout: 5 }), pulse.stop()])
    }
  }
}

/**
 * A server that is at work on a long statement looks now and then whether we are still there, so that what a killed program began
 * ends soon. Linux can, and not every other system.
 */
const noticeLoss = `SELECT pg_catalog.set_config('client_connection_check_interval', '2000', false)
  WHERE pg_catalog.version() ~ 'linux'`

/** What pg_dump and psql need to reach the same server; each variable is set, so that none of the user's leaks in. */
function libpqEnv(settings: Settings, target: Target, program: string): Record<string, string> {
  const file = (name: string, value: string | undefined) => (value === undefined ? {} : { [name]: value })
  return {
    [isIP(target.host) ? 'PGHOSTADDR' : 'PGHOST']: target.host,
    PGPORT: String(target.port),
    PGDATABASE: settings.dbname ?? '',
    PGUSER: settings.user ?? '',
    ...(target.password !== undefined && { PGPASSWORD: target.password }),
    PGSSLMODE:
      target.tls === false
        ? 'disable'
        : settings.sslmode === 'prefer'
          ? 'require'
          : (settings.sslmode ?? 'require'),
    PGCONNECT_TIMEOUT: String(timeout(settings)),
    PGAPPNAME: program,
    PGCLIENTENCODING: 'UTF8',
    ...file('PGSSLROOTCERT', settings.sslrootcert),
    ...file('PGSSLCERT', settings.sslcert),
    ...file('PGSSLKEY', settings.sslkey),
    ...file('PGOPTIONS', settings.options)
  }
}
