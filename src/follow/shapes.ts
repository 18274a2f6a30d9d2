/** Reads the followed tables' shapes from main's catalogs. */
import { ConfigError } from '../core/errors.js'
import type { Capabilities } from '../postgres/capabilities.js'
import { namePattern } from '../postgres/patterns.js'
import { arrayText } from '../postgres/quote.js'
import type { Queryable } from '../postgres/server.js'
import { readTables, type Table } from '../postgres/tables.js'
import type { FollowConfig } from './config.js'
import { nameOf, type FollowedTable } from './table.js'

export interface Followed {
  readonly table: Table
  readonly shape: FollowedTable
}

/**
 * The tables that the patterns name, in order of name; partitions are followed as their parent.
 * @param whole what cannot be followed is left out, where a pattern is about everything.
 * @throws ConfigError where a pattern names none, or one that cannot be followed.
 */
export async function readFollowed(
  sql: Queryable,
  can: Capabilities,
  { schemas, tables, excludeTables }: Pick<FollowConfig, 'schemas' | 'tables' | 'excludeTables'>,
  whole = false
): Promise<Followed[]> {
  const all = (await readTables(sql, can, schemas)).filter(table => table.root === 0)
  const excluded = excludeTables.map(namePattern)
  const found = new Set<Table>()
  for (const pattern of tables) {
    const fits = namePattern(pattern)
    const named = all.filter(table => fits(table) && !excluded.some(excludes => excludes(table)))
    if (named.length === 0) {
      throw new ConfigError(`main has no table ${pattern} in ${schemas.join(', ')}`, {
        hint: 'Check --table and --schema: a name without quotes is lower case, and a partition is followed as its parent.'
      })
    }
    for (const table of named) found.add(table)
  }
  const chosen = all.filter(table => found.has(table) && !(whole && unfit(table)))
  for (const table of chosen) refuseUnfit(table)
  const missing = await readMissing(sql, can, chosen)
  return chosen.map(table => ({ table, shape: shapeOf(table, missing.get(table.oid)) }))
}

/** What keeps the table from being followed, and what to do about it. */
function unfit({ kind, inherited, persistence }: Table): [what: string, hint: string] | undefined {
  if (kind === 'f') return ['is a foreign table', 'Follow it on the server where its rows are.']
  if (inherited) return ['has children by inheritance', 'Follow the children one by one.']
  if (persistence === 'u')
    return ['is unlogged: its rows do not outlive a crash of main', 'Make it logged, or leave it out.']
  return undefined
}

function refuseUnfit(table: Table): void {
  const [what, hint] = unfit(table) ?? []
  if (what !== undefined && hint !== undefined)
    throw new ConfigError(`${nameOf(table)} ${what}`, { table: nameOf(table), hint })
}

/** By the table's OID and the column's name: FollowedColumn.missing. */
type Missing = Map<string, string | null | undefined>

function shapeOf(table: Table, missing: Missing | undefined): FollowedTable {
  const key = table.keys.find(one => one.primary)?.columns ?? []
  const columns = table.columns
    .filter(column => column.generated === '')
    .map(({ name, type, base, kind, builtin, array, notNull }) => {
      const value = missing?.get(name)
      return {
        name,
        type,
        base,
        kind,
        builtin,
        array,
        notNull,
        ...(value !== undefined && { missing: value })
      }
    })
  const ofKey = key.map(name => columns.find(column => column.name === name)!)
  return {
    schema: table.schema,
    name: table.name,
    columns: [...ofKey, ...columns.filter(column => !ofKey.includes(column))],
    keyLength: key.length
  }
}

/**
 * What stands in rows from before a column was there: the catalog keeps it, from 11 on, for a default that was a constant. A column
 * that has a default and no such value may have been filled in any way.
 */
async function readMissing(
  sql: Queryable,
  can: Capabilities,
  tables: readonly Table[]
): Promise<Map<number, Missing>> {
  const value = can.indexInclude
    ? `CASE WHEN a.atthasmissing THEN (a.attmissingval::text::text[])[1] END`
    : 'NULL::text'
  const known = can.indexInclude ? 'a.atthasmissing OR' : ''
  const identity = can.identity ? `AND a.attidentity = ''` : ''
  const rows = await sql.unsafe<{ oid: string; name: string; value: string | null; known: boolean }[]>(
    `SELECT a.attrelid::text AS oid, a.attname AS name, ${value} AS value,
       ${known} (NOT a.atthasdef ${identity}) AS known
     FROM pg_catalog.pg_attribute a WHERE a.attrelid = ANY ($1::oid[]) AND a.attnum > 0 AND NOT a.attisdropped`,
    [arrayText(tables.map(table => String(table.oid)))]
  )
  const result = new Map<number, Missing>()
  for (const { oid, name, value, known } of rows) {
    const of = result.get(Number(oid)) ?? new Map()
    result.set(Number(oid), of)
    if (known) of.set(name, value)
  }
  return result
}
