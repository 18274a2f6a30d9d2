/** The options of what follows changes, a part of the one table (options.ts). */
import { sourceKinds } from '../follow/config.js'
import { cli, following, streams, type Option } from './option.js'
import * as values from './values.js'

export const followOptions: readonly Option[] = [
  following('to', 'to', {
    group: 'Databases',
    commands: ['follow', 'status'],
    value: 'DSN',
    secret: true,
    schema: values.text,
    describe:
      'Where changes go: a DSN of PostgreSQL, or clickhouse://USER@HOST:8123/DATABASE (clickhouses:// for TLS)'
  }),
  following('source', 'source', {
    group: 'Follow',
    commands: ['follow', 'capture'],
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
    value: 'initial|never|only',
    schema: values.choice('initial', 'never', 'only'),
    describe: 'Copy what is there, then follow; take it as being on the sink already; or copy and end'
  }),
  following('once', 'once', {
    group: 'Follow',
    schema: values.flag,
    describe: 'End when all is written that was committed before the start'
  }),
  following('interval', 'interval', {
    group: 'Follow',
    value: 'TIME',
    time: true,
    schema: values.duration,
    describe: 'From one look to the next (poll), or longest wait for a signal (notify, outbox)'
  }),
  following('overlap', 'overlap', {
    group: 'Follow',
    value: 'IDS',
    schema: values.integer,
    describe: 'poll, notify: so many ids are read again where they do not come from a sequence'
  }),
  following('on-schema-change', 'onSchemaChange', {
    group: 'Follow',
    value: 'add|stop',
    schema: values.choice('add', 'stop'),
    describe: 'Columns that main gets: add them to the sink, or stop before anything is written'
  }),
  following('unfit', 'unfit', {
    group: 'Follow',
    value: 'error|null|clamp',
    schema: values.choice('error', 'null', 'clamp'),
    describe: "Values that ClickHouse's type cannot hold: stop, write NULL, or the nearest"
  }),
  following('state-file', 'stateFile', {
    group: 'Follow',
    commands: ['follow', 'status'],
    value: 'FILE',
    schema: values.text,
    describe: 'Keep the position in this file instead of in ClickHouse'
  }),
  cli('http', 'http', {
    group: 'Follow',
    commands: ['follow'],
    value: '[HOST:]PORT',
    schema: values.text,
    describe: 'Serve a live page, /metrics and /healthz there'
  })
]
