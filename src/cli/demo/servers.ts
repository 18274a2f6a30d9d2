/**
 * Throw-away PostgreSQL servers, for the demo and the tests: on the loopback address only, with a password, in a
 * temporary folder. A server never outlives the process that started it, however that process ends.
 */
import { execFile, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { chown, mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'
import pg from 'pg'
import { ProgramError, messageOf } from '../../core/errors.js'
import { openTemp, serverAccount } from './account.js'
import { runnableBinaries } from './binaries.js'
import { type Running, end, watch } from './lifetime.js'

const run = promisify(execFile)
const host = '127.0.0.1'
const user = 'postgres'

/** A server that keeps nothing need not wait for the disk. */
const throwAway: Record<string, string> = {
  fsync: 'off',
  synchronous_commit: 'off',
  full_page_writes: 'off',
  max_wal_size: '2GB',
  max_connections: '200',
  timezone: 'UTC',
  log_timezone: 'UTC'
}

export interface ServerOptions {
  /** The folder with `initdb` and `postgres` (findBinaries). */
  binaries: string
  /** Part of the data folder's name, to know it by. */
  name?: string
  /** postgresql.conf settings, before our own ones for throw-away servers. */
  settings?: Record<string, string>
  /** Of the superuser `postgres`; made up where it is left out. */
  password?: string
}

export interface ThrowawayServer {
  /** `postgres://postgres:PASSWORD@127.0.0.1:PORT/postgres` */
  readonly url: string
  readonly host: string
  readonly port: number
  readonly user: string
  readonly password: string
  readonly dataDir: string
  readonly pid: number
  /** Ends the server and removes its data. `fast` closes its sessions properly, `immediate` is a crash. */
  stop(mode?: 'fast' | 'immediate'): Promise<void>
  /**
   * Ends it in good order or as a crash, and starts it on the same data and port. A crash loses the last moments'
   * transactions unless `settings` turn synchronous_commit on.
   */
  restart(mode?: 'fast' | 'immediate'): Promise<void>
}

/**
 * Makes a new database cluster and starts a server on it; settles when the server answers a query.
 * @throws ProgramError with the end of the server's own log where it does not start.
 */
export async function startServer(options: ServerOptions): Promise<ThrowawayServer> {
  const account = await serverAccount()
  const binaries = await runnableBinaries(options.binaries, account)
  const folder = await mkdtemp(join(await openTemp(), `pgsyncer-${options.name ?? 'server'}-`))
  const dataDir = join(folder, 'data')
  const logFile = join(folder, 'server.log')
  const password = options.password ?? randomBytes(12).toString('hex')
  const as = { cwd: folder, ...(account && { uid: account.uid, gid: account.gid }) }

  async function launch(port: number): Promise<Running> {
    const settings = {
      ...throwAway,
      ...options.settings,
      listen_addresses: host,
      port: `${port}`,
      unix_socket_directories: ''
    }
    const args = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])
    const log = await open(logFile, 'w', 0o600)
    // In a session of its own, so that Ctrl-C in the terminal leaves the order of closing to us.
    const stdio: ['ignore', number, number] = ['ignore', log.fd, log.fd]
    const child = spawn(join(binaries, 'postgres'), ['-D', dataDir, ...args], {
      ...as,
      stdio,
      detached: true
    })
    const running = watch(child, folder, as)
    await log.close()
    try {
      await answers(running, clientConfig(port, password))
      return running
    } catch (cause) {
      await end(running, 'immediate')
      const last = (await readFile(logFile, 'utf8')).trimEnd().split('\n').slice(-5).join('\n')
      throw new ProgramError(`the PostgreSQL server did not start: ${messageOf(cause)}\n${last}`, { cause })
    }
  }

  try {
    const passwordFile = join(folder, 'password')
    await writeFile(passwordFile, `${password}\n`, { mode: 0o600 })
    if (account) for (const path of [folder, passwordFile]) await chown(path, account.uid, account.gid)
    const cluster = [
      '--encoding=UTF8',
      '--locale=C',
      `--username=${user}`,
      '--auth=scram-sha-256',
      '--no-sync'
    ]
    await run(join(binaries, 'initdb'), ['-D', dataDir, ...cluster, `--pwfile=${passwordFile}`], as)
    let port = await freePort()
    let running = await launch(port).catch(async (error: unknown) => {
      // Between asking for a free port and using it, another program may take it: once more.
      if (!messageOf(error).includes('could not bind')) throw error
      port = await freePort()
      return launch(port)
    })
    return {
      url: `postgres://${user}:${encodeURIComponent(password)}@${host}:${port}/postgres`,
      host,
      port,
      user,
      password,
      dataDir,
      get pid() {
        return running.child.pid ?? 0
      },
      async stop(mode = 'fast') {
        await end(running, mode)
        await rm(folder, { recursive: true, force: true })
      },
      async restart(mode = 'fast') {
        await end(running, mode)
        running = await launch(port)
      }
    }
  } catch (error) {
    await rm(folder, { recursive: true, force: true })
    throw error
  }
}

function clientConfig(port: number, password: string): pg.ClientConfig {
  return { host, port, user, password, database: 'postgres', connectionTimeoutMillis: 5_000, ssl: false }
}

/** Settles when a login succeeds; fails when the process ends, or after a minute. */
async function answers({ exited }: Running, config: pg.ClientConfig): Promise<void> {
  let failure: Error | undefined
  exited.then(
    () => (failure = new Error('it ended at once')),
    (error: Error) => (failure = error)
  )
  const deadline = Date.now() + 60_000
  for (;;) {
    const client = new pg.Client(config)
    client.on('error', () => {})
    try {
      await client.connect()
      await client.query('select 1')
      return
    } catch (error) {
      if (failure) throw failure
      if (Date.now() > deadline) throw error
    } finally {
      await client.end().catch(() => {})
    }
    await delay(30)
  }
}

/** A TCP port that was free on the loopback address a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer()
  server.listen(0, host)
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  if (address === null || typeof address === 'string') throw new Error('no TCP port could be had')
  return address.port
}
