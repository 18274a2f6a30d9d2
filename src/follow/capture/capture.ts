/**
 * What a source needs to find on main, and who makes it: nobody but these. A capture gives SQL and runs none of it, so that a
 * person sees the very statements that will run, and a second install has none.
 */
import type { FollowConfig, SourceKind } from '../config.js'

export interface CaptureObject {
  /** As PostgreSQL calls it: publication, replication slot, table, function, trigger. */
  readonly kind: string
  readonly name: string
  readonly state: 'present' | 'missing' | 'differs'
  /** What differs, or how it stands: one phrase. */
  readonly detail?: string
}

export interface CaptureStatus {
  readonly source: SourceKind
  /** FollowConfig.name */
  readonly name: string
  /** Everything is there as it must be. */
  readonly installed: boolean
  readonly objects: readonly CaptureObject[]
  /** What a person should know besides, each a sentence. */
  readonly notes: readonly string[]
}

export interface Capture {
  /**
   * Statements that make what is missing, in order; none where everything is there. Read-only. Each is run by itself: a slot cannot be
   * made in a transaction that wrote.
   * @throws ConfigError or FollowError where a table or the server is not fit for it.
   */
  install(): Promise<readonly string[]>
  /** Statements that take away everything install made for this name; none where nothing of it is there. Read-only. */
  remove(): Promise<readonly string[]>
  status(): Promise<CaptureStatus>
}

/** The command that makes what is missing, but for the DSN, which may hold a password. */
export function installCommand({
  source,
  name,
  tables,
  schemas
}: Pick<FollowConfig, 'source' | 'name' | 'tables' | 'schemas'>): string {
  const word = (text: string) => (/^[\w.]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`)
  const each = (flag: string, values: readonly string[]) =>
    values.map(value => ` ${flag} ${word(value)}`).join('')
  const ofSchemas = schemas.join() === 'public' ? '' : each('--schema', schemas)
  const ofName = name === 'default' ? '' : ` --name ${name}`
  return `pgsyncer capture install --source ${source} --maindsn …${each('--table', tables)}${ofSchemas}${ofName}`
}
