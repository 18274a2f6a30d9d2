/** What following needs to know, complete and checked: every default is here. */
import { ConfigError } from '../core/errors.js'

export const sourceKinds = ['poll', 'notify', 'outbox', 'wal'] as const
export type SourceKind = (typeof sourceKinds)[number]

export interface FollowConfig {
  /** Main's DSN, as libpq takes it. */
  main: string
  /** The sink: `postgres://…` (any DSN that libpq takes), `clickhouse://USER:PASSWORD@HOST:PORT/DATABASE`, or `clickhouses://…` for TLS. */
  to: string
  /** `PG*` variables, `HOME`: what libpq would read from the environment. */
  env: Readonly<Record<string, string | undefined>>
  source: SourceKind
  /** psql patterns; at least one. */
  tables: readonly string[]
  excludeTables: readonly string[]
  /** Exact names. */
  schemas: readonly string[]
  /** Tells this stream from others of the same main and sink: names its slot, publication, outbox and record. */
  name: string
  /** poll, notify: the column that only grows; undefined: a primary key of one whole number. */
  idColumn: string | undefined
  /** Milliseconds between two looks (poll), or at most without a signal (notify, outbox). */
  interval: number
  /** Changes of a batch at most, 1–100,000. */
  batchSize: number
  /** initial: copy what is there, then follow; never: what is there is on the sink already; only: copy, and end. */
  snapshot: 'initial' | 'never' | 'only'
  /** End when the sink has all that was committed before the start. */
  once: boolean
  /** poll, notify where ids are not from a sequence: so many ids are read again and again. */
  overlap: number
  /** Columns that main gets: add them to the sink, or stop before anything is written. */
  onSchemaChange: 'add' | 'stop'
  /** Values that the sink's type cannot hold: stop, write NULL, or write the nearest value. */
  unfit: 'error' | 'null' | 'clamp'
  /** Empty the sink's tables before the first copy, where they have rows. */
  cleanExtra: boolean
  /** ClickHouse: where the position is kept instead of in the sink. */
  stateFile: string | undefined
  /** publish, apply: the broker, `amqp://…`, `amqps://…`, `kafka://…` or `kafkas://…`. */
  via: string | undefined
  /** apply: who receives, one for each replica; its members share the messages. */
  group: string
  /** apply: where the group begins, or begins again; undefined: where it stopped, a new one with the oldest message. */
  from: string | undefined
  /** publish: the whole row, or its key alone, for appliers that fetch the row from main. */
  payload: 'row' | 'key'
  /** apply: a message that was refused so often goes to the dead letters; 0: it stops the applier. 0–100. */
  deadLetterAfter: number
  /** RabbitMQ: what queues are made as. */
  queueType: 'classic' | 'quorum'
  /** Kafka: what a topic is made with, 1–1,000; undefined: the broker's default. */
  partitions: number | undefined
  /** Milliseconds; 0 waits for ever. */
  lockTimeout: number
  statementTimeout: number
}

export type FollowOptions = Partial<FollowConfig> & Pick<FollowConfig, 'main' | 'to' | 'source' | 'tables'>

export const followDefaults: Omit<FollowConfig, 'main' | 'to' | 'source'> = {
  env: {},
  tables: [],
  excludeTables: [],
  schemas: ['public'],
  name: 'default',
  idColumn: undefined,
  interval: 10_000,
  batchSize: 1000,
  snapshot: 'initial',
  once: false,
  overlap: 10_000,
  onSchemaChange: 'add',
  unfit: 'error',
  cleanExtra: false,
  stateFile: undefined,
  via: undefined,
  group: 'default',
  from: undefined,
  payload: 'row',
  deadLetterAfter: 0,
  queueType: 'classic',
  partitions: undefined,
  lockTimeout: 5_000,
  statementTimeout: 0
}

const ranges: readonly [keyof FollowConfig, number, number][] = [
  ['interval', 1, 86_400_000],
  ['batchSize', 1, 100_000],
  ['overlap', 0, 10_000_000],
  ['deadLetterAfter', 0, 100],
  ['partitions', 1, 1000],
  ['lockTimeout', 0, 2_147_483_647],
  ['statementTimeout', 0, 2_147_483_647]
]

const missing: Partial<Record<keyof FollowConfig, string>> = {
  main: 'no DSN for main was given',
  to: 'to must be given: postgres://… or clickhouse://…',
  source: `source must be given: ${sourceKinds.join(', ')}`,
  tables: 'tables must name at least one table',
  via: 'via must be given: amqp://… or kafka://…'
}

/** What names of PostgreSQL's slots may be made of, and short enough for what is put around it. */
const namePattern = /^[a-z][a-z0-9_]{0,39}$/

