/** Sinks of their own for a test that stops and starts them: PostgreSQL and ClickHouse behind one face. */
import pg from 'pg'
import { findBinaries } from '../../../src/cli/demo/binaries.js'
import { startServer } from '../../../src/cli/demo/servers.js'
import type { ClickHouseKind } from '../../support/clickhouse.js'
import { ddl } from './writers.js'

export interface SinkServer {
  /** For --to. */
  readonly to: string
  /** The rows as texts, in order; a timestamp as PostgreSQL prints it in UTC, without its zone. */
  rows(table: string): Promise<string[]>
  /** What the sink remembers of the stream; undefined: nothing yet. */
  position(stream: string): Promise<string | undefined>
  /** Down, and up again on the same data. */
  restart(): Promise<void>
  close(): Promise<void>
}

/** What a row consists of, each column as text. */
export const columns: Readonly<Record<string, readonly string[]>> = {
  accounts: ['id', 'owner', 'balance', 'note', 'seen'],
  counters: ['id', 'n'],
  events: ['id', 'writer', 'words', 'at']
}

/** A row as text on PostgreSQL. */
export async function postgresRows(client: pg.Client, table: string): Promise<string[]> {
  const texts = columns[table]!.map(name =>
    name === 'seen' || name === 'at' ? `${name} AT TIME ZONE 'UTC'` : name
  )
  const { rows } = await client.query<{ row: string }>(
    `SELECT concat_ws('|', ${texts.map(text => `coalesce((${text})::text, '<null>')`).join(', ')}) AS row FROM ${table} ORDER BY id`
  )
  return rows.map(({ row }) => row)
}

export async function postgresSink(): Promise<SinkServer> {
  const server = await startServer({
    binaries: await findBinaries(15),
    name: 'sink',
    settings: { synchronous_commit: 'on' }
  })
  const ask = async <T>(work: (client: pg.Client) => Promise<T>): Promise<T> => {
    const client = new pg.Client(server.url)
    client.on('error', () => {})
    await client.connect()
    try {
      return await work(client)
    } finally {
      await client.end()
    }
  }
  await ask(client => client.query(ddl))
  return {
    to: server.url,
    rows: table => ask(client => postgresRows(client, table)),
    position: stream =>
      ask(async client => {
        const there = await client.query(`SELECT to_regclass('pgsyncer.stream') IS NOT NULL AS found`)
        if (!there.rows[0].found) return undefined
        const text = 'SELECT position FROM pgsyncer.stream WHERE name = $1'
        return (await client.query<{ position: string }>(text, [stream])).rows[0]?.position
      }),
    restart: () => server.restart('fast'),
    close: () => server.stop('immediate')
  }
}

export async function clickHouseSink(kind: ClickHouseKind): Promise<SinkServer> {
  const server = await kind.start()
  const database = await server.createDatabase()
  return {
    to: server.url(database),
    async rows(table) {
      const texts = columns[table]!.map(name => `ifNull(toString(${name}), '<null>')`)
      const found = await server.query(
        `SELECT ${texts.join(', ')} FROM ${table} FINAL WHERE _is_deleted = 0 ORDER BY id`,
        database
      )
      // Where it has no type for a timestamp with its zone, the server keeps PostgreSQL's text.
      return found.map(row => row.map(value => unescaped(value).replace(/\+00$/, '')).join('|'))
    },
    async position(stream) {
      const [row] = await server.query(
        `SELECT position FROM pgsyncer_stream FINAL WHERE name = '${stream}'`,
        database
      )
      return row?.[0]
    },
    async restart() {
      await server.stop('term')
      await server.start()
    },
    close: () => server.close()
  }
}

const meanings: Record<string, string> = { n: '\n', t: '\t', r: '\r' }

/** TabSeparated's escapes undone. */
const unescaped = (text: string): string => text.replace(/\\(.)/gs, (_, c: string) => meanings[c] ?? c)
