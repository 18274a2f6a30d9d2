/**
 * The whole story in one minute: two throw-away servers, a copy, a drift, a diff, a repair, and a proof. The demo uses
 * pgsyncer as a person does, by its command line, and proves the result without it; it never prints a password.
 */
import { readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import { findBinaries } from './binaries.js'
import { dumpAdvice } from './dump.js'
import { proofLines, prove } from './proof.js'
import { type ThrowawayServer, startServer } from './servers.js'

export interface DemoIo {
  /** Shows one line. */
  write(line: string): void
  /** Runs pgsyncer in this process with these arguments (they hold a password: not to be shown); gives its exit code. */
  run(args: string[]): Promise<number>
  /** Leave the servers up, to try things, until the signal. */
  keep: boolean
  signal: AbortSignal
}

const version = 15
const database = 'velo'
const fixtures = fileURLToPath(new URL('../../../fixtures/demo/', import.meta.url))

/**
 * Runs the demo and cleans up after it, however it ends.
 * @returns the exit code: 0 where every step did what it should, 1 where one did not, 130 where the signal ended it.
 * @throws ProgramError where this machine has no PostgreSQL server programs.
 */
export async function runDemo(io: DemoIo): Promise<number> {
  const advice = await dumpAdvice(version)
  if (advice) {
    io.write(advice)
    return 1
  }
  const binaries = await findBinaries(version)
  const servers = await Promise.allSettled([
    startServer({ binaries, name: 'demo-main' }),
    startServer({ binaries, name: 'demo-standby' })
  ])
  const started = servers.flatMap(server => (server.status === 'fulfilled' ? [server.value] : []))
  const aborted = new Promise<'aborted'>(resolve => {
    if (io.signal.aborted) resolve('aborted')
    io.signal.addEventListener('abort', () => resolve('aborted'), { once: true })
  })
  try {
    const [main, standby] = started
    for (const server of servers) if (server.status === 'rejected') throw server.reason
    if (!main || !standby) return 1
    const story = tell(io, main, standby)
    // What is still under way fails when its servers go; nobody waits for it any more.
    story.catch(() => {})
    const result = await Promise.race([story, aborted])
    if (result === 'aborted') return 130
    if (io.keep) await stayUp(io, main, standby)
    return result
  } finally {
    await Promise.all(started.map(server => server.stop('immediate')))
  }
}

async function tell(io: DemoIo, main: ThrowawayServer, standby: ThrowawayServer): Promise<number> {
  const began = Date.now()
  const say = (line: string): void => io.write(`\n▸ ${line}`)
  const fails = (line: string): number => {
    io.write(`\n✗ ${line}`)
    return 1
  }
  const step = (command: string, ...flags: string[]): Promise<number> => {
    if (io.signal.aborted) return Promise.resolve(130)
    const dsns = (dsn: typeof shown): string[] => ['--maindsn', dsn(main), '--standindsn', dsn(standby)]
    io.write(`  $ pgsyncer ${[command, ...dsns(shown), ...flags].join(' ')}\n`)
    return io.run([command, ...dsns(secret), ...flags])
  }

  say(`Two new PostgreSQL ${version} servers: main on port ${main.port}, standby on port ${standby.port}.`)
  for (const server of [main, standby]) await execute(server.url, `create database ${database}`)
  say('Main gets a year of a bicycle hire: 10 tables, one of them partitioned, 160,000 rows.')
  await execute(secret(main), await readFile(join(fixtures, 'schema.sql'), 'utf8'))
  await execute(secret(main), await readFile(join(fixtures, 'data.sql'), 'utf8'))

  say('The standby is empty. Copy everything, structure and rows.')
  const copied = await step('sync')
  if (copied !== 0) return fails(`The first sync ended with ${copied}; it should be 0.`)

  say(
    'Now the standby goes astray: values change, rows come and go, keys move, an index and a view are gone.'
  )
  await execute(secret(standby), await readFile(join(fixtures, 'drift.sql'), 'utf8'))
  const astray = (await prove(secret(main), secret(standby))).filter(line => !line.same)
  io.write(`  By plain SQL, ${astray.length} tables and sequences differ now.`)

  say('What differs? This only reads.')
  const differs = await step('diff')
  if (differs !== 3) return fails(`The diff ended with ${differs}; with differences it should be 3.`)

  say('Mend it. Rows that main does not have are deleted only because --clean-extra says so.')
  const mended = await step('sync', '--clean-extra', '--yes')
  if (mended !== 0) return fails(`The sync ended with ${mended}; it should be 0.`)

  say('Is it the same now?')
  const same = await step('diff')
  if (same !== 0) return fails(`The diff ended with ${same}; without differences it should be 0.`)

  say(
    'Do not take pgsyncer’s word for it: row counts and MD5 of all rows, asked from both servers by plain SQL.'
  )
  const proof = await prove(secret(main), secret(standby))
  for (const line of proofLines(proof)) io.write(`  ${line}`)
  if (proof.some(line => !line.same)) return fails('The two are not the same.')
  io.write(`\n✓ The standby equals main again, after ${((Date.now() - began) / 1000).toFixed(1)} seconds.`)
  return 0
}

/** Says how to reach the two servers, and waits for the signal. Their password is in a file that libpq reads. */
async function stayUp(io: DemoIo, main: ThrowawayServer, standby: ThrowawayServer): Promise<void> {
  const file = join(dirname(main.dataDir), 'pgpass')
  const lines = [main, standby].map(
    ({ host, port, user, password }) => `${host}:${port}:*:${user}:${password}\n`
  )
  await writeFile(file, lines.join(''), { mode: 0o600 })
  io.write('\n▸ Both servers stay up until you press Ctrl-C. In another terminal:')
  io.write(`  $ export PGPASSFILE=${file}`)
  io.write(`  $ psql ${shown(main)}`)
  io.write(`  $ psql ${shown(standby)}`)
  await delay(2 ** 31 - 1, undefined, { signal: io.signal }).catch(() => {})
}

function secret(server: ThrowawayServer): string {
  const url = new URL(server.url)
  url.pathname = `/${database}`
  return url.href
}

function shown(server: ThrowawayServer): string {
  return `postgres://${server.user}@${server.host}:${server.port}/${database}`
}

async function execute(url: string, sql: string): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  client.on('error', () => {})
  await client.connect()
  try {
    await client.query(sql)
  } finally {
    await client.end().catch(() => {})
  }
}
