/**
 * pg_dump of a schema leaves extensions out, though objects in it may be made of them. Main's catalogs say which:
 * whatever an object of the scope depends on that is a member of an extension.
 */
import type postgres from 'postgres'
import { SchemaError } from '../core/errors.js'
import { arrayText, ident } from '../postgres/quote.js'
import type { Server } from '../postgres/server.js'
import type { SchemaScope } from './change.js'
import { madeEntry, type Entry } from './entry.js'
import { tableParameters } from './scope.js'

/** One of main's that the scope is made of, or that lives in it. */
export interface Extension {
  name: string
  schema: string
  /** Something in scope depends on it; else it only lives in a schema of the scope. */
  needed: boolean
  /** The extension makes its schema itself. */
  ownsSchema: boolean
}

export interface ExtensionPlan {
  /** In the order of their dependencies; schemas that they live in first. */
  create: Entry[]
  /** Not installable on the standby, and nothing in scope depends on them. */
  unavailable: { entry: Entry; reason: string }[]
  /** On the standby in another schema than on main. */
  elsewhere: { entry: Entry; reason: string }[]
}

/**
 * What of extensions the standby lacks.
 * @throws SchemaError where it needs one that its server cannot install.
 */
export async function planExtensions(
  wanted: readonly Extension[],
  standby: Server,
  scope: SchemaScope
): Promise<ExtensionPlan> {
  const plan: ExtensionPlan = { create: [], unavailable: [], elsewhere: [] }
  if (wanted.length === 0) return plan
  const names = arrayText(wanted.map(extension => extension.name))
  const there = await standby.sql.unsafe<{ name: string; schema: string | null }[]>(availableQuery, [names])
  const homes = await standby.sql.unsafe<{ name: string }[]>(
    'SELECT nspname::text AS name FROM pg_catalog.pg_namespace WHERE nspname = ANY ($1::text[])',
    [arrayText(wanted.map(extension => extension.schema))]
  )
  const schemas = new Set([...homes.map(home => home.name), ...scope.schemas])
  for (const extension of wanted) {
    const { name, schema } = extension
    const place = extension.ownsSchema ? '' : ` WITH SCHEMA ${ident(schema)}`
    const entry = madeEntry('EXTENSION', '', name, `CREATE EXTENSION IF NOT EXISTS ${ident(name)}${place};`)
    const found = there.find(other => other.name === name)
    if (found?.schema === schema) continue
    if (found?.schema) {
      plan.elsewhere.push({
        entry,
        reason: `it is in schema ${found.schema} on the standby, not in ${schema}`
      })
    } else if (found) {
      if (!extension.ownsSchema && !schemas.has(schema)) {
        schemas.add(schema)
        plan.create.push(madeEntry('SCHEMA', '', schema, `CREATE SCHEMA ${ident(schema)};`))
      }
      plan.create.push(entry)
    } else if (extension.needed) {
      throw new SchemaError(
        `the standby's server cannot install the extension ${name}, which main's structure needs`,
        {
          hint:
            `Install its package on the server of ${standby.address}: extensions of PostgreSQL itself come with ` +
            'postgresql-contrib, others with a package of their own.'
        }
      )
    } else {
      const reason = "the standby's server does not have it to install; nothing in scope depends on it"
      plan.unavailable.push({ entry, reason })
    }
  }
  return plan
}

export async function readExtensions(sql: postgres.Sql, scope: SchemaScope): Promise<Extension[]> {
  // The dump of the whole database has them.
  if (scope.all) return []
  const start = scope.tables
    ? `SELECT 'pg_catalog.pg_class'::pg_catalog.regclass::oid AS classid, c.oid AS objid
       FROM unnest($1::text[], $2::text[]) AS wanted (schema, name)
       JOIN pg_catalog.pg_namespace n ON n.nspname = wanted.schema
       JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = wanted.name`
    : `SELECT d.classid, d.objid FROM pg_catalog.pg_depend d
       JOIN pg_catalog.pg_namespace n ON n.oid = d.refobjid AND n.nspname = ANY ($1::text[])
       WHERE d.refclassid = 'pg_catalog.pg_namespace'::pg_catalog.regclass AND NOT EXISTS (
         SELECT 1 FROM pg_catalog.pg_depend e WHERE e.classid = d.classid AND e.objid = d.objid AND e.deptype = 'e')
         AND d.classid <> 'pg_catalog.pg_extension'::pg_catalog.regclass`
  const lives = scope.tables ? 'false' : 'n.nspname = ANY ($1::text[])'
  const parameters = scope.tables ? tableParameters(scope.tables) : [arrayText(scope.schemas)]
  return sql.unsafe<Extension[]>(extensionsQuery(start, lives), parameters)
}

// Down from the objects to their parts (columns' defaults, rules of views, indexes: auto and internal), then to
// what those use, then up from there to the whole that it is part of (an array type's element type), and so to
// the extension, and to those which that extension requires.
const extensionsQuery = (start: string, lives: string) => `
WITH RECURSIVE part (classid, objid) AS (
  ${start}
  UNION
  SELECT d.classid, d.objid FROM part p JOIN pg_catalog.pg_depend d
    ON d.refclassid = p.classid AND d.refobjid = p.objid AND d.deptype IN ('a', 'i')
), used (classid, objid) AS (
  SELECT DISTINCT d.refclassid, d.refobjid FROM part p
    JOIN pg_catalog.pg_depend d ON d.classid = p.classid AND d.objid = p.objid
  UNION
  SELECT d.refclassid, d.refobjid FROM used u JOIN pg_catalog.pg_depend d
    ON d.classid = u.classid AND d.objid = u.objid AND d.deptype = 'i'
), need (oid) AS (
  SELECT d.refobjid FROM used u JOIN pg_catalog.pg_depend d ON d.classid = u.classid AND d.objid = u.objid
    AND d.deptype = 'e' AND d.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass
  UNION
  SELECT u.objid FROM used u WHERE u.classid = 'pg_catalog.pg_extension'::pg_catalog.regclass
  UNION
  SELECT d.refobjid FROM need JOIN pg_catalog.pg_depend d
    ON d.classid = 'pg_catalog.pg_extension'::pg_catalog.regclass AND d.objid = need.oid
    AND d.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass
)
SELECT e.extname::text AS name, n.nspname::text AS schema, e.oid IN (SELECT oid FROM need) AS needed,
  EXISTS (SELECT 1 FROM pg_catalog.pg_depend d
    WHERE d.classid = 'pg_catalog.pg_namespace'::pg_catalog.regclass AND d.objid = n.oid AND d.deptype = 'e'
      AND d.refobjid = e.oid) AS "ownsSchema"
FROM pg_catalog.pg_extension e JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace
WHERE e.extname <> 'plpgsql' AND (${lives} OR e.oid IN (SELECT oid FROM need))
ORDER BY e.oid`

const availableQuery = `
SELECT a.name::text AS name, (SELECT n.nspname::text FROM pg_catalog.pg_extension e
  JOIN pg_catalog.pg_namespace n ON n.oid = e.extnamespace WHERE e.extname = a.name) AS schema
FROM pg_catalog.pg_available_extensions a WHERE a.name = ANY ($1::text[])`
