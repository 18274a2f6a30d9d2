/** Tables, views, materialized views, foreign tables and sequences: what a relation is, with its columns. */
import { tableParameters } from '../scope.js'
import { type Acl, addAcl, aclText } from './acl.js'
import { classes, free, type Item, type Reading, ref } from './items.js'
import { addSequence, type SequenceDetails } from './sequences.js'
import { alterations, tableText } from './tables.js'
import { storageOptions } from './text.js'

export interface Column extends Acl {
  relid: number
  number: number
  name: string
  type: string
  notNull: boolean
  local: boolean
  identity: string
  generated: string
  collation: string | null
  statistics: number
  storage: string | null
  compression: string | null
  options: string | null
  fdwOptions: string[] | null
  /** Below 0 where the catalogs have none: then it is NULL. */
  default: { oid: number; text: string } | null
}

export interface Check {
  oid: number
  name: string
  definition: string
  local: boolean
}

export interface Relation extends Acl {
  oid: number
  schema: string
  name: string
  owner: string
  kind: string
  persistence: string
  partition: boolean
  options: string[] | null
  toastOptions: string[] | null
  tablespace: string
  accessMethod: string | null
  identity: string
  rowSecurity: boolean
  forced: boolean
  of: string | null
  bound: string | null
  key: string | null
  parents: number[] | null
  view: string | null
  server: string | null
  fdwOptions: string[] | null
  sequence: SequenceDetails | null
  ownedBy: { relid: number; schema: string; table: string; column: string; identity: string } | null
  path: string
  columns: Column[]
  /** Those that stand within CREATE TABLE. */
  checks: Check[]
  item: Item
}

const kinds: Record<string, string> = {
  r: 'TABLE',
  p: 'TABLE',
  f: 'FOREIGN TABLE',
  v: 'VIEW',
  m: 'MATERIALIZED VIEW',
  S: 'SEQUENCE'
}

/** The relations of the scope by OID, with their columns but not yet defined. */
export async function readRelations(reading: Reading): Promise<Map<number, Relation>> {
  const { scope, schemas, quote } = reading
  const [wantedSchemas, wantedNames] = tableParameters(scope.tables ?? [])
  const rows = await reading.query<Relation>(relationsQuery(reading), [
    schemas,
    scope.tables !== undefined,
    wantedSchemas,
    wantedNames
  ])
  const all = new Map<number, Relation>()
  for (const row of rows) {
    const path = reading.path(row.schema, row.name)
    const kind = kinds[row.kind]!
    const stored = 'rpm'.includes(row.kind)
    const item = reading.items.add({
      kind,
      catalog: classes.relation,
      oid: row.oid,
      schema: row.schema,
      name: row.name,
      owner: row.owner,
      definition: '',
      drop: `DROP ${kind} ${path};\n`,
      tablespace: stored ? row.tablespace : null,
      accessMethod: row.accessMethod,
      relkind: row.kind,
      label: { kind, tag: quote(row.name), sql: path },
      needs: (row.parents ?? []).map(parent => ref(classes.relation, parent))
    })
    all.set(row.oid, { ...row, path, item, columns: [], checks: [] })
  }
  const columns = await reading.query<Column>(columnsQuery(reading), [[...all.keys()]])
  for (const column of columns) all.get(column.relid)!.columns.push(column)
  markNoDefaults(all)
  return all
}

/** A child whose parent has a default and which has none says so, or it would inherit it. */
function markNoDefaults(relations: ReadonlyMap<number, Relation>): void {
  let made = 0
  for (const { parents, columns } of relations.values()) {
    if (!parents) continue
    const defaults = new Set(
      parents
        .flatMap(oid => relations.get(oid)?.columns ?? [])
        .filter(column => column.default !== null && column.default.oid > 0 && column.generated === '')
        .map(column => column.name)
    )
    for (const column of columns) {
      if (column.default === null && defaults.has(column.name)) column.default = { oid: --made, text: 'NULL' }
    }
  }
}

