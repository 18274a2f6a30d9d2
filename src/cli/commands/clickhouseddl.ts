/** `pgsyncer clickhouse-ddl`: SQL for clickhouse-client, by which ClickHouse reads Kafka's topic itself. */
import { exitCodes } from '../exit.js'
import { write } from '../io.js'
import { renderClickHouseDdl } from '../render/clickhouseddl.js'
import { renderJson } from '../render/json.js'
import type { Run } from './command.js'

export const run: Run = async ({ follow: options, cli }, io) => {
  const { clickHouseDdl } = await import('../../follow/clickhouseddl.js')
  const report = await clickHouseDdl(options)
  await write(io.stdout, cli.format === 'json' ? renderJson(report) : renderClickHouseDdl(report))
  return exitCodes.done
}
