/**
 * Runs pg_dump and psql. A connection reaches them by environment variables alone, never by an argument, because
 * arguments are there for everyone to read; and what they say passes through `redact` before anyone sees it.
 */
import { spawn } from 'node:child_process'
import { messageOf, ProgramError } from '../core/errors.js'
import { redact } from '../core/redact.js'

export type Environment = Readonly<Record<string, string | undefined>>

/** Milliseconds for a program to end by itself when it was told to. */
const patience = 5_000

export interface RunOptions {
  /** Of the connection; PATH and HOME are added from `env`. */
  libpqEnv: Environment
  env: Environment
  signal: AbortSignal
  input?: string
}

export interface Output {
  code: number
  stdout: Buffer
  stderr: string
}

/**
 * Runs the program to its end, whatever its exit code; an abort kills it.
 * @throws ProgramError if it cannot be started, and the signal's reason where that ended it.
 */
export async function runProgram(
  path: string,
  args: readonly string[],
  options: RunOptions
): Promise<Output> {
  const { env, libpqEnv, signal, input } = options
  signal.throwIfAborted()
  const child = spawn(path, args, {
    env: { ...ownEnvironment(env), ...libpqEnv },
    stdio: ['pipe', 'pipe', 'pipe']
  })
  const out: Buffer[] = []
  const err: Buffer[] = []
  child.stdout.on('data', (part: Buffer) => out.push(part))
  child.stderr.on('data', (part: Buffer) => err.push(part))
  // A program that ends before it read all has said why.
  child.stdin.on('error', () => {})
  child.stdin.end(input ?? '')
  let end: NodeJS.Timeout | undefined
  const stop = () => {
    // At this signal both tell the server to stop as well; of another psql just dies, and the server works on.
    child.kill('SIGINT')
    end = setTimeout(() => child.kill('SIGKILL'), patience)
  }
  signal.addEventListener('abort', stop)
  const code = await new Promise<number>((resolve, reject) => {
    child.on('error', error =>
      reject(
        new ProgramError(`${path} cannot be run: ${messageOf(error)}`, {
          hint: 'Is it there, and may you execute it? --pgdump and --psql name others.'
        })
      )
    )
    child.on('close', (exit, killedBy) => {
      if (signal.aborted) reject(signal.reason)
      else if (killedBy)
        reject(
          new ProgramError(`${path} was ended by ${killedBy}`, {
            hint: 'Somebody stopped it, or the system had no memory left: run again.'
          })
        )
      else resolve(exit ?? 1)
    })
  }).finally(() => {
    signal.removeEventListener('abort', stop)
    clearTimeout(end)
  })
  return { code, stdout: Buffer.concat(out), stderr: redact(Buffer.concat(err).toString('utf8').trim()) }
}

/** What a helper program needs of the user's environment; the rest could tell libpq things that were not meant. */
export function ownEnvironment(env: Environment): Environment {
  const kept = ['PATH', 'HOME', 'TMPDIR', 'SYSTEMROOT', 'LD_LIBRARY_PATH', 'KRB5CCNAME', 'KRB5_CONFIG']
  const given = Object.fromEntries(kept.flatMap(name => (env[name] === undefined ? [] : [[name, env[name]]])))
  return { ...given, LC_ALL: 'C' }
}
