/** Reads what tables are from the catalogs: columns, keys, partitions. One query for all tables of the schemas. */
import type { Capabilities } from './capabilities.js'
import { arrayText } from './quote.js'
import type { Queryable } from './server.js'

export interface Column {
  name: string
  /** With its modifier, such as `numeric(10,2)`. */
  type: string
  /** The type under all domains, without modifier, schema-qualified unless built in. */
  base: string
  /** `typtype` of the type under all domains: b, e, c, r, m, p. */
  kind: string
  /** The base type is one that PostgreSQL itself brings. */
  builtin: boolean
  /** The element is not built in (an array of enums, say). */
  foreignElement: boolean
  array: boolean
  notNull: boolean
  /** '' no, s stored, v virtual. */
  generated: string
  /** '' no, a always, d by default. */
  identity: string
  /** How it sorts: `C@ENCODING`, or provider, locale, rules and version; '' where the type has no collation. */
  collation: string
  deterministic: boolean
}

export interface Key {
  columns: string[]
  primary: boolean
  /** Checked at once, and no other key of the same columns is not, so that it can be the arbiter of ON CONFLICT. */
  immediate: boolean
}

export interface Trigger {
  name: string
  /** When it fires: O in ordinary sessions, R in those whose session_replication_role is replica, A in both. */
  enabled: string
}

/** The names of those that fire in such a session. */
export function firing(triggers: readonly Trigger[], replica: boolean): string[] {
  return triggers.filter(({ enabled }) => enabled !== (replica ? 'O' : 'R')).map(({ name }) => name)
}

/** No two rows that fit `where` may hold values for which all of the operators are true. */
export interface Deferrable {
  name: string
  exclusion: boolean
  /** Columns and expressions, over the table's own columns. */
  items: string[]
  /** Each as `OPERATOR(schema.name)`. */
  operators: string[]
  where: string
  /** NULLs are equal. */
  nullsAlike: boolean
}

export interface Table {
  oid: number
  schema: string
  name: string
  /** r table, p partitioned, f foreign, m materialized view. */
  kind: string
  /** p permanent, u unlogged. */
  persistence: string
  /** The topmost partitioned table, or 0. */
  root: number
  /** The bound of a partition, as PostgreSQL prints it. */
  bound: string | null
  /** Has children by plain inheritance, so that it must be read with ONLY. */
  inherited: boolean
  /** The planner's estimate; −1 where the table was never analysed. */
  estimate: number
  pages: number
  rowSecurity: boolean
  /** The user's that are not disabled. */
  triggers: Trigger[]
  /** It has rules that INSERT or UPDATE would set off: ON CONFLICT is not possible then. */
  hasRules: boolean
  columns: Column[]
  /** Usable as a row's key: unique, not null, valid, plain columns; the primary key first. */
  keys: Key[]
  /** Its unique, primary key and exclusion constraints that are deferrable. */
  deferrable: Deferrable[]
  /** All unique or exclusion indexes, as a count: more than one means that an upsert can meet a second conflict. */
  uniques: number
}

type Row = Omit<Table, 'oid' | 'root'> & { oid: string; root: string }

/**
 * Every table of the schemas, in order of name.
 * @param kinds ordinary, partitioned and foreign ones, where nothing is said
 */
export async function readTables(
  sql: Queryable,
  can: Capabilities,
  schemas: readonly string[],
  kinds: readonly string[] = ['r', 'p', 'f']
): Promise<Table[]> {
  const rows = await sql.unsafe<Row[]>(tablesQuery(can), [arrayText(schemas), arrayText(kinds)])
  return rows.map(row => ({ ...row, oid: Number(row.oid), root: Number(row.root) }))
}

/**
 * What decides how the collation `co`, or where it is the default the database `db`, sorts: never its name, which
 * may mean another locale elsewhere.
 */
