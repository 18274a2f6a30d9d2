/** Deferrable unique and exclusion constraints, whose own checks are triggers that do not fire for the tool. */
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { applyPlan, diff, sync } from '../../src/index.js'
import { withPair } from '../faults/pairs.js'
import { databaseDigest } from '../support/digest.js'
import { failures } from './reports.js'

const clean = { cleanExtra: { rows: true, objects: false }, maxDelete: { percent: 100 } }
const broken = [
  expect.stringMatching(
    /^t: constraint .+ would be broken: .* meets another row \| A row that main does not have/
  )
]

/** What both have, what main and the standby make of it. */
const cases = [
  {
    name: 'an exclusion constraint of a table without a key',
    ddl: 'CREATE TABLE t (v int, r int4range, EXCLUDE USING gist (r WITH &&) DEFERRABLE INITIALLY DEFERRED)',
    main: `INSERT INTO t VALUES (0, '[3,6)'), (1, '[0,3)')`,
    standby: `INSERT INTO t VALUES (0, '[0,3)'), (1, '[3,6)')`
  },
  {
    name: 'a unique constraint beside the key',
    ddl: 'CREATE TABLE t (id int PRIMARY KEY, "U u" int UNIQUE DEFERRABLE)',
    main: 'INSERT INTO t VALUES (1, 1), (2, NULL), (3, NULL)',
    standby: 'INSERT INTO t VALUES (1, 5), (99, 1)'
  },
  {
    name: 'a constraint of two columns with a condition and an expression',
    ddl: `CREATE TABLE t (id int PRIMARY KEY, a text, b int, gone bool,
      EXCLUDE USING btree (lower(a) WITH =, b WITH =) WHERE (NOT gone) DEFERRABLE)`,
    main: `INSERT INTO t VALUES (1, 'X', 1, false), (2, 'x', 1, true), (3, 'x', 2, false)`,
    standby: `INSERT INTO t VALUES (9, 'x', 1, false)`
  }
]

test.each(cases)('$name', async ({ ddl, main, standby }) => {
  await withPair({ ddl, main, standby }, async (pair, config) => {
    const digest = () => databaseDigest(pair.standby.url, ['public'])
    const before = await digest()
    expect(failures(await sync(config))).toEqual(broken)
    expect(await digest()).toEqual(before)
    const plan = join(tmpdir(), `${pair.standby.name}.json`)
    await diff({ ...config, plan })
    await expect(applyPlan({ standby: config.standby, env: config.env ?? {}, plan })).rejects.toThrow(
      'would be broken'
    )
    await rm(plan)
    expect(await digest()).toEqual(before)
    expect(failures(await sync({ ...config, ...clean }))).toEqual([])
    expect(await digest()).toEqual(await databaseDigest(pair.main.url, ['public']))
  })
})

test('unique values that go round among rows of many chunks', async () => {
  const ddl =
    'CREATE TABLE t (id int PRIMARY KEY, u int UNIQUE DEFERRABLE INITIALLY DEFERRED); INSERT INTO t SELECT n, n FROM generate_series(0, 99) n'
  const main = 'UPDATE t SET u = (u + 7) % 100'
  await withPair({ ddl, main }, async (pair, config) => {
    expect(failures(await sync({ ...config, chunkSize: 10 }))).toEqual([])
    expect(await databaseDigest(pair.standby.url, ['public'])).toEqual(
      await databaseDigest(pair.main.url, ['public'])
    )
  })
})

test('a constraint that only the standby has, when its table is filled', async () => {
  const main = 'CREATE TABLE t (id int PRIMARY KEY, u int); INSERT INTO t VALUES (1, 1), (2, 1)'
  const standby = 'CREATE TABLE t (id int PRIMARY KEY, u int UNIQUE DEFERRABLE)'
  await withPair({ ddl: '', main, standby }, async (pair, config) => {
    expect(failures(await sync({ ...config, syncSchema: false }))).toEqual([
      expect.stringMatching(/^t: constraint t_u_key would be broken/)
    ])
    expect(await pair.standby.query('SELECT id FROM t')).toEqual([])
  })
})
