import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { readSettings, type Flags } from '../../src/cli/config.js'
import { options } from '../../src/cli/options.js'
import { completeCopy } from '../../src/copy/runconfig.js'
import { ConfigError } from '../../src/core/errors.js'
import { completeConfig, defaults } from '../../src/sync/config.js'

let cwd: string
beforeEach(() => void (cwd = mkdtempSync(join(tmpdir(), 'pgsyncer-config-'))))
afterEach(() => rmSync(cwd, { recursive: true }))

const dsns = { maindsn: 'postgres://a/x', standindsn: 'postgres://b/x' }
const read = (flags: Flags, env: Record<string, string> = {}) =>
  readSettings('sync', { ...dsns, ...flags }, { env, cwd })
const file = (name: string, text: string) => writeFileSync(join(cwd, name), text)

function faults(
  flags: Flags,
  env: Record<string, string> = {},
  command: 'sync' | 'check' = 'sync'
): string[] {
  try {
    readSettings(command, flags, { env, cwd })
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError)
    return (error as ConfigError).message.split('\n')
  }
  return []
}

describe('precedence', () => {
  test('flag over environment over .env over config file over default', () => {
    file('c.json', JSON.stringify({ workers: 1, 'chunk-size': 1, samples: 1, retries: 1 }))
    file('.env', 'PGSYNCER_WORKERS=2\nPGSYNCER_CHUNK_SIZE=2\nPGSYNCER_SAMPLES=2\n')
    const env = { PGSYNCER_WORKERS: '3', PGSYNCER_CHUNK_SIZE: '3', PGSYNCER_CONFIG: 'c.json' }
    const config = completeConfig(read({ workers: '4' }, env).sync)
    expect(config).toMatchObject({ workers: 4, chunkSize: 3, samples: 2, retries: 1, statementTimeout: 0 })
  })

  test('what is left out is the default of the library', () => {
    const expected = { ...defaults, main: dsns.maindsn, standby: dsns.standindsn }
    expect(completeConfig(read({}).sync)).toEqual(expected)
  })

  test('the DSNs under their own names, and under PGSYNCER_ too', () => {
    const env = { MAIN_DSN: 'm', PGSYNCER_STANDINDSN: 's' }
    expect(readSettings('diff', {}, { env, cwd }).sync).toMatchObject({ main: 'm', standby: 's' })
  })

  test('an empty variable is not set', () => {
    expect(read({}, { PGSYNCER_WORKERS: '' }).sync.workers).toBeUndefined()
  })

  test('.env gives libpq its variables, changes none of the process, and yields to them', () => {
    file('.env', 'PGUSER=dot\nPGPORT=1\nPATH=/evil\nNODE_OPTIONS=x\nPGSYNCER_WORKERS=2\n')
    const { env } = read({}, { PGPORT: '2', PATH: '/bin' }).sync
    expect(env).toMatchObject({ PGUSER: 'dot', PGPORT: '2', PATH: '/bin' })
    expect(env).not.toHaveProperty('NODE_OPTIONS')
    expect(process.env.PGSYNCER_WORKERS).toBeUndefined()
  })

  test('the last of a flag that takes one value counts', () => {
    expect(read({ workers: ['2', '6'] }).sync.workers).toBe(6)
  })
})

