/** The options of what follows changes, a part of the one table (options.ts). */
import { sourceKinds } from '../follow/config.js'
import { brokers, cli, following, streams, type Option } from './option.js'
import * as values from './values.js'

export const followOptions: readonly Option[] = [
  following('to', 'to', {
    group: 'Databases',
    commands: ['follow', 'apply', 'clickhouse-ddl', 'status'],
    value: 'DSN',
    secret: true,
    schema: values.text,
    describe:
      'Where changes go: a DSN of PostgreSQL, or clickhouse://USER@HOST:8123/DATABASE (clickhouses:// for TLS)'
  }),
  following('source', 'source', {
    group: 'Follow',
    commands: ['follow', 'publish', 'capture'],
    value: sourceKinds.join('|'),
    schema: values.choice(...sourceKinds),
    describe: 'How changes are found: new ids, the same with a wake-up, triggers and a table, or the WAL'
  }),
  following('name', 'name', {
    group: 'Follow',
    commands: streams,
    value: 'NAME',
    schema: values.text,
    describe: 'Tells this stream from others: names its slot, publication, triggers and record'
  }),
  following('snapshot', 'snapshot', {
    group: 'Follow',
    commands: ['follow', 'publish'],
    value: 'initial|never|only',
    schema: values.choice('initial', 'never', 'only'),
    describe: 'Copy what is there, then follow; take it as being on the sink already; or copy and end'
  }),
  following('once', 'once', {
    group: 'Follow',
    commands: ['follow', 'publish', 'apply'],
    schema: values.flag,
    describe: 'End when all is written that was committed before the start'
  }),
  following('interval', 'interval', {
    group: 'Follow',
    commands: ['follow', 'publish'],
    value: 'TIME',
    time: true,
    schema: values.duration,
    describe: 'From one look to the next (poll), or longest wait for a signal (notify, outbox)'
  }),
  following('overlap', 'overlap', {
    group: 'Follow',
    commands: ['follow', 'publish'],
    value: 'IDS',
    schema: values.integer,
    describe: 'poll, notify: so many ids are read again where they do not come from a sequence'
  }),
  following('on-schema-change', 'onSchemaChange', {
    group: 'Follow',
    commands: ['follow', 'apply'],
    value: 'add|stop',
    schema: values.choice('add', 'stop'),
    describe: 'Columns that main gets: add them to the sink, or stop before anything is written'
  }),
  following('unfit', 'unfit', {
    group: 'Follow',
    commands: ['follow', 'apply', 'clickhouse-ddl'],
    value: 'error|null|clamp',
    schema: values.choice('error', 'null', 'clamp'),
    describe: "Values that ClickHouse's type cannot hold: stop, write NULL, or the nearest"
  }),
  following('state-file', 'stateFile', {
    group: 'Follow',
    commands: ['follow', 'publish', 'status'],
    value: 'FILE',
    schema: values.text,
    describe:
      'Keep the position in this file: instead of in ClickHouse, or, for publish of poll and notify, at all'
  }),
  cli('http', 'http', {
    group: 'Follow',
    commands: ['follow', 'publish', 'apply'],
    value: '[HOST:]PORT',
    schema: values.text,
    describe: 'Serve a live page, /metrics and /healthz there'
  }),
  following('via', 'via', {
    group: 'Broker',
    commands: brokers,
    value: 'URL',
    secret: true,
    schema: values.text,
    describe: 'The broker: amqp://USER:PASSWORD@HOST/VHOST or kafka://HOST:9092 (amqps://, kafkas:// for TLS)'
  }),
  following('payload', 'payload', {
    group: 'Broker',
    commands: ['publish', 'clickhouse-ddl'],
    value: 'row|key',
    schema: values.choice('row', 'key'),
    describe: 'Publish whole rows, or keys alone, for appliers that fetch the rows from main'
  }),
  following('group', 'group', {
    group: 'Broker',
    commands: ['apply', 'dead-letters', 'clickhouse-ddl'],
    value: 'NAME',
    schema: values.text,
    describe: 'Who applies: one for each replica; its members share the messages'
  }),
  following('from', 'from', {
    group: 'Broker',
    commands: ['apply'],
    value: 'earliest|latest|TIME',
    schema: values.text,
    describe: 'Where the group begins anew; without it, it goes on (Kafka)'
  }),
  following('dead-letter-after', 'deadLetterAfter', {
    group: 'Broker',
    commands: ['apply'],
    value: 'N',
    schema: values.integer,
    describe: 'A message that was refused so often is put aside, and the rest goes on; 0: it stops'
  }),
  following('queue-type', 'queueType', {
    group: 'Broker',
    commands: ['apply', 'dead-letters'],
    value: 'classic|quorum',
    schema: values.choice('classic', 'quorum'),
    describe: 'What RabbitMQ’s queues are made as'
  }),
  following('partitions', 'partitions', {
    group: 'Broker',
    commands: ['publish'],
    value: 'N',
    schema: values.integer,
    describe: 'Partitions of Kafka’s topic: as many appliers of a group can work side by side'
  })
]
