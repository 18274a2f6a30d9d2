/** Several write to one standby what a broker gives to one at a time: who comes later has the right of way, whatever the other is at. */
import pg from 'pg'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { TemporaryError } from '../../../src/core/errors.js'
import { completeFollow } from '../../../src/follow/config.js'
import type { Change, Sink, Turn } from '../../../src/follow/ports.js'
import { openPostgresSink } from '../../../src/follow/sinks/postgres/sink.js'
import { Author, itemsTable } from '../../contracts/sink.js'
import { createDatabase, type Db } from '../../support/databases.js'

const items = itemsTable()
const never = new AbortController().signal
let db: Db
const sinks: Sink[] = []

beforeAll(async () => {
  db = await createDatabase('turns')
  await db.exec(`CREATE TABLE ${items.name} (id bigint PRIMARY KEY, name text, note text, amount int)`)
})
beforeEach(() => db.exec(`TRUNCATE ${items.name}; INSERT INTO ${items.name} VALUES (1, 'first')`))
afterEach(async () => void (await Promise.all(sinks.splice(0).map(sink => sink.close()))))
afterAll(() => db.drop())

const open = async () => {
  const config = completeFollow({ main: 'unused', to: db.url, source: 'wal', tables: ['*'] })
  const sink = await openPostgresSink(config, () => {}, true)
  sinks.push(sink)
  await sink.prepare(items)
  return sink
}
const mine = (id: string, lane = 'lane', confirm = async () => {}): Turn => ({ lane, id, confirm })
const author = new Author()
const write = (sink: Sink, turns: Turn[], ...changes: Change[]) =>
  sink.write({ ...author.batch(...changes), turns }, never)
const named = (name: string) => author.update(items, '1', name, null, null)
const names = async () => (await db.query(`SELECT name FROM ${items.name}`)).map(row => row.name)

const tooLate = named('too late')
test.each([
  ['what is left of the changes', [tooLate]],
  ['one change after the other', [author.remove(items, '1'), { ...tooLate, absent: [2] }]]
])('whose turn is over writes nothing more: %s', async (_, changes) => {
  const [former, later] = [await open(), await open()]
  await write(former, [mine('a', 'one'), mine('a', 'other')], named('a'))
  expect(await names()).toEqual(['a'])
  await write(later, [mine('b', 'other')], named('b'))
  // In the lane that it kept it may; in both it may not.
  await write(former, [mine('a', 'one')], named('a again'))
  await expect(write(former, [mine('a', 'one'), mine('a', 'other')], ...changes)).rejects.toThrow(
    TemporaryError
  )
  expect(await names()).toEqual(['a again'])
  await write(later, [mine('b', 'other')], named('b again'))
  expect(await names()).toEqual(['b again'])
})

test('who is not sure of its turn writes nothing', async () => {
  const sink = await open()
  const lost = mine('c', 'doubtful', async () => {
    throw new TemporaryError('it is another one’s')
  })
  await expect(write(sink, [lost], named('c'))).rejects.toThrow('it is another one’s')
  expect(await names()).toEqual(['first'])
})

test('who is stuck in the middle of a transaction is not waited for', async () => {
  const [former, later] = [await open(), await open()]
  await write(former, [mine('a')], named('a'))
  const blocker = new pg.Client(db.url)
  await blocker.connect()
  await blocker.query(`BEGIN; LOCK TABLE ${items.name} IN EXCLUSIVE MODE`)
  const stuck = write(former, [mine('a')], named('stuck')).catch((error: unknown) => error)
  let asked = 0
  const confirm = async () => {
    // The first time it waits for the one that is stuck, the second time for nobody.
    if (++asked === 2) await blocker.query('COMMIT')
  }
  await write(later, [mine('b', 'lane', confirm)], named('b'))
  expect(asked).toBe(2)
  expect(await stuck).toMatchObject({ message: expect.stringMatching(/terminat/) })
  expect(await names()).toEqual(['b'])
  await blocker.end()
})
