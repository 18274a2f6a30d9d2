import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { Stopped } from '../../src/cli/exit.js'
import { run } from '../../src/cli/run.js'
import { CallTimeoutError } from '../../src/copy/errors.js'
import type { CopyReport } from '../../src/copy/run.js'
import type { SectionsResult } from '../../src/copy/sections/sections.js'
import { ConnectionError, DataError } from '../../src/core/errors.js'
import type { Emit } from '../../src/core/events.js'
import { addSecret } from '../../src/core/redact.js'
import { fakeIo, type Wishes } from './console.js'

type Call = (
  options: Record<string, unknown>,
  context: { signal: AbortSignal; emit: Emit }
) => Promise<unknown>
const library = vi.hoisted(() => ({ copy: vi.fn<Call>(), copySections: vi.fn<Call>() }))
vi.mock('../../src/cli/library.js', () => library)

const folder = mkdtempSync(join(tmpdir(), 'pgsyncer-copy-'))
afterAll(() => rmSync(folder, { recursive: true }))

const copied: CopyReport = {
  version: 1,
  command: 'copy',
  ok: true,
  main: { address: 'db1:5432/shop', version: '15.1' },
  standby: { address: 'db2:5432/stats', version: '17.2' },
  table: 'public.profiles',
  idColumn: 'id',
  resumedAfter: null,
  rows: 1_234_567,
  batches: 124,
  retries: 0,
  lastId: '9223372036854775807',
  durationMs: 10_000
}
const sectioned: SectionsResult = {
  mode: 'bootstrap',
  rows: 5000,
  sections: 12,
  chunks: 3,
  cursor: '5012',
  durationMs: 900,
  notes: []
}

beforeEach(() => {
  library.copy.mockReset().mockResolvedValue(copied)
  library.copySections.mockReset().mockResolvedValue(sectioned)
})

const dsns = ['--maindsn', 'm', '--standindsn', 's']

async function pgsyncer(argv: string[], wishes: Wishes = {}) {
  const io = fakeIo({ cwd: folder, ...wishes })
  const code = await run(['copy', ...argv], io)
  return { code, out: io.out(), err: io.err() }
}

