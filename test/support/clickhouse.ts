/**
 * Real ClickHouse servers for tests, an old and a new one: Debian's clickhouse-server (18.16), and the engine of the npm package chdb
 * behind a few lines of HTTP. On the loopback address only, with a password, in a temporary folder; a server never outlives the
 * process that started it, however that process ends.
 *
 *     for (const clickhouse of await findClickHouse())
 *       describe.skipIf(clickhouse.skipReason)(clickhouse.title, () => { … await clickhouse.start() … })
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { access, mkdir, mkdtemp, open, readFile, rm, statfs, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { openTemp } from '../../src/cli/demo/account.js'
import { freePort } from '../../src/cli/demo/servers.js'

export interface ClickHouseKind {
  readonly name: 'clickhouse-server' | 'chdb'
  /** For describe(): the name, and why it is skipped where it is. */
  readonly title: string
  /** Why it cannot be had here, and the command that would bring it; undefined: it can. */
  readonly skipReason: string | undefined
  start(options?: ClickHouseOptions): Promise<ClickHouseServer>
}

export interface ClickHouseOptions {
  /** Of the user's profile, for clickhouse-server alone: chdb takes them in the URL. */
  settings?: Readonly<Record<string, string>>
}

export interface ClickHouseServer {
  readonly host: string
  readonly port: number
  /** Of the native protocol, for clickhouse-client; 0: it has none. */
  readonly nativePort: number
  readonly password: string
  /** Such as `18.16.1`. */
  readonly version: string
  /** 0: it does not run. */
  readonly pid: number
  /** `clickhouse://default:PASSWORD@127.0.0.1:PORT/DATABASE` */
  url(database?: string): string
  /** Runs one statement; values come as TabSeparated writes them. @throws Error with the server's text. */
  query(sql: string, database?: string): Promise<string[][]>
  /** A new, empty database under a name that nobody else has. */
  createDatabase(): Promise<string>
  /** Ends the process, in good order or with −9; its data stay. */
  stop(how?: 'term' | 'kill'): Promise<void>
  /** On the same data and port, where it does not run. */
  start(): Promise<void>
  /** Ends it for good and removes its data. */
  close(): Promise<void>
}

const host = '127.0.0.1'

/** Both kinds, whether they can be had here or not. */
export async function findClickHouse(): Promise<ClickHouseKind[]> {
  const program = await firstThere(
    [...(process.env.PATH ?? '').split(':'), '/usr/sbin', '/usr/bin'].map(folder =>
      join(folder, 'clickhouse-server')
    )
  )
  const engine = hasChdb()
  return [
    kind(
      'clickhouse-server',
      program ? undefined : 'there is no clickhouse-server; to get it: apt-get install clickhouse-server',
      options => startServer(folder => installed(program!, folder, options))
    ),
    kind(
      'chdb',
      engine
        ? undefined
        : 'the npm package chdb has no engine for this platform, or is not installed; to get it: npm ci',
      () => startServer(async folder => embedded(folder))
    )
  ]
}

function kind(
  name: ClickHouseKind['name'],
  skipReason: string | undefined,
  start: ClickHouseKind['start']
): ClickHouseKind {
  return { name, title: skipReason ? `${name} (skipped: ${skipReason})` : name, skipReason, start }
}

async function firstThere(paths: string[]): Promise<string | undefined> {
  for (const path of paths) {
    const there = await access(path).then(
      () => true,
      () => false
    )
    if (there) return path
  }
  return undefined
}

function hasChdb(): boolean {
  const libc = process.platform === 'linux' ? '-gnu' : ''
  try {
    import.meta.resolve(`@chdb/lib-${process.platform}-${process.arch}${libc}/package.json`)
    return import.meta.resolve('chdb') !== ''
  } catch {
    return false
  }
}

/** How to start one of the two: program, arguments and environment, on a folder made ready for it. */
interface Recipe {
  port: number
  nativePort: number
  password: string
  command: string
  args: string[]
  env?: Record<string, string>
}

async function installed(program: string, folder: string, options: ClickHouseOptions = {}): Promise<Recipe> {
  const [port, nativePort, password] = [await freePort(), await freePort(), randomBytes(12).toString('hex')]
  const paths = Object.fromEntries(['data', 'tmp', 'schemas'].map(name => [name, `${join(folder, name)}/`]))
  for (const path of Object.values(paths)) await mkdir(path)
  const settings = Object.entries(options.settings ?? {}).map(
    ([name, value]) => `<${name}>${value}</${name}>`
  )
  await writeFile(
    join(folder, 'config.xml'),
    `<yandex>
  <logger><level>warning</level><console>1</console></logger>
  <http_port>${port}</http_port><tcp_port>${nativePort}</tcp_port><listen_host>${host}</listen_host>
  <path>${paths.data}</path><tmp_path>${paths.tmp}</tmp_path><format_schema_path>${paths.schemas}</format_schema_path>
  <users_config>users.xml</users_config><default_profile>default</default_profile><default_database>default</default_database>
  <mark_cache_size>67108864</mark_cache_size><timezone>UTC</timezone><keep_alive_timeout>3</keep_alive_timeout>
</yandex>\n`
  )
  await writeFile(
    join(folder, 'users.xml'),
    `<yandex><profiles><default>${settings.join('')}</default></profiles>
<users><default><password>${password}</password><networks><ip>${host}</ip></networks><profile>default</profile><quota>default</quota></default></users>
<quotas><default/></quotas></yandex>\n`,
    { mode: 0o600 }
  )
  const args = [`--config-file=${join(folder, 'config.xml')}`]
  return { port, nativePort, password, command: program, args }
}

