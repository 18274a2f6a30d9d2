/** Proves a case of test/schema/cases: a sync, and after it pg_dump's text, the rows, and a second run. */
import { expect } from 'vitest'
import { labelOf, type SchemaMethod } from '../../src/schema/change.js'
import type { SyncOptions } from '../../src/sync/config.js'
import { diff } from '../../src/sync/diff.js'
import type { Report } from '../../src/sync/report.js'
import { sync } from '../../src/sync/sync.js'
import type { Pair } from '../support/databases.js'
import type { Case } from './corpuscases.js'
import { unifiedDiff } from './corpusdiff.js'
import { dump, dumpBefore, restoredDump, resultOf } from './corpuspair.js'

export function corpusOptions(
  pair: Pair,
  method: SchemaMethod,
  some: Partial<SyncOptions> = {}
): SyncOptions {
  return {
    main: pair.main.url,
    standby: pair.standby.url,
    env: { PATH: process.env.PATH },
    allSchemas: true,
    withOwner: true,
    withPrivileges: true,
    schemaMethod: method,
    allow: ['all'],
    cleanExtra: { rows: false, objects: true },
    maxDelete: { percent: 100 },
    workers: 2,
    ...some
  }
}

/** The whole proof: sync, dumps, rows, again. */
export async function prove(each: Case, pair: Pair, method: SchemaMethod): Promise<void> {
  const options = corpusOptions(pair, method, { cleanExtra: { rows: each.cleanRows, objects: true } })
  const main = await dumpBefore(each, pair)
  const before = await kept(each, pair, true)
  const first = await sync(options)
  const [wanted, after] = each.unstable
    ? await Promise.all([restoredDump(pair.main), restoredDump(pair.standby)])
    : [main, await dump(pair.standby)]
  expectSame(faultsOf(first), '')
  expect(first.ok).toBe(true)
  if (after !== wanted) expect.fail(`the dumps differ (- main, + standby):\n${unifiedDiff(wanted, after)}`)
  expectSame(await kept(each, pair), before)
  // The diff below reads the same, in half of the time.
  if (process.env.CORPUS === 'all') {
    const again = await sync(options)
    expectSame(faultsOf(again), '')
    expectSame(changesOf(again), '')
  }
  const seen = await diff(options)
  expectSame(changesOf(seen), '')
  expect(seen.schema.identical).toBe(true)
  expect(seen.ok).toBe(true)
  expect(seen.tables.filter(table => table.insert + table.update > 0).map(({ table }) => table)).toEqual([])
  if (
    seen.tables.every(table => table.delete === 0) &&
    seen.sequences.every(({ status }) => status === 'identical')
  ) {
    expect(seen.identical).toBe(true)
  }
}

/** A failure shows both texts whole. */
function expectSame(actual: string, wanted: string): void {
  if (actual !== wanted) expect.fail(`expected:\n${wanted || '(nothing)'}\ngot:\n${actual || '(nothing)'}`)
}

/** Each query with its result, one a line; `wanted` where the case tells the result. */
async function kept(each: Case, pair: Pair, wanted = false): Promise<string> {
  const lines: string[] = []
  for (const keep of each.keeps) {
    lines.push(`${keep.query}: ${(wanted ? keep.gives : undefined) ?? (await resultOf(pair.standby, keep))}`)
  }
  return lines.join('\n')
}

/** Each change with its reason and its SQL. */
export function changesOf({ schema }: Report): string {
  return schema.changes.map(change => [labelOf(change), change.reason, ...change.sql].join('\n')).join('\n')
}

/** What a run says went wrong, one a line. */
export function faultsOf(report: Report): string {
  return [
    ...report.schema.changes
      .filter(change => change.status !== 'applied')
      .map(change => `${change.status} ${change.action} ${labelOf(change)}: ${change.reason}`),
    ...report.tables
      .filter(table => table.status === 'failed')
      .map(table => `${table.schema}.${table.table}: ${table.reason}`),
    ...report.failures
  ].join('\n')
}
