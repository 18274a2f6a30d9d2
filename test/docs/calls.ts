/** Command lines that are read and not run: bash splits them into words, and the program says whether it knows every one. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import type { Readable } from 'node:stream'
import { run } from '../../src/cli/run.js'
import { fakeIo } from '../cli/console.js'
import { type Block, commandsOf } from './blocks.js'

/** Ends a word, and a command. */
const [word, command] = ['\0', '\x01']
const dsns = { MAIN_DSN: 'service=main', STANDIN_DSN: 'service=standby' }
const stub = `pgsyncer() { printf '%s\\0' "$@" >&3; printf '\\1' >&3; }; npx() { "$@"; }`

/** The words of each call of pgsyncer in the block. */
export async function callsOf({ code }: Block): Promise<string[][]> {
  const calls = commandsOf(code).filter(line => /^(npx )?pgsyncer\b/.test(line))
  // A call may write its output to a file.
  const cwd = await mkdtemp(join(tmpdir(), 'pgsyncer-docs-'))
  const env = { PATH: process.env.PATH, MAIN: 'service=main', ...dsns }
  const script = [stub, ...calls].join('\n')
  const child = spawn('bash', ['-euo', 'pipefail', '-c', script], {
    cwd,
    env,
    stdio: ['ignore', 'ignore', 'inherit', 'pipe']
  })
  const [[status], said] = await Promise.all([
    once(child, 'close') as Promise<[number | null]>,
    text(child.stdio[3] as Readable)
  ])
  await rm(cwd, { recursive: true })
  if (status !== 0) throw new Error(`bash cannot read it (${status}): ${code}`)
  return said
    .split(command)
    .slice(0, -1)
    .map(words => words.split(word).slice(0, -1))
}

/** No command has it, so each ends before it begins, with all that is wrong on its command line. */
const wrong = '--no-such-flag'

/** What is wrong with a command line, for the program. */
export async function faultsOf(words: readonly string[]): Promise<string[]> {
  const io = fakeIo({ env: dsns })
  const code = await run([...words, wrong], io)
  if (code !== 2) throw new Error(`it ended with ${code}, not 2`)
  return io
    .err()
    .split('\n')
    .filter(line => line !== '' && !line.includes(wrong) && !line.startsWith('  '))
}
