/** `pgsyncer follow` as a service manager runs it: a process of its own that is started again whenever it ends. */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'

const pgsyncerItself = 'dist/main.js'

/** Runs one command line to its end; gives its exit code and what it said on both streams. */
export async function pgsyncer(
  args: readonly string[],
  program = pgsyncerItself
): Promise<{ code: number | null; said: string }> {
  const child = start(program, args)
  let said = ''
  for (const stream of [child.stdout!, child.stderr!]) stream.on('data', chunk => (said += String(chunk)))
  const [code] = (await once(child, 'close')) as [number | null]
  return { code, said }
}

function start(program: string, args: readonly string[]): ChildProcess {
  const env = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^(PG|NODE_OPTIONS)/.test(name))
  )
  return spawn(process.execPath, [program, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] })
}

export class Follower {
  /** How often it was ended by `kill`. */
  kills = 0
  /** The last of what it said. */
  said = ''
  #child: ChildProcess | undefined
  #stopping = false
  readonly #running: Promise<void>

  constructor(
    private readonly args: readonly string[],
    private readonly program = pgsyncerItself
  ) {
    this.#running = this.#run()
  }

  /** Ends the process as a crash does; waits for one that runs. */
  async kill(): Promise<void> {
    const before = this.kills
    while (this.kills === before) {
      if (this.#child?.exitCode === null) this.#child.kill('SIGKILL')
      await delay(10)
    }
  }

  /** Stops it where it is, as a machine does that is put to sleep. */
  freeze(): void {
    this.#child!.kill('SIGSTOP')
  }

  /** Lets it go on, and think that nothing happened. */
  thaw(): void {
    this.#child!.kill('SIGCONT')
  }

  /** Ends it in good order, for good. */
  async stop(): Promise<void> {
    this.#stopping = true
    this.#child?.kill('SIGTERM')
    await this.#running
  }

  async #run(): Promise<void> {
    while (!this.#stopping) {
      const child = start(this.program, this.args)
      this.#child = child
      for (const stream of [child.stdout!, child.stderr!])
        stream.on('data', chunk => (this.said = (this.said + String(chunk)).slice(-20_000)))
      const [, signal] = (await once(child, 'close')) as [number | null, string | null]
      if (signal === 'SIGKILL') this.kills++
      if (!this.#stopping) await delay(100)
    }
  }
}
