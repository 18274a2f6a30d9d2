import { describe, expect, test } from 'vitest'
import { normaliseArgv } from '../../src/cli/argv.js'

const cases: [string, string[], string[]][] = [
  [
    "Go's dash with =",
    ['-maindsn=postgres://a', '-chunk-size=5'],
    ['--maindsn=postgres://a', '--chunk-size=5']
  ],
  ["Go's dash with a word", ['-workers', '8', 'diff'], ['--workers=8', 'diff']],
  ["Go's dash without a value", ['-clean-extra', '-dry-run'], ['--clean-extra=true', '--dry-run=true']],
  [
    'false after =',
    ['-sync-schema=false', '--sync-data=false'],
    ['--sync-schema=false', '--sync-data=false']
  ],
  ['false as a word', ['--sync-schema', 'false', 'diff'], ['--sync-schema=false', 'diff']],
  [
    'a flag swallows no command',
    ['--verbose', 'diff', '--clean-extra', 'check'],
    ['--verbose=true', 'diff', '--clean-extra=true', 'check']
  ],
  ['a kind as a word', ['--clean-extra', 'rows'], ['--clean-extra=rows']],
  [
    'short flags',
    ['-t', 'a', '-T', 'b', '-T=c', '-v'],
    ['--table=a', '--exclude-table=b', '--exclude-table=c', '--verbose=true']
  ],
  ["yargs' own stay", ['-h', '-V', '--help'], ['-h', '-V', '--help']],
  [
    'no-',
    ['--no-sync-data', '-no-verify', '--no-color'],
    ['--sync-data=false', '--verify=false', '--no-color=true']
  ],
  [
    'a value that looks like a flag',
    ['--where', '--x', '--max-delete', '-5'],
    ['--where=--x', '--max-delete=-5']
  ],
  ['a flag of ours is no value', ['--workers', '--verbose'], ['--workers', '--verbose=true']],
  ['many letters behind one dash are a name', ['-worker=8'], ['--worker=8']],
  ['an empty value', ['--where', ''], ['--where=']],
  ['line ends in a value', ['--where=a: b\nc'], ['--where=a: b\nc']],
  ['nothing after --', ['--', '-workers', '8'], ['--', '-workers', '8']]
]

describe('normaliseArgv', () => {
  test.each(cases)('%s', (_name, argv, expected) => {
    expect(normaliseArgv(argv)).toEqual(expected)
  })
})
