/** What becomes of a stream whose tables get other columns on main, from the source to the sink. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { FollowOptions, SourceKind } from '../../src/follow/config.js'
import { follow } from '../../src/follow/follow.js'
import { capture } from '../../src/follow/standing.js'
import { createPair, type Pair } from '../support/databases.js'

let pair: Pair
beforeEach(async () => {
  pair = await createPair({
    ddl: 'CREATE TABLE t (id bigserial PRIMARY KEY, a text)',
    main: `INSERT INTO t (a) VALUES ('x'), ('y')`
  })
})
afterEach(async () => {
  await pair.main.query(
    `SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE database = current_database() AND NOT active`
  )
  await pair.drop()
})

const options = (source: SourceKind): FollowOptions => ({
  main: pair.main.url,
  to: pair.standby.url,
  // Slots are named for a whole server, on which other files have the default one.
  name: 'columns',
  source,
  tables: ['t'],
  once: true
})
const begin = async (source: SourceKind) => {
  if (source !== 'poll') await capture(options(source), 'install', false)
  await follow(options(source))
}
const rows = () => pair.standby.query('SELECT * FROM t ORDER BY id')

describe.each(['poll', 'outbox', 'wal'] as const)('%s', source => {
  test('a column that was renamed is no new one: its values are not left behind', async () => {
    await begin(source)
    await pair.main.exec(`ALTER TABLE t RENAME a TO b; INSERT INTO t (b) VALUES ('z')`)
    await expect(follow(options(source))).rejects.toThrow(/column b, which may be the standby's a/)
    await pair.standby.exec('ALTER TABLE t RENAME a TO b')
    await follow(options(source))
    expect(await rows()).toEqual([
      { id: '1', b: 'x' },
      { id: '2', b: 'y' },
      { id: '3', b: 'z' }
    ])
  })
})

test('a column is added beside one that was dropped, if that has no values or is of another type', async () => {
  await begin('wal')
  await pair.main.exec(`ALTER TABLE t DROP a, ADD n int; INSERT INTO t (n) VALUES (5)`)
  await follow(options('wal'))
  await pair.standby.exec('UPDATE t SET a = NULL')
  await pair.main.exec(`ALTER TABLE t ADD b text; INSERT INTO t (b) VALUES ('z')`)
  await follow(options('wal'))
  expect((await rows()).at(-1)).toEqual({ id: '4', a: null, n: null, b: 'z' })
})

test('a column that has come and gone while nobody followed does not stop the changes behind it', async () => {
  await begin('wal')
  await pair.main.exec(`ALTER TABLE t ADD c int; INSERT INTO t (a, c) VALUES ('z', 1)`)
  await pair.main.exec(`ALTER TABLE t DROP c; INSERT INTO t (a) VALUES ('w')`)
  await follow(options('wal'))
  expect((await rows()).map(({ a }) => a as string)).toEqual(['x', 'y', 'z', 'w'])
})
