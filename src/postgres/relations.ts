/** Reads from the catalogs what ties tables together or stands beside them: foreign keys, sequences, materialized views. */
import type { Capabilities } from './capabilities.js'
import { arrayText, literal, qualified } from './quote.js'
import type { Queryable } from './server.js'

export interface ForeignKey {
  name: string
  /** The referencing table, by OID, and its name. */
  child: number
  childSchema: string
  childName: string
  columns: string[]
  parent: number
  parentSchema: string
  parentName: string
  parentColumns: string[]
  deferrable: boolean
  validated: boolean
  /** MATCH FULL. */
  full: boolean
  /** ON DELETE does something to the child's rows (cascade, set null, set default). */
  deletes: boolean
  /** ON UPDATE does. */
  updates: boolean
  /** Where it was declared: itself, or, where a partition has it from there, the partitioned table. */
  declared: { schema: string; table: string; name: string }
}

/** Every foreign key of the database between ordinary tables (those made for partitions of the parent left out). */
export async function readForeignKeys(sql: Queryable, can: Capabilities): Promise<ForeignKey[]> {
  const rows = await sql.unsafe<
    (Omit<ForeignKey, 'child' | 'parent'> & { child: string; parent: string })[]
  >(`
${
  can.indexInclude
    ? `WITH RECURSIVE up AS (
  SELECT k.oid, k.oid AS top, k.conparentid AS next FROM pg_catalog.pg_constraint k WHERE k.contype = 'f'
  UNION ALL
  SELECT up.oid, k.oid, k.conparentid FROM up JOIN pg_catalog.pg_constraint k ON k.oid = up.next
)`
    : 'WITH up AS (SELECT k.oid, k.oid AS top, 0 AS next FROM pg_catalog.pg_constraint k)'
}
SELECT k.conname AS name, k.conrelid::text AS child, cn.nspname AS "childSchema", c.relname AS "childName",
  k.confrelid::text AS parent, pn.nspname AS "parentSchema", p.relname AS "parentName",
  pg_catalog.to_json(ARRAY(SELECT a.attname::text FROM pg_catalog.unnest(k.conkey) WITH ORDINALITY AS u(n, i)
    JOIN pg_catalog.pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.n ORDER BY u.i)) AS columns,
  pg_catalog.to_json(ARRAY(SELECT a.attname::text FROM pg_catalog.unnest(k.confkey) WITH ORDINALITY AS u(n, i)
    JOIN pg_catalog.pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = u.n ORDER BY u.i)) AS "parentColumns",
  k.condeferrable AS deferrable, k.convalidated AS validated, k.confmatchtype = 'f' AS full,
  k.confdeltype IN ('c', 'n', 'd') AS deletes, k.confupdtype IN ('c', 'n', 'd') AS updates,
  pg_catalog.json_build_object('schema', tn.nspname, 'table', tc.relname, 'name', top.conname) AS declared
FROM pg_catalog.pg_constraint k
JOIN up ON up.oid = k.oid AND up.next = 0 JOIN pg_catalog.pg_constraint top ON top.oid = up.top
JOIN pg_catalog.pg_class tc ON tc.oid = top.conrelid JOIN pg_catalog.pg_namespace tn ON tn.oid = tc.relnamespace
JOIN pg_catalog.pg_class c ON c.oid = k.conrelid JOIN pg_catalog.pg_namespace cn ON cn.oid = c.relnamespace
JOIN pg_catalog.pg_class p ON p.oid = k.confrelid JOIN pg_catalog.pg_namespace pn ON pn.oid = p.relnamespace
WHERE k.contype = 'f'${
    can.indexInclude
      ? ` AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_constraint up WHERE up.oid = k.conparentid AND up.conrelid = k.conrelid)`
      : ''
  } ORDER BY 3, 4, 1`)
  return rows.map(row => ({ ...row, child: Number(row.child), parent: Number(row.parent) }))
}

export interface Sequence {
  schema: string
  name: string
  /** A bigint as text; undefined: the role may not read the sequence. */
  lastValue: string | undefined
  called: boolean
  increment: string
}

/** Sequences asked for in one statement. */
const batch = 500

