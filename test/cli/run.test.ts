import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { Stopped } from '../../src/cli/exit.js'
import { commandNames } from '../../src/cli/option.js'
import { run } from '../../src/cli/run.js'
import { ConnectionError, GuardError } from '../../src/core/errors.js'
import type { Emit } from '../../src/core/events.js'
import { addSecret } from '../../src/core/redact.js'
import type { Report } from '../../src/sync/report.js'
import { fakeIo, type Wishes } from './console.js'
import { full, orders, report, tableReport } from './reports.js'

type Call = (
  options: Record<string, unknown>,
  context: { signal: AbortSignal; emit: Emit }
) => Promise<unknown>
const library = vi.hoisted(() => ({ sync: vi.fn<Call>(), diff: vi.fn<Call>(), check: vi.fn<Call>() }))
vi.mock('../../src/cli/library.js', () => library)

const folder = mkdtempSync(join(tmpdir(), 'pgsyncer-run-'))
afterAll(() => rmSync(folder, { recursive: true }))

const same = report([tableReport()])
const synced = report([tableReport({ status: 'synced', insert: 3 })], { command: 'sync', identical: true })
const differs = report([orders])
const broken = report([tableReport({ status: 'failed', reason: 'no right' })])

beforeEach(() => {
  for (const call of Object.values(library)) call.mockReset()
  library.sync.mockResolvedValue(synced)
  library.diff.mockResolvedValue(same)
})

const dsns = [
  '--maindsn',
  'postgres://me:s3cr3t@db1/shop',
  '--standindsn',
  'postgres://you:g3heim@db2:5433/shop'
]

async function pgsyncer(argv: string[], wishes: Wishes = {}) {
  const io = fakeIo({ cwd: folder, ...wishes })
  const code = await run(argv, io)
  return { code, out: io.out(), err: io.err() }
}

describe('which command', () => {
  test.each([
    ['without one, sync', [], 'sync'],
    ['sync', ['sync'], 'sync'],
    ['diff', ['diff'], 'diff'],
    ['--dry-run is diff', ['--dry-run'], 'diff'],
    ['sync --dry-run too', ['sync', '--dry-run'], 'diff']
  ] as const)('%s', async (_name, argv, called) => {
    const { code, out } = await pgsyncer([...argv, ...dsns])
    expect(code).toBe(0)
    expect(library.sync).toHaveBeenCalledTimes(called === 'sync' ? 1 : 0)
    expect(library.diff).toHaveBeenCalledTimes(called === 'diff' ? 1 : 0)
    expect(out).toContain(called === 'sync' ? 'is now the same as main' : 'are identical')
  })

  test("the original's command line", async () => {
    const argv = [
      '-maindsn=m',
      '-standindsn=s',
      '-sync-schema=false',
      '-chunk-size',
      '500',
      '-use-updated-at',
      '-clean-extra',
      '--yes'
    ]
    expect(await pgsyncer(argv)).toMatchObject({ code: 0 })
    expect(library.sync.mock.calls[0]![0]).toMatchObject({
      main: 'm',
      standby: 's',
      syncSchema: false,
      chunkSize: 500,
      useUpdatedAt: true,
      cleanExtra: { rows: true, objects: true }
    })
  })
})

