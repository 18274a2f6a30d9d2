import { execFile, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { chmod, cp, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'
import pg from 'pg'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { runnableBinaries, findBinaries } from '../../../src/cli/demo/binaries.js'
import { serverAccount } from '../../../src/cli/demo/account.js'
import { type ThrowawayServer, startServer } from '../../../src/cli/demo/servers.js'

const root = join(import.meta.dirname, '../../..')
const run = promisify(execFile)

let server: ThrowawayServer
beforeAll(async () => {
  server = await startServer({
    binaries: await findBinaries(),
    name: 'it',
    settings: { synchronous_commit: 'on', work_mem: '7MB' }
  })
})
afterAll(() => server?.stop())

async function ask(url: string, sql: string): Promise<unknown> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    return Object.values((await client.query<Record<string, unknown>>(sql)).rows[0] ?? {})[0]
  } finally {
    await client.end()
  }
}

test('listens on the loopback address alone, and wants the password', async () => {
  expect(await ask(server.url, 'show listen_addresses')).toBe('127.0.0.1')
  expect(await ask(server.url, 'show unix_socket_directories')).toBe('')
  await expect(ask(server.url.replace(server.password, 'wrong'), 'select 1')).rejects.toThrow('password')
})

test('takes settings, and ours where none are given', async () => {
  expect(await ask(server.url, 'show synchronous_commit')).toBe('on')
  expect(await ask(server.url, 'show work_mem')).toBe('7MB')
  expect(await ask(server.url, 'show fsync')).toBe('off')
  expect(await ask(server.url, 'show server_encoding')).toBe('UTF8')
})

test.each(['fast', 'immediate'] as const)('keeps its data and port over a restart (%s)', async mode => {
  await ask(server.url, `create table kept_${mode} as select 1 as one`)
  const { pid } = server
  await server.restart(mode)
  expect(server.pid).not.toBe(pid)
  expect(await ask(server.url, `select count(*) from kept_${mode}`)).toBe('1')
})

test('leaves nothing when it is stopped, twice over', async () => {
  const other = await startServer({ binaries: await findBinaries(), name: 'other' })
  await other.stop()
  await other.stop('immediate')
  expect(existsSync(dirname(other.dataDir))).toBe(false)
  await expect(ask(other.url, 'select 1')).rejects.toThrow('ECONNREFUSED')
})

test('shows the end of the log where the server does not start', async () => {
  const binaries = await findBinaries()
  await expect(startServer({ binaries, settings: { nonsense: '1' } })).rejects.toThrow(
    /did not start.*unrecognized configuration parameter "nonsense"/s
  )
})

test('needs neither the install script’s links nor a folder that others may enter', async () => {
  const closed = await mkdtemp(join(tmpdir(), 'closed-'))
  await chmod(closed, 0o700)
  const filter = (path: string): boolean => !path.endsWith('.a')
  await cp(dirname(await findBinaries()), closed, { recursive: true, verbatimSymlinks: true, filter })
  const list = await readFile(join(closed, 'pg-symlinks.json'), 'utf8').catch(() => '[]')
  const links = (JSON.parse(list) as { target: string }[]).map(({ target }) =>
    target.replace(/^native\//, '')
  )
  await Promise.all(links.map(link => rm(join(closed, link), { force: true })))
  const account = await serverAccount()
  const copies = await Promise.all([1, 2, 3].map(() => runnableBinaries(join(closed, 'bin'), account)))
  for (const copy of new Set(copies)) {
    expect((await run(join(copy, 'postgres'), ['--version'])).stdout).toContain('PostgreSQL')
    if (copy !== join(closed, 'bin')) await rm(dirname(copy), { recursive: true, force: true })
  }
  expect(new Set(copies).size).toBe(1)
  await rm(closed, { recursive: true, force: true })
})

test('a server ends with the process that started it, even a killed one', async () => {
  const script = `
    const { startServer } = await import(process.argv[1])
    const { findBinaries } = await import(process.argv[2])
    const server = await startServer({ binaries: await findBinaries(), name: 'orphan' })
    console.log(server.url + ' ' + server.dataDir)
    setInterval(() => {}, 1000)`
  const modules = ['servers', 'binaries'].map(name => join(root, 'dist/cli/demo', `${name}.js`))
  const child = spawn(process.execPath, ['--input-type=module', '-e', script, ...modules])
  const [url = '', dataDir = ''] = await new Promise<string[]>((resolve, reject) => {
    child.stdout.once('data', data => resolve(String(data).trim().split(' ')))
    child.stderr.on('data', data => reject(new Error(String(data))))
  })
  expect(await ask(url, 'select 1')).toBe(1)
  child.kill('SIGKILL')
  while (existsSync(dirname(dataDir))) await delay(50)
  await expect(ask(url, 'select 1')).rejects.toThrow('ECONNREFUSED')
})
