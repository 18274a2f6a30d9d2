/** How schema/ speaks to the floors above: plain values, which the report carries as they are. */
import type { Emit } from '../core/events.js'

/** What a statement may do to those who use the standby. */
export const hazards = [
  'deletes-data',
  'rewrites-table',
  'blocks-writes',
  'blocks-reads',
  'index-rebuild',
  'recreates-dependents',
  'loses-grants',
  'not-transactional',
  'authorization'
] as const

export type Hazard = (typeof hazards)[number]

/** One object that is not the same on both sides. The report's type of the same name is this one. */
export interface SchemaChange {
  /** As pg_dump calls it: TABLE, INDEX, FK CONSTRAINT, … */
  kind: string
  schema: string
  /** As pg_dump calls it: a constraint is `table constraint`, a function has its argument types. */
  name: string
  /**
   * create: only on main; drop: only on the standby; both have it and it differs: alter in place, replace (dropped and
   * made anew), or rewrite (a new table or type beside the old one, its rows carried over).
   */
  action: 'create' | 'alter' | 'replace' | 'drop' | 'rewrite'
  /** What happened to it: nothing yet (diff), done, left alone, or failed. */
  status: 'pending' | 'applied' | 'left' | 'failed'
  /** Each ends in a semicolon. */
  sql: string[]
  hazards: Hazard[]
  reason?: string
}

/** One statement of a script, with what it belongs to. */
export interface SchemaStatement {
  /** Ends in a semicolon. */
  sql: string
  /** Of its change: `alter TABLE app.orders`. */
  label: string
  hazards: Hazard[]
}

/** All that would be run, in the order in which it would be. */
export interface SchemaScript {
  /** Settings that the statements are written for. */
  preamble?: string[]
  /** Before all else, each by itself: what must be committed before it can be used, such as a new value of an enum. */
  outside: SchemaStatement[]
  /** Before the rows. */
  structure: SchemaStatement[]
  /** After the rows; those with the hazard `not-transactional` each by themselves, after the transaction. */
  constraints: SchemaStatement[]
}

export interface TableName {
  readonly schema: string
  readonly name: string
}

export type SchemaMethod = 'auto' | 'pgdump' | 'catalog'

export interface SchemaScope {
  /** Exact names; with `all`, those that main and the standby have. */
  readonly schemas: readonly string[]
  /** The whole database: every schema, and the kinds that are in none (extensions, casts, publications, …). */
  readonly all: boolean
  /** Only these tables and what belongs to them, instead of all that the schemas hold. */
  readonly tables?: readonly TableName[]
}

export interface SchemaOptions {
  readonly method: SchemaMethod
  /** Owners are compared and set. */
  readonly owners: boolean
  /** Grants are compared and set. */
  readonly privileges: boolean
  /** Hazards that may be met; what only the standby has may go with `cleanExtra` alone. */
  readonly allow: ReadonlySet<Hazard>
  /** Indexes on tables that have rows are made CONCURRENTLY, outside a transaction. */
  readonly concurrentIndexes: boolean
  /** Paths of the programs; looked for where they are left out (programs.ts). */
  readonly pgDump?: string | undefined
  readonly psql?: string | undefined
  /** Apply by psql instead of over a connection. */
  readonly forcePsql: boolean
  /** Drop what only the standby has; it is reported either way. */
  readonly cleanExtra: boolean
  /** Main's exported snapshot, so that structure and rows are of one moment. */
  readonly snapshot?: string | undefined
  /** Rows are synced between the structure and what they must satisfy. */
  readonly rows: boolean
  readonly workers: number
  /** The role may set session_replication_role on the standby. */
  readonly replica: boolean
  /** Milliseconds; 0 waits for ever. */
  readonly lockTimeout: number
  readonly emit: Emit
  readonly signal: AbortSignal
  /** PATH, HOME and the like for the programs; without PATH they are looked for in the usual folders only. */
  readonly env?: Readonly<Record<string, string | undefined>> | undefined
}

/** `TABLE app.orders`: how an object is named in every message. */
export function labelOf(object: { kind: string; schema: string; name: string }): string {
  const { kind, schema, name } = object
  if (name.startsWith(`${kind} `)) return name
  return `${kind} ${schema ? `${schema}.` : ''}${name}`
}
