/**
 * Reads both sides and says what is to be done. Nothing is written here, and what is planned is final: apply.ts
 * only carries it out.
 */
import { SchemaError } from '../core/errors.js'
import { ident } from '../postgres/quote.js'
import type { Server } from '../postgres/server.js'
import type { SchemaChange, SchemaOptions, SchemaScope } from './change.js'
import { changeOf, type Comparison, compareEntries, type Step } from './compare.js'
import { type Entry, madeEntry } from './entry.js'
import { planExtensions } from './extensions.js'
import { type Dump, dumpSchema } from './pgdump.js'
import { findPgDump } from './programs.js'
import type { Environment } from './run.js'
import { type Presence, readPresence } from './scope.js'
import { creation, lockedTables, preambleOf, removal } from './statements.js'

/** A step, and the tables (by main's dump ids) that it locks. */
export interface PlannedStep extends Step {
  readonly locks: ReadonlySet<number>
}

export interface SchemaPlan {
  /** For the report: their status changes in place while the plan is applied. */
  readonly changes: SchemaChange[]
  /** Nothing differs. */
  readonly identical: boolean
  /** Statements that a script needs before those of the changes. */
  readonly preamble: readonly string[]
  readonly preData: readonly PlannedStep[]
  readonly postData: readonly PlannedStep[]
  /** To be carried out in this order. */
  readonly drops: readonly PlannedStep[]
  /** pg_dump's path: psql is looked for beside it. */
  readonly pgDump: string
  readonly env: Environment
}

/**
 * Compares the structure of both sides.
 * @throws ProgramError where pg_dump is missing, too old or fails; SchemaError where main has no such schema, or
 * the standby cannot have an extension that is needed.
 */
export async function planSchema(
  main: Server,
  standby: Server,
  wholeScope: SchemaScope,
  options: SchemaOptions
): Promise<SchemaPlan> {
  const scope = { ...wholeScope, schemas: wholeScope.schemas.filter(schema => schema !== 'pgsyncer') }
  const env = options.env ?? {}
  const [here, there] = await Promise.all([readPresence(main.sql, scope), readPresence(standby.sql, scope)])
  const missing = scope.schemas.filter(schema => !here.schemas.has(schema))
  if (missing.length > 0) {
    throw new SchemaError(
      `main has no schema named ${missing.map(name => JSON.stringify(name)).join(', ')}`,
      {
        hint: 'Names are exact: upper and lower case differ, and quotes are not part of the name.'
      }
    )
  }
  // What is not there needs no dump, and then it does not matter whether pg_dump could read that server.
  const newest = !there.empty && standby.versionNumber > main.versionNumber ? standby : main
  const program = await findPgDump(
    options.pgDump,
    newest.versionNumber,
    `${newest === main ? 'main' : 'the standby'}, which is PostgreSQL ${newest.version}`,
    env
  )
  const dump = (server: Server, presence: Presence, snapshot?: string): Promise<Dump> | undefined =>
    presence.empty && presence.tables
      ? undefined
      : dumpSchema(program, server, partOf(scope, presence), { ...options, env }, snapshot)
  const [mainDump, standbyDump, extensions] = await Promise.all([
    dump(main, here, options.snapshot),
    there.empty ? undefined : dump(standby, there),
    planExtensions(main, standby, scope)
  ])
  const entries = mainDump?.entries ?? []
  const compared = compareEntries(
    // Extensions may live in schemas of the scope, and all else may be made of extensions.
    [
      ...schemasBefore(scope, there, entries),
      ...entries.filter(entry => entry.kind === 'SCHEMA'),
      ...extensions.create,
      ...entries.filter(entry => entry.kind !== 'SCHEMA')
    ],
    standbyDump?.entries ?? [],
    there.schemas
  )
  for (const { entry, reason } of [...extensions.unavailable, ...extensions.elsewhere]) {
    const action = extensions.elsewhere.some(other => other.entry === entry) ? 'alter' : 'create'
    compared.changes.push(changeOf(entry, action, 'left', reason))
  }
  await writeStatements(compared, standbyDump?.entries ?? [])
  if (!options.cleanExtra) leaveExtra(compared)
  const steps = withLocks(compared.creates, entries)
  const [settings] = await standby.sql.unsafe<{ there: boolean }[]>(
    "SELECT pg_catalog.count(*) > 0 AS there FROM pg_catalog.pg_settings WHERE name = 'default_table_access_method'"
  )
  return {
    changes: compared.changes,
    identical: compared.changes.length === 0,
    preamble: preambleOf({
      standardStrings: mainDump?.standardStrings ?? true,
      accessMethods: settings?.there ?? false,
      lockTimeout: options.lockTimeout
    }),
    preData: steps.filter(step => step.entry.section === 'pre-data'),
    postData: steps.filter(step => step.entry.section === 'post-data'),
    drops: compared.drops.toReversed().map(step => ({ ...step, locks: new Set() })),
    pgDump: program.path,
    env
  }
}

/** Only what is there: pg_dump fails where a pattern finds nothing. */
function partOf(scope: SchemaScope, presence: Presence): SchemaScope {
  const schemas = scope.schemas.filter(schema => presence.schemas.has(schema))
  return { schemas, all: scope.all, ...(presence.tables && { tables: presence.tables }) }
}

/** Schemas that the standby lacks and the dump does not tell of, as one of single tables never does. */
function schemasBefore(scope: SchemaScope, there: Presence, entries: readonly Entry[]): Entry[] {
  const told = new Set(entries.filter(entry => entry.kind === 'SCHEMA').map(entry => entry.name))
  return scope.schemas
    .filter(schema => !there.schemas.has(schema) && !told.has(schema))
    .map(schema => madeEntry('SCHEMA', '', schema, `CREATE SCHEMA ${ident(schema)};`))
}

async function writeStatements(compared: Comparison, standby: readonly Entry[]): Promise<void> {
  const gone = new Set(compared.drops.map(step => step.entry))
  const attached = new Set(
    standby.filter(entry => entry.kind === 'INDEX ATTACH').map(entry => [entry.schema, entry.name].join('\0'))
  )
  for (const step of compared.creates) {
    step.statements = await creation(step.entry)
    step.change.sql.push(...step.statements)
  }
  for (const step of compared.drops) {
    step.statements = await removal(step.entry, gone, attached)
    step.change.sql.unshift(...step.statements)
  }
}

function leaveExtra(compared: Comparison): void {
  for (const { change } of compared.drops) {
    change.status = 'left'
    change.reason = 'it is only on the standby'
  }
}

function withLocks(steps: readonly Step[], entries: readonly Entry[]): PlannedStep[] {
  const byId = new Map(entries.map(entry => [entry.dumpId, entry]))
  return steps.map(step => ({ ...step, locks: lockedTables(step.entry, byId) }))
}
