/** Reads the structure of both sides by one method: pg_dump's table of contents, or the catalogs. */
import { ProgramError, SchemaError } from '../core/errors.js'
import { ident } from '../postgres/quote.js'
import type { Server } from '../postgres/server.js'
import type { SchemaOptions, SchemaScope } from './change.js'
import { type Entry, madeEntry } from './entry.js'
import { planExtensions, readExtensions, type Extension, type ExtensionPlan } from './extensions.js'
import { type Dump, dumpSchema } from './pgdump.js'
import { findPgDump, type Program } from './programs.js'
import { type Presence, readPresence } from './scope.js'

/** Main's structure as it was read once: it is of the cut, and need not be read again when main was let go. */
export interface MainStructure {
  readonly presence: Presence
  readonly dump: Dump | undefined
  readonly extensions: readonly Extension[]
}

export interface Both {
  readonly main: MainStructure
  readonly entries: { readonly main: readonly Entry[]; readonly standby: readonly Entry[] }
  readonly extensions: Pick<ExtensionPlan, 'unavailable' | 'elsewhere'>
  readonly standardStrings: boolean
  /** Path of the pg_dump that was used. */
  readonly pgDump: string | undefined
}

/**
 * @param known main's side, where an earlier call has read it
 * @throws ProgramError, or SchemaError where main has no such schema.
 */
export async function readBoth(
  main: Server,
  standby: Server,
  wholeScope: SchemaScope,
  options: SchemaOptions,
  known?: MainStructure
): Promise<Both> {
  const scope = { ...wholeScope, schemas: wholeScope.schemas.filter(schema => schema !== 'pgsyncer') }
  const [here, there] = await Promise.all([
    known?.presence ?? readPresence(main.sql, scope),
    readPresence(standby.sql, scope)
  ])
  requireSchemas(scope, here)
  const program = await chooseProgram(main, standby, there, options)
  // Loaded only where it is used.
  const { readCatalog } = program ? { readCatalog: undefined } : await import('./catalog/read.js')
  const dump = (server: Server, presence: Presence, snapshot?: string): Promise<Dump> | undefined => {
    if (presence.empty && (presence.tables || server === standby) && !scope.all) return undefined
    const part = partOf(scope, presence)
    const settings = {
      ...options,
      env: options.env ?? {},
      privileges: options.privileges || server === standby
    }
    if (program) return dumpSchema(program, server, part, settings, snapshot)
    return readCatalog?.(server, part, settings, snapshot)
  }
  const [mainDump, standbyDump, wanted] = await Promise.all([
    known ? known.dump : dump(main, here, options.snapshot),
    dump(standby, there),
    known?.extensions ?? readExtensions(main.sql, scope)
  ])
  const extensions = await planExtensions(wanted, standby, scope)
  const before = schemasBefore(scope, there, mainDump?.entries ?? [])
  const entries = [...(mainDump?.entries ?? []), ...silentSchemas(standbyDump, mainDump, here)]
  const shared = new Set(scope.all ? [] : sharedPublications(entries, standbyDump?.entries ?? []))
  // Without the whole database a publication is nobody's: only what both have of one can be kept as it is.
  const inScope = (entry: Entry) =>
    (scope.all || !entry.kind.startsWith('PUBLICATION') || shared.has(entry.key)) &&
    (options.privileges || entry.kind !== 'DEFAULT ACL')
  return {
    main: { presence: here, dump: mainDump, extensions: wanted },
    entries: {
      // Extensions may live in schemas of the scope, and all else may be made of extensions.
      main: [
        ...before,
        ...entries.filter(entry => entry.kind === 'SCHEMA'),
        ...extensions.create,
        ...entries.filter(entry => entry.kind !== 'SCHEMA' && inScope(entry))
      ],
      standby: [...silentSchemas(mainDump, standbyDump, there), ...(standbyDump?.entries ?? [])].filter(
        inScope
      )
    },
    extensions,
    standardStrings: mainDump?.standardStrings ?? true,
    pgDump: program?.path
  }
}

function sharedPublications(main: readonly Entry[], standby: readonly Entry[]): string[] {
  const there = new Set(standby.map(entry => entry.key))
  return main
    .filter(entry => entry.kind.startsWith('PUBLICATION') && there.has(entry.key))
    .map(entry => entry.key)
}

/** A dump does not tell of a schema that is as initdb left it: it is there all the same, where the other side tells of it. */
function silentSchemas(telling: Dump | undefined, silent: Dump | undefined, presence: Presence): Entry[] {
  const told = new Set((silent?.entries ?? []).map(entry => entry.key))
  return (telling?.entries ?? []).flatMap(entry => {
    const owner = presence.schemas.get(entry.name)
    if (entry.kind !== 'SCHEMA' || told.has(entry.key) || owner === undefined) return []
    return [{ ...entry, owner, dumpId: -entry.dumpId, catalogId: { catalog: 0, oid: 0 } }]
  })
}

function requireSchemas(scope: SchemaScope, here: Presence): void {
  const missing = scope.schemas.filter(schema => !here.schemas.has(schema))
  if (missing.length === 0) return
  throw new SchemaError(`main has no schema named ${missing.map(name => JSON.stringify(name)).join(', ')}`, {
    hint: 'Names are exact: upper and lower case differ, and quotes are not part of the name.'
  })
}

/** pg_dump, or undefined for the catalogs. */
async function chooseProgram(
  main: Server,
  standby: Server,
  there: Presence,
  options: SchemaOptions
): Promise<Program | undefined> {
  if (options.method === 'catalog') return undefined
  // What is not there needs no dump, and then it does not matter whether pg_dump could read that server.
  const newest = !there.empty && standby.versionNumber > main.versionNumber ? standby : main
  const server = `${newest === main ? 'main' : 'the standby'}, which is PostgreSQL ${newest.version}`
  try {
    return await findPgDump(options.pgDump, newest.versionNumber, server, options.env ?? {})
  } catch (error) {
    if (options.method === 'pgdump' || options.pgDump !== undefined || !(error instanceof ProgramError))
      throw error
    options.emit({ type: 'note', message: `structure is read from the catalogs: ${error.message}` })
    return undefined
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
