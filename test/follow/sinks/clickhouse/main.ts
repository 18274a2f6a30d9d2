/** A table of PostgreSQL, and its rows as both ways into ClickHouse get them. */
import { to as copyTo } from 'pg-copy-streams'
import { readFollowed } from '../../../../src/follow/shapes.js'
import type { Change, ChangeBatch, Sink } from '../../../../src/follow/ports.js'
import { type FollowedTable, nameOf } from '../../../../src/follow/table.js'
import { openServer } from '../../../../src/postgres/connect.js'
import { columnList, qualified } from '../../../../src/postgres/quote.js'
import { createDatabase } from '../../../support/databases.js'

const never = new AbortController().signal

export interface Main {
  exec(sql: string): Promise<void>
  shape(name: string): Promise<FollowedTable>
  /** COPY's text of all rows, in order of the key. */
  copy(table: FollowedTable, expressions?: readonly string[]): Promise<string>
  drop(): Promise<void>
}

export async function createMain(): Promise<Main> {
  const db = await createDatabase('main')
  const server = await openServer('main', db.url, {}, { lockTimeout: 0, statementTimeout: 0 })
  const session = await server.connect()
  return {
    exec: sql => db.exec(sql),
    async shape(name) {
      const [found] = await readFollowed(server.sql, server.can, {
        schemas: ['public'],
        tables: [name],
        excludeTables: []
      })
      return found!.shape
    },
    async copy(table, expressions) {
      const columns =
        expressions?.join(', ') ??
        columnList(
          table.columns.map(({ name }) => name),
          't.'
        )
      const rows = session.query(
        copyTo(
          `COPY (SELECT ${columns} FROM ${qualified(table.schema, table.name)} t ORDER BY t.id) TO STDOUT`
        )
      )
      return Buffer.concat((await rows.toArray()) as Buffer[]).toString()
    },
    async drop() {
      await session.end()
      await server.close()
      await db.drop()
    }
  }
}

/** The first way: the first copy. */
export async function load(main: Main, sink: Sink, table: FollowedTable): Promise<number> {
  const bytes = Buffer.from(await main.copy(table, sink.expressions(table)))
  // Cut anywhere, as it comes from a socket.
  const pieces = async function* () {
    for (let at = 0; at < bytes.length; at += 777) yield bytes.subarray(at, at + 777)
  }
  return sink.load(table, pieces(), never)
}

/** The second way: a change for each row. */
export async function write(main: Main, sink: Sink, table: FollowedTable): Promise<void> {
  const rows = (await main.copy(table)).split('\n').slice(0, -1)
  const changes = rows.map((row, i): Change => ({
    table,
    operation: 'insert',
    row,
    version: BigInt(i + 1),
    position: `${i}`
  }))
  const batch: ChangeBatch = { changes, position: nameOf(table), committedAt: undefined }
  await sink.write(batch, never)
}
