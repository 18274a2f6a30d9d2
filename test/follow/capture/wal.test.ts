/** What `capture` makes on main for the WAL: exactly what is needed, nothing twice, and nothing left behind. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { ConfigError, GuardError } from '../../../src/core/errors.js'
import type { Capture } from '../../../src/follow/capture/capture.js'
import { openWalCapture } from '../../../src/follow/capture/wal.js'
import type { FollowOptions } from '../../../src/follow/config.js'
import { openWal } from '../../../src/follow/sources/wal/source.js'
import { from, openBench, until, type Bench } from '../../contracts/source.js'
import { errorOf } from '../../sync/reports.js'

let bench: Bench
let name: string

beforeEach(async () => {
  bench = await openBench(
    { source: 'wal', open: openWal, capture: openWalCapture, remembers: true },
    `CREATE TABLE t (id int PRIMARY KEY); CREATE TABLE "Odd "" t" (id int PRIMARY KEY); CREATE TABLE keyless (id int);
     CREATE TABLE p (id int PRIMARY KEY) PARTITION BY LIST (id); CREATE TABLE p1 PARTITION OF p DEFAULT`
  )
  name = `pgsyncer_${bench.config().name}`
})

afterEach(async () => {
  await run(await (await capture()).remove())
  await bench.drop()
})

const capture = (options: Partial<FollowOptions> = {}): Promise<Capture> =>
  openWalCapture(bench.server, bench.config({ excludeTables: ['keyless'], ...options }))

async function run(statements: readonly string[]): Promise<void> {
  for (const statement of statements) await bench.db.exec(statement)
}

const slot = () =>
  `SET lock_timeout = 0; SELECT pg_catalog.pg_create_logical_replication_slot('${name}', 'pgoutput')`

test('everything is made, then nothing more, then all of it goes', async () => {
  const one = await capture()
  expect(await one.status()).toMatchObject({
    source: 'wal',
    name: bench.config().name,
    installed: false,
    objects: [
      { kind: 'publication', name, state: 'missing' },
      { kind: 'replication slot', name, state: 'missing' }
    ]
  })
  const statements = await one.install()
  expect(statements).toEqual([
    `CREATE PUBLICATION "${name}" FOR TABLE "public"."Odd "" t", "public"."p", "public"."t" WITH (publish = 'insert, update, delete, truncate', publish_via_partition_root = true)`,
    slot()
  ])
  await run(statements)
  expect(await one.install()).toEqual([])
  const { installed, objects, notes } = await one.status()
  expect(installed).toBe(true)
  expect(objects).toEqual([
    { kind: 'publication', name, state: 'present', detail: '3 tables' },
    {
      kind: 'replication slot',
      name,
      state: 'present',
      detail: expect.stringMatching(/^not in use, holds \d+ bytes of WAL$/)
    }
  ])
  expect(notes).toEqual([expect.stringContaining('single partition of public.p')])
  const removal = await one.remove()
  expect(removal).toEqual([
    `SELECT pg_catalog.pg_drop_replication_slot('${name}')`,
    `DROP PUBLICATION "${name}"`
  ])
  await run(removal)
  expect(await one.remove()).toEqual([])
  expect(await bench.db.query('SELECT 1 FROM pg_publication')).toEqual([])
  expect(
    await bench.db.query('SELECT 1 FROM pg_replication_slots WHERE database = current_database()')
  ).toEqual([])
})

describe('a publication that differs', () => {
  test.each([
    ['lacks a table', 'FOR TABLE t WITH (publish_via_partition_root)', ['SET TABLE'], 'it lacks public.p'],
    [
      'has one too many',
      'FOR TABLE t, p, keyless WITH (publish_via_partition_root)',
      ['SET TABLE'],
      'it has public.keyless besides'
    ],
    [
      'has not all rows',
      'FOR TABLE t WHERE (id > 5), p WITH (publish_via_partition_root)',
      ['SET TABLE'],
      'it has not all rows or columns of public.t'
    ],
    [
      'lacks an operation',
      `FOR TABLE t, p WITH (publish = 'insert, delete, truncate', publish_via_partition_root)`,
      ['SET ('],
      'it does not publish update'
    ],
    [
      'tells of partitions and lacks a table',
      'FOR TABLE p',
      ['SET (', 'SET TABLE'],
      'it publishes partitions one by one; it lacks public.p, public.t; it has public.p1 besides'
    ]
  ])('because it %s is set right', async (_, tables, changes, detail) => {
    const one = await capture({ tables: ['t', 'p'] })
    await bench.db.exec(`CREATE PUBLICATION ${name} ${tables}`)
    await bench.db.exec(slot())
    expect((await one.status()).objects[0]).toEqual({ kind: 'publication', name, state: 'differs', detail })
    const statements = await one.install()
    const begins = new RegExp(`^ALTER PUBLICATION "${name}" (SET TABLE|SET \\()`)
    expect(statements.map(text => begins.exec(text)?.[1])).toEqual(changes)
    await run(statements)
    expect(await one.install()).toEqual([])
    expect((await one.status()).installed).toBe(true)
  })

  test('because it is of all tables is not ours to change', async () => {
    await bench.db.exec(`CREATE PUBLICATION ${name} FOR ALL TABLES`)
    const error = await errorOf((await capture()).install())
    expect(error).toBeInstanceOf(ConfigError)
    expect(error.message).toContain('is one of all tables, which was not made here')
  })
})

test('a table that the WAL cannot tell of is refused, and told in the status', async () => {
  const one = await capture({ excludeTables: [] })
  const error = await errorOf(one.install())
  expect(error).toBeInstanceOf(ConfigError)
  expect(error.message).toContain('public.keyless has no primary key')
  const { installed, notes } = await one.status()
  expect(installed).toBe(false)
  expect(notes).toEqual([`${error.message}.`])
  // Also where all that can be made is there.
  await run(await (await capture()).install())
  expect((await one.status()).installed).toBe(false)
})

test('what is in use is not taken away', async () => {
  await run(await (await capture()).install())
  const source = await bench.open({ excludeTables: ['keyless'] })
  const abort = new AbortController()
  const reading = (async () => {
    for await (const batch of source.stream(from(null, false), abort.signal)) await source.ack(batch.position)
  })().catch(() => {})
  const one = await capture()
  const detail = async () => (await one.status()).objects[1]!.detail
  await until('a reader', async () => (await detail())?.startsWith('in use by the process ') === true)
  const error = await errorOf(one.remove())
  abort.abort(new Error('enough'))
  await reading
  expect(error).toBeInstanceOf(GuardError)
  expect(error.message).toContain('is in use by the process')
  await until('no reader', async () => (await detail())?.startsWith('not in use') === true)
})
