/** A publication as it is and as it must be. */
import type { Capabilities } from '../../postgres/capabilities.js'
import { ident, literal, qualified } from '../../postgres/quote.js'
import type { Queryable } from '../../postgres/server.js'
import { nameOf, type FollowedTable } from '../table.js'

export interface Publication {
  readonly name: string
  readonly allTables: boolean
  /** What it does not tell of, of insert, update, delete and truncate. */
  readonly lacks: readonly string[]
  /** Partitions are told of as their topmost parent. */
  readonly viaRoot: boolean
  /** `schema.name` of each table; true: not all of its rows or columns. */
  readonly tables: ReadonlyMap<string, boolean>
}

/** The publication of that name, or undefined. */
export async function readPublication(
  sql: Queryable,
  can: Capabilities,
  name: string
): Promise<Publication | undefined> {
  const [row] = await sql.unsafe<{ publication: string }[]>(
    `SELECT pg_catalog.to_jsonb(p)::text AS publication FROM pg_catalog.pg_publication p WHERE pubname = ${literal(name)}`
  )
  if (!row) return undefined
  const known = JSON.parse(row.publication) as Record<string, unknown>
  const partial = can.publicationDetails
    ? `EXISTS (SELECT 1 FROM pg_catalog.pg_publication_rel r JOIN pg_catalog.pg_publication p ON p.oid = r.prpubid
         WHERE p.pubname = t.pubname AND (r.prqual IS NOT NULL OR r.prattrs IS NOT NULL)
           AND r.prrelid = pg_catalog.format('%I.%I', t.schemaname, t.tablename)::regclass)`
    : 'false'
  const tables = await sql.unsafe<{ table: string; partial: boolean }[]>(
    `SELECT t.schemaname || '.' || t.tablename AS table, ${partial} AS partial
     FROM pg_catalog.pg_publication_tables t WHERE t.pubname = ${literal(name)}`
  )
  return {
    name,
    allTables: known['puballtables'] === true,
    lacks: ['insert', 'update', 'delete', 'truncate'].filter(one => known[`pub${one}`] === false),
    viaRoot: known['pubviaroot'] === true,
    tables: new Map(tables.map(({ table, partial }) => [table, partial]))
  }
}

/** Why changes of these tables would be missing: one phrase each. */
export function faultsOf(
  publication: Publication,
  can: Capabilities,
  tables: readonly FollowedTable[]
): string[] {
  const missing = tables.filter(table => !publication.tables.has(nameOf(table)))
  const partial = tables.filter(table => publication.tables.get(nameOf(table)))
  return [
    ...(publication.lacks.length > 0 ? [`it does not publish ${publication.lacks.join(', ')}`] : []),
    ...(can.publicationRoot && !publication.viaRoot ? ['it publishes partitions one by one'] : []),
    ...(missing.length > 0 ? [`it lacks ${missing.map(nameOf).join(', ')}`] : []),
    ...(partial.length > 0 ? [`it has not all rows or columns of ${partial.map(nameOf).join(', ')}`] : [])
  ]
}

/** Tables that it has and that are not asked for: what is changed in them is sent for nothing. */
export function extraOf(publication: Publication, tables: readonly FollowedTable[]): string[] {
  const wanted = new Set(tables.map(nameOf))
  return [...publication.tables.keys()].filter(name => !wanted.has(name))
}

function listOf(tables: readonly FollowedTable[]): string {
  return tables.map(({ schema, name }) => qualified(schema, name)).join(', ')
}

function settings(can: Capabilities): string {
  const publish = `publish = 'insert, update, delete${can.publicationTruncate ? ', truncate' : ''}'`
  return can.publicationRoot ? `${publish}, publish_via_partition_root = true` : publish
}

export function createPublication(name: string, can: Capabilities, tables: readonly FollowedTable[]): string {
  return `CREATE PUBLICATION ${ident(name)} FOR TABLE ${listOf(tables)} WITH (${settings(can)})`
}

/** What makes it have exactly these tables, whole. */
export function alterPublication(
  publication: Publication,
  can: Capabilities,
  tables: readonly FollowedTable[]
): string[] {
  const { name, lacks, viaRoot } = publication
  const isSet = lacks.length === 0 && viaRoot === can.publicationRoot
  const isWhole = faultsOf({ ...publication, lacks: [], viaRoot: true }, can, tables).length === 0
  return [
    ...(isSet ? [] : [`ALTER PUBLICATION ${ident(name)} SET (${settings(can)})`]),
    ...(isWhole && extraOf(publication, tables).length === 0
      ? []
      : [`ALTER PUBLICATION ${ident(name)} SET TABLE ${listOf(tables)}`])
  ]
}
