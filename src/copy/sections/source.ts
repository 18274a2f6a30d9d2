/**
 * The source on main: what its cursor and key are, and the SQL that reads rows between two cursors. A cursor travels
 * as the text that main printed and is compared by main alone, so that no other collation or type can order it anew.
 */
import type pg from 'pg'
import { ConfigError, DataError } from '../../core/errors.js'
import { codeOf } from '../../postgres/failure.js'
import { ident, literal, qualified } from '../../postgres/quote.js'
import type { Sections } from './config.js'

export interface Source {
  oid: string
  /** Quoted, for SQL. */
  relation: string
  /** Quoted where it needs quotes: for people and for the record. */
  name: string
  /** pg_class.relkind. */
  kind: string
  /** The planner's estimate; −1 where there is none. */
  estimate: number
  /** `t.column`, over the alias `t`. */
  cursor: string
  key: string
  /** The cursor's type with its modifier. */
  type: string
  /** ` COLLATE …`, or nothing where the type has no collation. */
  collate: string
  /** Every server puts the type's values in the same order. */
  ordersAlike: boolean
  /** The cursor is a timestamptz: a moment. */
  moment: boolean
  notNull: boolean
  /** An index leads with the cursor. */
  indexed: boolean
}

type Row = Omit<Source, 'relation' | 'cursor' | 'key'> & { schema: string; table: string; paths: string[] }

/**
 * Reads the source from main's catalogs and checks that it can be cut along its cursor.
 * @param main a session of its own: its search_path is set for the types of key and cursor.
 * @throws ConfigError where a name leads nowhere or a column has no order; DataError where rows have no cursor.
 */
export async function readSource(main: pg.Client, config: Sections): Promise<Source> {
  const { keyColumn, cursorColumn } = config
  const oid = await findTable(main, config)
  const columns = await main.query<{ name: string; path: string }>(`
    WITH RECURSIVE base AS (
      SELECT a.attname, a.atttypid AS type FROM pg_catalog.pg_attribute a WHERE a.attrelid = ${oid} AND a.attnum > 0
        AND NOT a.attisdropped AND a.attname IN (${literal(keyColumn)}, ${literal(cursorColumn)})
      UNION ALL
      SELECT b.attname, t.typbasetype FROM base b JOIN pg_catalog.pg_type t ON t.oid = b.type AND t.typtype = 'd'
    )
    SELECT b.attname AS name, n.nspname AS path FROM base b JOIN pg_catalog.pg_type t ON t.oid = b.type
    JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace WHERE t.typtype <> 'd'`)
  for (const name of [keyColumn, cursorColumn]) {
    if (columns.rows.every(column => column.name !== name)) {
      throw new ConfigError(`${config.sourceTable} on main has no column ${JSON.stringify(name)}`, {
        hint: 'Check --section-key and --cursor: a name with capital letters needs its quotes.'
      })
    }
  }
  // The operators of a type that an extension brought stand beside it.
  const paths = new Set(['pg_catalog', ...columns.rows.map(column => column.path)])
  await main.query(`SET search_path = ${[...paths].map(path => ident(path)).join(', ')}`)
  const { rows } = await main.query<Row>(describe(oid, cursorColumn))
  const { schema, table, ...row } = rows[0]!
  const source: Source = {
    ...row,
    relation: qualified(schema, table),
    cursor: `t.${ident(cursorColumn)}`,
    key: `t.${ident(keyColumn)}`
  }
  await checkOrder(main, source)
  return source
}

async function findTable(main: pg.Client, { source, sourceTable }: Sections): Promise<string> {
  const name = source.schema === undefined ? ident(source.name) : qualified(source.schema, source.name)
  // A name without a schema is what the role itself would mean by it.
  await main.query('RESET search_path')
  const { rows } = await main.query<{ oid: string; kind: string }>(
    `SELECT c.oid::text AS oid, c.relkind::text AS kind FROM pg_catalog.pg_class c
     WHERE c.oid = pg_catalog.to_regclass(${literal(name)})`
  )
  if (rows[0] && /[rpvmf]/.test(rows[0].kind)) return rows[0].oid
  throw new ConfigError(`main has no table ${sourceTable}`, {
    hint: 'Check --source-table: a name with capital letters needs its quotes, and the role USAGE on the schema.'
  })
}

