/**
 * A server's process ends in good order when it is told to, and at once when the process that started it is gone.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'

export interface Running {
  child: ChildProcess
  /** Settles when the process has gone. */
  exited: Promise<unknown>
  watchdog: ChildProcess
}

/** Ends the server process and waits for it: `fast` becomes `immediate` where it takes more than ten seconds. */
export async function end({ child, exited, watchdog }: Running, mode: 'fast' | 'immediate'): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) {
    child.kill(mode === 'fast' ? 'SIGINT' : 'SIGQUIT')
    const hurry = setTimeout(() => child.kill('SIGQUIT'), 10_000)
    await exited.catch(() => {})
    clearTimeout(hurry)
  }
  watchdog.kill()
}

/**
 * A shell that does nothing but read from us. When we are gone, killed or not, its input ends, and it ends the server
 * and removes the data: an exit handler would not run for a SIGKILL.
 */
export function watch(server: ChildProcess, folder: string, as: { cwd: string }): Running {
  const exited = once(server, 'exit')
  exited.catch(() => {})
  const script = `read -r forever
    kill -QUIT "$1" && for second in 1 2 3 4 5; do [ ! -e "$2/data/postmaster.pid" ] || sleep 1; done
    cd / && rm -rf -- "$2"`
  const args = ['-c', script, 'pgsyncer-watchdog', `${server.pid ?? ''}`, folder]
  const watchdog = spawn('/bin/sh', args, { ...as, stdio: ['pipe', 'ignore', 'ignore'], detached: true })
  watchdog.on('error', () => {})
  // Neither process is a reason for ours to stay.
  for (const child of [watchdog, server]) child.unref()
  const input = watchdog.stdin as (typeof watchdog)['stdin'] & { unref?(): void }
  input?.unref?.()
  return { child: server, exited, watchdog }
}
