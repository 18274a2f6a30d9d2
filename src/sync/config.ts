/**
 * What a one-shot run needs to know, complete and checked: every default is here, so that the command line, a
 * config file and a caller of the library mean the same thing by what they leave out.
 */
import { ConfigError } from '../core/errors.js'
import { hazards, type Hazard, type SchemaMethod } from '../schema/change.js'

export interface DeleteGuard {
  /** At most this many rows of a table, or … */
  rows?: number
  /** … this share of the standby's rows (0–100). A share guards only where it is more than 1,000 rows. */
  percent?: number
}

export interface CleanExtra {
  rows: boolean
  objects: boolean
}

export interface SyncConfig {
  /** DSNs as libpq takes them: a URI, `key=value`, or `service=NAME`. */
  main: string
  standby: string
  /** `PG*` variables, `HOME`: what libpq would read from the environment. */
  env: Readonly<Record<string, string | undefined>>
  /** Exact names. */
  schemas: readonly string[]
  /** Every schema of main but the system's, and what is in none: extensions, casts, publications, … */
  allSchemas: boolean
  /** psql patterns; empty means all. */
  tables: readonly string[]
  excludeTables: readonly string[]
  /** Row filters: psql pattern of a table → SQL condition. */
  where: Readonly<Record<string, string>>
  /** psql pattern of a table → column names left out of comparing and writing. */
  excludeColumns: Readonly<Record<string, readonly string[]>>
  syncSchema: boolean
  syncData: boolean
  /** auto: pg_dump where one is found that fits both servers, else the catalogs. */
  schemaMethod: SchemaMethod
  withOwner: boolean
  withPrivileges: boolean
  /** Hazards of changes to the structure that are accepted. */
  allow: readonly (Hazard | 'all')[]
  concurrentIndexes: boolean
  /** The program's path; found on PATH and in Debian's folders where it is left out. */
  pgDump: string | undefined
  psql: string | undefined
  forcePsql: boolean
  /** Rows, 1–1,000,000. */
  chunkSize: number
  /** Connections to each server that compare and move rows, 1–64. */
  workers: number
  /** Bytes of main's rows that are read a second, 1,024 or more; 0: no limit. */
  maxRate: number
  useUpdatedAt: boolean
  /** `YYYY-MM-DD HH:MM:SS[±ZZ]`, UTC where it names no zone. */
  lastSyncTime: string | undefined
  cleanExtra: CleanExtra
  maxDelete: DeleteGuard
  fdwMode: boolean
  /** Where the standby's server finds main, if that is not where this program finds it. */
  fdwHost: string | undefined
  fdwPort: number | undefined
  /** Prove tables that were loaded whole by their digests, not by their row counts alone. */
  verify: boolean
  strictHash: boolean
  /** Differing rows kept in the report for each table. */
  samples: number
  /** diff: path of the plan that it writes, for apply-plan. */
  plan: string | undefined
  /** Milliseconds; 0 waits for ever. */
  lockTimeout: number
  statementTimeout: number
  /** Tries of a chunk after the first, and of a run that lost its moment of main. */
  retries: number
  /** Milliseconds that a server may be away in the midst of a run, once it has let us in. */
  maxOutage: number
  /** Milliseconds that a server is waited for at the start. */
  connectWait: number
}

export type SyncOptions = Partial<SyncConfig> & Pick<SyncConfig, 'main' | 'standby'>

