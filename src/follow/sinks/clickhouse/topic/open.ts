/** The script for a server that is asked before, or, where none is named, for a current one. */
import { ConfigError } from '../../../../core/errors.js'
import type { FollowConfig } from '../../../config.js'
import type { FollowedTable } from '../../../table.js'
import { current, isCurrent } from '../capabilities.js'
import { type Link, openLink } from '../link.js'
import { checkTarget } from '../target.js'
import { checkStatement, type Topic, topicScript, type TopicScript } from './script.js'

/** @throws ConfigError, ConnectionError, FollowError: what keeps the server from reading the topic into these tables. */
export async function openScript(
  tables: readonly FollowedTable[],
  topic: Topic,
  config: FollowConfig
): Promise<TopicScript> {
  if (!config.to) return topicScript(tables, topic, config, current)
  const link = await openLink(config.to, config.env)
  try {
    const script = topicScript(tables, topic, config, link.can, link.database)
    await refuseOld(link)
    for (const table of tables) await checkTarget(link, table, config)
    return script
  } finally {
    await link.close()
  }
}

async function refuseOld(link: Link): Promise<void> {
  const old = (why: string) =>
    new ConfigError(`ClickHouse ${link.can.version} at ${link.address} ${why}`, {
      hint: 'Let pgsyncer apply bring the changes: it writes to old servers too.'
    })
  const [engine] = await link.rows(`SELECT 1 FROM system.table_engines WHERE name = 'Kafka'`)
  if (!engine) throw old('has no Kafka engine')
  if (!isCurrent(link.can)) throw old('is too old to turn messages into rows: 23.2 is the oldest that may')
  await link.run(checkStatement().sql)
}
