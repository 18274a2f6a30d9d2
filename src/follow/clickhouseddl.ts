/** The statements by which ClickHouse reads Kafka's topic itself, without an applier. */
import { completeClickHouseDdl, type FollowOptions } from './config.js'
import { readFollowed } from './shapes.js'
import { nameOf } from './table.js'
import { openMain, openTopicScript } from './wiring.js'

export interface ClickHouseDdlReport {
  version: 1
  command: 'clickhouse-ddl'
  ok: true
  stream: string
  group: string
  /** ClickHouse's tables, by main's `schema.table`. */
  tables: Readonly<Record<string, string>>
  /** To be run in this order; `about` says what for, and is empty where the one before says it. */
  statements: readonly { about: string; sql: string }[]
}

/**
 * Changes nothing anywhere.
 * @throws ConfigError for wrong options, tables that ClickHouse cannot take, or a server that is too old; ConnectionError; FollowError
 *   for tables that are there otherwise than views could fill them.
 */
export async function clickHouseDdl(options: Partial<FollowOptions>): Promise<ClickHouseDdlReport> {
  const config = completeClickHouseDdl(options)
  const main = await openMain(config)
  try {
    const followed = await readFollowed(main.sql, main.can, config)
    const { statements, targets } = await openTopicScript(
      config,
      followed.map(({ shape }) => shape)
    )
    const tables = followed.map(({ shape }) => [nameOf(shape), targets.get(nameOf(shape))!])
    const { name: stream, group } = config
    return {
      version: 1,
      command: 'clickhouse-ddl',
      ok: true,
      stream,
      group,
      tables: Object.fromEntries(tables),
      statements
    }
  } finally {
    await main.close()
  }
}