describe('faults', () => {
  test('all of them at once, from every source, in the words of the command line', () => {
    file('c.json', JSON.stringify({ wrokers: 3, samples: 'many' }))
    file('.env', 'PGSYNCER_RETRYS=1')
    const found = faults(
      {
        maindsn: 'a',
        workers: '0',
        'chunk-size': 'abc',
        slient: 'true',
        config: 'c.json',
        'last-sync-time': 'monday'
      },
      { PGSYNCER_FORMAT: 'xml' }
    )
    expect(found.toSorted()).toEqual(
      [
        'unknown flag --slient; did you mean --quiet?',
        'unknown variable PGSYNCER_RETRYS in .env; did you mean PGSYNCER_RETRIES?',
        'unknown key "wrokers" in c.json; did you mean "workers"?',
        '--chunk-size must be a whole number, not "abc"',
        'PGSYNCER_FORMAT must be text or json, not "xml"',
        '"samples" in c.json must be a whole number, not "many"',
        'no DSN for standby was given: use --standindsn or STANDIN_DSN',
        '--workers must be a whole number from 1 to 64, not 0',
        '--last-sync-time must be written YYYY-MM-DD HH:MM:SS, not "monday"',
        '--last-sync-time has a meaning only with --use-updated-at'
      ].toSorted()
    )
  })

  test.each([
    ['talbe', '--talbe; did you mean --table?'],
    ['tabel', '--tabel; did you mean --table?'],
    ['yse', '--yse; did you mean --yes?'],
    ['Chunk_Size', '--Chunk_Size; did you mean --chunk-size?'],
    ['standby', '--standby; did you mean --standindsn?'],
    ['main', '--main; did you mean --maindsn?'],
    ['dry', '--dry; did you mean --dry-run?'],
    ['no-dry-rn', '--no-dry-rn; did you mean --no-dry-run?'],
    ['dsn', '--dsn; did you mean --maindsn or --standindsn?'],
    ['ver', '--ver; did you mean --verify, --verbose or --version?'],
    ['sync', '--sync; did you mean --sync-schema or --sync-data?'],
    ['zzz', '--zzz'],
    ['Q', '-Q; did you mean -q?'],
    ['H', '-H; did you mean -h?'],
    ['y', '-y; did you mean --yes?'],
    ['n', '-n'],
    ['out', '--out'],
    ['timeout', '--timeout; did you mean --lock-timeout or --statement-timeout?'],
    ['x', '-x']
  ])('a flag that there is not: %s', (name, said) => {
    expect(faults({ ...dsns, [name]: 'true' })).toEqual([`unknown flag ${said}`])
  })

  test.each([
    ['format', 'jsn', '; did you mean json?'],
    ['format', 'JSON', '; did you mean json?'],
    ['format', 'xml', ''],
    ['schema-method', 'pg_dump', '; did you mean pgdump?'],
    ['clean-extra', 'row', '; did you mean rows?']
  ])('a choice that there is not: --%s %s', (name, value, near) => {
    const fault = faults({ ...dsns, [name]: value })[0]!
    expect(fault.slice(fault.indexOf(', not '))).toBe(`, not "${value}"${near}`)
  })

  test('a choice of a variable and of a file', () => {
    file('c.json', JSON.stringify({ 'log-format': 'jsno' }))
    expect(faults({ ...dsns, config: 'c.json' }, { PGSYNCER_FORMAT: 'txt' })).toEqual([
      'PGSYNCER_FORMAT must be text or json, not "txt"; did you mean text?',
      '"log-format" in c.json must be text or json, not "jsno"; did you mean json?'
    ])
  })

  test('a variable and a key that there are not', () => {
    file('c.json', JSON.stringify({ chunk_size: 3, standby: 'x' }))
    expect(
      faults({ ...dsns, config: 'c.json' }, { PGSYNCER_MAIN_DSN: 'x', PGSYNCER_CHUNKSIZE: '3' })
    ).toEqual([
      'unknown variable PGSYNCER_MAIN_DSN; did you mean PGSYNCER_MAINDSN?',
      'unknown variable PGSYNCER_CHUNKSIZE; did you mean PGSYNCER_CHUNK_SIZE?',
      'unknown key "chunk_size" in c.json; did you mean "chunk-size"?',
      'unknown key "standby" in c.json; did you mean "standindsn"?'
    ])
  })

  test('a secret is never shown, not even by a parser of JSON', () => {
    file('c.json', '{"maindsn": hunter2}')
    file('d.json', '{"maindsn": ["postgres://u:hunter2@h/d"]}')
    for (const config of ['c.json', 'd.json']) {
      const found = faults({ standindsn: 'b', config })
      expect(found.join()).not.toContain('hunter2')
      expect(found[0]).toContain(config)
    }
  })

  test('a flag without its value', () => {
    expect(faults({ ...dsns, workers: true })).toEqual(['--workers needs a value: --workers N'])
  })

  test('an empty DSN is told once', () => {
    expect(faults({ ...dsns, maindsn: '' })).toEqual(['--maindsn must not be empty'])
  })

  test('a flag of another command', () => {
    expect(faults({ ...dsns, report: 'x.json' }, {}, 'check')).toEqual([
      '--report is a flag of sync, diff, not of check'
    ])
  })

  test('a variable of another command is none', () => {
    expect(faults(dsns, { PGSYNCER_REPORT: 'x.json' }, 'check')).toEqual([])
  })

  test.each([
    [
      'missing.json',
      undefined,
      'the config file missing.json cannot be read: ENOENT: no such file or directory'
    ],
    ['list.json', '[]', 'the config file list.json must hold one JSON object']
  ])('config file %s', (name, text, fault) => {
    if (text !== undefined) file(name, text)
    expect(faults({ ...dsns, config: name })).toEqual([fault])
  })
})