describe('exit codes and streams', () => {
  test.each([
    ['identical', ['diff'], same, 0],
    ['differs', ['diff'], differs, 3],
    ['a table failed', ['diff'], broken, 1],
    ['synced', ['sync'], synced, 0]
  ] as const)('%s', async (_name, argv, result, code) => {
    library.diff.mockResolvedValue(result)
    const answer = await pgsyncer([...argv, ...dsns])
    expect(answer.code).toBe(code)
    expect(answer.out).not.toBe('')
    expect(answer.err).toBe('')
  })

  test('faults: all on standard error, nothing run', async () => {
    const { code, out, err } = await pgsyncer(['dif', '-worker=8', '--chunk-size', 'abc'])
    expect([code, out]).toEqual([2, ''])
    expect(err).toBe(
      [
        'pgsyncer: unknown command "dif"; did you mean diff?',
        'pgsyncer: unknown flag --worker; did you mean --workers?',
        'pgsyncer: --chunk-size must be a whole number, not "abc"',
        'pgsyncer: no DSN for main was given: use --maindsn or MAIN_DSN',
        'pgsyncer: no DSN for standby was given: use --standindsn or STANDIN_DSN',
        '  See pgsyncer --help.',
        ''
      ].join('\n')
    )
    expect(library.sync).not.toHaveBeenCalled()
  })

  test.each([
    ['apply-plan', [], ['apply-plan needs the FILE: pgsyncer apply-plan FILE']],
    ['apply-plans', ['p.json'], ['unknown command "apply-plans"; did you mean apply-plan?']],
    ['plan', ['p.json', '--undo=u.json'], ['unknown command "plan"; did you mean apply-plan?']],
    ['apply-plan', ['p.json', 'q.json'], ['unknown argument "q.json"']],
    ['dfif', ['p.json'], ['unknown command "dfif"; did you mean diff?', 'unknown argument "p.json"']],
    ['xyz', ['p.json'], ['unknown command "xyz"']],
    ['version', [], ['unknown command "version"; did you mean --version?']],
    ['-', [], ['unknown command "-"']],
    ['--help=x', [], ['--help takes no value']],
    ['--constructor', [], ['unknown flag --constructor']],
    ['--__proto__=1', [], ['unknown flag --__proto__']],
    ['completion', ['bsh'], ['unknown argument "bsh"; did you mean bash?']],
    ['completion', ['fsh'], ['unknown argument "fsh"; did you mean fish?']],
    ['completion', ['tcsh.exe'], ['unknown argument "tcsh.exe": completion takes bash, zsh, fish']],
    ['completion', ['constructor'], ['unknown argument "constructor": completion takes bash, zsh, fish']],
    ['completion', [], ['completion needs a word that says what to do: bash, zsh, fish']]
  ])('a word that there is not: %s %j', async (command, rest, said) => {
    const env = { MAIN_DSN: 'postgres://a/x', STANDIN_DSN: 'postgres://b/x' }
    const { code, out, err } = await pgsyncer([command, ...rest], { env })
    expect([code, out]).toEqual([2, ''])
    // Where the command is known, its own help has the words.
    const help = commandNames.find(name => name === command && name !== 'sync')
    const hint = `  See pgsyncer ${help ? `${help} ` : ''}--help.`
    expect(err).toBe([...said.map(one => `pgsyncer: ${one}`), hint, ''].join('\n'))
    expect(library.sync).not.toHaveBeenCalled()
  })

  test('a command that is misspelt is judged as the one that was meant', async () => {
    const { err } = await pgsyncer(['folow', '--source', 'wall', '--once', '--plan=x'])
    expect(err).toContain('unknown command "folow"; did you mean follow?\n')
    expect(err).toContain('--source must be poll, notify, outbox or wal, not "wall"; did you mean wal?\n')
    expect(err).toContain('--plan is a flag of diff, not of follow\n')
    expect(err).not.toContain('--once')
  })

  test('a user can cause no stack, and sees no password', async () => {
    addSecret('s3cr3t')
    const error = new ConnectionError('db1 refused me: postgres://me:s3cr3t@db1, password s3cr3t', {
      hint: 'Is s3cr3t right?'
    })
    library.sync.mockRejectedValue(error)
    const { code, err } = await pgsyncer(dsns)
    expect(code).toBe(1)
    expect(err).toBe('pgsyncer: db1 refused me: postgres://me:***@db1, password ***\n  Is *** right?\n')
    const verbose = await pgsyncer([...dsns, '--verbose'])
    expect(verbose.err).toMatch(
      /\n {2}Is \*\*\* right\?\n {2}docs\/errors\.md tells of every error .*\nConnectionError: .*\n\s+at /
    )
    expect(verbose.err).not.toContain('s3cr3t')
  })

  test('the stack of an error shows no password of a statement that it holds', async () => {
    const statement = `CREATE USER MAPPING FOR a SERVER "s" OPTIONS (user 'b', password 'hunt''er2', x 'y')`
    for (const quote of ['', '`']) {
      const cause = Object.assign(new Error('no'), { step: { statement: statement + quote } })
      library.sync.mockRejectedValue(new ConnectionError('it failed', { cause }))
      const { err } = await pgsyncer([...dsns, '--verbose'])
      expect(err).toContain('CREATE USER MAPPING')
      expect(err).not.toMatch(/hunt|er2/)
    }
  })

  test('an error of none of our classes says that it is a bug', async () => {
    library.sync.mockRejectedValue(new TypeError('x is not a function'))
    expect(await pgsyncer(dsns)).toMatchObject({
      code: 1,
      err: 'pgsyncer: this is a bug, please report it: x is not a function (--verbose shows the stack)\n'
    })
  })

  test('--log-format json: errors too are objects', async () => {
    library.sync.mockRejectedValue(new ConnectionError('gone', { hint: 'Start it.' }))
    const { err } = await pgsyncer([...dsns, '--log-format=json'])
    expect(JSON.parse(err)).toMatchObject({
      level: 50,
      msg: 'gone',
      hint: 'Start it.',
      error: 'ConnectionError'
    })
  })

  test.each([
    ['SIGINT', 130],
    ['SIGTERM', 143]
  ] as const)('%s: %i, whatever the run makes of it', async (by, code) => {
    const controller = new AbortController()
    library.sync.mockImplementation(async (_options, { signal }) => {
      controller.abort(new Stopped(by))
      throw signal.reason
    })
    const { err, ...rest } = await pgsyncer(dsns, { signal: controller.signal })
    expect(rest).toEqual({ code, out: '' })
    expect(err).toBe('pgsyncer: stopped\n')
    library.sync.mockResolvedValue(synced)
    expect(await pgsyncer(dsns, { signal: controller.signal })).toMatchObject({ code })
  })
})

