/** The demo's own part: a stand-in for pgsyncer, made of pg_dump and psql, shows what it expects of each step. */
import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { connect } from 'node:net'
import { expect, test } from 'vitest'
import { type DemoIo, runDemo } from '../../../src/cli/demo/demo.js'

interface StandIn extends DemoIo {
  lines: string[]
  commands: string[][]
  stop: AbortController
}

function standIn(codes: number[]): StandIn {
  const lines: string[] = []
  const commands: string[][] = []
  const stop = new AbortController()
  return {
    lines,
    commands,
    stop,
    keep: false,
    signal: stop.signal,
    write: line => void lines.push(line),
    run(args) {
      const [command = '', , main = '', , standby = '', ...flags] = args
      const code = codes[commands.length] ?? 0
      commands.push([command, ...flags])
      if (command === 'sync' && code === 0) copy(main, standby)
      return Promise.resolve(code)
    }
  }
}

function copy(main: string, standby: string): void {
  const psql = ['-X', '-q', '-v', 'ON_ERROR_STOP=1', '-d', standby]
  execFileSync('psql', [...psql, '-c', 'drop schema public cascade; create schema public'], { stdio: 'pipe' })
  const sql = execFileSync('pg_dump', ['-d', main], { maxBuffer: 1e9 })
  execFileSync('psql', psql, { input: sql, stdio: 'pipe' })
}

/** Whether anything listens on one of the ports that the demo named. */
async function serversUp(lines: string[]): Promise<boolean> {
  const ports = [...(lines[0] ?? '').matchAll(/port (\d+)/g)].map(match => Number(match[1]))
  expect(ports).toHaveLength(2)
  const answers = ports.map(
    port =>
      new Promise<boolean>(resolve => {
        const socket = connect(port, '127.0.0.1', () => socket.destroy(void resolve(true)))
        socket.on('error', () => resolve(false))
      })
  )
  return (await Promise.all(answers)).includes(true)
}

test(
  'copies, drifts, finds, mends and proves; keeps the servers until the signal; leaves nothing',
  { timeout: 180_000 },
  async () => {
    const io = standIn([0, 3, 0, 0])
    const { write } = io
    let answers = ''
    let file = ''
    io.keep = true
    io.write = line => {
      write(line)
      file ||= /PGPASSFILE=(.+)/.exec(line)?.[1] ?? ''
      const dsn = /^ {2}\$ psql (.+)/.exec(line)?.[1]
      if (!dsn) return
      const options = { env: { ...process.env, PGPASSFILE: file } }
      answers += execFileSync(
        'psql',
        ['-X', '-At', '-c', 'select count(*) from riders', '-d', dsn],
        options
      ).toString()
      if (answers === '12000\n12000\n') setImmediate(() => io.stop.abort())
    }
    expect(await runDemo(io)).toBe(0)
    expect(io.commands).toEqual([['sync'], ['diff'], ['sync', '--clean-extra', '--yes'], ['diff']])
    const text = io.lines.join('\n')
    expect(text).toMatch(/ 1[0-9] tables and sequences differ now/)
    expect(text).toMatch(/rentals_2024_q3 +25235 rows {2}[0-9a-f]{16} {2}= {2}25235 rows {2}[0-9a-f]{16}/)
    expect(text).toMatch(
      /\$ pgsyncer sync --maindsn postgres:\/\/postgres@127\.0\.0\.1:\d+\/velo --standindsn postgres:/
    )
    expect(text).not.toMatch(/\/\/[^/@\s]+:[^/@\s]+@/)
    expect(text).not.toContain('≠')
    expect(existsSync(file)).toBe(false)
    expect(await serversUp(io.lines)).toBe(false)
  }
)

test('says which step did not do what it should', { timeout: 180_000 }, async () => {
  const io = standIn([1])
  expect(await runDemo(io)).toBe(1)
  expect(io.lines.at(-1)).toContain('The first sync ended with 1; it should be 0.')
  expect(await serversUp(io.lines)).toBe(false)
})

test('ends and cleans up at the signal, also while pgsyncer runs', { timeout: 180_000 }, async () => {
  const io = standIn([])
  io.run = async () => {
    expect(await serversUp(io.lines)).toBe(true)
    io.stop.abort()
    return new Promise(() => {})
  }
  expect(await runDemo(io)).toBe(130)
  expect(await serversUp(io.lines)).toBe(false)
})
