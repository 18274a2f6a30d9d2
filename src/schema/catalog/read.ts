/**
 * Reads a database's structure from its catalogs, as the same entries as pg_dump tells of: kinds, names, sections
 * and OIDs are pg_dump's, so that comparing, planning and applying need not know which of the two read them.
 */
import type { Emit } from '../../core/events.js'
import { arrayText, literal } from '../../postgres/quote.js'
import type { Server } from '../../postgres/server.js'
import type { SchemaOptions, SchemaScope } from '../change.js'
import { entriesOf } from '../entry.js'
import type { Dump } from '../pgdump.js'
import { readDefaultAcls } from './acl.js'
import { readPolicies, readRules, readStatistics, readTriggers } from './attached.js'
import { readComments } from './comments.js'
import { addDefaults, readConstraints } from './constraints.js'
import { addNeeds, aliasParts, readEdges, standingApart } from './depend.js'
import { readIndexes } from './indexes.js'
import { Items, type Reading } from './items.js'
import { inOrder } from './order.js'
import { readPublications } from './publications.js'
import { defineRelations, type Relation, readRelations } from './relations.js'
import { readRoutines } from './routines.js'
import { quoteWith } from './text.js'
import { readCollations, readTypes } from './types.js'
import { tellUnread } from './unread.js'
import {
  addSchemas,
  readCasts,
  readEventTriggers,
  readExtensions,
  type SchemaRow,
  schemasQuery
} from './wide.js'

/**
 * @param snapshot an exported snapshot of that server
 */
export async function readCatalog(
  server: Server,
  scope: SchemaScope,
  options: Pick<SchemaOptions, 'owners' | 'privileges' | 'signal' | 'lockTimeout'> & { emit: Emit },
  snapshot?: string
): Promise<Dump> {
  const client = await server.connect()
  const stop = () => void client.end().catch(() => {})
  options.signal.addEventListener('abort', stop, { once: true })
  const query: Reading['query'] = async <Row>(sql: string, parameters: readonly unknown[] = []) => {
    options.signal.throwIfAborted()
    const values = parameters.map(value => (Array.isArray(value) ? arrayText(value.map(String)) : value))
    return (await client.query(sql, values)).rows as Row[]
  }
  try {
    await query('BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY')
    if (snapshot !== undefined) await query(`SET TRANSACTION SNAPSHOT ${literal(snapshot)}`)
    await query(`SET LOCAL search_path = ''`)
    await query(`SET LOCAL lock_timeout = ${options.lockTimeout}`)
    const reading = await begin(query, server, scope, options.privileges)
    await readAll(reading)
    await tellUnread(reading, options.emit)
    return { entries: entriesOf(inOrder(reading.items)), standardStrings: true }
  } finally {
    options.signal.removeEventListener('abort', stop)
    await client.end().catch(() => {})
  }
}

async function begin(
  query: Reading['query'],
  { can }: Server,
  scope: SchemaScope,
  privileges: boolean
): Promise<Reading> {
  const [words] = await query<{ words: string[] }>(
    `SELECT array_agg(word::text) AS words FROM pg_get_keywords() WHERE catcode <> 'U'`
  )
  const quote = quoteWith(words?.words ?? [])
  const schemas = await query<SchemaRow>(schemasQuery, [scope.schemas, scope.all])
  const reading: Reading = {
    query,
    can,
    scope,
    schemas: schemas.map(row => row.oid),
    quote,
    path: (schema, name) => `${quote(schema)}.${quote(name)}`,
    items: new Items(),
    privileges
  }
  addSchemas(reading, schemas)
  return reading
}

async function readAll(reading: Reading): Promise<void> {
  const { scope } = reading
  const relations = await readRelations(reading)
  await lock(reading, relations)
  if (!scope.tables) {
    if (scope.all) await readExtensions(reading)
    await readTypes(reading)
    await readCollations(reading)
    await readRoutines(reading)
  }
  await readConstraints(reading, relations)
  await readIndexes(reading, relations)
  await readTriggers(reading, relations)
  await readRules(reading, relations)
  await readPolicies(reading, relations)
  if (!scope.tables) await readStatistics(reading)
  if (scope.all && !scope.tables) {
    await readCasts(reading)
    await readEventTriggers(reading)
    await readPublications(reading)
  }
  await readDefaultAcls(reading)
  const edges = await readEdges(reading)
  aliasParts(reading, edges)
  const apart = standingApart(reading, relations, edges)
  addDefaults(reading, relations, apart)
  defineRelations(reading, relations, apart)
  await readComments(reading)
  addNeeds(reading, edges)
}

/** As pg_dump does: nobody alters or drops a table while the server prints its parts, which it does as of now. */
async function lock({ query }: Reading, relations: ReadonlyMap<number, Relation>): Promise<void> {
  const tables = [...relations.values()].filter(each => 'rp'.includes(each.kind))
  if (tables.length === 0) return
  const readable = await query<{ oid: number }>(
    `SELECT r.oid FROM unnest($1::oid[]) AS r (oid) WHERE has_table_privilege(r.oid, 'SELECT')`,
    [tables.map(each => each.oid)]
  )
  const paths = readable.flatMap(({ oid }) => relations.get(oid)?.path ?? [])
  if (paths.length > 0) await query(`LOCK TABLE ONLY ${paths.join(', ONLY ')} IN ACCESS SHARE MODE`)
}