async function embedded(folder: string): Promise<Recipe> {
  const [port, password] = [await freePort(), randomBytes(12).toString('hex')]
  const script = fileURLToPath(new URL('clickhouse-chdb.mjs', import.meta.url))
  return {
    port,
    nativePort: 0,
    password,
    command: process.execPath,
    args: [script, join(folder, 'data'), `${port}`],
    env: { CHDB_PASSWORD: password, TZ: 'UTC' }
  }
}

/** Memory, where there is plenty: what is thrown away need not wait for a disk, and every small insert would. */
async function place(): Promise<string> {
  const memory = '/dev/shm'
  const room = await statfs(memory).then(
    ({ bavail, bsize }) => bavail * bsize,
    () => 0
  )
  return room > 2 ** 31 ? memory : openTemp()
}

async function startServer(prepare: (folder: string) => Promise<Recipe>): Promise<ClickHouseServer> {
  const folder = await mkdtemp(join(await place(), 'pgsyncer-clickhouse-'))
  const watchdog = watch(folder)
  const recipe = await prepare(folder)
  const { port, nativePort, password } = recipe
  let child: ChildProcess | undefined

  async function query(sql: string, database = 'default'): Promise<string[][]> {
    const answer = await fetch(`http://${host}:${port}/?database=${encodeURIComponent(database)}`, {
      method: 'POST',
      body: sql,
      headers: { 'X-ClickHouse-User': 'default', 'X-ClickHouse-Key': password }
    })
    const text = await answer.text()
    if (!answer.ok) throw new Error(text.trim())
    return text === ''
      ? []
      : text
          .replace(/\n$/, '')
          .split('\n')
          .map(line => line.split('\t'))
  }

  async function stop(how: 'term' | 'kill' = 'term'): Promise<void> {
    if (child && child.exitCode === null && child.signalCode === null) {
      const exited = once(child, 'exit')
      child.kill(how === 'term' ? 'SIGTERM' : 'SIGKILL')
      const hurry = setTimeout(() => child?.kill('SIGKILL'), 10_000)
      await exited
      clearTimeout(hurry)
    }
    child = undefined
    await rm(join(folder, 'pid'), { force: true })
  }

  async function start(): Promise<void> {
    if (child) return
    const log = await open(join(folder, 'log'), 'w')
    child = spawn(recipe.command, recipe.args, {
      cwd: folder,
      // Its input ends with us: chdb's process ends by that, whatever becomes of the watchdog.
      stdio: ['pipe', log.fd, log.fd],
      detached: true,
      env: { ...process.env, ...recipe.env }
    })
    child.on('error', () => {})
    leave(child)
    await writeFile(join(folder, 'pid'), `${child.pid}`)
    await log.close()
    const deadline = Date.now() + 60_000
    while (!(await answers(port))) {
      if (child.exitCode !== null || child.signalCode !== null || Date.now() > deadline) {
        const said = (await readFile(join(folder, 'log'), 'utf8')).trimEnd().split('\n').slice(-5)
        await stop('kill')
        throw new Error(`ClickHouse did not start:\n${said.join('\n')}`)
      }
      await delay(20)
    }
  }

  /** One at a time: who loses the connection to a server that is being stopped may start it at once. */
  let turn: Promise<unknown> = Promise.resolve()
  const inTurn = (work: () => Promise<void>): Promise<void> => {
    const mine = turn.then(work)
    turn = mine.catch(() => {})
    return mine
  }

  async function close(): Promise<void> {
    await stop('kill')
    watchdog.kill()
    await rm(folder, { recursive: true, force: true })
  }

  try {
    await start()
    const [[version] = []] = await query('SELECT version()')
    return {
      host,
      port,
      nativePort,
      password,
      version: version!,
      get pid() {
        return child?.pid ?? 0
      },
      url: (database = 'default') => `clickhouse://default:${password}@${host}:${port}/${database}`,
      query,
      async createDatabase() {
        const name = `t_${randomBytes(6).toString('hex')}`
        await query(`CREATE DATABASE ${name}`)
        return name
      },
      stop: how => inTurn(() => stop(how)),
      start: () => inTurn(start),
      close: () => inTurn(close)
    }
  } catch (error) {
    await close()
    throw error
  }
}

async function answers(port: number): Promise<boolean> {
  try {
    const answer = await fetch(`http://${host}:${port}/ping`, { signal: AbortSignal.timeout(2_000) })
    return (await answer.text()).startsWith('Ok')
  } catch {
    return false
  }
}

/**
 * A shell that does nothing but read from us: when we are gone, killed or not, its input ends, and it ends the server, whichever runs
 * then, and removes the data.
 */
function watch(folder: string): ChildProcess {
  const script = `read -r forever
    [ -s "$1/pid" ] && kill -9 "$(cat "$1/pid")"
    cd / && rm -rf -- "$1"`
  const watchdog = spawn('/bin/sh', ['-c', script, 'pgsyncer-watchdog', folder], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true
  })
  watchdog.on('error', () => {})
  leave(watchdog)
  return watchdog
}

/** The process is no reason for ours to stay. */
function leave(child: ChildProcess): void {
  child.unref()
  ;(child.stdin as (ChildProcess['stdin'] & { unref?(): void }) | null)?.unref?.()
}
