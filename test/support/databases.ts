/**
 * Databases for one test: made on the shared server under names that nobody else has, so that test files run side
 * by side and leave nothing behind.
 */
import { randomBytes } from 'node:crypto'
import pg from 'pg'
import { inject } from 'vitest'

export interface Db {
  readonly url: string
  readonly name: string
  /** Runs one or more statements. A Db is one session: what it sets, and the transaction it begins, stay. */
  exec(sql: string): Promise<void>
  query<T extends pg.QueryResultRow = pg.QueryResultRow>(
    sql: string,
    params?: readonly unknown[]
  ): Promise<T[]>
  /** Ends the session and drops the database, whoever is still connected to it. */
  drop(): Promise<void>
}

export interface PairOptions {
  /** Run on both. */
  ddl?: string
  /** Run on main after `ddl`. */
  main?: string
  /** Run on the standby after `ddl`. */
  standby?: string
  /** A superuser's URLs of the servers to use instead of the shared one. */
  servers?: { main?: string; standby?: string }
}

export interface Pair {
  readonly main: Db
  readonly standby: Db
  drop(): Promise<void>
}

/** Two new databases, filled as told; the caller drops them. */
export async function createPair(options: PairOptions = {}): Promise<Pair> {
  const { ddl = '', main: mainSql = '', standby: standbySql = '', servers = {} } = options
  const made: Db[] = []
  const drop = async (): Promise<void> => void (await Promise.all(made.map(db => db.drop())))
  try {
    const main = await createDatabase('main', servers.main)
    made.push(main)
    const standby = await createDatabase('standby', servers.standby)
    made.push(standby)
    await Promise.all([main.exec(`${ddl};\n${mainSql}`), standby.exec(`${ddl};\n${standbySql}`)])
    return { main, standby, drop }
  } catch (error) {
    await drop()
    throw error
  }
}

/** A new, empty database on the shared server or on another one. */
export async function createDatabase(label: string, adminUrl = inject('adminUrl')): Promise<Db> {
  const name = `t_${label}_${randomBytes(6).toString('hex')}`
  // template0, because nobody can be connected to it, which would make CREATE DATABASE fail.
  await asAdmin(adminUrl, admin =>
    admin.query(`create database ${pg.escapeIdentifier(name)} template template0`)
  )
  const url = new URL(adminUrl)
  url.pathname = `/${name}`
  let session: Promise<pg.Client> | undefined
  const client = (): Promise<pg.Client> => (session ??= connect(url.href))
  return {
    url: url.href,
    name,
    async exec(sql) {
      await (await client()).query(sql)
    },
    async query<T extends pg.QueryResultRow>(sql: string, params: readonly unknown[] = []) {
      return (await (await client()).query<T>(sql, [...params])).rows
    },
    async drop() {
      await (await session?.catch(() => undefined))?.end().catch(() => {})
      session = undefined
      await dropDatabase(adminUrl, name)
    }
  }
}

async function dropDatabase(adminUrl: string, name: string): Promise<void> {
  await asAdmin(adminUrl, async admin => {
    const drop = `drop database if exists ${pg.escapeIdentifier(name)}`
    const { rows } = await admin.query<{ modern: boolean }>(
      "select current_setting('server_version_num')::int >= 130000 as modern"
    )
    if (rows[0]?.modern) return void (await admin.query(`${drop} with (force)`))
    // DROP DATABASE itself waits up to five seconds for the terminated sessions to go.
    await admin.query(`alter database ${pg.escapeIdentifier(name)} allow_connections false`).catch(() => {})
    await admin.query('select pg_terminate_backend(pid) from pg_stat_activity where datname = $1', [name])
    await admin.query(drop)
  })
}

async function asAdmin<T>(url: string, work: (admin: pg.Client) => Promise<T>): Promise<T> {
  const admin = await connect(url)
  try {
    return await work(admin)
  } finally {
    await admin.end()
  }
}

async function connect(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url })
  // A server that a test stops or restarts is no reason for the test run to die.
  client.on('error', () => {})
  await client.connect()
  return client
}
