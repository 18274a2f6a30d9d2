/** Opening a server: which host and password are taken, and what every session is pinned to. */
import { once } from 'node:events'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openServer } from '../../src/postgres/connect.js'
import type { ConnectionError } from '../../src/core/errors.js'
import { loginFailure } from '../../src/postgres/failure.js'
import { sessionPins } from '../../src/postgres/session.js'
import { createDatabase, type Db } from '../support/databases.js'
import { errorOf } from '../sync/reports.js'

const home = mkdtempSync(join(tmpdir(), 'pgsyncer-connect-'))
const limits = { lockTimeout: 1234, statementTimeout: 56_789 }
let db: Db
let at: URL

beforeAll(async () => {
  db = await createDatabase('connect')
  at = new URL(db.url)
})
afterAll(async () => {
  await db.drop()
  rmSync(home, { recursive: true })
})

async function opened<T>(
  dsn: string,
  env: Record<string, string>,
  use: (server: Awaited<ReturnType<typeof openServer>>) => Promise<T>
) {
  const server = await openServer('main', dsn, { HOME: home, ...env }, limits)
  try {
    return await use(server)
  } finally {
    await server.close()
  }
}

const words = (more = '') =>
  `host=${at.hostname} port=${at.port} dbname=${db.name} user=${at.username} ${more}`
const database = (server: Awaited<ReturnType<typeof openServer>>) => Promise.resolve(server.database)

describe('the password', () => {
  const passfile = join(home, 'pass')

  test('is found in a password file, which nobody else may read', async () => {
    const password = decodeURIComponent(at.password)
    writeFileSync(passfile, `other:*:*:*:wrong\n${at.hostname}:*:${db.name}:${at.username}:${password}\n`)
    chmodSync(passfile, 0o600)
    expect(await opened(words(), { PGPASSFILE: passfile }, database)).toBe(db.name)
    expect(await opened(words(`password='' passfile=${passfile}`), {}, database)).toBe(db.name)
    chmodSync(passfile, 0o644)
    expect((await errorOf(opened(words(), { PGPASSFILE: passfile }, database))).message).toMatch(
      /asks for a password/
    )
  })

  test('of the DSN goes before PGPASSWORD, and that before the file', async () => {
    expect(await opened(db.url, { PGPASSWORD: 'wrong' }, database)).toBe(db.name)
    expect((await errorOf(opened(words(), { PGPASSWORD: 'wrong' }, database))).message).toMatch(
      /did not take the password/
    )
  })
})

describe('several hosts', () => {
  test('are tried in order', async () => {
    const dsn = `postgres://${at.username}:${at.password}@${at.hostname}:1,${at.hostname}:${at.port}/${db.name}`
    expect(await opened(dsn, {}, server => Promise.resolve(server.address))).toBe(
      `${at.hostname}:${at.port}/${db.name}`
    )
  })

  test('target_session_attrs chooses among them', async () => {
    expect(await opened(`${db.url}?target_session_attrs=primary`, {}, database)).toBe(db.name)
    expect((await errorOf(opened(`${db.url}?target_session_attrs=standby`, {}, database))).message).toMatch(
      /is not standby/
    )
  })
})

describe('a session', () => {
  test('is pinned, whatever the database says, on both planes', async () => {
    await db.exec(`DO $$ DECLARE s text; BEGIN FOREACH s IN ARRAY ARRAY['TimeZone = ''Asia/Tokyo''', 'DateStyle = ''SQL, DMY''', 'IntervalStyle = ''sql_standard''', 'extra_float_digits = 0',
      'bytea_output = ''escape''', 'search_path = ''nowhere''', 'array_nulls = off', 'quote_all_identifiers = on', 'idle_session_timeout = 60000', 'idle_in_transaction_session_timeout = 60000',
      'statement_timeout = 60000', 'default_transaction_read_only = on', 'default_transaction_isolation = ''serializable''', 'xmloption = ''document''']
      LOOP EXECUTE 'ALTER DATABASE ' || current_database() || ' SET ' || s; END LOOP; END $$`)
    await opened(db.url, {}, async server => {
      const pins = sessionPins(server.versionNumber, limits)
      const list = Object.keys(pins)
        .map(name => `current_setting('${name}') AS "${name}"`)
        .join(', ')
      const client = await server.connect()
      try {
        for (const found of [
          (await client.query(`SELECT ${list}`)).rows[0],
          (await server.sql.unsafe(`SELECT ${list}`))[0]
        ]) {
          const plain = Object.fromEntries(
            Object.entries(found as Record<string, string>).map(([name, value]) => [
              name,
              value.replace(/^(\d+)ms$|^"(.*)"$/, '$1$2')
            ])
          )
          expect(plain).toEqual(pins)
        }
      } finally {
        await client.end()
      }
    })
  })
})

describe('what to do is said', () => {
  test('where nobody answers', async () => {
    const silent = createServer().listen(0, '127.0.0.1')
    await once(silent, 'listening')
    const { port } = silent.address() as AddressInfo
    const dsn = `postgres://u@127.0.0.1:${port}/d?sslmode=disable&connect_timeout=1`
    const { message, hint } = (await errorOf(opened(dsn, {}, database))) as ConnectionError
    silent.close()
    expect(message).toMatch(/cannot be reached: timeout expired$/)
    expect(hint).toMatch(/^Nobody answers there/)
  })

  test.each([
    ['53300', 'sorry, too many clients already', /max_connections/],
    ['none', 'The server does not support SSL connections', /sslmode=prefer/],
    ['57P03', 'the database system is starting up', /--connect-wait/],
    ['EHOSTUNREACH', 'connect EHOSTUNREACH 10.0.0.1:5432', /firewall/],
    ['DEPTH_ZERO_SELF_SIGNED_CERT', 'self-signed certificate', /sslrootcert/]
  ])('%s', (code, said, hint) => {
    const error = Object.assign(new Error(said), { code })
    expect(loginFailure('main', 'db:5432/shop', 'me', error)).toMatchObject({
      message: `main at db:5432/shop cannot be reached: ${said}`,
      hint: expect.stringMatching(hint)
    })
  })
})
