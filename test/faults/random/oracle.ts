/**
 * What is true of two databases, found by SQL that shares nothing with the code under test: which rows differ (a full
 * outer join), whether every constraint holds (each is made a second time), and whether anything was written.
 */
import { ident, literal } from '../../../src/postgres/quote.js'
import type { Db } from '../../support/databases.js'

/** Everything that a value's text depends on. */
export const pins = `SET search_path = ''; SET TimeZone = 'UTC'; SET DateStyle = 'ISO, YMD'; SET IntervalStyle = 'postgres';
  SET extra_float_digits = 3; SET bytea_output = 'hex'; SET lc_monetary = 'C'`

export type Counts = [inserts: number, updates: number, deletes: number]

/** The rows of one table at one moment: of each, its key and all its columns as text. */
export interface Snapshot {
  keys: string[]
  rows: string[]
}

/** A table without rows of its own (a partitioned one) is none of these. */
export interface Name {
  schema: string
  name: string
}

export async function tablesOf(db: Db, schemas: readonly string[]): Promise<Name[]> {
  return db.query<Name & { [column: string]: unknown }>(
    `SELECT n.nspname AS schema, c.relname AS name FROM pg_catalog.pg_class c
     JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
     WHERE c.relkind = 'r' AND n.nspname = ANY ($1) ORDER BY 1, 2`,
    [schemas]
  )
}

const sqlOf = ({ schema, name }: Name): string => `ONLY ${ident(schema)}.${ident(name)}`

/** @param key columns; without any, copies of a row are told apart by their number. */
export async function snapshot(db: Db, table: Name, key: readonly string[]): Promise<Snapshot> {
  const columns = await columnsOf(db, table)
  const record = (names: readonly string[]) =>
    `ROW(${names.map(name => `x.${ident(name)}`).join(', ')})::text`
  const row = record(columns)
  const id =
    key.length > 0 ? record(key) : `${row} || '#' || row_number() OVER (PARTITION BY ${row} COLLATE "C")`
  const found = await db.query<{ k: string; r: string }>(
    `SELECT ${id} AS k, ${row} AS r FROM ${sqlOf(table)} x`
  )
  return { keys: found.map(one => one.k), rows: found.map(one => one.r) }
}

async function columnsOf(db: Db, { schema, name }: Name): Promise<string[]> {
  const found = await db.query<{ name: string }>(
    `SELECT attname AS name FROM pg_catalog.pg_attribute
     WHERE attrelid = ${literal(`${ident(schema)}.${ident(name)}`)}::pg_catalog.regclass AND attnum > 0 AND NOT attisdropped
     ORDER BY attname COLLATE "C"`
  )
  return found.map(one => one.name)
}

/** What must happen to the standby's rows, by a full outer join. */
export async function outerJoin(db: Db, main: Snapshot, standby: Snapshot): Promise<Counts> {
  const [found] = await db.query<{ counts: Counts }>(
    `SELECT ARRAY[count(*) FILTER (WHERE s.k IS NULL), count(*) FILTER (WHERE m.k = s.k AND m.r <> s.r),
       count(*) FILTER (WHERE m.k IS NULL)]::int[] AS counts
     FROM unnest($1::text[], $2::text[]) m (k, r)
     FULL JOIN unnest($3::text[], $4::text[]) s (k, r) ON m.k COLLATE "C" = s.k COLLATE "C"`,
    [main.keys, main.rows, standby.keys, standby.rows]
  )
  return found!.counts
}

interface Constraint {
  [column: string]: unknown
  on: string
  name: string
  definition: string
  kind: string
  validated: boolean
}

/** Makes each constraint again, beside itself, so that the server looks at every row; nothing of it stays. */
export async function brokenConstraints(db: Db, schemas: readonly string[]): Promise<string[]> {
  const constraints = await db.query<Constraint>(
    `SELECT k.conrelid::pg_catalog.regclass::text AS "on", k.conname AS name, pg_catalog.pg_get_constraintdef(k.oid) AS definition,
       k.contype::text AS kind, k.convalidated AS validated
     FROM pg_catalog.pg_constraint k JOIN pg_catalog.pg_class c ON c.oid = k.conrelid
     JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
     WHERE k.conparentid = 0 AND k.coninhcount = 0 AND n.nspname = ANY ($1) ORDER BY 1, 2`,
    [schemas]
  )
  const broken = constraints.filter(one => !one.validated).map(one => `${one.on} ${one.name} is NOT VALID`)
  await db.exec('BEGIN')
  try {
    for (const { on, name, definition, kind, validated } of constraints) {
      if (!validated || kind === 't') continue
      const again = definition.replace(/^PRIMARY KEY/, 'UNIQUE')
      await db.exec('SAVEPOINT one')
      try {
        await db.exec(`ALTER TABLE ${on} ADD CONSTRAINT "!again" ${again}; SET CONSTRAINTS ALL IMMEDIATE`)
      } catch (error) {
        broken.push(`${on} ${name}: ${(error as Error).message}`)
      }
      await db.exec('ROLLBACK TO one')
    }
  } finally {
    await db.exec('ROLLBACK')
  }
  return broken
}

/** Where each row lies and which transaction made it: the same text means that nothing was written. */
export async function footprint(db: Db, tables: readonly Name[]): Promise<string> {
  const parts = tables.map(
    table =>
      `(SELECT coalesce(string_agg(x.ctid::text || x.xmin::text, ' ' ORDER BY x.ctid), '') FROM ${sqlOf(table)} x)`
  )
  if (parts.length === 0) return ''
  const [found] = await db.query<{ all: string }>(`SELECT ${parts.join(` || '|' || `)} AS "all"`)
  return found!.all
}

/** What is there of the tool's: tables, schemas, servers, sessions, locks. */
export async function traces(db: Db): Promise<string[]> {
  const found = await db.query<{ what: string }>(
    `SELECT 'relation ' || c.oid::pg_catalog.regclass::text AS what FROM pg_catalog.pg_class c
       WHERE c.relname LIKE 'pgsyncer%'
     UNION ALL SELECT 'schema ' || nspname FROM pg_catalog.pg_namespace WHERE nspname LIKE 'pgsyncer%'
     UNION ALL SELECT 'server ' || srvname FROM pg_catalog.pg_foreign_server
     UNION ALL SELECT 'extension ' || extname FROM pg_catalog.pg_extension WHERE extname <> 'plpgsql'
     UNION ALL SELECT 'session ' || pid FROM pg_catalog.pg_stat_activity
       WHERE datname = pg_catalog.current_database() AND application_name LIKE 'pgsyncer%'
     UNION ALL SELECT 'lock ' || classid FROM pg_catalog.pg_locks WHERE locktype = 'advisory'
       AND database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())`
  )
  return found.map(one => one.what)
}
