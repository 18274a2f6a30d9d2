/**
 * A server of somebody else's making, as a private process in a temporary folder: started, stopped, killed and started again on the same
 * data. It never outlives the process that started it, however that process ends.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { access, chown, mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { type Account, openTemp } from '../../src/cli/demo/account.js'

export interface Program {
  readonly command: string
  readonly args: readonly string[]
  /** Its whole environment, but for PATH. */
  readonly env?: Readonly<Record<string, string>>
}

export interface Recipe extends Program {
  /** What runs beside it, and stays when it is stopped. */
  readonly companion?: Program
  /** Whether it serves. */
  ready(): Promise<boolean>
}

export interface ServiceOptions {
  /** For people: `RabbitMQ`. */
  readonly name: string
  /** Whom it runs as; undefined: ourselves. */
  readonly account: Account | undefined
  /** Puts what it needs into its folder, and says how to start it. */
  prepare(folder: string): Promise<Recipe>
}

export interface Service {
  /** 0: it does not run. */
  readonly pid: number
  /** Ends the process, in good order or with −9; its data stay. */
  stop(how?: 'term' | 'kill'): Promise<void>
  /** On the same data and ports, after `stop`. */
  start(): Promise<void>
  /** Ends it for good and removes its data. */
  close(): Promise<void>
}

/** @throws Error with the end of its log where it does not begin to serve within a minute. */
export async function startService({ name, account, prepare }: ServiceOptions): Promise<Service> {
  const folder = await mkdtemp(join(await openTemp(), `pgsyncer-${name.toLowerCase()}-`))
  if (account) await chown(folder, account.uid, account.gid)
  const watchdog = watch(folder)
  let child: ChildProcess | undefined
  let companion: ChildProcess | undefined

  async function launch(program: Program, file: string): Promise<ChildProcess> {
    const log = await open(join(folder, `${file}.log`), 'w')
    const one = spawn(program.command, program.args, {
      cwd: folder,
      stdio: ['ignore', log.fd, log.fd],
      detached: true,
      env: { PATH: process.env.PATH ?? '', HOME: folder, ...program.env },
      ...(account && { uid: account.uid, gid: account.gid })
    })
    one.on('error', () => {})
    one.unref()
    await writeFile(join(folder, `${file}.running`), `${one.pid}`)
    await log.close()
    return one
  }

  async function stop(how: 'term' | 'kill' = 'term'): Promise<void> {
    await end(child, how)
    child = undefined
    await rm(join(folder, 'server.running'), { force: true })
  }

  async function close(): Promise<void> {
    await stop('kill')
    await end(companion, 'kill')
    watchdog.kill()
    await rm(folder, { recursive: true, force: true, maxRetries: 5 })
  }

  try {
    const recipe = await prepare(folder)
    const start = async () => {
      child = await launch(recipe, 'server')
      const deadline = Date.now() + 60_000
      while (!(await recipe.ready())) {
        if (hasEnded(child) || Date.now() > deadline) {
          const said = (await readFile(join(folder, 'server.log'), 'utf8')).trimEnd().split('\n').slice(-8)
          await stop('kill')
          throw new Error(`${name} did not start:\n${said.join('\n')}`)
        }
        await delay(50)
      }
    }
    if (recipe.companion) companion = await launch(recipe.companion, 'companion')
    await start()
    return {
      get pid() {
        return child?.pid ?? 0
      },
      stop,
      start,
      close
    }
  } catch (error) {
    await close()
    throw error
  }
}

/** The first of the paths that is there. */
export async function firstThere(paths: readonly string[]): Promise<string | undefined> {
  for (const path of paths) {
    const there = await access(path).then(
      () => true,
      () => false
    )
    if (there) return path
  }
  return undefined
}

const hasEnded = (child: ChildProcess) => child.exitCode !== null || child.signalCode !== null

/** Settles when it has gone; one that does not end in good order within ten seconds is killed. */
async function end(child: ChildProcess | undefined, how: 'term' | 'kill'): Promise<void> {
  if (!child?.pid || hasEnded(child)) return
  const exited = once(child, 'exit')
  child.kill(how === 'term' ? 'SIGTERM' : 'SIGKILL')
  const hurry = setTimeout(() => child.kill('SIGKILL'), 10_000)
  await exited
  clearTimeout(hurry)
}

/**
 * A shell that does nothing but read from us: when we are gone, killed or not, its input ends, and it ends whichever processes run then,
 * and removes the data.
 */
function watch(folder: string): ChildProcess {
  const script = `read -r forever
    for file in "$1"/*.running; do [ -s "$file" ] && kill -9 "$(cat "$file")"; done
    cd / && rm -rf -- "$1"`
  const watchdog = spawn('/bin/sh', ['-c', script, 'pgsyncer-watchdog', folder], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true
  })
  watchdog.on('error', () => {})
  watchdog.unref()
  ;(watchdog.stdin as (ChildProcess['stdin'] & { unref?(): void }) | null)?.unref?.()
  return watchdog
}