/**
 * Fills in the defaults and checks every value.
 * @param needs what must be given.
 * @throws ConfigError that lists all faults at once, one a line.
 */
export function completeFollow(
  options: Partial<FollowOptions>,
  needs: readonly (keyof FollowConfig)[] = ['main', 'to', 'source', 'tables']
): FollowConfig {
  const given: Record<string, unknown> = Object.fromEntries(
    Object.entries(options).filter(([, value]) => value !== undefined)
  )
  const config: FollowConfig = {
    ...followDefaults,
    // ClickHouse makes a file of every insert: it wants few and large ones.
    ...(isClickHouse(options.to ?? '') && { batchSize: 10_000 }),
    ...(given as unknown as FollowOptions)
  }
  const faults: string[] = []
  for (const name of needs) if (isEmpty(given[name])) faults.push(missing[name] ?? `${name} must be given`)
  for (const [name, low, high] of ranges) {
    const value = config[name] as number | undefined
    if (value === undefined) continue
    if (!Number.isInteger(value) || value < low || value > high)
      faults.push(`${name} must be a whole number from ${low} to ${high}, not ${value}`)
  }
  for (const name of ['name', 'group'] as const) {
    if (!namePattern.test(config[name]))
      faults.push(
        `${name} must be lower-case letters, digits and _ (40 at most), not ${JSON.stringify(config[name])}`
      )
  }
  if (config.stateFile !== undefined && config.to && !config.via && !isClickHouse(config.to))
    faults.push('stateFile is for ClickHouse: PostgreSQL keeps the position with the rows')
  if (faults.length > 0) throw new ConfigError(faults.join('\n'))
  return config
}

export const isClickHouse = (to: string): boolean => /^clickhouses?:\/\//i.test(to)

/**
 * The same for a publisher. It has no sink that would remember a first copy: rows that are there are published only where they are asked for.
 * @throws ConfigError that lists all faults at once, one a line.
 */
export function completePublish(options: Partial<FollowOptions>): FollowConfig {
  const config = completeFollow({ ...options, snapshot: options.snapshot ?? 'never' }, [
    'main',
    'via',
    'source',
    'tables'
  ])
  const faults: string[] = []
  if (config.snapshot === 'initial')
    faults.push('snapshot must be never or only: publish what is there once, then publish without it')
  if ((config.source === 'poll' || config.source === 'notify') && config.stateFile === undefined)
    faults.push(`stateFile must be given: main remembers nothing of ${config.source}`)
  if (faults.length > 0) throw new ConfigError(faults.join('\n'))
  return config
}

/**
 * The same for an applier.
 * @throws ConfigError that lists all faults at once, one a line.
 */
export function completeApply(options: Partial<FollowOptions>): FollowConfig {
  const config = completeFollow({ ...options, source: 'wal', snapshot: 'never' }, ['to', 'via'])
  const faults: string[] = []
  if (isClickHouse(config.to) && !config.main)
    faults.push('main must be given: ClickHouse’s tables are made from its')
  if (config.from !== undefined && fromOf(config.from) === undefined)
    faults.push(`from must be earliest, latest, a time or a position, not ${JSON.stringify(config.from)}`)
  if (faults.length > 0) throw new ConfigError(faults.join('\n'))
  return config
}

/**
 * The same for the statements by which ClickHouse reads a topic itself.
 * @throws ConfigError that lists all faults at once, one a line.
 */
export function completeClickHouseDdl(options: Partial<FollowOptions>): FollowConfig {
  const config = completeFollow({ ...options, source: 'wal', snapshot: 'never' }, ['main', 'via', 'tables'])
  const faults: string[] = []
  if (!/^kafkas?:\/\//i.test(config.via!))
    faults.push('via must be kafka://…: ClickHouse reads its topics alone')
  if (config.to && !isClickHouse(config.to)) faults.push('to must be clickhouse://…, or be left out')
  if (config.payload === 'key')
    faults.push('payload must be row: ClickHouse cannot fetch from main the rows that keys are of')
  if (faults.length > 0) throw new ConfigError(faults.join('\n'))
  return config
}

/** Where a group begins. */
export type From = 'earliest' | 'latest' | { readonly timestamp: number } | { readonly position: string }

/** Undefined: it is none. A time without a zone is UTC's. */
export function fromOf(text: string): From | undefined {
  if (text === 'earliest' || text === 'latest') return text
  if (text.startsWith('{')) return { position: text }
  const timestamp = Date.parse(/[zZ]|[+-]\d\d:?\d\d$/.test(text) ? text : `${text.replace(' ', 'T')}Z`)
  return Number.isNaN(timestamp) ? undefined : { timestamp }
}

const isEmpty = (value: unknown): boolean =>
  value === undefined || value === '' || (Array.isArray(value) && value.length === 0)
