/** ClickHouse as the sink contract needs it, and a sink on it. */
import { completeFollow, type FollowOptions } from '../../../../src/follow/config.js'
import type { Sink } from '../../../../src/follow/ports.js'
import { openClickHouseSink } from '../../../../src/follow/sinks/clickhouse/sink.js'
import type { FollowedTable } from '../../../../src/follow/table.js'
import { lineOf, valuesOf } from '../../../../src/postgres/copytext.js'
import type { SinkBench } from '../../../contracts/sink.js'
import type { ClickHouseKind, ClickHouseServer } from '../../../support/clickhouse.js'

export const openSink = (to: string, options: Partial<FollowOptions> = {}): Promise<Sink> =>
  openClickHouseSink(
    completeFollow({ main: 'postgres://main', to, source: 'wal', tables: ['*'], ...options }),
    () => {}
  )

/** The rows that count, as COPY would write them. */
export async function linesOf(
  server: ClickHouseServer,
  database: string,
  { name, columns }: FollowedTable
): Promise<string[]> {
  const quoted = (text: string) => `\`${text.replace(/[\\`]/g, '\\$&')}\``
  const rows = await server.query(
    `SELECT ${columns.map(column => quoted(column.name)).join(', ')}
      FROM ${quoted(database)}.${quoted(name)} FINAL WHERE _is_deleted = 0`
  )
  return rows.map(fields =>
    lineOf(
      valuesOf(fields.join('\t')).map((value, i) =>
        value !== null && columns[i]!.base === 'double precision' ? floatText(value) : value
      )
    )
  )
}

/** A double as PostgreSQL prints it. */
function floatText(text: string): string {
  const value = Number(text)
  const size = Math.abs(value)
  if (size !== 0 && (size < 1e-4 || size >= 1e15))
    return value.toExponential().replace(/e([+-])(\d)$/, 'e$10$2')
  return String(value)
}

export async function clickHouseBench(kind: ClickHouseKind): Promise<SinkBench> {
  const server = await kind.start()
  const database = await server.createDatabase()
  return {
    open: stream => openSink(server.url(database), { name: stream }),
    // The sink makes its tables itself.
    create: async () => {},
    lines: table => linesOf(server, database, table),
    drop: () => server.close()
  }
}
