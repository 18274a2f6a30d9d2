/** What is in scope and of a kind that is not read from the catalogs: it is named, never passed over. */
import type { Emit } from '../../core/events.js'
import type { Reading } from './items.js'

export async function tellUnread(reading: Reading, emit: Emit): Promise<void> {
  if (reading.scope.tables) return
  const rows = await reading.query<{ kind: string; names: string[]; count: number }>(unreadQuery(reading), [
    reading.schemas
  ])
  for (const { kind, names, count } of rows) {
    const more = count > names.length ? ', …' : ''
    emit({
      type: 'note',
      message: `the catalogs reader does not compare ${kind} (${count} in scope): ${names.join(', ')}${more}`
    })
  }
}

function unreadQuery({ scope }: Reading): string {
  const inSchemas = (kind: string, catalog: string, prefix: string, where = 'true') =>
    `SELECT '${kind}' AS kind, quote_ident(n.nspname) || '.' || x.${prefix}name AS name FROM ${catalog} x
      JOIN pg_namespace n ON n.oid = x.${prefix}namespace
      WHERE n.oid = ANY ($1::oid[]) AND ${where} AND ${free(catalog)}`
  const wide = (kind: string, catalog: string, name: string, where = 'true') =>
    `SELECT '${kind}', (${name})::text FROM ${catalog} x WHERE ${where} AND x.oid >= 16384 AND ${free(catalog)}`
  const free = (catalog: string) =>
    `NOT EXISTS (SELECT 1 FROM pg_depend e WHERE e.classid = '${catalog}'::regclass AND e.objid = x.oid AND e.deptype = 'e')`
  const parts = [
    inSchemas('operators', 'pg_operator', 'opr', 'x.oprcode <> 0'),
    inSchemas('operator classes', 'pg_opclass', 'opc'),
    inSchemas('operator families', 'pg_opfamily', 'opf'),
    inSchemas('conversions', 'pg_conversion', 'con'),
    inSchemas('text search configurations', 'pg_ts_config', 'cfg'),
    inSchemas('text search dictionaries', 'pg_ts_dict', 'dict'),
    inSchemas('text search parsers', 'pg_ts_parser', 'prs'),
    inSchemas('text search templates', 'pg_ts_template', 'tmpl'),
    inSchemas(
      'base types',
      'pg_type',
      'typ',
      // An array of something else is no type of its own.
      `(x.typtype = 'p' OR (x.typtype = 'b' AND NOT (x.typelem <> 0 AND x.typlen = -1
        AND (SELECT el.typarray FROM pg_type el WHERE el.oid = x.typelem) = x.oid)))`
    ),
    // From 18 on NOT NULL has a name; the column's line tells only that it is there.
    `SELECT 'what NOT NULL constraints are beyond their columns', quote_ident(c.relname) || '.' || quote_ident(k.conname)
      FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.conkey[1]
      WHERE k.contype = 'n' AND k.connamespace = ANY ($1::oid[]) AND k.conislocal
        AND (k.connoinherit OR NOT k.convalidated OR k.conname <> left(c.relname || '_' || a.attname || '_not_null', 63))`,
    `SELECT 'security labels', (pg_identify_object(s.classoid, s.objoid, 0)).identity FROM pg_seclabel s
      WHERE (pg_identify_object(s.classoid, s.objoid, 0)).schema IN (SELECT nspname FROM pg_namespace WHERE oid = ANY ($1::oid[]))`
  ]
  if (scope.all) {
    parts.push(
      wide('foreign data wrappers', 'pg_foreign_data_wrapper', 'fdwname'),
      wide('foreign servers', 'pg_foreign_server', 'srvname'),
      `SELECT 'user mappings', srvname || ' for ' || coalesce(usename, 'public') FROM pg_user_mappings`,
      wide('languages', 'pg_language', 'lanname'),
      wide('access methods', 'pg_am', 'amname'),
      wide('transforms', 'pg_transform', `format_type(x.trftype, NULL)`),
      `SELECT 'subscriptions', subname::text FROM pg_subscription
        WHERE subdbid = (SELECT oid FROM pg_database WHERE datname = current_database())`
    )
  }
  return `SELECT kind, count(*)::int AS count, (array_agg(name::text ORDER BY name::text COLLATE "C"))[1:5] AS names
    FROM (${parts.join(' UNION ALL ')}) AS unread (kind, name) GROUP BY kind ORDER BY kind COLLATE "C"`
}