describe('--clean-extra', () => {
  const argv = [...dsns, '--clean-extra=rows']

  test('refuses without a terminal and without --yes, naming where and how', async () => {
    const { code, err } = await pgsyncer(argv)
    expect(code).toBe(4)
    expect(err).toBe(
      'pgsyncer: --clean-extra removes rows that main does not have from db2:5433/shop, and there is no terminal to ask at\n' +
        '  Add --yes if that is meant.\n'
    )
    expect(library.sync).not.toHaveBeenCalled()
  })

  test.each([
    ['y\n', 0],
    ['YES\n', 0],
    ['n\n', 4],
    ['\n', 4],
    ['', 4]
  ])('asks at a terminal; %j: %i', async (input, code) => {
    const answer = await pgsyncer(argv, { terminal: 80, input })
    expect(answer.code).toBe(code)
    expect(answer.err).toContain('from db2:5433/shop.\nGo on? [y/N] ')
    expect(library.sync).toHaveBeenCalledTimes(code === 0 ? 1 : 0)
  })

  test('--yes answers, and what only reads never asks', async () => {
    expect((await pgsyncer([...argv, '--yes'])).code).toBe(0)
    expect((await pgsyncer([...argv, '--dry-run'])).code).toBe(0)
    expect((await pgsyncer(['diff', ...argv])).code).toBe(0)
  })
})

