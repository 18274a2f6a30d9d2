/**
 * A password that can be found anywhere: after every kind of run, good or bad, nothing that others can read holds it. Output, reports,
 * the arguments of helper programs, both servers' logs with everything in them, and the standby's catalogs.
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'vitest'
import { findBinaries } from '../../src/cli/demo/binaries.js'
import { startServer } from '../../src/cli/demo/servers.js'
import { checkSection, columns, messages } from '../copy/sections/messages.js'
import { createPair, type Pair } from '../support/databases.js'
import { findRabbitMq } from '../support/rabbitmq.js'
import { pgsyncer, type Ended, type ProgramOptions } from './peak.js'

const all = process.env.FAULTS === 'all'
const few = <T>(cases: readonly T[], count: number): readonly T[] => (all ? cases : cases.slice(0, count))

/** The part of the password that survives every way of quoting. */
const mark = 'm4rkedS3cret'
const password = `${mark} 'q" \\b %41 @:/?# end`

const server = await startServer({
  binaries: await findBinaries(15),
  name: 'secrets',
  password,
  settings: {
    log_statement: 'all',
    log_min_duration_statement: '0',
    log_min_error_statement: 'debug5',
    log_error_verbosity: 'verbose',
    log_connections: 'on',
    log_replication_commands: 'on',
    log_parameter_max_length: '-1',
    log_parameter_max_length_on_error: '-1',
    wal_level: 'logical'
  }
})
const folder = await mkdtemp(join(tmpdir(), 'pgsyncer-secrets-'))
afterAll(async () => {
  await server.stop()
  await rm(folder, { recursive: true })
})

const ddl = `CREATE TABLE t (id bigint PRIMARY KEY, v text); INSERT INTO t SELECT n, 'v' || n FROM generate_series(1, 50) n`
let pair: Pair
beforeEach(async () => {
  pair = await createPair({
    servers: { main: server.url, standby: server.url },
    main: ddl,
    standby: `${ddl}; UPDATE t SET v = 'x' WHERE id < 9; ALTER TABLE t ADD w int`
  })
})
afterEach(() => pair.drop())

/** Without the password. */
const bare = (name: string) => `host=${server.host} port=${server.port} user=${server.user} dbname=${name}`
const words = (name: string, secret = password) =>
  `${bare(name)} password='${secret.replaceAll(/[\\']/g, '\\$&')}'`
const uri = (name: string, secret = password) =>
  `postgres://${server.user}:${encodeURIComponent(secret)}@${server.host}:${server.port}/${name}`

type Way = (dsn: (name: string) => string) => Promise<{ args: string[]; options: ProgramOptions }>
const main = (dsn: (name: string) => string) => dsn(pair.main.name)
const standby = (dsn: (name: string) => string) => dsn(pair.standby.name)
const both = (dsn: (name: string) => string) => ['--maindsn', main(dsn), '--standindsn', standby(dsn)]

/** A folder of its own, to start in. */
async function place(files: Record<string, string>): Promise<string> {
  const cwd = await mkdtemp(join(folder, 'run-'))
  for (const [name, text] of Object.entries(files)) await writeFile(join(cwd, name), text, { mode: 0o600 })
  return cwd
}

const ways: Record<string, Way> = {
  'an argument': async dsn => ({ args: both(dsn), options: { cwd: await place({}) } }),
  variables: async dsn => ({
    args: [],
    options: { cwd: await place({}), env: { MAIN_DSN: main(dsn), STANDIN_DSN: standby(dsn) } }
  }),
  '.env': async dsn => ({
    args: [],
    options: {
      cwd: await place({
        // Between these nothing is escaped.
        '.env': `MAIN_DSN=\`${main(dsn)}\`\nSTANDIN_DSN=\`${standby(dsn)}\`\n`
      })
    }
  }),
  'a config file': async dsn => ({
    args: ['--config', 'c.json'],
    options: {
      cwd: await place({ 'c.json': JSON.stringify({ maindsn: main(dsn), standindsn: standby(dsn) }) })
    }
  }),
  PGPASSWORD: async () => ({
    args: both(bare),
    options: { cwd: await place({}), env: { PGPASSWORD: password } }
  }),
  '.pgpass': async () => {
    const cwd = await place({ '.pgpass': `*:*:*:*:${password.replaceAll(/[\\:]/g, '\\$&')}\n` })
    return { args: both(bare), options: { cwd, env: { HOME: cwd } } }
  }
}

