/** The program itself, as people start it: what it says, how it ends, and the most memory that it took. */
import { spawn } from 'node:child_process'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'

const program = fileURLToPath(new URL('../../dist/main.js', import.meta.url))
/** Tells the kernel's own high-water mark at the end, on a descriptor that nothing else uses. */
const tell = `data:text/javascript,${encodeURIComponent(
  `import { readFileSync, writeSync } from 'node:fs'
   process.on('exit', () => writeSync(3, /VmHWM:\\s+(\\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))[1]))`
)}`

export interface Ended {
  code: number | null
  stdout: string
  stderr: string
  /** Bytes. */
  peak: number
}

export interface ProgramOptions {
  /** Beside PATH. */
  env?: Record<string, string>
  cwd?: string
  signal?: AbortSignal
}

/** Runs pgsyncer to its end, whatever its exit code. */
export async function pgsyncer(args: readonly string[], options: ProgramOptions = {}): Promise<Ended> {
  const child = spawn(process.execPath, ['--import', tell, program, ...args], {
    env: { PATH: process.env.PATH, ...options.env },
    ...(options.cwd !== undefined && { cwd: options.cwd }),
    stdio: ['ignore', 'pipe', 'pipe', 'pipe']
  })
  const stop = () => child.kill('SIGKILL')
  options.signal?.addEventListener('abort', stop)
  const ended = new Promise<number | null>((resolve, reject) =>
    child.on('error', reject).on('close', resolve)
  )
  const [stdout, stderr, peak, code] = await Promise.all([
    text(child.stdout!),
    text(child.stderr!),
    text(child.stdio[3] as typeof child.stdout & object),
    ended
  ])
  options.signal?.removeEventListener('abort', stop)
  return { code, stdout, stderr, peak: Number(peak) * 1024 }
}
