/**
 * The standby's tables whose names fit the pattern. A partition belongs to its table and is none of its own; what is
 * the system's, temporary or ours is never looked at.
 */
import type pg from 'pg'
import { literal } from '../../postgres/quote.js'
import type { Server } from '../../postgres/server.js'
import type { Sections } from './config.js'

export interface SectionTable {
  /** As text: it is only compared. */
  oid: string
  /** Quoted where it needs quotes: for SQL and for people. */
  name: string
  /** Has a column named like the cursor. */
  hasCursor: boolean
}

/** The condition, over `c` (pg_class) and `n` (pg_namespace). */
export function matchCondition(standby: Server, config: Sections): string {
  const { pattern, source } = config
  const conditions = [
    `c.relkind IN ('r', 'p')`,
    `c.relname LIKE ${literal(pattern.name)}`,
    pattern.schema === undefined
      ? `n.nspname NOT LIKE 'pg\\_%' AND n.nspname NOT IN ('information_schema', 'pgsyncer')`
      : `n.nspname = ${literal(pattern.schema)}`,
    // A copy of the source itself is no section, even where a wide pattern fits it.
    `NOT (c.relname = ${literal(source.name)}${source.schema === undefined ? '' : ` AND n.nspname = ${literal(source.schema)}`})`
  ]
  if (standby.can.partitions) conditions.push('NOT c.relispartition')
  return conditions.join(' AND ')
}

/** In order of name, as the transaction of `client` sees them. */
export async function matchingTables(
  client: pg.Client,
  standby: Server,
  config: Sections
): Promise<SectionTable[]> {
  const { rows } = await client.query<SectionTable>(`
    SELECT c.oid::text AS oid, pg_catalog.format('%I.%I', n.nspname, c.relname) AS name,
      EXISTS (SELECT 1 FROM pg_catalog.pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0
        AND NOT a.attisdropped AND a.attname = ${literal(config.cursorColumn)}) AS "hasCursor"
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE ${matchCondition(standby, config)} ORDER BY 2`)
  return rows
}