/** Everything that a run has said and left; the files that the test itself made are not its own. */
async function leftBy({ stdout, stderr }: Ended, cwd: string): Promise<string> {
  const reports = (await readdir(cwd)).filter(name => name.startsWith('report'))
  const texts = await Promise.all(reports.map(name => readFile(join(cwd, name), 'utf8')))
  return [stdout, stderr, ...texts].join('\n')
}

const reports = ['.json', '.txt', '.sql'].flatMap(ending => ['--report', `report${ending}`])
const loud = ['--verbose', '--log-format', 'json', ...reports]

const log = () => readFile(join(dirname(server.dataDir), 'server.log'), 'utf8')

/** What others can read of both databases: statements, mappings, and every object's definition and row. */
async function catalogs(): Promise<string> {
  const queries = [
    'SELECT query FROM pg_stat_activity',
    'SELECT umoptions::text FROM pg_user_mapping',
    'SELECT srvoptions::text FROM pg_foreign_server',
    'SELECT prosrc FROM pg_proc WHERE oid >= 16384',
    'SELECT subconninfo FROM pg_subscription'
  ]
  const texts: unknown[] = []
  for (const db of [pair.main, pair.standby]) for (const query of queries) texts.push(await db.query(query))
  const tables = await pair.standby.query<{ rows: string }>(
    `SELECT query_to_xml(format('SELECT * FROM %s', oid::regclass), false, false, '')::text AS rows FROM pg_class WHERE relkind = 'r' AND oid >= 16384`
  )
  return JSON.stringify([texts, tables])
}

async function silent(text: string): Promise<void> {
  const lines = `${text}\n${await catalogs()}\n${await log()}`.split('\n')
  expect(lines.filter(line => line.includes(mark))).toEqual([])
}

describe('a run that is well', () => {
  const given = [...Object.keys(ways), 'an argument, as a URI', 'a config file, as URIs']
  test.each(few(given, 1).concat(all ? [] : ['a config file, as URIs']))(
    'with the password in %s',
    async name => {
      const way = ways[name.split(',')[0]!]!
      const { args, options } = await way(name.includes('URI') ? uri : words)
      const run = async (code: number, ...more: string[]) => {
        const ended = await pgsyncer([...more, ...args, ...loud], options)
        expect(ended).toMatchObject({ code })
        await silent(await leftBy(ended, options.cwd!))
      }
      await run(3, 'diff')
      await run(0, 'sync', '--allow', 'all', '--clean-extra', '--yes', '--force-psql', '--fdw-mode')
      await run(0, 'diff', '--schema-method', 'catalog')
      // The log does hold what was done, so that its silence means something.
      expect(await log()).toMatch(/CREATE USER MAPPING/)
      expect(await log()).toMatch(/ALTER TABLE .*DROP COLUMN/)
    }
  )

  const others: [string, number | undefined, string[]][] = [
    ['copy', 0, ['--table', 't']],
    // Main lacks a column.
    ['check', 1, []],
    ['sync', 3, ['--dry-run', '--use-updated-at']],
    ['diff', 3, ['--where', 't: id < 3', '--strict-hash']]
  ]
  test.each(few(others, 1))('%s', async (command, code, more) => {
    const { args, options } = await ways['an argument']!(words)
    const ended = await pgsyncer([command, ...args, ...more, '--verbose', '--log-format', 'json'], options)
    expect(ended).toMatchObject({ code })
    await silent(await leftBy(ended, options.cwd!))
  })

  test.each(few(['outbox', 'wal'], 1))('capture, follow and status, by %s', async source => {
    const cwd = await place({})
    const run = async (...args: string[]) => {
      const ended = await pgsyncer([...args, '--maindsn', words(pair.main.name), '--verbose'], { cwd })
      expect(ended).toMatchObject({ code: 0 })
      await silent(await leftBy(ended, cwd))
    }
    const stream = ['--source', source, '-t', 't', '--name', `s${pair.main.name.slice(-6)}`]
    await pair.standby.exec('ALTER TABLE t DROP w')
    await run('capture', 'install', ...stream)
    await run('follow', '--to', uri(pair.standby.name), '--once', '--clean-extra', ...stream)
    await run('status', '--to', words(pair.standby.name), '--name', stream.at(-1)!)
    await run('capture', 'remove', ...stream)
  })
})