/** Writes the definitions, now that it is known which defaults and checks stand within them. */
export function defineRelations(
  reading: Reading,
  relations: ReadonlyMap<number, Relation>,
  apart: ReadonlySet<string>
): void {
  const { items, quote } = reading
  for (const relation of relations.values()) {
    const { item, kind } = relation
    if (kind === 'S') addSequence(reading, relation, relations.get(relation.ownedBy?.relid ?? 0))
    else if (kind === 'v' || kind === 'm') item.definition = viewText(reading, relation)
    else item.definition = tableText(reading, relation, relations, apart)
    addAcl(reading, item, kind === 'S' ? 'SEQUENCE' : 'TABLE', relation)
    addColumnAcls(reading, relation)
    const parent = relation.partition ? relations.get(relation.parents?.[0] ?? 0) : undefined
    if (parent && relation.bound !== null) {
      items.add({
        kind: 'TABLE ATTACH',
        schema: relation.schema,
        name: relation.name,
        owner: relation.owner,
        definition: `ALTER TABLE ONLY ${parent.path} ATTACH PARTITION ${relation.path} ${relation.bound};\n`,
        needs: [item, parent.item]
      })
    }
    if (relation.rowSecurity) {
      items.add({
        kind: 'ROW SECURITY',
        oid: relation.oid,
        schema: relation.schema,
        name: relation.name,
        owner: relation.owner,
        section: 4,
        definition: `ALTER TABLE ${relation.path} ENABLE ROW LEVEL SECURITY;`,
        needs: [item]
      })
    }
    for (const column of relation.columns) {
      items.alias(`${ref(classes.relation, relation.oid)}:${column.number}`, item, {
        kind: 'COLUMN',
        tag: `${quote(relation.name)}.${quote(column.name)}`,
        sql: `${relation.path}.${quote(column.name)}`
      })
    }
  }
}

function viewText(reading: Reading, relation: Relation): string {
  const { quote } = reading
  const { kind, path, options, view, columns } = relation
  const check = options?.find(option => option.startsWith('check_option='))?.slice('check_option='.length)
  const others = storageOptions(
    quote,
    (options ?? []).filter(option => !option.startsWith('check_option='))
  )
  const body = (view ?? '').replace(/;$/, '')
  if (kind === 'm') {
    const storage = others.length > 0 ? `\nWITH (${others.join(', ')})` : ''
    const altered = columns.flatMap(column => alterations(reading, relation, column, new Set()))
    return `CREATE MATERIALIZED VIEW ${path}${storage} AS\n${body}\n  WITH NO DATA;\n${altered.join('')}`
  }
  const ending = check === undefined ? '' : `\n  WITH ${check.toUpperCase()} CHECK OPTION`
  return `CREATE VIEW ${path}${others.length > 0 ? ` WITH (${others.join(', ')})` : ''} AS\n${body}${ending};\n`
}

function addColumnAcls(reading: Reading, relation: Relation): void {
  if (!reading.privileges) return
  const { quote, can, items } = reading
  const { schema, name, owner, item, path } = relation
  for (const { name: column, acl } of relation.columns) {
    const target = { type: 'TABLE', sql: path, owner, column: quote(column), maintain: can.maintain }
    const definition = aclText(quote, { acl, base: null }, target)
    if (definition === '') continue
    items.add({
      kind: 'ACL',
      schema,
      name: `COLUMN ${quote(name)}.${quote(column)}`,
      definition,
      section: 1,
      owner,
      needs: [item]
    })
  }
}