describe('settings', () => {
  test('every flag', async () => {
    const flags =
      '--table shop.orders --id-column nr --batch-size 500 --max-retries 7 --retry-delay 1.5s --call-timeout 2m --full-copy-timeout 1h30m --resume --lock-timeout 500ms'
    expect(await pgsyncer([...dsns, ...flags.split(' ')])).toMatchObject({ code: 0 })
    expect(library.copy.mock.calls[0]![0]).toMatchObject({
      main: 'm',
      standby: 's',
      tables: ['shop.orders'],
      idColumn: 'nr',
      batchSize: 500,
      maxRetries: 7,
      retriesDelay: 1500,
      callTimeout: 120_000,
      fullCopyTimeout: 5_400_000,
      resume: true,
      lockTimeout: 500
    })
  })

  test('by the environment, by a file, and in Go’s spelling', async () => {
    writeFileSync(join(folder, 'copy.json'), JSON.stringify({ 'batch-size': 3, 'call-timeout': '500ms' }))
    const env = { MAIN_DSN: 'm', STANDIN_DSN: 's', PGSYNCER_BATCH_SIZE: '4', PGSYNCER_TABLE: 'orders' }
    expect(await pgsyncer(['-max-retries=0', '--config', 'copy.json'], { env })).toMatchObject({ code: 0 })
    expect(library.copy.mock.calls[0]![0]).toMatchObject({
      tables: ['orders'],
      batchSize: 4,
      maxRetries: 0,
      callTimeout: 500
    })
  })

  test('all faults at once, in the words of the command line, nothing run', async () => {
    const flags =
      '-t a -t b --id-column x.y --batch-size 0 --max-retries -1 --call-timeout 0 --full-copy-timeout 5 --report r.json'
    const { code, out, err } = await pgsyncer(flags.split(' '))
    expect([code, out]).toEqual([2, ''])
    expect(err.split('\n').toSorted()).toEqual(
      [
        '',
        '  See pgsyncer copy --help.',
        'pgsyncer: --report is a flag of sync, diff, not of copy',
        'pgsyncer: --full-copy-timeout must be a duration such as 500ms, 5s or 2m (0: none), not "5"',
        'pgsyncer: no DSN for main was given: use --maindsn or MAIN_DSN',
        'pgsyncer: no DSN for standby was given: use --standindsn or STANDIN_DSN',
        'pgsyncer: --batch-size must be a whole number of rows, 1 or more, not 0',
        'pgsyncer: --max-retries must be a whole number, 0 or more, not -1',
        'pgsyncer: --call-timeout must be a time of more than 0 ms, not 0',
        'pgsyncer: --table must be one table: each copy is of one',
        'pgsyncer: --id-column must be one column\'s name, not "x.y"'
      ].toSorted()
    )
    expect(library.copy).not.toHaveBeenCalled()
  })

  test.each([
    [['-t', 'pro*'], '--table must be one plain name, such as shop."Orders", not "pro*"'],
    [
      ['--schema', 'a', '--schema', 'b'],
      '--schema must be one schema, or the table must be written with its own'
    ],
    [['--sections', '--resume'], '--sections goes on by itself: --resume is not for it'],
    [['--sections', '--cursor', 'a.b'], '--cursor must be a column’s name'],
    [['--sections', '--chunk-size', '0'], '--chunk-size must be a whole number from 1 to 1000000, not 0'],
    [['--retry-delay', '1000'], '--retry-delay must be a duration'],
    [['--dry-run'], '--dry-run is a flag of sync, diff, apply-plan, capture, not of copy']
  ])('%j', async (flags, fault) => {
    const { code, err } = await pgsyncer([...dsns, ...flags])
    expect(code).toBe(2)
    expect(err).toContain(`pgsyncer: ${fault}`)
  })

  test('what is a copy’s is not a sync’s', async () => {
    const io = fakeIo({ cwd: folder })
    expect(await run(['sync', ...dsns, '--batch-size', '5', '--resume'], io)).toBe(2)
    expect(io.err()).toContain('--batch-size is a flag of copy, follow, publish, apply, not of sync')
    expect(io.err()).toContain('--resume is a flag of copy, not of sync')
  })

  test('help shows defaults as they are written', async () => {
    const { code, out } = await pgsyncer(['--help'])
    expect(code).toBe(0)
    for (const text of [
      '--retry-delay',
      '[default: 1s]',
      '[default: 30s]',
      '[default: 1h]',
      '[default: device.messages]'
    ])
      expect(out).toContain(text)
    expect(out).not.toContain('--workers')
  })
})

describe('the result', () => {
  test('as text', async () => {
    const { out, err } = await pgsyncer([...dsns, '--no-progress'])
    expect(out).toBe(
      `pgsyncer copy
  main    db1:5432/shop   PostgreSQL 15.1
  standby db2:5432/stats  PostgreSQL 17.2

public.profiles: 1,234,567 rows in 124 batches, up to id 9223372036854775807 (10.0 s, 123,457
rows/s)
`
    )
    expect(err).toBe('')
  })

  test.each([
    ['nothing to copy', { rows: 0, batches: 0, lastId: null }, 'public.profiles: nothing to copy (10.0 s)'],
    [
      'resumed',
      { resumedAfter: '99', rows: 1, batches: 1, retries: 1 },
      'public.profiles behind id 99: 1 row in 1 batch, up to id'
    ],
    ['resumed, nothing new', { resumedAfter: '99', rows: 0 }, 'nothing to copy behind id 99'],
    ['with retries', { retries: 2 }, ', 2 retries (']
  ] as [string, Partial<CopyReport>, string][])('%s', async (_name, change, text) => {
    library.copy.mockResolvedValue({ ...copied, ...change })
    expect((await pgsyncer(dsns)).out.replaceAll('\n', ' ')).toContain(text)
  })

  test('as JSON, quiet or not; as text, quiet means nothing', async () => {
    for (const more of [[], ['--quiet']]) {
      expect(JSON.parse((await pgsyncer([...dsns, '--format', 'json', ...more])).out)).toEqual(copied)
    }
    expect(await pgsyncer([...dsns, '--quiet'])).toEqual({ code: 0, out: '', err: '' })
  })

  test('progress: rows, rate and time left', async () => {
    library.copy.mockImplementation(async (_options, { emit }) => {
      emit({ type: 'phase', phase: 'connect' })
      emit({ type: 'phase', phase: 'copy' })
      emit({ type: 'plan', tables: 1, rows: 1000 })
      emit({ type: 'rows', table: 'public.profiles', rows: 100 })
      emit({
        type: 'retry',
        what: 'public.profiles',
        attempt: 1,
        delay: 1000,
        reason: 'a call took longer than 30000 ms'
      })
      return copied
    })
    const { err } = await pgsyncer([...dsns, '--verbose'])
    expect(err).toBe(
      'connecting\ncopying rows\npublic.profiles: try 1 failed, again in 1.0 s: a call took longer than 30000 ms\n'
    )
  })
})

