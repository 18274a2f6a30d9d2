/** Holds diff and sync to the oracle. Whatever is not as it must be is an error with both values. */
import { execFile } from 'node:child_process'
import { isDeepStrictEqual, promisify } from 'node:util'
import { diff, sync, type Report, type SyncOptions } from '../../../src/index.js'
import { qualified } from '../../../src/postgres/quote.js'
import type { Db, Pair } from '../../support/databases.js'
import { databaseDigest } from '../../support/digest.js'
import { failures } from '../../sync/reports.js'
import { schemas, usable, type Model } from './model.js'
import {
  brokenConstraints,
  footprint,
  outerJoin,
  snapshot,
  tablesOf,
  traces,
  type Counts,
  type Name,
  type Snapshot
} from './oracle.js'
import { expectPlan } from './plans.js'
import type { Scenario } from './scenario.js'

const run = promisify(execFile)

/** What a role that no superuser is may meet, as the documentation says: an action of a foreign key that would reach others' rows. */
const refused = /would cascade to|violates foreign key constraint|stands in a circle/
/** Without --clean-extra: a row that main does not have holds a value, or is referred to. */
const inTheWay =
  /duplicate key value|conflicting key value|would be broken|foreign key|are not what main has|stands in a circle/

function expectSame(what: string, found: unknown, expected: unknown): void {
  if (isDeepStrictEqual(found, expected)) return
  throw new Error(`${what}:\n  found    ${JSON.stringify(found)}\n  expected ${JSON.stringify(expected)}`)
}

export async function judge(pair: Pair, scenario: Scenario, config: SyncOptions): Promise<void> {
  const { main, standby } = pair
  const keepsExtra = config.cleanExtra?.rows === false
  const before = await diff(config)
  const sides = await readSides(pair, before)
  const expected = config.syncSchema ? undefined : await expectedCounts(main, scenario.model, sides, before)
  if (expected) {
    expectSame('diff failed', failures(before), [])
    expectSame('diff counted', countsOf(before), expected)
  }
  // An undo may not make orphans again, nor may a role without superuser reach into circles.
  if (expected && !keepsExtra && !scenario.plain && !scenario.orphans) await expectPlan(pair, config)
  const done = await sync(config)
  const changes = done.schema.changes.filter(change => change.status === 'failed')
  const failed = [
    ...failures(done),
    ...changes.map(change => `${change.kind} ${change.name}: ${change.reason}`)
  ]
  const known = [...(scenario.plain ? [refused] : []), ...(keepsExtra ? [inTheWay] : [])]
  if (known.length > 0 && failed.length > 0) {
    const others = failed.filter(one => !known.some(reason => reason.test(one)))
    expectSame('sync failed', others, [])
    // What the structure was to become is not compared row by row.
    return config.syncSchema ? undefined : expectUnharmed(standby, sides, keepsExtra)
  }
  expectSame('sync failed', failed, [])
  if (expected) expectSame('sync counted', countsOf(done), keepsExtra ? withoutDeletes(expected) : expected)
  if (keepsExtra) await expectKept(standby, sides)
  else {
    const [ours, theirs] = await Promise.all([main, standby].map(db => databaseDigest(db.url, schemas)))
    expectSame('psql’s digests', theirs, ours)
  }
  // Rows that may stay keep the parents that they never had.
  if (!keepsExtra || !scenario.orphans) {
    expectSame('broken constraints', await brokenConstraints(standby, schemas), [])
  }
  if (config.syncSchema) expectSame('pg_dump', await dump(standby), await dump(main))
  await expectSettled(pair, config, keepsExtra)
}

/** `schema.table` → inserts, updates, deletes, of the tables that differ. */
const countsOf = (report: Report): Record<string, Counts> =>
  Object.fromEntries(
    report.tables
      .filter(table => table.insert + table.update + table.delete > 0)
      .map(table => [`${table.schema}.${table.table}`, [table.insert, table.update, table.delete]])
  )

const withoutDeletes = (counts: Record<string, Counts>): Record<string, Counts> =>
  Object.fromEntries(
    Object.entries(counts)
      .map(([name, [insert, update]]): [string, Counts] => [name, [insert, update, 0]])
      .filter(([, [insert, update]]) => insert + update > 0)
  )

interface Sides {
  table: Name
  key: string[]
  main: Snapshot
  /** Before the sync. */
  standby: Snapshot
}

/** Rows of all tables that both sides have, by the key that the report names. */
async function readSides({ main, standby }: Pair, report: Report): Promise<Sides[]> {
  const there = new Set((await tablesOf(standby, schemas)).map(({ schema, name }) => qualified(schema, name)))
  const sides: Sides[] = []
  for (const table of await tablesOf(main, schemas)) {
    if (!there.has(qualified(table.schema, table.name))) continue
    const found = report.tables.find(one => one.schema === table.schema && one.table === table.name)
    const key = found?.key ?? []
    const [ours, theirs] = await Promise.all([
      snapshot(main, table, key),
      // Its columns may be others, where the structure differs.
      snapshot(standby, table, key).catch(() => ({ keys: [], rows: [] }))
    ])
    sides.push({ table, key, main: ours, standby: theirs })
  }
  return sides
}

