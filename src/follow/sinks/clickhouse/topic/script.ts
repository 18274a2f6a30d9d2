/**
 * The statements by which ClickHouse reads a topic itself. Messages go through a table that keeps nothing, so that one view alone hangs on
 * the Kafka table: reading begins when that is made, as the last, and no view can miss a block. Run again, the statements begin by
 * taking the Kafka table away, which ends reading between two blocks; where the group is, the brokers remember.
 */
import { ConfigError } from '../../../../core/errors.js'
import type { FollowConfig } from '../../../config.js'
import { messageVersion } from '../../../message/message.js'
import { type FollowedTable, nameOf } from '../../../table.js'
import type { Capabilities } from '../capabilities.js'
import { ident, literal } from '../names.js'
import { createStatement, targetName } from '../target.js'
import { messageColumns, viewStatement } from './view.js'

/** Kafka, as ClickHouse is to reach it. */
export interface Topic {
  readonly brokers: readonly string[]
  readonly topic: string
  readonly group: string
  readonly secure: boolean
  /** Whose password is in a named collection of ClickHouse; undefined: nobody logs in. */
  readonly login: { readonly username: string; readonly mechanism: string } | undefined
}

export interface Statement {
  /** What it is for, a sentence or more. */
  readonly about: string
  readonly sql: string
}

export interface TopicScript {
  readonly statements: readonly Statement[]
  /** By `schema.table`: ClickHouse's. */
  readonly targets: ReadonlyMap<string, string>
}

/** Milliseconds until what has come is stored and can be seen. */
const flush = 1000

type Settings = Pick<FollowConfig, 'name' | 'schemas' | 'unfit' | 'group'>

/**
 * @param database of all that is made; undefined: the one that the statements are run in.
 * @throws ConfigError for tables that ClickHouse cannot take, or whose names there are the same.
 */
export function topicScript(
  tables: readonly FollowedTable[],
  topic: Topic,
  config: Settings,
  can: Capabilities,
  database?: string
): TopicScript {
  const own = (what: string) => `pgsyncer_${config.name}_${what}`
  const relation = (name: string) => (database === undefined ? '' : `${ident(database)}.`) + ident(name)
  const [source, messages, feed] = ['topic', 'messages', 'feed'].map(own) as [string, string, string]
  const targets = namesOf(tables, config, [source, messages, feed])
  const advice = `Run DETACH TABLE ${source}, then pgsyncer apply --once with --name ${config.name} and --group ${config.group}, then ATTACH TABLE ${source}`
  const collection = own('kafka')
  const views = tables.map(table => {
    const name = targets.get(nameOf(table))!
    return { table, target: relation(name), view: relation(own(`to_${name}`)) }
  })
  const statements: Statement[] = [
    checkStatement(),
    {
      about: 'Ends reading, where this was run before: the group remembers how far it is.',
      sql: `DROP TABLE IF EXISTS ${relation(source)} SYNC`
    },
    ...[relation(feed), ...views.map(({ view }) => view), relation(messages)].map((name, i, all) => ({
      about: '',
      sql: `DROP ${i === all.length - 1 ? 'TABLE' : 'VIEW'} IF EXISTS ${name} SYNC`
    })),
    ...tables.map(table => ({
      about: `The rows of ${nameOf(table)}, as pgsyncer apply makes them: read them with FINAL.`,
      sql: createStatement(database, targets.get(nameOf(table))!, table, can)
    })),
    {
      about: 'Messages on their way from the topic to the views of the tables; nothing stays here.',
      sql: `CREATE TABLE ${relation(messages)} (
  ${Object.entries(messageColumns)
    .map(([name, type]) => `${ident(name)} ${type}`)
    .join(',\n  ')}
) ENGINE = Null`
    },
    ...views.map(({ table, target, view }) => ({
      about: `Messages of ${nameOf(table)} as its rows.`,
      sql: viewStatement(table, { view, target, messages: relation(messages), advice }, can, config.unfit)
    })),
    {
      about: [
        'The topic. Nothing is read from it before the view below is there.',
        ...(topic.login
          ? [
              `The password of ${topic.login.username} is in a named collection; before this, give it once:`,
              `CREATE NAMED COLLECTION ${collection} AS kafka_sasl_password = '…'`
            ]
          : [])
      ].join('\n'),
      sql: sourceStatement(relation(source), topic, collection)
    },
    {
      about: `Begins reading; more consumers than one (kafka_num_consumers) are of use where the topic has more partitions.\nWhat it could not take: SELECT exceptions.text FROM system.kafka_consumers WHERE table = ${literal(source)}`,
      sql: feedStatement(relation(feed), relation(messages), relation(source))
    }
  ]
  return { statements, targets }
}