function orderOf(can: Capabilities): string {
  const own = can.collationProvider ? 'co.collprovider::text' : `'c'`
  const isDefault = can.collationProvider ? `co.collprovider = 'd'` : `co.collname = 'default'`
  const either = (database: string, collation: string) =>
    `CASE WHEN ${isDefault} THEN ${database} ELSE ${collation} END`
  const name = can.localeColumn
  const provider = either(name ? 'db.datlocprovider::text' : `'c'`, own)
  const locale = name
    ? either(`coalesce(db.dat${name}, db.datcollate)`, `coalesce(co.coll${name}, co.collcollate)`)
    : either('db.datcollate', 'co.collcollate')
  const rules = can.localeRules ? either('db.daticurules', 'co.collicurules') : 'NULL'
  const version = can.collationProvider
    ? either(
        can.databaseCollationVersion ? 'pg_catalog.pg_database_collation_actual_version(db.oid)' : 'NULL',
        'pg_catalog.pg_collation_actual_version(co.oid)'
      )
    : 'NULL'
  return `(SELECT CASE WHEN p = 'b' OR (p = 'c' AND l IN ('C', 'POSIX')) THEN 'C@' || pg_catalog.pg_encoding_to_char(db.encoding)
      ELSE p || ':' || l || ':' || coalesce(${rules}, '') || ':' || coalesce(${version}, '') END
    FROM (SELECT ${provider} AS p, ${locale} AS l) o WHERE co.oid IS NOT NULL)`
}

