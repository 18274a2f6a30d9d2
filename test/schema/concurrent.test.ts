/** `--concurrent-indexes`: built beside the writers, outside of a transaction, and one that failed leaves nothing behind. */
import { afterEach, expect, it } from 'vitest'
import { sync } from '../../src/sync/sync.js'
import { createPair, type Pair } from '../support/databases.js'

let pair: Pair
afterEach(() => pair.drop())

const run = () =>
  sync({
    main: pair.main.url,
    standby: pair.standby.url,
    env: { PATH: process.env.PATH },
    concurrentIndexes: true,
    syncData: false
  })

const indexes = () =>
  pair.standby.query<{ name: string; valid: boolean }>(
    `SELECT indexrelid::regclass::text AS name, indisvalid AS valid FROM pg_index WHERE indrelid = 't'::regclass ORDER BY 1`
  )

it('builds on a table that has rows without blocking writers, and on an empty one as ever', async () => {
  pair = await createPair({
    ddl: 'CREATE TABLE t (a integer, b integer); CREATE TABLE empty (a integer)',
    main: 'CREATE INDEX t_a ON t (a); CREATE UNIQUE INDEX t_b ON t (b); CREATE INDEX empty_a ON empty (a)',
    standby: 'INSERT INTO t VALUES (1, 1), (2, 2)'
  })
  const report = await run()
  expect(report.ok).toBe(true)
  expect(report.schema.changes.map(({ name, sql, hazards }) => ({ name, sql, hazards }))).toEqual([
    {
      name: 'empty_a',
      sql: ['CREATE INDEX empty_a ON public.empty USING btree (a);'],
      hazards: ['blocks-writes']
    },
    {
      name: 't_a',
      sql: ['CREATE INDEX CONCURRENTLY t_a ON public.t USING btree (a);'],
      hazards: ['not-transactional']
    },
    {
      name: 't_b',
      sql: ['CREATE UNIQUE INDEX CONCURRENTLY t_b ON public.t USING btree (b);'],
      hazards: ['not-transactional']
    }
  ])
  expect(await indexes()).toEqual([
    { name: 't_a', valid: true },
    { name: 't_b', valid: true }
  ])
})

it('names a row that a unique one refuses; the next run takes its remains away and makes it', async () => {
  pair = await createPair({
    ddl: 'CREATE TABLE t (a integer)',
    main: 'CREATE UNIQUE INDEX t_a ON t (a)',
    standby: 'INSERT INTO t VALUES (1), (1)'
  })
  const first = await run()
  expect(first.ok).toBe(false)
  expect(first.schema.changes[0]).toMatchObject({
    name: 't_a',
    status: 'failed',
    reason: 'could not create unique index "t_a" (Key (a)=(1) is duplicated.)'
  })
  expect(await indexes()).toEqual([{ name: 't_a', valid: false }])
  await pair.standby.exec('DELETE FROM t WHERE ctid = (SELECT min(ctid) FROM t)')
  expect((await run()).ok).toBe(true)
  expect(await indexes()).toEqual([{ name: 't_a', valid: true }])
})
