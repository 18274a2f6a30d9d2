/** Through a broker: one publisher, several appliers, and everything that can be killed is killed while twelve people write to main. */
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { findClickHouse } from '../../support/clickhouse.js'
import { createDatabase, type Db } from '../../support/databases.js'
import { findKafka, type KafkaServer } from '../../support/kafka.js'
import { findRabbitMq, type RabbitMqServer } from '../../support/rabbitmq.js'
import { differences, until, untilMany } from './chaos.js'
import { Follower, pgsyncer } from './follower.js'
import { clickHouseSink, postgresRows, type SinkServer } from './sinks.js'
import { ddl, filled, Writers } from './writers.js'

const tables = ['accounts', 'counters', 'events']
const chosen = tables.flatMap(table => ['-t', table])
const equal = { missing: [], extra: [] }
/** CHAOS=all: more changes; it takes some minutes more. */
const all = process.env.CHAOS === 'all'
const rabbit = await findRabbitMq()
const kafka = await findKafka()
const [clickhouse] = await findClickHouse()

interface Main {
  db: Db
  reader: pg.Client
  /** What every command about it is given. */
  flags: string[]
  drop(): Promise<void>
}

async function openMain(name: string): Promise<Main> {
  const db = await createDatabase(name)
  await db.exec(ddl + filled)
  const reader = new pg.Client(db.url)
  await reader.connect()
  const flags = ['--maindsn', db.url, '--name', name, ...chosen]
  expect(await pgsyncer(['capture', 'install', '--source', 'outbox', ...flags])).toMatchObject({ code: 0 })
  const drop = async () => {
    await reader.end()
    await db.drop()
  }
  return { db, reader, flags, drop }
}

/** Ends well, or the test shows what it said. */
async function done(args: readonly string[]): Promise<void> {
  const { code, said } = await pgsyncer(args)
  if (code !== 0) throw new Error(`pgsyncer ${args[0]} ended with ${code}:\n${said}`)
}

describe.skipIf(rabbit.skipReason)(`${rabbit.title} to three replicas`, () => {
  let broker: RabbitMqServer
  let main: Main
  let replicas: Db[]
  beforeAll(async () => {
    broker = await rabbit.start()
    main = await openMain('shop')
    replicas = await Promise.all(['paris', 'rome', 'oslo'].map(name => createDatabase(name)))
    for (const replica of replicas) await replica.exec(ddl)
  }, 120_000)
  afterAll(async () => {
    for (const replica of replicas) await replica.drop()
    await main.drop()
    await broker.close()
  })

  test('all four are equal, also the one that was away', async () => {
    const via = ['--via', broker.url]
    const publish = ['publish', '--source', 'outbox', ...via, ...main.flags]
    const applies = replicas.map((replica, at) => [
      'apply',
      ...via,
      '--name',
      'shop',
      '--group',
      `g${at}`,
      '--to',
      replica.url
    ])
    // Each has its queue from now on, and there is something in it for the one that goes away.
    for (const apply of applies) await done([...apply, '--once'])
    await done([...publish, '--snapshot', 'only'])
    const publisher = new Follower(publish)
    // The first replica has two, of which one is in reserve.
    const appliers = [0, 0, 1].map(at => new Follower(applies[at]!))
    const writers = new Writers(main.db.url, true, 3)
    const reader = new pg.Client(replicas[0]!.url)
    await reader.connect()
    const newest = async () =>
      Number(
        (await reader.query<{ id: string }>('SELECT coalesce(max(id), 0) AS id FROM events')).rows[0]!.id
      )
    const moved = async () => {
      const before = await newest()
      await until(async () => (await newest()) > before, appliers[0]!)
    }
    try {
      for (let round = 0; round < 2; round++) {
        await moved()
        await broker.stop('kill')
        await broker.start()
        for (const one of [...appliers, publisher]) {
          await moved()
          await one.kill()
        }
      }
      await untilMany(() => writers.committed, all ? 20_000 : 8_000, publisher)
    } finally {
      await writers.stop()
      for (const one of [publisher, ...appliers]) await one.stop()
      await reader.end()
    }
    await done([...publish, '--once'])
    for (const [at, apply] of applies.entries()) {
      await done([...apply, '--once'])
      const client = new pg.Client(replicas[at]!.url)
      await client.connect()
      for (const table of tables) {
        const [ours, theirs] = [await postgresRows(main.reader, table), await postgresRows(client, table)]
        expect(ours.length).toBeGreaterThan(0)
        expect([table, at, differences(ours, theirs)]).toEqual([table, at, equal])
      }
      await client.end()
    }
  }, 300_000)
})

describe.skipIf(kafka.skipReason ?? clickhouse!.skipReason)(
  `${kafka.title} to ${clickhouse!.title} and PostgreSQL`,
  () => {
    let broker: KafkaServer
    let main: Main
    let sink: SinkServer
    let replica: Db
    beforeAll(async () => {
      broker = await kafka.start()
      main = await openMain('stats')
      replica = await createDatabase('copy')
      await replica.exec(ddl)
      sink = await clickHouseSink(clickhouse!)
    }, 120_000)
    afterAll(async () => {
      await sink.close()
      await replica.drop()
      await main.drop()
      await broker.close()
    })

    test('two appliers of each group bring every row once, and a new group brings the same again', async () => {
      const via = ['--via', `kafka://${broker.address}`]
      const publish = ['publish', '--source', 'outbox', '--partitions', '4', ...via, ...main.flags]
      const apply = ['apply', ...via, ...main.flags, '--to', sink.to]
      const copy = ['apply', ...via, '--name', 'stats', '--group', 'copy', '--to', replica.url]
      const proved = async (rows: (table: string) => Promise<string[]>) => {
        for (const table of tables) {
          const ours = await postgresRows(main.reader, table)
          expect(ours.length).toBeGreaterThan(0)
          expect([table, differences(ours, await rows(table))]).toEqual([table, equal])
        }
      }
      await done([...publish, '--snapshot', 'only'])
      const publisher = new Follower(publish)
      const appliers = [apply, apply, copy, copy].map(args => new Follower(args))
      const writers = new Writers(main.db.url, true, 4)
      let crowd = 0
      /** So many changes in all: where they are many, not only people make them. */
      const changed = async (count: number) => {
        for (; all && writers.committed + crowd < count; crowd += 10_000) {
          const writer = crowd + 100
          await main.db.exec(
            `INSERT INTO events (writer, words) SELECT ${writer}, 'new' FROM generate_series(1, 5000);
           UPDATE events SET words = 'changed ' || id WHERE writer = ${writer}`
          )
        }
        await untilMany(() => writers.committed + crowd, count, publisher)
      }
      const enough = all ? 200_000 : 8_000
      try {
        await changed(0.4 * enough)
        for (const one of [appliers[0]!, publisher, appliers[2]!]) await one.kill()
        await changed(enough)
      } finally {
        await writers.stop()
        for (const one of [publisher, ...appliers]) await one.stop()
      }
      await done([...publish, '--once'])
      for (const args of [apply, copy]) await done([...args, '--once'])
      await proved(sink.rows)
      const reader = new pg.Client(replica.url)
      await reader.connect()
      await proved(table => postgresRows(reader, table)).finally(() => reader.end())
      await done([...apply, '--group', 'again', '--from', 'earliest', '--once'])
      await proved(sink.rows)
    }, 900_000)
  }
)
