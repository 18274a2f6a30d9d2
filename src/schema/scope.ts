/** Reads from the catalogs which part of a scope a server has at all. */
import type postgres from 'postgres'
import { arrayText } from '../postgres/quote.js'
import type { SchemaScope, TableName } from './change.js'

export interface Presence {
  /** Those schemas of the scope that exist, with their owners. */
  schemas: Map<string, string>
  /** Those tables of the scope that exist; undefined where the scope names none. */
  tables: TableName[] | undefined
  /** Nothing is there that a dump could tell of, extensions and what they own left out. */
  empty: boolean
}

/** What of the scope exists on this server. */
export async function readPresence(sql: postgres.Sql, scope: SchemaScope): Promise<Presence> {
  const schemas = await sql.unsafe<{ name: string; owner: string; filled: boolean }[]>(schemasQuery, [
    arrayText(scope.schemas)
  ])
  const names = new Map(schemas.map(schema => [schema.name, schema.owner]))
  if (!scope.tables)
    return { schemas: names, tables: undefined, empty: !schemas.some(schema => schema.filled) }
  const tables = await sql.unsafe<{ schema: string; name: string }[]>(
    tablesQuery,
    tableParameters(scope.tables)
  )
  return { schemas: names, tables: [...tables], empty: tables.length === 0 }
}

/** The two parameters by which a query takes a list of tables: `unnest($1::text[], $2::text[])`. */
export function tableParameters(tables: readonly TableName[]): [string, string] {
  return [arrayText(tables.map(table => table.schema)), arrayText(tables.map(table => table.name))]
}

// Everything in a schema depends on it, so pg_depend knows whether there is anything.
const schemasQuery = `
SELECT n.nspname::text AS name, pg_catalog.pg_get_userbyid(n.nspowner)::text AS owner,
  EXISTS (SELECT 1 FROM pg_catalog.pg_depend d
    WHERE d.refclassid = 'pg_catalog.pg_namespace'::pg_catalog.regclass AND d.refobjid = n.oid
      AND d.classid NOT IN ('pg_catalog.pg_extension'::pg_catalog.regclass, 'pg_catalog.pg_default_acl'::pg_catalog.regclass)
      AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_depend e
        WHERE e.classid = d.classid AND e.objid = d.objid AND e.deptype = 'e'))
  OR EXISTS (SELECT 1 FROM pg_catalog.pg_description c
    WHERE c.classoid = 'pg_catalog.pg_namespace'::pg_catalog.regclass AND c.objoid = n.oid
      AND NOT (n.nspname = 'public' AND c.description = 'standard public schema')) AS filled
FROM pg_catalog.pg_namespace n WHERE n.nspname = ANY ($1::text[])`

const tablesQuery = `
SELECT n.nspname::text AS schema, c.relname::text AS name
FROM unnest($1::text[], $2::text[]) AS wanted (schema, name)
JOIN pg_catalog.pg_namespace n ON n.nspname = wanted.schema
JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = wanted.name`