/** Every sequence of the schemas and where it stands now (sequences know no snapshot). */
export async function readSequences(
  sql: Queryable,
  schemas: readonly string[],
  can: Capabilities
): Promise<Sequence[]> {
  const names = await sql.unsafe<{ schema: string; name: string; readable: boolean }[]>(
    `SELECT n.nspname AS schema, c.relname AS name, pg_catalog.has_schema_privilege(n.oid, 'USAGE')
       AND pg_catalog.has_sequence_privilege(c.oid, 'SELECT') AS readable FROM pg_catalog.pg_class c
     JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
     WHERE c.relkind = 'S' AND c.relpersistence <> 't' AND n.nspname = ANY ($1::text[]) ORDER BY 1, 2`,
    [arrayText(schemas)]
  )
  const readable = names.filter(one => one.readable)
  const sequences: Sequence[] = names
    .filter(one => !one.readable)
    .map(({ schema, name }) => ({ schema, name, lastValue: undefined, called: false, increment: '1' }))
  for (let start = 0; start < readable.length; start += batch) {
    const parts = readable.slice(start, start + batch).map(({ schema, name }) => {
      const increment = can.identity
        ? `(SELECT seqincrement::text FROM pg_catalog.pg_sequence WHERE seqrelid = ${literal(qualified(schema, name))}::regclass)`
        : 'increment_by::text'
      return `SELECT ${literal(schema)}::text AS schema, ${literal(name)}::text AS name, last_value::text AS "lastValue",
        is_called AS called, ${increment} AS increment FROM ${qualified(schema, name)}`
    })
    sequences.push(...(await sql.unsafe<Sequence[]>(parts.join(' UNION ALL '))))
  }
  return sequences
}

export interface MaterializedView {
  schema: string
  name: string
  populated: boolean
  /** A user's function takes part in it, by itself or in a view that it reads: what that reads the catalogs do not tell. */
  calls: boolean
  /** The others that it is known to read, also by way of views. */
  reads: { schema: string; name: string }[]
}

/** Every materialized view of the schemas, each after those that it is known to read; those that call functions last. */
export async function readMaterializedViews(
  sql: Queryable,
  schemas: readonly string[]
): Promise<MaterializedView[]> {
  return sql.unsafe<MaterializedView[]>(
    `
WITH RECURSIVE edges AS (
  SELECT DISTINCT r.ev_class AS view, d.refobjid AS reads FROM pg_catalog.pg_rewrite r
  JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_rewrite'::regclass AND d.objid = r.oid
    AND d.refclassid = 'pg_catalog.pg_class'::regclass AND d.refobjid <> r.ev_class
  JOIN pg_catalog.pg_class c ON c.oid = d.refobjid AND c.relkind IN ('v', 'm')
), depth AS (
  SELECT c.oid AS view, 0 AS depth FROM pg_catalog.pg_class c WHERE c.relkind IN ('v', 'm')
  UNION
  SELECT e.view, depth.depth + 1 FROM edges e JOIN depth ON depth.view = e.reads
), reach AS (
  SELECT view, reads FROM edges
  UNION
  SELECT reach.view, e.reads FROM reach JOIN edges e ON e.view = reach.reads
), calling AS (
  SELECT r.ev_class AS view FROM pg_catalog.pg_rewrite r
  JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_rewrite'::regclass AND d.objid = r.oid
    AND d.refclassid = 'pg_catalog.pg_proc'::regclass
  JOIN pg_catalog.pg_proc p ON p.oid = d.refobjid AND p.oid >= 16384
  JOIN pg_catalog.pg_language l ON l.oid = p.prolang AND l.lanname NOT IN ('internal', 'c')
  UNION
  SELECT e.view FROM edges e JOIN calling ON calling.view = e.reads
)
SELECT n.nspname AS schema, c.relname AS name, c.relispopulated AS populated, c.oid IN (SELECT view FROM calling) AS calls,
  coalesce((SELECT pg_catalog.json_agg(pg_catalog.json_build_object('schema', mn.nspname, 'name', m.relname)) FROM reach
    JOIN pg_catalog.pg_class m ON m.oid = reach.reads AND m.relkind = 'm' JOIN pg_catalog.pg_namespace mn ON mn.oid = m.relnamespace
    WHERE reach.view = c.oid), '[]') AS reads
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN depth ON depth.view = c.oid
WHERE c.relkind = 'm' AND n.nspname = ANY ($1::text[])
GROUP BY 1, 2, 3, 4, c.oid ORDER BY 4, pg_catalog.max(depth.depth), 1, 2`,
    [arrayText(schemas)]
  )
}