function describe(oid: string, cursor: string): string {
  return `
    SELECT c.oid::text AS oid, n.nspname AS schema, c.relname AS table,
      pg_catalog.format('%I.%I', n.nspname, c.relname) AS name, c.relkind::text AS kind,
      c.reltuples::float8 AS estimate, pg_catalog.format_type(a.atttypid, a.atttypmod) AS type,
      CASE WHEN co.oid IS NULL THEN '' ELSE pg_catalog.format(' COLLATE %I.%I', cn.nspname, co.collname) END AS collate,
      a.attcollation = 0 AND a.atttypid < 16384 AS "ordersAlike",
      a.atttypid = 'timestamptz'::regtype AS moment, a.attnotnull AS "notNull",
      EXISTS (SELECT 1 FROM pg_catalog.pg_index i WHERE i.indrelid = c.oid AND i.indkey[0] = a.attnum
        AND i.indisvalid AND i.indpred IS NULL) AS indexed
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attname = ${literal(cursor)} AND NOT a.attisdropped
    LEFT JOIN pg_catalog.pg_collation co ON co.oid = a.attcollation
    LEFT JOIN pg_catalog.pg_namespace cn ON cn.oid = co.collnamespace
    WHERE c.oid = ${oid}`
}

async function checkOrder(main: pg.Client, source: Source): Promise<void> {
  try {
    await main.query(`${onePerKey(source)} LIMIT 0`)
  } catch (error) {
    if (codeOf(error) !== '42883') throw error
    throw new ConfigError(`key or cursor of ${source.name} has a type without an order (${source.type})`, {
      hint: 'Rows are read in the order of both: name columns of a type that can be sorted (--section-key, --cursor).',
      cause: error
    })
  }
  if (source.notNull) return
  const { rows } = await main.query(
    `SELECT 1 FROM ${source.relation} t WHERE ${source.cursor} IS NULL LIMIT 1`
  )
  if (rows.length === 0) return
  throw new DataError(`rows of ${source.name} have no cursor (${source.cursor.slice(2)} is null)`, {
    table: source.name,
    hint: 'Such rows have no place in the order and would never be sent: give them a cursor, or name another column.'
  })
}

/** One row as JSON for each key: the one with the lowest cursor. */
export function onePerKey({ relation, key, cursor }: Source): string {
  return `SELECT DISTINCT ON (${key}) pg_catalog.row_to_json(t.*) FROM ${relation} t ORDER BY ${key}, ${cursor}`
}

/** Rows as JSON, in the cursor's order. */
export function rowsBetween(source: Source, after: string | null, to: string): string {
  return `SELECT pg_catalog.row_to_json(t.*) FROM ${source.relation} t WHERE ${between(source, after, to)} ORDER BY ${source.cursor}`
}

/** Cursors later than `after` (null: all) and up to `to`. */
export function between({ cursor, type }: Source, after: string | null, to: string): string {
  const upper = `${cursor} <= ${literal(to)}::${type}`
  return after === null ? upper : `${cursor} > ${literal(after)}::${type} AND ${upper}`
}

/** The cursor of the row that makes the chunk full; undefined where fewer rows are left. */
export async function chunkEnd(
  main: pg.Client,
  source: Source,
  after: string | null,
  to: string,
  size: number
): Promise<string | undefined> {
  const { rows } = await main.query<{ at: string }>(
    `SELECT ${source.cursor}::text AS at FROM ${source.relation} t WHERE ${between(source, after, to)}
     ORDER BY ${source.cursor} OFFSET ${size - 1} LIMIT 1`
  )
  return rows[0]?.at
}

/** The greatest of cursors, in main's order; null where there are none. */
export async function greatest(
  main: pg.Client,
  source: Source,
  cursors: readonly string[]
): Promise<string | null> {
  const { rows } = await main.query<{ at: string }>(
    `SELECT at FROM pg_catalog.unnest($1::text[]) AS u(at) ORDER BY at::${source.type}${source.collate} DESC LIMIT 1`,
    [cursors]
  )
  return rows[0]?.at ?? null
}
