/** The built program in a process of its own, in the forms that a run can have, and what it leaves behind in the system. */
import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { expect } from 'vitest'
import type { Report } from '../../src/index.js'
import { chunkSize } from './scene.js'

const program = fileURLToPath(new URL('../../dist/main.js', import.meta.url))

export interface Mode {
  name: string
  argv: readonly string[]
  /** It removes what main does not have. */
  cleans: boolean
}

const clean = ['--clean-extra', '--max-delete', '100%', '--yes']

export const modes: readonly Mode[] = [
  { name: 'plain', argv: [], cleans: false },
  { name: 'clean', argv: clean, cleans: true },
  { name: 'fdw', argv: ['--fdw-mode', ...clean], cleans: true },
  { name: 'updated', argv: ['--use-updated-at'], cleans: false },
  { name: 'psql', argv: ['--force-psql'], cleans: false },
  { name: 'catalog', argv: ['--schema-method', 'catalog', '--verify'], cleans: false },
  { name: 'concurrent', argv: ['--concurrent-indexes', ...clean], cleans: true }
]

export interface Ended {
  code: number | null
  signal: NodeJS.Signals | null
  /** Of the JSON document on standard output; undefined where there was none. */
  report: Report | undefined
  stderr: string
}

export interface Started {
  child: ChildProcess
  ended: Promise<Ended>
}

/** Starts `sync`, or another command, between these two URLs. */
export function start(
  urls: { main: string; standby: string },
  mode: Pick<Mode, 'argv'>,
  { command = 'sync', temp = tmpdir() } = {}
): Started {
  const common = ['--format', 'json', '--log-format', 'json', '--verbose', '--chunk-size', String(chunkSize)]
  const allowed = command === 'sync' ? ['--allow', 'all', '--yes'] : []
  const child = spawn(process.execPath, [program, command, ...common, ...allowed, ...mode.argv], {
    env: { PATH: process.env.PATH, TMPDIR: temp, MAIN_DSN: urls.main, STANDIN_DSN: urls.standby },
    stdio: ['ignore', 'pipe', 'pipe']
  })
  const closed = new Promise<[number | null, NodeJS.Signals | null]>((resolve, reject) => {
    child.on('error', reject).on('close', (code, signal) => resolve([code, signal]))
  })
  const ended = Promise.all([closed, text(child.stdout!), text(child.stderr!)]).then(
    ([[code, signal], stdout, stderr]): Ended => ({
      code,
      signal,
      report: stdout.trim() === '' ? undefined : (JSON.parse(stdout) as Report),
      stderr
    })
  )
  return { child, ended }
}

/** A folder for the program's temporary files, which must leave none there. */
export async function withTemp<T>(use: (temp: string) => Promise<T>): Promise<T> {
  const temp = await mkdtemp(join(tmpdir(), 'pgsyncer-faults-'))
  try {
    const result = await use(temp)
    expect(await readdir(temp)).toEqual([])
    return result
  } finally {
    await rm(temp, { recursive: true })
  }
}

/** Settles when no helper program (pg_dump, psql) that knows one of these databases runs any more; Linux alone tells. */
export async function expectNoHelpers(databases: readonly string[]): Promise<void> {
  const deadline = performance.now() + 20_000
  for (;;) {
    const left = await helpers(databases)
    if (left.length === 0) return
    if (performance.now() > deadline) throw new Error(`still running: ${left.join(', ')}`)
    await delay(20)
  }
}

async function helpers(databases: readonly string[]): Promise<string[]> {
  if (process.platform !== 'linux') return []
  const found: string[] = []
  for (const pid of await readdir('/proc')) {
    if (!/^\d+$/.test(pid)) continue
    const environ = await readFile(`/proc/${pid}/environ`, 'latin1').catch(() => '')
    const variables = environ.split('\0')
    if (databases.some(name => variables.includes(`PGDATABASE=${name}`))) found.push(pid)
  }
  return found
}