describe('--allow', () => {
  const argv = [...dsns, '--allow', 'loses-grants,deletes-data']

  test('of what deletes data is agreed to as --clean-extra is', async () => {
    const { code, err } = await pgsyncer(argv)
    expect(code).toBe(4)
    expect(err).toBe(
      'pgsyncer: --allow deletes-data lets changes of structure delete data from db2:5433/shop, and there is no terminal to ask at\n' +
        '  Add --yes if that is meant.\n'
    )
    expect(library.sync).not.toHaveBeenCalled()
    const asked = await pgsyncer([...dsns, '--allow=all', '--clean-extra'], { terminal: 80, input: 'y\n' })
    expect(asked.code).toBe(0)
    expect(asked.err).toContain(
      '--clean-extra removes rows and objects that main does not have and --allow all lets changes of structure delete data from db2:5433/shop.\nGo on? [y/N] '
    )
  })

  test.each([
    ['--yes answers', [...argv, '--yes']],
    ['what only reads never asks', ['diff', ...argv]],
    ['other hazards delete nothing', [...dsns, '--allow', 'loses-grants']],
    ['without structure there is nothing to allow', [...argv, '--sync-schema=false']]
  ])('%s', async (_name, words) => {
    expect((await pgsyncer(words)).code).toBe(0)
  })

  test('what is refused is listed, a line each, with the flags that would allow it', async () => {
    const lines = Array.from({ length: 120 }, (_, n) => `alter TABLE public.t${n}: deletes-data (column a)`)
    const error = new GuardError(['nothing was changed:', ...lines].join('\n'), { hint: 'Look with diff.' })
    library.sync.mockRejectedValue(error)
    const { code, err } = await pgsyncer(dsns)
    expect(code).toBe(4)
    const shown = err.split('\n')
    expect(shown.slice(0, 2)).toEqual([
      'pgsyncer: nothing was changed:',
      '  alter TABLE public.t0: deletes-data (column a)'
    ])
    expect(shown.slice(-4)).toEqual([
      '  alter TABLE public.t49: deletes-data (column a)',
      '  … and 70 more (--verbose names them all)',
      '  Look with diff.',
      ''
    ])
    expect((await pgsyncer([...dsns, '--verbose'])).err).toContain(
      '\n  alter TABLE public.t119: deletes-data'
    )
  })
})

describe('the result', () => {
  test('--format json is the document, and only that', async () => {
    library.diff.mockResolvedValue(full)
    const { out } = await pgsyncer(['diff', ...dsns, '--format', 'json', '--samples', '1'])
    const document = JSON.parse(out) as Report
    expect(document.tables.map(table => table.samples.length)).toEqual([0, 1, 0, 0])
    expect({ ...document, tables: [] }).toEqual({ ...full, tables: [] })
  })

  test('reasons and notes are redacted, names and values are data', async () => {
    addSecret('orders')
    const table = tableReport({ status: 'failed', reason: 'FATAL for orders', samples: orders.samples })
    library.diff.mockResolvedValue(report([table], { notes: ['orders is the password'] }))
    const { out } = await pgsyncer(['diff', ...dsns, '--format', 'json'])
    expect(JSON.parse(out)).toMatchObject({
      tables: [{ table: 'orders', reason: 'FATAL for ***' }],
      notes: ['*** is the password']
    })
  })

  test('--quiet says nothing where all is well', async () => {
    expect(await pgsyncer([...dsns, '--quiet'])).toEqual({ code: 0, out: '', err: '' })
    library.diff.mockResolvedValue(differs)
    expect((await pgsyncer(['diff', ...dsns, '--quiet'])).out).toContain('The standby differs')
  })

  test('--report: each file in its form; .sql gets more rows than the others show', async () => {
    const samples = Array.from({ length: 30 }, (_, n) => ({
      key: { id: String(n) },
      kind: 'insert' as const,
      columns: { id: { main: String(n) } }
    }))
    library.diff.mockResolvedValue(report([tableReport({ status: 'differs', insert: 30, samples })]))
    const files = ['r.json', 'r.txt', 'r.sql', 'r.html'].flatMap(name => ['--report', name])
    const { code, out } = await pgsyncer(['diff', ...dsns, ...files, '--sql-rows=20', '--samples=5'])
    expect(code).toBe(3)
    expect(library.diff.mock.calls[0]![0]).toMatchObject({ samples: 20 })
    const read = (name: string) => readFileSync(join(folder, name), 'utf8')
    expect((JSON.parse(read('r.json')) as Report).tables[0]!.samples).toHaveLength(5)
    expect(read('r.txt')).toBe(out)
    expect(read('r.html')).toMatch(/^<!doctype html>[^]*5 rows of 30 that differ[^]*<\/html>\s*$/)
    expect(read('r.sql').match(/^INSERT INTO/gm)).toHaveLength(20)
  })

  test('a report that could not be written is refused before the run', async () => {
    const { code, err } = await pgsyncer(['diff', ...dsns, '--report', 'no/such/r.json'])
    expect(code).toBe(2)
    expect(err).toContain('--report no/such/r.json: it cannot be written')
    expect(library.diff).not.toHaveBeenCalled()
  })

  test('check', async () => {
    const findings = [
      { level: 'ok', check: 'main', message: 'db1:5432/shop, PostgreSQL 15.20' },
      { level: 'error', check: 'pg_dump', message: 'there is no pg_dump', hint: 'Install it.' }
    ]
    library.check.mockResolvedValue({ version: 1, command: 'check', ok: false, findings })
    const { code, out } = await pgsyncer(['check', ...dsns])
    expect(code).toBe(1)
    expect(out).toBe(
      'ok       main: db1:5432/shop, PostgreSQL 15.20\nerror    pg_dump: there is no pg_dump\n         Install it.\n\nNot ready: 1 error.\n'
    )
  })
})

