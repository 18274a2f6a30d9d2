/**
 * What a copy into sections needs to know, complete and checked: every default is here, and every name is read here
 * once, by SQL's rules (folded to lower case unless it is quoted).
 */
import { ConfigError } from '../../core/errors.js'
import { parseName } from '../../postgres/names.js'

export interface SectionsConfig {
  /** DSNs as libpq takes them: a URI, `key=value`, or `service=NAME`. */
  main: string
  standby: string
  /** `PG*` variables, `HOME`: what libpq would read from the environment. */
  env: Readonly<Record<string, string | undefined>>
  /** The ever-growing table on main, such as `device.messages`; without a schema, found by main's search_path. */
  sourceTable: string
  /** The source's column whose every value has a section of its own. */
  sectionKey: string
  /** The source's column of which later rows have greater values; of any type that has an order. */
  cursor: string
  /** The standby's procedure or function that stores one row, given as json or jsonb. */
  procedure: string
  /**
   * LIKE pattern of the sections' names on the standby, in all schemas but the system's, or in one: `schema.pattern`.
   */
  sectionTables: string
  /** Rows of a transaction, 1–1,000,000; rows that share a cursor stay together, so that it may become more. */
  chunkSize: number
  /** Milliseconds to wait for the transactions that were writing to the source at the start; 0 waits for ever. */
  settleTimeout: number
  /** Milliseconds; 0 waits for ever. */
  lockTimeout: number
  statementTimeout: number
}

export type SectionsOptions = Partial<SectionsConfig> & Pick<SectionsConfig, 'main' | 'standby'>

export const sectionsDefaults: Omit<SectionsConfig, 'main' | 'standby'> = {
  env: {},
  sourceTable: 'device.messages',
  sectionKey: 'object_id',
  cursor: 'created_id',
  procedure: 'check_section',
  sectionTables: 'message\\_%',
  chunkSize: 10_000,
  settleTimeout: 60_000,
  lockTimeout: 0,
  statementTimeout: 0
}

/** A name with or without its schema. */
export interface Name {
  schema: string | undefined
  name: string
}

/** The config with its names read. */
export interface Sections extends SectionsConfig {
  source: Name
  keyColumn: string
  cursorColumn: string
  routine: Name
  /** `name` is a LIKE pattern, `schema` is exact. */
  pattern: Name
}

const ranges: readonly [keyof SectionsConfig, number, number][] = [
  ['chunkSize', 1, 1_000_000],
  ['settleTimeout', 0, 2_147_483_647],
  ['lockTimeout', 0, 2_147_483_647],
  ['statementTimeout', 0, 2_147_483_647]
]

/**
 * Fills in the defaults and checks every value.
 * @throws ConfigError that lists all faults at once, one a line.
 */
export function completeSections(options: SectionsOptions): Sections {
  const given = Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined))
  const config: SectionsConfig = { ...sectionsDefaults, ...(given as SectionsOptions) }
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
  const read = (field: 'sourceTable' | 'sectionKey' | 'cursor' | 'procedure', most: 1 | 2): Name => {
    const parts = parseName(config[field])
    if (parts && parts.length <= most) return { name: parts.at(-1)!, schema: parts.at(-2) }
    const expected = most === 1 ? 'a column’s name' : 'a name, with or without its schema'
    faults.push(
      `${field} must be ${expected}, as SQL writes it (quoted where it needs quotes), not ${JSON.stringify(config[field])}`
    )
    return { name: '', schema: undefined }
  }
  const source = read('sourceTable', 2)
  const keyColumn = read('sectionKey', 1).name
  const cursorColumn = read('cursor', 1).name
  const routine = read('procedure', 2)
  const pattern = readPattern(config.sectionTables)
  if (typeof pattern === 'string') faults.push(pattern)
  if (faults.length > 0 || typeof pattern === 'string') throw new ConfigError(faults.join('\n'))
  return { ...config, source, keyColumn, cursorColumn, routine, pattern }
}

/** What stands before the first dot is a schema where it can be one; the rest is taken letter by letter. */
function readPattern(text: string): Name | string {
  const found = /^("(?:[^"]|"")+"|[^."%]+)\.(.*)$/su.exec(text)
  const schema = found ? parseName(found[1]!) : undefined
  const pattern: Name =
    schema?.length === 1 ? { schema: schema[0], name: found![2]! } : { schema: undefined, name: text }
  if (pattern.name === '') return 'sectionTables must be a LIKE pattern, and not empty'
  if (/^%+$/.test(pattern.name)) {
    return 'sectionTables must be a LIKE pattern that not every table fits'
  }
  if (/(?:^|[^\\])(?:\\\\)*\\$/.test(pattern.name)) {
    return 'sectionTables must not end in a single backslash, which LIKE does not take'
  }
  return pattern
}
