/**
 * Physical copies: a hot standby cannot be written and can be read from, it is one database with its primary as long
 * as it follows it, and another one from its promotion on.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { findBinaries } from '../../src/cli/demo/binaries.js'
import { startServer, type ThrowawayServer } from '../../src/cli/demo/servers.js'
import { ConfigError, check, diff, sync } from '../../src/index.js'
import { createPair, type Pair } from '../support/databases.js'
import { databaseDigest } from '../support/digest.js'
import { startReplica, type Replica } from '../support/replica.js'
import { counts, errorOf, failures } from './reports.js'

let primary: ThrowawayServer
let replica: Replica
let pair: Pair

const ddl = `CREATE TABLE t (id int PRIMARY KEY, v text, updated_at timestamptz DEFAULT '2024-01-01');
  INSERT INTO t SELECT n, 'v' FROM generate_series(1, 2000) n; CREATE TABLE k (v text); INSERT INTO k VALUES ('x'), ('x')`
const options = { env: { PATH: process.env.PATH }, syncSchema: false, retries: 1, chunkSize: 100 }

/** The same database on the replica. */
const there = (url: string) => {
  const copy = new URL(url)
  copy.port = new URL(replica.url).port
  return copy.href
}

beforeAll(async () => {
  const binaries = await findBinaries(15)
  primary = await startServer({ binaries, name: 'primary', settings: { max_prepared_transactions: '10' } })
  pair = await createPair({
    ddl,
    standby: `UPDATE t SET v = 'x' WHERE id = 7; DELETE FROM k WHERE ctid = '(0,1)'`,
    servers: { main: primary.url, standby: primary.url }
  })
  replica = await startReplica(primary, binaries)
})
afterAll(async () => {
  await replica?.stop()
  await primary?.stop()
})

describe('a hot standby', () => {
  test('is refused as the standby of a sync', async () => {
    const config = { ...options, main: pair.main.url, standby: there(pair.standby.url) }
    const error = await errorOf(sync(config))
    expect(error).toBeInstanceOf(ConfigError)
    expect(error.message).toMatch(/is a hot standby and cannot be written/)
    expect(error.hint).toMatch(/primary/)
    const { findings } = await check(config)
    expect(findings).toContainEqual(expect.objectContaining({ level: 'error', check: 'standby' }))
  })

  test('is the same as its primary, which a diff may show and a sync need not', async () => {
    await replica.catchUp()
    const config = { ...options, main: pair.main.url, standby: there(pair.main.url) }
    expect((await diff(config)).identical).toBe(true)
    expect((await errorOf(sync(config))).message).toMatch(/is a hot standby and cannot be written/)
  })

  test('never brings its own primary back to where it is itself', async () => {
    const error = await errorOf(sync({ ...options, main: there(pair.main.url), standby: pair.main.url }))
    expect(error).toBeInstanceOf(ConfigError)
    expect(error.message).toMatch(/main is a physical replica of the standby/)
  })

  test('is read from by several workers as main; what was open on its primary is found by the next run', async () => {
    await pair.main.exec(`BEGIN; UPDATE t SET v = 'open', updated_at = now() WHERE id = 3`)
    // A later transaction of another session tells the replica a later time than the open one's.
    await pair.standby.exec('CREATE TABLE later ()')
    await replica.catchUp()
    const config = {
      ...options,
      main: there(pair.main.url),
      standby: pair.standby.url,
      useUpdatedAt: true,
      tables: ['t', 'k']
    }
    const first = await sync(config)
    expect(failures(first)).toEqual([])
    expect(first.cut.snapshot).toMatch(/-/)
    expect(counts(first)).toEqual({ t: [0, 1, 0], k: [1, 0, 0] })
    await pair.main.exec('COMMIT')
    await replica.catchUp()
    const second = await sync(config)
    expect(second.notes.join('\n')).not.toMatch(/public\.t is compared in full/)
    expect(counts(second)).toEqual({ t: [0, 1, 0] })
    await pair.standby.exec('DROP TABLE later')
    expect(await databaseDigest(pair.standby.url, ['public'])).toEqual(
      await databaseDigest(pair.main.url, ['public'])
    )
  })

  test('once promoted, is a database of its own', async () => {
    await replica.promote()
    await pair.main.exec(`UPDATE t SET v = 'after' WHERE id = 9`)
    const done = await sync({ ...options, main: pair.main.url, standby: there(pair.main.url) })
    expect(failures(done)).toEqual([])
    expect(counts(done)).toEqual({ t: [0, 1, 0] })
  })
})