describe('a plan', () => {
  test('is written, applied and undone', async () => {
    const { args, options } = await ways['an argument']!(words)
    await pair.standby.exec('ALTER TABLE t DROP w')
    const run = async (code: number, ...more: string[]) => {
      const ended = await pgsyncer([...more, '--verbose', '--log-format', 'json'], options)
      expect(ended).toMatchObject({ code })
      await silent(await leftBy(ended, options.cwd!))
    }
    await run(3, 'diff', ...args, '--plan', 'report.json')
    const to = ['--standindsn', words(pair.standby.name)]
    await run(0, 'apply-plan', 'report.json', '--undo', 'report.undo.json', ...to)
    await run(0, 'apply-plan', 'report.undo.json', ...to)
    await run(3, 'diff', ...args)
  })
})

describe('a copy into sections', () => {
  test('begins and goes on', async () => {
    const { args, options } = await ways['variables']!(words)
    const source = `CREATE SCHEMA device; CREATE TABLE device.messages (${columns('bigint PRIMARY KEY')})`
    await pair.main.exec(`${source}; ${messages(1, 20)}`)
    await pair.standby.exec(checkSection())
    const sections = [
      '--source-table',
      'device.messages',
      '--section-key',
      'object_id',
      '--cursor',
      'created_id'
    ]
    for (const next of [21, 31]) {
      const ended = await pgsyncer(['copy', '--sections', ...sections, ...args, '--verbose'], options)
      expect(ended).toMatchObject({ code: 0 })
      await silent(await leftBy(ended, options.cwd!))
      await pair.main.exec(messages(next, next + 9))
    }
  })
})

const rabbit = await findRabbitMq()

describe.skipIf(rabbit.skipReason)(`by way of a broker: ${rabbit.title}`, () => {
  test('whose password is another one: published, applied, refused', async () => {
    const broker = await rabbit.start(`${mark}OfTheBroker`)
    try {
      const cwd = await place({})
      const name = `s${pair.main.name.slice(-6)}`
      const run = async (codes: number[], ...args: string[]) => {
        const ended = await pgsyncer([...args, '--name', name, '--verbose', '--log-format', 'json'], { cwd })
        expect(codes).toContain(ended.code)
        await silent(await leftBy(ended, cwd))
      }
      const from = ['--maindsn', words(pair.main.name)]
      const source = ['--source', 'outbox', '-t', 't', ...from]
      const to = ['--to', uri(pair.standby.name), ...from]
      await pair.standby.exec('ALTER TABLE t DROP w; TRUNCATE t')
      await run([0], 'capture', 'install', ...source)
      await run([0], 'apply', '--via', broker.url, ...to, '--once')
      await pair.main.exec(`UPDATE t SET v = 'changed' WHERE id = 3`)
      await run([0], 'publish', '--via', broker.url, ...source, '--snapshot', 'only')
      await run([0], 'publish', '--via', broker.url, ...source, '--once')
      await run([0], 'apply', '--via', broker.url, ...to, '--once')
      expect(await pair.standby.query('SELECT count(*)::int AS n FROM t')).toEqual([{ n: 50 }])
      await run([0], 'dead-letters', 'list', '--via', broker.url)
      const wrong = broker.url.replace(mark, `${mark}Wrong`)
      for (const via of few([wrong, wrong.replace(/:\d+$/, ':1'), wrong.replace('@', '@@')], 1)) {
        await run([1, 2], 'publish', '--via', via, ...source, '--once')
        await run([1, 2], 'apply', '--via', via, ...to, '--once')
        await run([1, 2], 'dead-letters', 'list', '--via', via)
      }
    } finally {
      await broker.close()
    }
  })
})

