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
  lockTimeout: 5_000,
  statementTimeout: 0
}

const ranges: readonly [keyof FollowConfig, number, number][] = [
  ['interval', 1, 86_400_000],
  ['batchSize', 1, 100_000],
  ['overlap', 0, 10_000_000],
  ['lockTimeout', 0, 2_147_483_647],
  ['statementTimeout', 0, 2_147_483_647]
]

const missing: Partial<Record<keyof FollowConfig, string>> = {
  main: 'no DSN for main was given',
  to: 'to must be given: postgres://… or clickhouse://…',
  source: `source must be given: ${sourceKinds.join(', ')}`,
  tables: 'tables must name at least one table'
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
  const config: FollowConfig = { ...followDefaults, ...(given as unknown as FollowOptions) }
  const faults: string[] = []
  for (const name of needs) if (isEmpty(given[name])) faults.push(missing[name] ?? `${name} must be given`)
  for (const [name, low, high] of ranges) {
    const value = config[name] as number
    if (!Number.isInteger(value) || value < low || value > high)
      faults.push(`${name} must be a whole number from ${low} to ${high}, not ${value}`)
  }
  if (!namePattern.test(config.name))
    faults.push(
      `name must be lower-case letters, digits and _ (40 at most), not ${JSON.stringify(config.name)}`
    )
  if (config.stateFile !== undefined && config.to && !isClickHouse(config.to))
    faults.push('stateFile is for ClickHouse: PostgreSQL keeps the position with the rows')
  if (faults.length > 0) throw new ConfigError(faults.join('\n'))
  return config
}

export const isClickHouse = (to: string): boolean => /^clickhouses?:\/\//i.test(to)

const isEmpty = (value: unknown): boolean =>
  value === undefined || value === '' || (Array.isArray(value) && value.length === 0)
