import pg from 'pg'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import type { ThrowawayServer } from '../../src/cli/demo/servers.js'
import { createPair } from './databases.js'
import { type Major, startVersion } from './versions.js'

async function existing(name: string, adminUrl = inject('adminUrl')): Promise<boolean> {
  const admin = new pg.Client({ connectionString: adminUrl })
  await admin.connect()
  const { rowCount } = await admin.query('select from pg_database where datname = $1', [name])
  await admin.end()
  return rowCount === 1
}

describe('createPair', () => {
  test('makes two databases that share nothing but what both were told', async () => {
    const ddl = 'create table t (id int primary key, v text)'
    const pair = await createPair({
      ddl,
      main: "insert into t values (1, 'm')",
      standby: 'create table s ()'
    })
    expect(await pair.main.query('select * from t')).toEqual([{ id: 1, v: 'm' }])
    expect(await pair.standby.query('select * from t')).toEqual([])
    await expect(pair.main.query('select * from s')).rejects.toThrow('does not exist')
    await pair.drop()
  })

  test('gives every test its own', async () => {
    const pairs = await Promise.all([createPair(), createPair(), createPair()])
    expect(new Set(pairs.flatMap(pair => [pair.main.name, pair.standby.name])).size).toBe(6)
    await Promise.all(pairs.map(pair => pair.drop()))
  })

  test('drops them while others are connected', async () => {
    const pair = await createPair()
    const other = new pg.Client({ connectionString: pair.main.url })
    other.on('error', () => {})
    await other.connect()
    await pair.drop()
    expect(await existing(pair.main.name)).toBe(false)
    expect(await existing(pair.standby.name)).toBe(false)
    await other.end()
  })

  test('fails where its SQL fails', async () => {
    const made = createPair({ ddl: 'create table t (id no_such_type)' })
    await expect(made).rejects.toThrow('no_such_type')
  })

  test('runs several statements and binds parameters', async () => {
    const { main, drop } = await createPair()
    await main.exec('create table t (v numeric); insert into t values (1), (2.50)')
    expect(await main.query('select v from t where v > $1', [1])).toEqual([{ v: '2.50' }])
    await drop()
  })
})

describe.each<Major>([12, 17])('a server of version %i', major => {
  let server: ThrowawayServer
  beforeAll(async () => {
    server = await startVersion(major)
  })
  afterAll(() => server?.stop())

  test('answers, and drops a pair that others are connected to', async () => {
    const pair = await createPair({ servers: { standby: server.url } })
    const [row] = await pair.standby.query<{ version: string }>(
      "select current_setting('server_version') as version"
    )
    expect(row?.version).toMatch(new RegExp(`^${major}\\.`))
    const other = new pg.Client({ connectionString: pair.standby.url })
    other.on('error', () => {})
    await other.connect()
    await pair.drop()
    expect(await existing(pair.standby.name, server.url)).toBe(false)
    await other.end()
  })
})
