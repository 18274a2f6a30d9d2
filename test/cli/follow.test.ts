/** The command line of what follows changes: settings, words, and what is wrong with them. */
import { describe, expect, test } from 'vitest'
import { readSettings, type Flags } from '../../src/cli/config.js'
import { run } from '../../src/cli/run.js'
import { completeFollow, followDefaults } from '../../src/follow/config.js'
import { fakeIo } from './console.js'

const given = { maindsn: 'postgres://a/x', to: 'clickhouse://b/x', source: 'poll', table: ['t'] }
const read = (flags: Flags = {}) =>
  readSettings('follow', { ...given, ...flags }, { env: {}, cwd: '/nonexistent' }).follow

describe('settings', () => {
  test('what is left out is the default of the library', () => {
    const expected = { ...followDefaults, main: given.maindsn, to: given.to, source: 'poll', tables: ['t'] }
    // ClickHouse wants larger batches.
    expect(completeFollow(read())).toEqual({ ...expected, batchSize: 10_000 })
    const to = 'postgres://b/x'
    expect(completeFollow(read({ to }))).toEqual({ ...expected, to })
  })

  test('flags that other commands have too', () => {
    const flags = {
      'batch-size': '50',
      'id-column': 'n',
      schema: ['a', 'b'],
      'clean-extra': 'true',
      interval: '1.5s'
    }
    expect(completeFollow(read(flags))).toMatchObject({
      batchSize: 50,
      idColumn: 'n',
      schemas: ['a', 'b'],
      cleanExtra: true,
      interval: 1500
    })
  })

  test('a state file is for ClickHouse alone', () => {
    expect(read({ 'state-file': '/tmp/x' }).stateFile).toBe('/tmp/x')
    expect(() => read({ 'state-file': '/tmp/x', to: 'postgres://b/x' })).toThrow(
      /--state-file is for ClickHouse/
    )
  })

  test.each([
    [{ name: 'Big Name' }, /--name must be lower-case letters/],
    [{ 'batch-size': '0' }, /--batch-size must be a whole number from 1/],
    [{ source: 'pol' }, /--source must be poll, notify, outbox or wal/],
    [{ snapshot: 'maybe' }, /--snapshot must be/],
    [{ workers: '3' }, /--workers is a flag of sync, diff, check, not of follow/]
  ])('%j is refused', (flags, message) => {
    expect(() => read(flags)).toThrow(message)
  })
})

const said = async (...argv: string[]) => {
  const io = fakeIo()
  return { code: await run(argv, io), err: io.err(), out: io.out() }
}

describe('words', () => {
  test('every missing setting is told at once', async () => {
    const { code, err } = await said('follow')
    expect(code).toBe(2)
    for (const text of ['--maindsn', '--to must be given', '--source must be given', '--table must name'])
      expect(err).toContain(text)
  })

  test('capture needs a word, and knows a misspelt one', async () => {
    const dsn = ['--maindsn', 'postgres://a/x', '--source', 'wal', '-t', 't']
    expect((await said('capture', ...dsn)).err).toContain('install, remove, status')
    const wrong = await said('capture', 'instal', ...dsn)
    expect(wrong.err).toContain('install')
    expect(wrong.code).toBe(2)
    expect((await said('capture', 'install', 'now', ...dsn)).err).toContain('unknown argument "now"')
  })

  test('help names the words of capture', async () => {
    const { out, code } = await said('capture', '--help')
    expect(code).toBe(0)
    for (const word of ['capture install', 'capture remove', 'capture status', '--dry-run'])
      expect(out).toContain(word)
  })

  test('capture of poll says that nothing is needed', async () => {
    const { err, code } = await said(
      'capture',
      'status',
      '--maindsn',
      'postgres://nobody@127.0.0.1:1/x',
      '--source',
      'poll'
    )
    expect(code).toBe(2)
    expect(err).toContain('needs nothing on main')
  })

  test('an address that --http cannot listen at', async () => {
    const { code, err } = await said(
      'follow',
      '--maindsn',
      'postgres://a@127.0.0.1:1/x',
      '--to',
      'postgres://a@127.0.0.1:1/y',
      '--source',
      'poll',
      '-t',
      't',
      '--http',
      'nonsense:99999999'
    )
    expect(code).toBe(2)
    expect(err).toContain('99999999')
  })
})

describe('clickhouse-ddl', () => {
  const args = ['clickhouse-ddl', '--maindsn', 'postgres://a/x', '-t', 't']

  test.each([
    [['--via', 'amqp://mq'], '--via must be kafka://'],
    [['--via', 'kafka://k', '--payload', 'key'], '--payload must be row: ClickHouse cannot fetch'],
    [['--via', 'kafka://k', '--to', 'postgres://b/x'], '--to must be clickhouse://'],
    [[], '--via must be given']
  ])('%j is refused', async (more, message) => {
    const { code, err } = await said(...args, ...more)
    expect([code, err]).toEqual([2, expect.stringContaining(message)])
  })
})