describe('values', () => {
  test.each([
    ['0', 0],
    ['500ms', 500],
    ['5s', 5000],
    ['2m', 120_000],
    ['2min', 120_000],
    ['1.5 h', 5_400_000],
    ['1m30s', 90_000]
  ])('duration %s', (text, milliseconds) => {
    expect(read({ 'lock-timeout': text }).sync.lockTimeout).toBe(milliseconds)
  })

  test.each(['5', '5000', 's', '-5s', '5x', '', '5s!'])('no duration: %j', text => {
    expect(faults({ ...dsns, 'lock-timeout': text })[0]).toMatch(
      /^--lock-timeout must be a duration such as 500ms/
    )
  })

  test.each([
    ['0', 0],
    ['500kB', 512_000],
    ['20MB', 20_971_520],
    ['20m', 20_971_520],
    ['1.5 GB', 1_610_612_736]
  ])('rate %s', (text, bytes) => {
    expect(read({ 'max-rate': text }).sync.maxRate).toBe(bytes)
  })

  test.each(['20', '20000000', 'MB', '-1MB', '1TB', '1MB/h'])('no rate: %j', text => {
    expect(faults({ ...dsns, 'max-rate': text })[0]).toMatch(
      /^--max-rate must be bytes a second such as 500kB/
    )
  })

  test.each([
    ['true', { rows: true, objects: true }],
    ['rows', { rows: true, objects: false }],
    ['objects', { rows: false, objects: true }],
    ['false', { rows: false, objects: false }]
  ])('clean-extra %s', (text, expected) => {
    expect(read({ 'clean-extra': text }).sync.cleanExtra).toEqual(expected)
  })

  test.each([
    ['deletes-data', ['deletes-data']],
    ['deletes-data, loses-grants', ['deletes-data', 'loses-grants']],
    [
      ['deletes-data', 'rewrites-table,blocks-reads'],
      ['deletes-data', 'rewrites-table', 'blocks-reads']
    ],
    ['all', ['all']]
  ])('allow %j', (allow, expected) => {
    expect(read({ allow }).sync.allow).toEqual(expected)
  })

  test('allow from a variable, on lines or with commas, and from a file', () => {
    const allow = ['deletes-data', 'loses-grants']
    expect(read({}, { PGSYNCER_ALLOW: 'deletes-data\nloses-grants' }).sync.allow).toEqual(allow)
    expect(read({}, { PGSYNCER_ALLOW: 'deletes-data,loses-grants' }).sync.allow).toEqual(allow)
    for (const written of [allow, allow.join(',')]) {
      file('c.json', JSON.stringify({ allow: written }))
      expect(read({ config: 'c.json' }).sync.allow).toEqual(allow)
    }
  })

  test.each([
    ['delets-data', '--allow knows no hazard "delets-data"; did you mean deletes-data?'],
    ['deletes-data,grants', '--allow knows no hazard "grants"; did you mean loses-grants?'],
    [
      'zzzzzzzzzzzzzzzzzzzzzzzzzzzzzz',
      '--allow knows no hazard "zzzzzzzzzzzzzzzzzzzzzzzzzzzzzz": it takes deletes-data, rewrites-table, blocks-writes, ' +
        'blocks-reads, index-rebuild, recreates-dependents, loses-grants, not-transactional, authorization or all'
    ],
    ['', '--allow must be names of hazards, of deletes-data,'],
    [true, '--allow needs a value: --allow NAME,…|all']
  ])('no hazard: %j', (allow, fault) => {
    expect(faults({ ...dsns, allow })).toEqual([expect.stringContaining(fault)])
  })

  test.each([7, [], [1], { 'deletes-data': true }])('no hazard in a file: %j', allow => {
    file('c.json', JSON.stringify({ allow }))
    expect(faults({ ...dsns, config: 'c.json' })[0]).toMatch(
      /^"allow" in c.json must be names of hazards, of /
    )
  })

  test('how the structure is synced', () => {
    const on = ['all-schemas', 'with-owner', 'with-privileges', 'concurrent-indexes']
    const flags = Object.fromEntries(on.map(name => [name, 'true']))
    const expected = { allSchemas: true, withOwner: true, withPrivileges: true, concurrentIndexes: true }
    expect(read({ ...flags, 'schema-method': 'catalog' }).sync).toMatchObject({
      ...expected,
      schemaMethod: 'catalog'
    })
    expect(faults({ ...dsns, 'schema-method': 'pg_dump' })).toEqual([
      '--schema-method must be auto, pgdump or catalog, not "pg_dump"; did you mean pgdump?'
    ])
  })

  test('a schema beside all schemas is a fault that names both', () => {
    expect(faults({ ...dsns, 'all-schemas': 'true', schema: 'a' })).toEqual([
      '--all-schemas is every schema: --schema cannot be given with it'
    ])
    file('c.json', JSON.stringify({ 'all-schemas': true }))
    expect(faults({ ...dsns, config: 'c.json' }, { PGSYNCER_SCHEMA: 'a' })).toEqual([
      '"all-schemas" in c.json is every schema: PGSYNCER_SCHEMA cannot be given with it'
    ])
    expect(faults({ ...dsns, 'all-schemas': 'false', schema: 'a' })).toEqual([])
  })

  test('a copy waits for locks without a limit, unless one is given', () => {
    const lockTimeout = (flags: Flags) =>
      completeCopy(readSettings('copy', { ...dsns, table: 't', ...flags }, { env: {}, cwd }).copy).lockTimeout
    expect(lockTimeout({})).toBe(0)
    expect(lockTimeout({ 'lock-timeout': '1s' })).toBe(1000)
    expect(completeConfig(read({}).sync).lockTimeout).toBe(5000)
    expect(options.find(option => option.name === 'lock-timeout')?.default).toBe('5s')
  })

  test.each([
    ['100', { rows: 100 }],
    ['20%', { percent: 20 }],
    ['0.5%', { percent: 0.5 }]
  ])('max-delete %s', (text, expected) => {
    expect(read({ 'max-delete': text }).sync.maxDelete).toEqual(expected)
  })

  test.each(['maybe', '', '2'])('a flag must be true or false: %j', text => {
    expect(faults({ ...dsns, verify: text })[0]).toMatch(/^--verify must be true or false/)
  })

  test('where and exclude-column from flags, and as objects from a file', () => {
    const where = ["orders: created_at > '2024-01-01 10:00'::timestamp", '"a:b"."C": x']
    const columns = ['t: A, "B,""c"', 't: d']
    const expected = {
      where: { orders: "created_at > '2024-01-01 10:00'::timestamp", '"a:b"."C"': 'x' },
      excludeColumns: { t: ['a', 'B,"c', 'd'] }
    }
    expect(read({ where, 'exclude-column': columns }).sync).toMatchObject(expected)
    file('c.json', JSON.stringify({ where: expected.where, 'exclude-column': { t: ['a', '"B,""c"', 'd'] } }))
    expect(read({ config: 'c.json' }).sync).toMatchObject(expected)
  })

  test.each([
    [{ where: 'orders' }, "--where must be written 'table: condition', each table once"],
    [{ where: ['a: b', 'a: c'] }, "--where must be written 'table: condition', each table once"],
    [{ where: 'a::int > 1' }, "--where must be written 'table: condition', each table once"],
    [{ 'exclude-column': 't: a,,b' }, "--exclude-column must be written 'table: column, column'"]
  ])('%j', (flags, fault) => {
    expect(faults({ ...dsns, ...flags })[0]).toContain(fault)
  })

  test('a table of any name keeps its filter', () => {
    expect(read({ where: ['__proto__: a', 'constructor: b'] }).sync.where).toEqual(
      Object.fromEntries([['__proto__', 'a'], ['constructor', 'b']]) // prettier-ignore
    )
  })

  test('several values in one variable stand on lines, and a comma splits nothing', () => {
    expect(read({}, { PGSYNCER_SCHEMA: 'a,b\nc\n' }).sync.schemas).toEqual(['a,b', 'c'])
  })

  test('report endings', () => {
    expect(read({ report: ['a.json', 'b.TXT', 'c.sql', 'd.html'] }).cli.report).toEqual([
      'a.json',
      'b.TXT',
      'c.sql',
      'd.html'
    ])
    expect(faults({ ...dsns, report: 'x.xml' })).toEqual([
      '--report must end in .html, .json, .sql or .txt, not "x.xml"'
    ])
  })
})

describe('the option table', () => {
  test('has no name, alias or variable twice', () => {
    for (const names of [
      options.map(o => o.name),
      options.flatMap(o => o.alias ?? []),
      options.flatMap(o => o.env)
    ]) {
      expect(new Set(names).size).toBe(names.length)
    }
  })

  test('has a flag for every field of the config', () => {
    const fields = options.filter(option => option.part === 'sync').map(option => option.field)
    const { env: _, ...rest } = defaults
    expect(fields.toSorted()).toEqual(['main', 'standby', ...Object.keys(rest)].toSorted())
  })
})
