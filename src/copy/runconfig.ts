/**
 * What a copy between two PostgreSQL servers needs to know, complete and checked: the defaults of `pgsyncer copy` are here.
 */
import { ConfigError } from '../core/errors.js'
import { parseName } from '../postgres/names.js'
import { faultsOf } from './config.js'
import type { CopyConfig } from './types.js'

export interface CopyRunConfig extends CopyConfig {
  /** DSNs as libpq takes them: a URI, `key=value`, or `service=NAME`. */
  main: string
  standby: string
  /** `PG*` variables, `HOME`: what libpq would read from the environment. */
  env: Readonly<Record<string, string | undefined>>
  /** Exactly one plain name, as SQL writes it, with or without its schema. */
  tables: readonly string[]
  /** Of a table that is written without one: exactly one. */
  schemas: readonly string[]
  idColumn: string
  /** Go on behind the greatest id on the standby. */
  resume: boolean
  /** Milliseconds; 0 waits for ever. */
  lockTimeout: number
  statementTimeout: number
}

export type CopyRunOptions = Partial<CopyRunConfig> & Pick<CopyRunConfig, 'main' | 'standby'>

export const copyDefaults: Omit<CopyRunConfig, 'main' | 'standby'> = {
  env: {},
  tables: ['profiles'],
  schemas: ['public'],
  idColumn: 'id',
  batchSize: 10_000,
  maxRetries: 3,
  retriesDelay: 1000,
  callTimeout: 30_000,
  fullCopyTimeout: 3_600_000,
  resume: false,
  lockTimeout: 0,
  statementTimeout: 0
}

/**
 * Fills in the defaults and checks every value.
 * @throws ConfigError that lists all faults at once, one a line.
 */
export function completeCopy(options: CopyRunOptions): CopyRunConfig {
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined))
  const config: CopyRunConfig = { ...copyDefaults, ...(given as CopyRunOptions) }
  const faults: string[] = []
  for (const name of ['main', 'standby'] as const) {
    if (!config[name]) faults.push(`no DSN for ${name} was given`)
  }
  faults.push(...faultsOf(config))
  const [table, ...others] = config.tables
  const parts = table === undefined ? undefined : parseName(table)
  if (others.length > 0) faults.push('tables must be one table: each copy is of one')
  else if (!parts || parts.length > 2)
    faults.push(`tables must be one plain name, such as shop."Orders", not ${JSON.stringify(table)}`)
  else if (parts.length === 1 && config.schemas.length !== 1)
    faults.push('schemas must be one schema, or the table must be written with its own')
  if (parseName(config.idColumn)?.length !== 1)
    faults.push(`idColumn must be one column's name, not ${JSON.stringify(config.idColumn)}`)
  if (faults.length > 0) throw new ConfigError(faults.join('\n'))
  return config
}