describe('failures', () => {
  test('what is copied already is said, and how to go on', async () => {
    library.copy.mockImplementation(async (_options, { emit }) => {
      emit({ type: 'rows', table: 'public.profiles', rows: 20_000 })
      throw new CallTimeoutError('saveRows', 'standby', 4, { minId: 1n, maxId: 11n }, 30_000)
    })
    expect(await pgsyncer(dsns)).toEqual({
      code: 1,
      out: '',
      err: `pgsyncer: 20,000 rows are copied; --resume goes on behind them
pgsyncer: saveRows on standby for the ids from 1 to 10 took longer than 30000 ms, 4 times
  Raise --call-timeout, or lower --batch-size; a lock, a slow disk or a slow network may be the cause.
`
    })
  })

  test('several at once, without what is secret', async () => {
    addSecret('hunter2')
    const errors = [new DataError('no', { hint: 'Do.' }), new ConnectionError('lost by hunter2')]
    library.copy.mockRejectedValue(new AggregateError(errors, 'no'))
    expect(await pgsyncer(dsns)).toEqual({
      code: 1,
      out: '',
      err: 'pgsyncer: no\npgsyncer: lost by ***\n  Do.\n'
    })
  })

  test('stopped by a signal', async () => {
    const stop = new AbortController()
    library.copy.mockImplementation(async (_options, { signal, emit }) => {
      emit({ type: 'rows', table: 'public.profiles', rows: 5 })
      stop.abort(new Stopped('SIGINT'))
      throw signal.reason
    })
    const { code, err } = await pgsyncer(dsns, { signal: stop.signal })
    expect(code).toBe(130)
    expect(err).toBe('pgsyncer: 5 rows are copied; --resume goes on behind them\npgsyncer: stopped\n')
  })
})

describe('--sections', () => {
  test('its own options, by flags and by the environment', async () => {
    const env = {
      MAIN_DSN: 'm',
      STANDIN_DSN: 's',
      PGSYNCER_SECTIONS: 'true',
      PGSYNCER_SOURCE_TABLE: 'd.events',
      PGSYNCER_SECTION_KEY: 'thing',
      PGSYNCER_CURSOR: 'seq'
    }
    const flags = [
      '--procedure',
      'store',
      '--section-tables',
      'ev\\_%',
      '--chunk-size',
      '50',
      '--settle-timeout',
      '5s'
    ]
    const { code, out } = await pgsyncer(flags, { env })
    expect(code).toBe(0)
    expect(library.copy).not.toHaveBeenCalled()
    expect(library.copySections.mock.calls[0]![0]).toMatchObject({
      main: 'm',
      standby: 's',
      sourceTable: 'd.events',
      sectionKey: 'thing',
      cursor: 'seq',
      procedure: 'store',
      sectionTables: 'ev\\_%',
      chunkSize: 50,
      settleTimeout: 5000
    })
    expect(out).toBe('5,000 rows stored in 3 chunks and 12 sections made, up to 5012 (900 ms)\n')
  })

  test('an increment, and its notes', async () => {
    library.copySections.mockResolvedValue({
      ...sectioned,
      mode: 'increment',
      rows: 0,
      chunks: 0,
      cursor: null,
      notes: ['take care']
    })
    const { out } = await pgsyncer([...dsns, '--sections'])
    expect(out).toBe('Notes\n  - take care\n\n0 rows stored in 0 chunks and 12 sections there (900 ms)\n')
    const { out: json } = await pgsyncer([...dsns, '--sections', '--format', 'json'])
    expect(JSON.parse(json)).toMatchObject({
      version: 1,
      command: 'copy',
      ok: true,
      mode: 'increment',
      notes: ['take care']
    })
  })
})
