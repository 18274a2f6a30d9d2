import { describe, expect, test } from 'vitest'
import { exitCodeOfError, exitCodeOfReport, exitCodeOfSignal } from '../../src/cli/exit.js'
import {
  ConfigError,
  ConnectionError,
  DataError,
  GuardError,
  ProgramError,
  SchemaError
} from '../../src/core/errors.js'

describe('exit codes', () => {
  test.each([
    ['diff', true, true, 0],
    ['diff', false, true, 3],
    ['diff', false, false, 1],
    ['sync', true, true, 0],
    ['sync', false, true, 0],
    ['sync', false, false, 1]
  ] as const)('%s, identical %s, ok %s: %i', (command, identical, ok, code) => {
    expect(exitCodeOfReport({ command, identical, ok })).toBe(code)
  })

  test.each([
    [new ConfigError('x'), 2],
    [new GuardError('x'), 4],
    [new ConnectionError('x'), 1],
    [new ProgramError('x'), 1],
    [new SchemaError('x'), 1],
    [new DataError('x'), 1],
    [new TypeError('x'), 1],
    ['x', 1]
  ])('%s: %i', (error, code) => {
    expect(exitCodeOfError(error)).toBe(code)
  })

  test('signals', () => {
    expect([exitCodeOfSignal('SIGINT'), exitCodeOfSignal('SIGTERM')]).toEqual([130, 143])
  })
})
