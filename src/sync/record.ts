/**
 * The standby's own record of its runs: for each table, the time of the cut that it last took on completely, less
 * what transactions open then may still have changed. `--use-updated-at` starts from it. Schema `pgsyncer` is ours
 * alone and never part of a comparison.
 */
import { messageOf } from '../core/errors.js'
import { arrayText } from '../postgres/quote.js'
import type { Server } from '../postgres/server.js'
import { unheard } from '../postgres/unheard.js'

export interface Horizon {
  /** The time that the next comparison by updated_at may start from. */
  zoned: string
  /** The same for a column without a zone, whose clock may have stood anywhere on earth. */
  local: string
}

export async function hasRecord(standby: Server): Promise<boolean> {
  const [there] = await standby.sql<{ found: boolean }[]>`
    SELECT pg_catalog.to_regclass('pgsyncer.table_sync') IS NOT NULL AS found`
  return there!.found
}

/** By `schema.table`. */
export async function readRecord(standby: Server, source: string): Promise<Map<string, Horizon>> {
  if (!(await hasRecord(standby))) return new Map()
  const rows = await standby.sql<(Horizon & { name: string })[]>`
    SELECT schema_name || '.' || table_name AS name, horizon::text AS zoned, (horizon - interval '12 hours')::text AS local
    FROM pgsyncer.table_sync WHERE source = ${source}`
  return new Map(rows.map(row => [row.name, row]))
}

/**
 * Writes the record of the tables that are now as main was at the cut.
 * @param replica the role may set session_replication_role.
 * @param since where only later rows were looked at: a record that ends before it stays, or its gap would be forgotten.
 * @returns why it could not be written, for a note.
 */
export async function writeRecord(
  standby: Server,
  replica: boolean,
  source: string,
  tables: readonly { schema: string; name: string }[],
  cut: { time: string; horizon: string },
  since: string | undefined
): Promise<string | undefined> {
  if (tables.length === 0) return undefined
  try {
    await unheard(
      standby,
      replica,
      'CREATE SCHEMA IF NOT EXISTS pgsyncer',
      `CREATE TABLE IF NOT EXISTS pgsyncer.table_sync (
        source text, schema_name text, table_name text, cut_time timestamptz NOT NULL, horizon timestamptz NOT NULL,
        finished timestamptz NOT NULL DEFAULT pg_catalog.now(), PRIMARY KEY (source, schema_name, table_name))`
    )
    await standby.sql.unsafe(
      `INSERT INTO pgsyncer.table_sync (source, schema_name, table_name, cut_time, horizon)
       SELECT $1, s, t, $4::text::timestamptz, $5::text::timestamptz FROM unnest($2::text[], $3::text[]) AS u(s, t)
       WHERE $6::text IS NULL OR EXISTS (SELECT 1 FROM pgsyncer.table_sync r
         WHERE (r.source, r.schema_name, r.table_name) = ($1, s, t) AND r.horizon >= $6::text::timestamptz)
       ON CONFLICT (source, schema_name, table_name) DO UPDATE
       SET cut_time = EXCLUDED.cut_time, horizon = EXCLUDED.horizon, finished = pg_catalog.now()`,
      [
        source,
        arrayText(tables.map(table => table.schema)),
        arrayText(tables.map(table => table.name)),
        cut.time,
        cut.horizon,
        since ?? null
      ]
    )
    return undefined
  } catch (error) {
    return `this run could not be recorded on the standby (${messageOf(error)}): the next --use-updated-at compares all rows, unless --last-sync-time is given`
  }
}