async function expectedCounts(
  db: Db,
  model: Model,
  sides: readonly Sides[],
  report: Report
): Promise<Record<string, Counts>> {
  expectSame(
    'tables of the report',
    report.tables.map(table => qualified(table.schema, table.table)).sort(),
    sides.map(({ table }) => qualified(table.schema, table.name)).sort()
  )
  const expected: Record<string, Counts> = {}
  for (const { table, key, main, standby } of sides) {
    expectKey(model, qualified(table.schema, table.name), key)
    const counts = await outerJoin(db, main, standby)
    if (counts.some(n => n > 0)) expected[`${table.schema}.${table.name}`] = counts
  }
  return expected
}

/** Rows are told apart by a key of the table, or by none where no key of it says exactly which row is which. */
function expectKey(model: Model, name: string, key: readonly string[]): void {
  const table = model.tables.find(one => one.sql === name || one.leaves.includes(name))!
  const keys = table.keys.filter(usable).map(one => ({
    names: one.columns.map(column => column.name),
    exact: one.columns.every(column => column.type.exact)
  }))
  const fits =
    key.length === 0 ? !keys.some(one => one.exact) : keys.some(one => isDeepStrictEqual(one.names, key))
  if (!fits)
    throw new Error(`${name} was compared by (${key.join(', ')}); its keys are ${JSON.stringify(keys)}`)
}

const linesOf = ({ keys, rows }: Snapshot): string[] => keys.map((key, i) => `${key} ${rows[i]}`).sort()

/** Without --clean-extra: main's rows, and the standby's own where main has none of that key. */
async function expectKept(db: Db, sides: readonly Sides[]): Promise<void> {
  for (const { table, key, main, standby } of sides) {
    const wanted = new Map(standby.keys.map((id, i) => [id, standby.rows[i]!]))
    main.keys.forEach((id, i) => wanted.set(id, main.rows[i]!))
    const after = await snapshot(db, table, key)
    expectSame(
      `rows of ${table.name}`,
      linesOf(after),
      linesOf({ keys: [...wanted.keys()], rows: [...wanted.values()] })
    )
  }
}

/** Where a table failed: each row is main's or as it was, and, if none may go, none has gone. */
async function expectUnharmed(db: Db, sides: readonly Sides[], keepsExtra: boolean): Promise<void> {
  for (const { table, key, main, standby } of sides) {
    const after = await snapshot(db, table, key)
    const known = new Set([...linesOf(main), ...linesOf(standby)])
    const strange = linesOf(after).filter(row => !known.has(row))
    expectSame(`rows of ${table.name} that are neither side’s`, strange, [])
    const there = new Set(after.keys)
    const gone = keepsExtra ? standby.keys.filter(id => !there.has(id)) : []
    expectSame(`rows of ${table.name} that are gone`, gone, [])
  }
}

/** A second diff finds nothing, a second sync writes nothing, and nothing was left lying about. */
async function expectSettled(
  { main, standby }: Pair,
  config: SyncOptions,
  keepsExtra: boolean
): Promise<void> {
  const after = await diff(config)
  expectSame('a second diff failed', failures(after), [])
  expectSame('a second diff finds', keepsExtra ? withoutDeletes(countsOf(after)) : countsOf(after), {})
  if (!keepsExtra) {
    const { changes } = after.schema
    const sequences = after.sequences.filter(one => one.status !== 'identical')
    expectSame(
      'a second diff’s structure and sequences',
      { changes, sequences },
      { changes: [], sequences: [] }
    )
    expectSame('a second diff’s verdict', after.identical, true)
  }
  const names = await tablesOf(standby, schemas)
  const untouched = await footprint(standby, names)
  const again = await sync(config)
  expectSame('a second sync failed', failures(again), [])
  expectSame('a second sync counts', keepsExtra ? withoutDeletes(countsOf(again)) : countsOf(again), {})
  const written = (await footprint(standby, names)) !== untouched
  expectSame('rows were written by a second sync', written, false)
  // A case has tables with such names of its own.
  expectSame('left behind', await traces(standby), await traces(main))
}

async function dump(db: Db): Promise<string> {
  const { stdout } = await run('pg_dump', ['--schema-only', '--no-owner', '--no-privileges', db.url], {
    maxBuffer: 1 << 28
  })
  // The key of `\restrict` is another each time.
  return stdout.replace(/^\\(un)?restrict .*$/gm, '')
}