function tablesQuery(can: Capabilities): string {
  const keyCount = can.indexInclude ? 'i.indnkeyatts' : 'i.indnatts'
  const keyed = (index: string) =>
    `(${index}.indkey::int2[])[0:${index}.${can.indexInclude ? 'indnkeyatts' : 'indnatts'} - 1]`
  return `
WITH RECURSIVE rel AS (
  SELECT c.*, n.nspname FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind::text = ANY ($2::text[]) AND c.relpersistence <> 't' AND n.nspname = ANY ($1::text[])
), base AS (
  SELECT t.oid AS type, t.oid AS base FROM pg_catalog.pg_type t WHERE t.typtype <> 'd'
  UNION ALL
  SELECT t.oid, b.base FROM pg_catalog.pg_type t JOIN base b ON b.type = t.typbasetype WHERE t.typtype = 'd'
), tree AS (
  ${
    can.partitions
      ? `SELECT i.inhrelid AS leaf, i.inhparent AS parent FROM pg_catalog.pg_inherits i
         JOIN pg_catalog.pg_class c ON c.oid = i.inhrelid AND c.relispartition
         UNION ALL
         SELECT tree.leaf, i.inhparent FROM tree JOIN pg_catalog.pg_inherits i ON i.inhrelid = tree.parent
         JOIN pg_catalog.pg_class c ON c.oid = i.inhrelid AND c.relispartition`
      : `SELECT NULL::oid AS leaf, NULL::oid AS parent WHERE false`
  }
), cols AS (
  SELECT a.attrelid, pg_catalog.json_agg(pg_catalog.json_build_object(
    'name', a.attname,
    'type', pg_catalog.format_type(a.atttypid, a.atttypmod),
    'base', pg_catalog.format_type(b.oid, NULL),
    'kind', b.typtype,
    'builtin', b.oid < 16384,
    'foreignElement', b.typelem >= 16384 AND b.typlen = -1,
    'array', b.typelem <> 0 AND b.typlen = -1 AND b.typcategory = 'A',
    'notNull', a.attnotnull,
    'generated', ${can.generated ? 'a.attgenerated' : "''"},
    'identity', ${can.identity ? 'a.attidentity' : "''"},
    'collation', coalesce(${orderOf(can)}, ''),
    'deterministic', ${can.collationDeterministic ? 'coalesce(co.collisdeterministic, true)' : 'true'}
  ) ORDER BY a.attnum) AS columns
  FROM rel JOIN pg_catalog.pg_attribute a ON a.attrelid = rel.oid AND a.attnum > 0 AND NOT a.attisdropped
  JOIN base ON base.type = a.atttypid JOIN pg_catalog.pg_type b ON b.oid = base.base
  LEFT JOIN pg_catalog.pg_collation co ON co.oid = a.attcollation
  LEFT JOIN pg_catalog.pg_database db ON db.datname = pg_catalog.current_database()
  GROUP BY a.attrelid
), keys AS (
  SELECT i.indrelid, pg_catalog.json_agg(pg_catalog.json_build_object(
    'columns', k.columns, 'primary', i.indisprimary, 'immediate', i.indimmediate AND NOT EXISTS (
      SELECT 1 FROM pg_catalog.pg_index o WHERE o.indrelid = i.indrelid AND o.indisunique AND NOT o.indimmediate
        AND ${keyed('o')} @> ${keyed('i')} AND ${keyed('o')} <@ ${keyed('i')})
  ) ORDER BY i.indisprimary DESC, i.indimmediate DESC, i.indnatts, ic.relname) AS keys
  FROM rel JOIN pg_catalog.pg_index i ON i.indrelid = rel.oid JOIN pg_catalog.pg_class ic ON ic.oid = i.indexrelid,
  LATERAL (
    SELECT pg_catalog.json_agg(a.attname ORDER BY u.n) AS columns,
      pg_catalog.bool_and(a.attnotnull AND oc.opcdefault AND i.indcollation[u.n::int - 1] = a.attcollation) AS fit,
      pg_catalog.count(*) AS n
    FROM pg_catalog.unnest(i.indkey::int2[]) WITH ORDINALITY AS u(attnum, n)
    JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = u.attnum
    LEFT JOIN pg_catalog.pg_opclass oc ON oc.oid = i.indclass[u.n::int - 1]
    WHERE u.n <= ${can.indexInclude ? 'i.indnkeyatts' : 'i.indnatts'}
  ) k
  WHERE i.indisunique AND i.indisvalid AND i.indpred IS NULL AND i.indexprs IS NULL AND k.fit
    AND (i.indisprimary OR i.indimmediate) AND k.n = ${can.indexInclude ? 'i.indnkeyatts' : 'i.indnatts'}
  GROUP BY i.indrelid
)
SELECT rel.oid::text AS oid, rel.nspname AS schema, rel.relname AS name, rel.relkind::text AS kind,
  rel.relpersistence::text AS persistence,
  coalesce((SELECT t.parent FROM tree t WHERE t.leaf = rel.oid AND NOT EXISTS
    (SELECT 1 FROM tree up WHERE up.leaf = t.parent)), 0)::text AS root,
  ${can.partitions ? 'CASE WHEN rel.relispartition THEN pg_catalog.pg_get_expr(rel.relpartbound, rel.oid) END' : 'NULL::text'} AS bound,
  rel.relkind = 'r' AND EXISTS (SELECT 1 FROM pg_catalog.pg_inherits i WHERE i.inhparent = rel.oid) AS inherited,
  rel.reltuples::float8 AS estimate, rel.relpages AS pages, rel.relrowsecurity AS "rowSecurity",
  pg_catalog.to_json(ARRAY(SELECT pg_catalog.json_build_object('name', g.tgname, 'enabled', g.tgenabled)
    FROM pg_catalog.pg_trigger g WHERE g.tgrelid = rel.oid AND NOT g.tgisinternal AND g.tgenabled <> 'D' ORDER BY g.tgname)) AS triggers,
  EXISTS (SELECT 1 FROM pg_catalog.pg_rewrite w WHERE w.ev_class = rel.oid AND w.ev_type IN ('2', '3')) AS "hasRules",
  coalesce((SELECT pg_catalog.json_agg(pg_catalog.json_build_object(
      'name', k.conname, 'exclusion', k.contype = 'x', 'where', coalesce(pg_catalog.pg_get_expr(i.indpred, i.indrelid), 'true'),
      'nullsAlike', coalesce((pg_catalog.to_json(i)->>'indnullsnotdistinct')::boolean, false),
      'items', ARRAY(SELECT pg_catalog.pg_get_indexdef(i.indexrelid, n, false) FROM pg_catalog.generate_series(1, ${keyCount}) n ORDER BY n),
      'operators', ARRAY(SELECT pg_catalog.format('OPERATOR(%I.%s)', on_.nspname, o.oprname) FROM pg_catalog.generate_series(1, ${keyCount}) n
        JOIN pg_catalog.pg_opclass oc ON oc.oid = i.indclass[n - 1]
        JOIN pg_catalog.pg_operator o ON o.oid = CASE WHEN k.contype = 'x' THEN k.conexclop[n] ELSE (SELECT a.amopopr FROM pg_catalog.pg_amop a
          WHERE a.amopfamily = oc.opcfamily AND a.amoplefttype = oc.opcintype AND a.amoprighttype = oc.opcintype AND a.amopstrategy = 3) END
        JOIN pg_catalog.pg_namespace on_ ON on_.oid = o.oprnamespace ORDER BY n)
    ) ORDER BY k.conname) FROM pg_catalog.pg_constraint k JOIN pg_catalog.pg_index i ON i.indexrelid = k.conindid
    WHERE k.conrelid = rel.oid AND k.condeferrable AND k.contype IN ('p', 'u', 'x')), '[]') AS deferrable,
  coalesce(cols.columns, '[]') AS columns, coalesce(keys.keys, '[]') AS keys,
  (SELECT pg_catalog.count(*)::int FROM pg_catalog.pg_index i WHERE i.indrelid = rel.oid
    AND (i.indisunique OR i.indisexclusion)) AS uniques
FROM rel LEFT JOIN cols ON cols.attrelid = rel.oid LEFT JOIN keys ON keys.indrelid = rel.oid
ORDER BY 2, 3`
}