export const defaults: Omit<SyncConfig, 'main' | 'standby'> = {
  env: {},
  schemas: ['public'],
  allSchemas: false,
  tables: [],
  excludeTables: [],
  where: {},
  excludeColumns: {},
  syncSchema: true,
  syncData: true,
  schemaMethod: 'auto',
  withOwner: false,
  withPrivileges: false,
  allow: [],
  concurrentIndexes: false,
  pgDump: undefined,
  psql: undefined,
  forcePsql: false,
  chunkSize: 10_000,
  workers: 4,
  maxRate: 0,
  useUpdatedAt: false,
  lastSyncTime: undefined,
  cleanExtra: { rows: false, objects: false },
  maxDelete: { percent: 50 },
  fdwMode: false,
  fdwHost: undefined,
  fdwPort: undefined,
  verify: false,
  strictHash: false,
  samples: 5,
  plan: undefined,
  lockTimeout: 5_000,
  statementTimeout: 0,
  retries: 5,
  maxOutage: 60_000,
  connectWait: 0
}

const ranges: readonly [keyof SyncConfig, number, number][] = [
  ['chunkSize', 1, 1_000_000],
  ['workers', 1, 64],
  ['samples', 0, 1_000_000],
  ['lockTimeout', 0, 2_147_483_647],
  ['statementTimeout', 0, 2_147_483_647],
  ['retries', 0, 100],
  ['maxOutage', 0, 2_147_483_647],
  ['connectWait', 0, 2_147_483_647]
]

const timePattern =
  /^\d{4}-\d{2}-\d{2}([ T]([01]\d|2[0-3]):[0-5]\d(:[0-5]\d(\.\d{1,6})?)?( ?(Z|UTC|[+-]\d{2}(:?\d{2})?))?)?$/

/** Whether a text is a moment; a 30th of February is none. */
function isTime(text: string): boolean {
  const day = text.slice(0, 10)
  const date = new Date(`${day}T00:00:00Z`)
  return timePattern.test(text) && !Number.isNaN(date.getTime()) && date.toISOString().startsWith(day)
}

/**
 * Fills in the defaults and checks every value.
 * @throws ConfigError that lists all faults at once, one a line.
 */
export function completeConfig(options: SyncOptions): SyncConfig {
  const config: SyncConfig = { ...defaults, ...definedOnly(options) }
  const faults: string[] = []
  for (const name of ['main', 'standby'] as const) {
    if (!config[name]) faults.push(`no DSN for ${name} was given`)
  }
  for (const [name, low, high] of ranges) {
    const value = config[name] as number
    if (!Number.isInteger(value) || value < low || value > high) {
      faults.push(`${name} must be a whole number from ${low} to ${high}, not ${value}`)
    }
  }
  const { maxRate } = config
  if (maxRate !== 0 && !(Number.isInteger(maxRate) && maxRate >= 1024))
    faults.push('maxRate must be 1kB a second or more, or 0 for no limit')
  if (config.schemas.length === 0) faults.push('at least one schema must be named')
  for (const name of config.allow) {
    if (name !== 'all' && !hazards.includes(name)) {
      faults.push(`allow takes ${hazards.join(', ')}, or all, not ${JSON.stringify(name)}`)
    }
  }
  if (!['auto', 'pgdump', 'catalog'].includes(config.schemaMethod)) {
    faults.push(`schemaMethod is auto, pgdump or catalog, not ${JSON.stringify(config.schemaMethod)}`)
  }
  const { lastSyncTime, maxDelete } = config
  if (lastSyncTime !== undefined) {
    if (!isTime(lastSyncTime)) {
      faults.push(`lastSyncTime must be written YYYY-MM-DD HH:MM:SS, not ${JSON.stringify(lastSyncTime)}`)
    }
    if (!config.useUpdatedAt) faults.push('lastSyncTime has a meaning only with useUpdatedAt')
  }
  const share = maxDelete.percent
  if (share !== undefined && !(share >= 0 && share <= 100)) faults.push('maxDelete must be 0% to 100%')
  if (maxDelete.rows !== undefined && !(Number.isInteger(maxDelete.rows) && maxDelete.rows >= 0)) {
    faults.push('maxDelete must be a whole number of rows, or a percentage')
  }
  if (faults.length > 0) throw new ConfigError(faults.join('\n'))
  return config
}

function definedOnly<T extends object>(options: T): T {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined)) as T
}
