/** The SQL that makes an entry, and the SQL that removes it. pg_dump wrote both; the little it leaves out is here. */
import { ident, qualified } from '../postgres/quote.js'
import { type Entry, nameWithin, tableKinds } from './entry.js'
import { identityOf } from './handlers/sequence.js'
import { piecesOf } from './split.js'

/** What a session must have set for pg_dump's definitions to mean what they meant, as complete statements. */
export function preambleOf(options: {
  standardStrings: boolean
  accessMethods: boolean
  lockTimeout: number
  /** The role may keep triggers, event triggers among them, from firing. */
  replica: boolean
}): string[] {
  return [
    `SET standard_conforming_strings = ${options.standardStrings ? 'on' : 'off'};`,
    "SET search_path = '';",
    'SET check_function_bodies = off;',
    'SET xmloption = content;',
    'SET client_min_messages = warning;',
    'SET row_security = off;',
    ...(options.replica ? ['SET session_replication_role = replica;'] : []),
    `SET lock_timeout = ${options.lockTimeout};`,
    "SET default_tablespace = '';",
    ...(options.accessMethods ? ['SET default_table_access_method = heap;'] : [])
  ]
}

/** Statements that make the object where it is not. */
export async function creation(entry: Entry): Promise<string[]> {
  const statements = await piecesOf(entry.definition)
  const { tablespace, accessMethod, relkind } = entry
  if (accessMethod && accessMethod !== 'heap') {
    // A partitioned table only passes its access method on, and takes none from the setting.
    if (relkind === 'p') {
      statements.push(
        `ALTER TABLE ${qualified(entry.schema, entry.name)} SET ACCESS METHOD ${ident(accessMethod)};`
      )
    } else {
      statements.unshift(`SET default_table_access_method = ${ident(accessMethod)};`)
      statements.push('SET default_table_access_method = heap;')
    }
  }
  if (tablespace) {
    statements.unshift(`SET default_tablespace = ${ident(tablespace)};`)
    statements.push("SET default_tablespace = '';")
  }
  return statements
}

/**
 * Statements that remove the object, empty where it goes with another one.
 * @param gone the entries that are to be removed
 * @param attached `schema\0index` of the indexes that belong to a partitioned one
 */
export async function removal(
  entry: Entry,
  gone: ReadonlySet<Entry>,
  attached: ReadonlySet<string>
): Promise<string[]> {
  const { parent, kind, definition } = entry
  // A partition's index goes with the partitioned one, and cannot go alone.
  const index = kind === 'INDEX' || kind === 'CONSTRAINT' ? nameWithin(entry) : undefined
  if (index !== undefined && attached.has([entry.schema, index].join('\0'))) return []
  if (entry.drop.trim() !== '') return piecesOf(entry.drop)
  // What is only said of an object ends with it.
  if (parent && gone.has(parent)) return []
  switch (kind) {
    case 'COMMENT':
    case 'SECURITY LABEL': {
      // As initdb left it.
      const none = entry.name === 'SCHEMA public' ? "'standard public schema'" : 'NULL'
      return [definition.replace(/ IS E?'(?:[^'\\]|''|\\.)*';\s*$/, ` IS ${none};`)]
    }
    case 'ROW SECURITY':
      return [definition.replace('ENABLE ROW', 'DISABLE ROW')]
    case 'SEQUENCE OWNED BY':
      return [`ALTER SEQUENCE ${qualified(entry.schema, entry.name)} OWNED BY NONE;`]
    case 'TABLE ATTACH':
      return [
        definition.replace(/ ATTACH PARTITION ((?:"(?:[^"]|"")*"|[^\s"])+)[\s\S]*$/, ' DETACH PARTITION $1;')
      ]
    case 'SEQUENCE': {
      // One without a DROP is a column's identity.
      const identity = identityOf(entry)
      return identity ? [`ALTER TABLE ${identity.table} ALTER COLUMN ${identity.column} DROP IDENTITY;`] : []
    }
    default:
      return []
  }
}

const owned = new Set(
  [
    'TABLE, VIEW, MATERIALIZED VIEW, SEQUENCE, FOREIGN TABLE, TYPE, DOMAIN, FUNCTION, PROCEDURE, AGGREGATE, OPERATOR',
    'OPERATOR CLASS, OPERATOR FAMILY, SCHEMA, COLLATION, CONVERSION, TEXT SEARCH DICTIONARY, TEXT SEARCH CONFIGURATION',
    'FOREIGN DATA WRAPPER, SERVER, EVENT TRIGGER, PUBLICATION, SUBSCRIPTION, STATISTICS, PROCEDURAL LANGUAGE'
  ].flatMap(list => list.split(', '))
)

/** Gives the object to a role; nothing for what has no owner of its own. Its DROP says how SQL names it. */
export function ownerStatement(entry: Entry, owner: string): string[] {
  if (entry.kind === 'SCHEMA' && owner !== '')
    return [`ALTER SCHEMA ${ident(entry.name)} OWNER TO ${ident(owner)};`]
  if (!owned.has(entry.kind) || owner === '' || !entry.drop.startsWith('DROP ')) return []
  const object = entry.drop
    .trim()
    .replace(/^DROP /, '')
    .replace(/;$/, '')
  return [`ALTER ${object} OWNER TO ${ident(owner)};`]
}

/** Dump ids of the tables that making the entry locks: those it depends on, and those its indexes are on. */
export function lockedTables(entry: Entry, byId: ReadonlyMap<number, Entry>): Set<number> {
  const tables = new Set<number>()
  for (const id of entry.dependencies) {
    const other = byId.get(id)
    const table = other && tableKinds.has(other.kind) ? other : other?.parent
    if (table && tableKinds.has(table.kind)) tables.add(table.dumpId)
  }
  return tables
}