function namesOf(
  tables: readonly FollowedTable[],
  config: Settings,
  taken: readonly string[]
): Map<string, string> {
  const owners = new Map<string, string>(taken.map(name => [name, 'what reads the topic']))
  const targets = new Map<string, string>()
  for (const table of tables) {
    const name = targetName(table, config)
    const owner = owners.get(name)
    if (owner !== undefined) {
      throw new ConfigError(`${owner} and ${nameOf(table)} are both ${name} in ClickHouse`, {
        hint: 'Leave one of them out with --exclude-table, or make them one schema at a time.'
      })
    }
    owners.set(name, nameOf(table))
    targets.set(nameOf(table), name)
  }
  return targets
}

function sourceStatement(
  relation: string,
  { brokers, topic, group, secure, login }: Topic,
  collection: string
): string {
  const protocol = `${login ? 'sasl_' : ''}${secure ? 'ssl' : 'plaintext'}`
  const settings: Record<string, string | number> = {
    kafka_broker_list: literal(brokers.join(',')),
    kafka_topic_list: literal(topic),
    kafka_group_name: literal(group),
    // A message is a row, whatever is in it.
    kafka_format: `'RawBLOB'`,
    kafka_flush_interval_ms: flush,
    ...(protocol !== 'plaintext' && { kafka_security_protocol: literal(protocol) }),
    ...(login && {
      kafka_sasl_mechanism: literal(login.mechanism),
      kafka_sasl_username: literal(login.username)
    })
  }
  const shown = Object.entries(settings).map(([name, value]) => `${name} = ${value}`)
  return `CREATE TABLE ${relation} (message String)
ENGINE = Kafka${login ? `(${collection})` : ''} SETTINGS
  ${shown.join(',\n  ')}`
}

/** What is no message of ours is refused as views refuse (view.ts). */
function feedStatement(feed: string, messages: string, source: string): string {
  return `CREATE MATERIALIZED VIEW ${feed} TO ${messages} AS
SELECT
  concat('partition ', toString(_partition), ' offset ', toString(_offset)) AS place,
  JSONExtractString(message, 'schema') AS \`schema\`,
  JSONExtractString(message, 'table') AS \`table\`,
  JSONExtractString(message, 'operation') AS operation,
  toUInt64(multiIf(
    NOT isValidJSON(message), concat(place, ': the message is not JSON'),
    JSONExtractInt(message, 'version') != ${messageVersion}, concat(place, ': the message is not of version ${messageVersion}'),
    operation NOT IN ('INSERT', 'UPDATE', 'DELETE', 'TRUNCATE'), concat(place, ': the message has no operation'),
    NOT match(JSONExtractString(message, 'row_version'), '^[0-9]{1,19}$'), concat(place, ': the message has no row_version'),
    JSONExtractString(message, 'row_version'))) AS version,
  JSONExtractKeys(message, 'key') AS key_columns,
  JSONExtract(message, if(operation = 'DELETE', 'key', 'new_record'), '${messageColumns.record}') AS record,
  JSONExtract(message, 'absent', '${messageColumns.absent}') AS absent
FROM ${source}`
}

/** Older servers have the functions, but some make other texts of numbers, or wrap around. */
export function checkStatement(): Statement {
  const json = `{"a":7,"b":-1.5e-7,"c":true,"d":null,"e":"x\\n\\u00e9\\"","f":"null"}`
  const checks: [string, string][] = [
    [
      `JSONExtract(${literal(json)}, '${messageColumns.record}')`,
      `toString(map('a', '7', 'b', '-1.5e-7', 'c', 'true', 'd', NULL, 'e', ${literal('x\né"')}, 'f', 'null'))`
    ],
    [
      `[accurateCastOrNull('2147483648', 'Int32'), accurateCastOrNull('-7', 'Int32'), accurateCastOrNull('1.5', 'Int32')]`,
      `'[NULL,-7,NULL]'`
    ],
    [`accurateCastOrNull('-0.0000000001', 'Decimal(76, 10)')`, `'-0.0000000001'`],
    [
      `accurateCastOrNull('1900-01-01 00:00:00.000001', 'DateTime64(6, \\'UTC\\')')`,
      `'1900-01-01 00:00:00.000001'`
    ],
    [
      `accurateCastOrNull('2299-12-31 23:59:59.999999', 'DateTime64(6, \\'UTC\\')')`,
      `'2299-12-31 23:59:59.999999'`
    ],
    [
      `[JSONExtract('5e-324', 'Float64'), JSONExtract('0.30000000000000004', 'Float64'), JSONExtract('-0.0', 'Float64')]`,
      `'[5e-324,0.30000000000000004,-0]'`
    ]
  ]
  const tests = checks.map(([value, expected]) => `ifNull(toString(${value}), 'NULL') != ${expected}`)
  return {
    about: 'Ends here where this server reads values otherwise than the views below need it.',
    sql: `SELECT throwIf(${tests.join('\n  OR ')},\n  'this ClickHouse is too old for these views: use pgsyncer apply') FORMAT Null`
  }
}