describe('a run that is not', () => {
  const wrong = `${mark}Wrong`
  const failing: [string, () => Promise<{ args: string[]; options: ProgramOptions }>][] = [
    ['a wrong password', () => ways['an argument']!(name => uri(name, wrong))],
    ['a wrong password in words', () => ways['variables']!(name => words(name, wrong))],
    ['a DSN with a wrong word', () => ways['a config file']!(name => `${words(name)} nonsense=1`)],
    ['a DSN whose quote does not end', () => ways['an argument']!(name => `${bare(name)} password='${mark}`)],
    [
      'a URI with a wrong port',
      () => ways['an argument']!(name => uri(name).replace(`:${server.port}/`, ':port/'))
    ],
    [
      'a URI whose password is not encoded',
      () => ways['an argument']!(name => `postgres://u:${mark}@x/%zz:y@${server.host}/${name}`)
    ],
    ['a URI without a host', () => ways['.env']!(() => `postgres://u:${mark}`)],
    ['a URI of another kind', () => ways['an argument']!(() => `mysql://u:${mark}@h/d`)],
    [
      'a misspelt option',
      async () => ({ args: ['--maindns', uri('x'), `--password=${mark}`], options: { cwd: await place({}) } })
    ],
    ['a DSN without its option', async () => ({ args: [uri('x')], options: { cwd: await place({}) } })],
    [
      'a misspelt variable',
      async () => ({ args: [], options: { cwd: await place({}), env: { PGSYNCER_MAINDNS: uri('x') } } })
    ],
    [
      'a config file with a misspelt name',
      async () => ({
        args: ['--config', 'c.json'],
        options: { cwd: await place({ 'c.json': JSON.stringify({ maindns: uri('x') }) }) }
      })
    ],
    ...[`{"maindsn":"p:${mark}`, `{"maindsn":"p:${mark}" "x"`, `{"maindsn":${mark}}`, mark].map(
      (text, i): [string, () => Promise<{ args: string[]; options: ProgramOptions }>] => [
        `a config file that is no JSON (${i})`,
        async () => ({ args: ['--config', 'c.json'], options: { cwd: await place({ 'c.json': text }) } })
      ]
    ),
    [
      'a config file whose DSN is no text',
      async () => ({
        args: ['--config', 'c.json'],
        options: { cwd: await place({ 'c.json': `{"maindsn":["${mark}"],"workers":"x"}` }) }
      })
    ],
    [
      'a host that is none',
      () => ways['an argument']!(name => uri(name).replace(server.host, 'nowhere.invalid'))
    ],
    [
      'a port that nobody listens on',
      () => ways['an argument']!(name => words(name).replace(`port=${server.port}`, 'port=1'))
    ],
    ['a database that is not there', () => ways['an argument']!(name => uri(`${name}_not`))]
  ]
  test.each(failing.filter((_, i) => all || i % 2 === 1))('%s', async (_, make) => {
    const { args, options } = await make()
    for (const more of [['--verbose'], ['--log-format', 'json', ...(all ? reports : [])]].slice(
      0,
      all ? 2 : 1
    )) {
      const ended = await pgsyncer(['sync', ...args, ...more], options)
      expect([1, 2]).toContain(ended.code)
      expect(ended.stderr).not.toBe('')
      const left = await leftBy(ended, options.cwd!)
      expect(left.split('\n').filter(line => line.includes(mark))).toEqual([])
    }
    expect((await log()).split('\n').filter(line => line.includes(mark))).toEqual([])
  })

  test('--fdw-mode that main refuses', async () => {
    const { args, options } = await ways['an argument']!(words)
    await pair.standby.exec('ALTER TABLE t DROP w')
    const ended = await pgsyncer(
      ['sync', ...args, '--fdw-mode', '--fdw-port', '1', '--retries', '0', ...loud],
      options
    )
    expect(ended.code).toBe(1)
    await silent(await leftBy(ended, options.cwd!))
  })
})

describe('helper programs, while they run', () => {
  const program = fileURLToPath(new URL('../../dist/main.js', import.meta.url))

  /** The arguments of a program's children, as everybody can read them. */
  async function argumentsOf(parent: number): Promise<string[]> {
    const found: string[] = []
    for (const pid of (await readdir('/proc')).filter(name => /^\d+$/.test(name))) {
      const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')
      if (stat.slice(stat.lastIndexOf(')')).split(' ')[2] !== String(parent)) continue
      found.push(await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => ''))
    }
    return found
  }

  test.each([
    ['pg_dump', 'main', []],
    [
      'psql',
      'standby',
      ['--force-psql', '--allow', 'all', '--clean-extra', '--yes', '--schema-method', 'catalog']
    ]
  ] as const)('%s has no password among its arguments', async (helper, side, more) => {
    const { options } = await ways['variables']!(words)
    await pair[side].exec(side === 'main' ? 'BEGIN; LOCK TABLE t' : 'BEGIN; SELECT FROM t')
    let child: ChildProcess | undefined
    try {
      child = spawn(process.execPath, [program, 'sync', '--lock-timeout', '0', ...more], {
        env: { PATH: process.env.PATH, ...options.env },
        cwd: options.cwd,
        stdio: 'ignore'
      })
      const ended = once(child, 'close')
      let seen: string[] = []
      while (!seen.some(line => line.split('\0')[0]!.endsWith(helper))) {
        if (child.exitCode !== null)
          throw new Error(`the run ended with ${child.exitCode} and no ${helper} was seen`)
        await delay(10)
        seen = await argumentsOf(child.pid!)
      }
      expect(seen.filter(line => line.includes(mark))).toEqual([])
      await pair[side].exec('ROLLBACK')
      expect(await ended).toEqual([helper === 'psql' ? 0 : 4, null])
    } finally {
      child?.kill('SIGKILL')
    }
  })
})
