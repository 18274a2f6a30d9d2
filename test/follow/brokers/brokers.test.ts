/** publish, apply and dead-letters on real brokers and servers. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type ClickHouseServer, findClickHouse } from '../../support/clickhouse.js'
import type { Db } from '../../support/databases.js'
import { Follower } from '../chaos/follower.js'
import { type Broker, findBrokers, type Line, openLine, until } from './kit.js'

const brokers = await findBrokers()
const [clickHouse] = await findClickHouse()
let stats: ClickHouseServer | undefined
beforeAll(async () => {
  if (!clickHouse!.skipReason) stats = await clickHouse!.start()
}, 60_000)
afterAll(() => stats?.close())

const goods = 'CREATE TABLE goods (id int PRIMARY KEY, name text, price int)'

/** As long as a session of ours waits for a lock there. */
const isWaiting = async (db: Db) =>
  (
    await db.query(
      `SELECT FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'pgsyncer' AND wait_event_type = 'Lock'`
    )
  ).length > 0

describe.each(brokers)('$title', ({ skipReason, start }) => {
  let broker: Broker
  beforeAll(async () => {
    if (!skipReason) broker = await start()
  }, 60_000)
  afterAll(() => broker?.close())

  const using = async (line: Line, work: () => Promise<void>) => {
    try {
      await work()
    } finally {
      await line.drop()
    }
  }

  test.skipIf(skipReason)(
    'an applier that was frozen does not write older states over newer ones',
    async () => {
      const line = await openLine(
        broker,
        'frozen',
        'CREATE TABLE states (id int PRIMARY KEY, n int)',
        'states'
      )
      const { main, replica, apply } = line
      const keys = { payload: 'key' } as const
      const all = async (condition: string, count: number) =>
        (await replica.query(`SELECT FROM states WHERE ${condition}`)).length === count
      const receive = [...apply, '--maindsn', main.url]
      const appliers: Follower[] = []
      const follow = () => {
        const applier = new Follower(receive)
        appliers.push(applier)
        return applier
      }
      await using(line, async () => {
        const frozen = follow()
        try {
          await main.exec('INSERT INTO states SELECT id, 0 FROM generate_series(1, 20) id')
          await line.published(keys)
          await until(() => all('n = 0', 20), frozen)
          await main.exec('UPDATE states SET n = 1')
          // It has the messages, and gets the rows as they are now, but only when it is awake again.
          await main.exec('BEGIN; LOCK TABLE states IN ACCESS EXCLUSIVE MODE')
          await line.published(keys)
          await until(() => isWaiting(main), frozen)
          frozen.freeze()
          await main.exec('COMMIT')
          await until(async () => !(await isWaiting(main)), frozen)
          await main.exec('UPDATE states SET n = 2')
          await line.published(keys)
          const other = follow()
          await until(() => all('n = 2', 20), other)
          frozen.thaw()
          await other.stop()
          // These only the one that was frozen can bring.
          await main.exec('INSERT INTO states SELECT id, 3 FROM generate_series(101, 120) id')
          await line.published(keys)
          await until(() => all('n = 3', 20), frozen)
          const found = await line.rows('SELECT id, n FROM states ORDER BY id')
          expect(found.replica).toEqual(found.main)
          const lane = expect.stringMatching(/^(kafka|rabbitmq) [\w@.-]+ .*pgsyncer\.frozen\.default/)
          expect(await replica.query('SELECT lane FROM pgsyncer.turn')).toEqual([{ lane }])
        } finally {
          frozen.thaw()
          await Promise.all(appliers.map(one => one.stop()))
        }
      })
    },
    120_000
  )

  test.skipIf(skipReason)(
    'what cannot be applied lies among the dead letters until it is mended, and comes in as main has it then',
    async () => {
      const line = await openLine(broker, 'letters', goods, 'goods')
      const { main, replica } = line
      const putting = { deadLetterAfter: 2 }
      const applied = () => line.applied({ ...putting, main: main.url })
      await using(line, async () => {
        await replica.exec('ALTER TABLE goods ADD CONSTRAINT cheap CHECK (price < 100)')
        await applied()
        await main.exec(
          `INSERT INTO goods VALUES (1, 'one', 10), (2, 'two', 200), (3, 'three', 300), (4, 'four', 40)`
        )
        await line.published()
        await broker.put('letters', 'no JSON at all')
        await main.exec(
          `UPDATE goods SET name = 'forty' WHERE id = 4; INSERT INTO goods VALUES (5, 'five', 500)`
        )
        await line.published()
        await applied()
        expect((await line.rows('SELECT id, name FROM goods ORDER BY id')).replica).toEqual([
          { id: 1, name: 'one' },
          { id: 4, name: 'forty' }
        ])
        const { letters } = await line.letters('list')
        const told = letters.map(({ reason, content }) => [/"id":\d|no JSON/.exec(content)?.[0], reason])
        const refused = expect.stringMatching(/the standby refused an insert of public.goods.*"cheap"/)
        expect(told.sort()).toEqual([
          ['"id":2', refused],
          ['"id":3', refused],
          ['"id":5', refused],
          ['no JSON', expect.stringMatching(/a message is not JSON/)]
        ])

        // Of the second row comes something newer, of the third that it is gone.
        await main.exec(
          `UPDATE goods SET name = 'twenty', price = 20 WHERE id = 2; DELETE FROM goods WHERE id = 3`
        )
        await line.published()
        await applied()
        await replica.exec('ALTER TABLE goods DROP CONSTRAINT cheap')

        // Who does not have main does not know what is right by now, and leaves it where it was.
        expect(await line.letters('replay')).toMatchObject({ replayed: 4 })
        await line.applied(putting)
        const doubtful = expect.stringMatching(/only main knows what its row is now/)
        const unread = expect.stringMatching(/a message is not JSON/)
        const again = (await line.letters('list')).letters.map(({ reason }) => reason)
        expect(again.sort()).toEqual([doubtful, doubtful, doubtful, unread])
        expect((await line.rows('SELECT id, name FROM goods ORDER BY id')).replica).toEqual([
          { id: 1, name: 'one' },
          { id: 2, name: 'twenty' },
          { id: 4, name: 'forty' }
        ])

        expect(await line.letters('replay')).toMatchObject({ replayed: 4 })
        await applied()
        const rows = await line.rows('SELECT id, name, price FROM goods ORDER BY id')
        expect(rows.main).toHaveLength(4)
        expect(rows.replica).toEqual(rows.main)
        const left = (await line.letters('list')).letters
        expect(left.map(({ content }) => content)).toEqual(['no JSON at all'])
      })
    },
    120_000
  )

  test.skipIf(skipReason ?? clickHouse!.skipReason)(
    'keys alone: the appliers fetch what the rows are by then',
    async () => {
      const line = await openLine(broker, 'keys', goods, 'goods')
      const { main, replica } = line
      const database = await stats!.createDatabase()
      const applied = async () => {
        await line.applied({ main: main.url })
        await line.applied({ main: main.url, tables: ['goods'], group: 'stats', to: stats!.url(database) })
      }
      const found = async () => {
        const texts = (rows: unknown[][]) => rows.map(row => row.map(String).join(' '))
        const sql = 'SELECT id, name, price FROM goods'
        const values = async (db: Db) =>
          texts((await db.query(`${sql} ORDER BY id`)).map(row => Object.values(row)))
        return {
          main: await values(main),
          postgres: await values(replica),
          clickHouse: texts(await stats!.query(`${sql} FINAL WHERE _is_deleted = 0 ORDER BY id`, database))
        }
      }
      await using(line, async () => {
        await applied()
        await main.exec(
          `INSERT INTO goods VALUES (1, 'one', 10), (2, 'two', 20), (3, 'three', 30), (4, 'four', 40)`
        )
        await line.published({ payload: 'key' })
        await main.exec(`UPDATE goods SET price = 21 WHERE id = 2; DELETE FROM goods WHERE id = 3;
          UPDATE goods SET id = 5 WHERE id = 4`)
        await applied()
        // Of what left its key only the next messages tell.
        const before = await found()
        const seen = ['1 one 10', '2 two 21']
        expect([before.postgres, before.clickHouse]).toEqual([seen, seen])
        await line.published({ payload: 'key' })
        await applied()
        const { postgres, clickHouse, ...ours } = await found()
        expect(ours.main).toEqual(['1 one 10', '2 two 21', '5 four 40'])
        expect([postgres, clickHouse]).toEqual([ours.main, ours.main])
      })
    },
    120_000
  )
})