describe('help and version', () => {
  test('--version', async () => {
    const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string }
    expect(await pgsyncer(['--version'])).toEqual({ code: 0, out: `${version}\n`, err: '' })
  })

  test.each([[['--help']], [['-h']], [['diff', '--help']]])('%j', async argv => {
    const { code, out } = await pgsyncer(argv)
    expect(code).toBe(0)
    expect(out).toContain('\n  -t, --table PATTERN ')
    expect(out).toMatch(/ --workers N [^-]*\[default: 4\]\n/)
    expect(out).toContain('Examples:')
    expect(out).not.toContain('--keep')
  })
})

describe('progress', () => {
  const busy: Call = async (_options, { emit }) => {
    emit({ type: 'phase', phase: 'compare' })
    emit({ type: 'retry', what: 'public.a', attempt: 1, delay: 200, reason: 'deadlock' })
    emit({ type: 'note', message: 'password=hunter2 is odd' })
    return same
  }
  beforeEach(() => void library.diff.mockImplementation(busy))

  test.each([
    [[], 'comparing rows\n'],
    [['--no-progress'], ''],
    [['--quiet'], ''],
    [
      ['--verbose'],
      'comparing rows\npublic.a: try 1 failed, again in 200 ms: deadlock\npassword=*** is odd\n'
    ],
    [
      ['--verbose', '--no-progress'],
      'public.a: try 1 failed, again in 200 ms: deadlock\npassword=*** is odd\n'
    ]
  ])('without a terminal %j', async (flags, expected) => {
    expect((await pgsyncer(['diff', ...dsns, ...flags])).err).toBe(expected)
  })

  test('--log-format json', async () => {
    const { err } = await pgsyncer(['diff', ...dsns, '--log-format=json'])
    const lines = err
      .trim()
      .split('\n')
      .map(line => JSON.parse(line) as object)
    expect(lines).toMatchObject([
      { level: 30, phase: 'compare', msg: 'comparing rows' },
      { level: 40, event: 'retry', what: 'public.a', attempt: 1 },
      { level: 40, event: 'note', message: 'password=*** is odd' }
    ])
  })

  test('on a terminal the bars are gone before the result', async () => {
    const { out, err } = await pgsyncer(['diff', ...dsns], { terminal: 80 })
    expect(err).toContain('comparing rows')
    // To the beginning of the line, and all from there cleared.
    expect(err.endsWith('\r\u001b[J')).toBe(true)
    expect(out).toContain('The databases are identical')
  })
})