const relationsQuery = ({ can }: Reading) => `
SELECT c.oid, n.nspname::text AS schema, c.relname::text AS name, pg_get_userbyid(c.relowner) AS owner, c.relkind::text AS kind,
  c.relpersistence::text AS persistence, c.relispartition AS partition, c.reloptions AS options, tc.reloptions AS "toastOptions",
  coalesce(ts.spcname::text, '') AS tablespace, am.amname::text AS "accessMethod", c.relreplident::text AS identity,
  c.relrowsecurity AS "rowSecurity", c.relforcerowsecurity AS forced,
  CASE WHEN c.reloftype <> 0 THEN format_type(c.reloftype, NULL) END AS of, pg_get_expr(c.relpartbound, c.oid) AS bound,
  CASE c.relkind WHEN 'p' THEN pg_get_partkeydef(c.oid) END AS key, h.parents,
  CASE WHEN c.relkind IN ('v', 'm') THEN pg_get_viewdef(c.oid) END AS view, fs.srvname::text AS server, ft.ftoptions AS "fdwOptions",
  CASE c.relkind WHEN 'S' THEN json_build_object('type', format_type(s.seqtypid, NULL), 'start', s.seqstart::text, 'increment', s.seqincrement::text,
    'min', s.seqmin::text, 'max', s.seqmax::text, 'cache', s.seqcache::text, 'cycle', s.seqcycle) END AS sequence,
  CASE WHEN o.refobjid IS NOT NULL THEN json_build_object('relid', oc.oid::int8, 'schema', ocn.nspname, 'table', oc.relname, 'column', oa.attname, 'identity', CASE o.deptype WHEN 'i' THEN oa.attidentity ELSE '' END) END AS "ownedBy",
  c.relacl::text[] AS acl, acldefault(CASE c.relkind WHEN 'S' THEN 's'::"char" ELSE 'r'::"char" END, c.relowner)::text[] AS base
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_class tc ON tc.oid = c.reltoastrelid AND tc.relkind = 't'
LEFT JOIN pg_tablespace ts ON ts.oid = c.reltablespace
LEFT JOIN pg_am am ON am.oid = c.relam AND c.relkind IN (${can.accessMethods ? `'r', 'm', 'p'` : 'NULL'})
LEFT JOIN pg_sequence s ON s.seqrelid = c.oid
LEFT JOIN pg_foreign_table ft ON ft.ftrelid = c.oid LEFT JOIN pg_foreign_server fs ON fs.oid = ft.ftserver
LEFT JOIN (SELECT inhrelid, json_agg(inhparent::int8 ORDER BY inhseqno) AS parents FROM pg_inherits GROUP BY inhrelid) h ON h.inhrelid = c.oid
LEFT JOIN pg_depend o ON c.relkind = 'S' AND o.classid = ${classes.relation} AND o.objid = c.oid AND o.objsubid = 0
  AND o.refclassid = ${classes.relation} AND o.refobjsubid > 0 AND o.deptype IN ('a', 'i')
LEFT JOIN pg_class oc ON oc.oid = o.refobjid LEFT JOIN pg_namespace ocn ON ocn.oid = oc.relnamespace
LEFT JOIN pg_attribute oa ON oa.attrelid = o.refobjid AND oa.attnum = o.refobjsubid
LEFT JOIN unnest($3::text[], $4::text[]) AS wanted (schema, name) ON wanted.schema = coalesce(ocn.nspname, n.nspname) AND wanted.name = coalesce(oc.relname, c.relname)
LEFT JOIN unnest($3::text[], $4::text[]) AS self (schema, name) ON self.schema = n.nspname AND self.name = c.relname
WHERE c.relkind IN ('r', 'p', 'f', 'v', 'm', 'S') AND ${free('relation', 'c.oid')}
  AND CASE WHEN $2 THEN wanted.name IS NOT NULL OR self.name IS NOT NULL ELSE c.relnamespace = ANY ($1::oid[]) END
ORDER BY n.nspname COLLATE "C", c.relname COLLATE "C"`

const columnsQuery = ({ can }: Reading) => `
SELECT a.attrelid AS relid, a.attnum AS number, a.attname::text AS name, format_type(a.atttypid, a.atttypmod) AS type,
  a.attnotnull AS "notNull", a.attislocal AS local, a.attidentity::text AS identity,
  ${can.generated ? 'a.attgenerated::text' : `''`} AS generated,
  CASE WHEN a.attcollation <> t.typcollation THEN (SELECT quote_ident(cn.nspname) || '.' || quote_ident(co.collname)
    FROM pg_collation co JOIN pg_namespace cn ON cn.oid = co.collnamespace WHERE co.oid = a.attcollation) END AS collation,
  coalesce(a.attstattarget, -1)::int AS statistics, CASE WHEN a.attstorage <> t.typstorage THEN a.attstorage::text END AS storage,
  ${can.columnCompression ? `nullif(a.attcompression::text, '')` : 'NULL'} AS compression,
  array_to_string(a.attoptions, ', ') AS options, a.attfdwoptions AS "fdwOptions", a.attacl::text[] AS acl,
  CASE WHEN d.oid IS NOT NULL THEN json_build_object('oid', d.oid::int8, 'text', pg_get_expr(d.adbin, d.adrelid)) END AS default
FROM unnest($1::oid[]) AS r (oid) JOIN pg_attribute a ON a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped
JOIN pg_class c ON c.oid = r.oid AND c.relkind <> 'S'
JOIN pg_type t ON t.oid = a.atttypid LEFT JOIN pg_attrdef d ON a.atthasdef AND d.adrelid = a.attrelid AND d.adnum = a.attnum
ORDER BY a.attrelid, a.attnum`
