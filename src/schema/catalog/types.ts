/** Enums, domains, composite and range types, and collations. */
import { type Acl, addAcl } from './acl.js'
import { classes, free, type Item, type Reading, ref } from './items.js'
import { text } from './text.js'

interface TypeRow extends Acl {
  oid: number
  relid: number
  kind: 'e' | 'd' | 'c' | 'r'
  schema: string
  name: string
  owner: string
  labels: string[] | null
  attributes: { number: number; name: string; type: string; collation: string | null }[] | null
  range: Record<'subtype' | 'multi' | 'opclass' | 'collation' | 'canonical' | 'diff', string | null> | null
  baseType: string | null
  collation: string | null
  notNull: boolean
  default: string | null
  checks: { oid: number; name: string; definition: string; valid: boolean }[] | null
}

export async function readTypes(reading: Reading): Promise<void> {
  const { quote, items } = reading
  const rows = await reading.query<TypeRow>(typesQuery(reading), [reading.schemas])
  for (const row of rows) {
    const { schema, oid, owner } = row
    const path = reading.path(schema, row.name)
    const kind = row.kind === 'd' ? 'DOMAIN' : 'TYPE'
    const item = items.add({
      kind,
      catalog: classes.type,
      oid,
      schema,
      name: row.name,
      owner,
      definition: definitionOf(reading, row, path),
      drop: `DROP ${kind} ${path};\n`,
      label: { kind, tag: quote(row.name), sql: path }
    })
    if (row.relid) items.alias(ref(classes.relation, row.relid), item)
    for (const { number, name } of row.attributes ?? []) {
      const tag = `${quote(row.name)}.${quote(name)}`
      const sql = `${path}.${quote(name)}`
      items.alias(`${ref(classes.relation, row.relid)}:${number}`, item, { kind: 'COLUMN', tag, sql })
    }
    for (const check of row.checks ?? []) addCheck(reading, item, path, check)
    addAcl(reading, item, 'TYPE', row, path)
  }
}

function definitionOf({ quote }: Reading, row: TypeRow, path: string): string {
  const collated = (name: string | null) => (name === null ? '' : ` COLLATE ${name}`)
  switch (row.kind) {
    case 'e':
      return `CREATE TYPE ${path} AS ENUM (${(row.labels ?? []).map(label => `\n    ${text(label)}`).join(',')}\n);\n`
    case 'c': {
      const lines = (row.attributes ?? []).map(
        each => `\n\t${quote(each.name)} ${each.type}${collated(each.collation)}`
      )
      return `CREATE TYPE ${path} AS (${lines.join(',')}\n);\n`
    }
    case 'r': {
      const { range } = row
      const lines = [
        ['subtype', range?.subtype],
        ['multirange_type_name', range?.multi],
        ['subtype_opclass', range?.opclass],
        ['collation', range?.collation],
        ['canonical', range?.canonical],
        ['subtype_diff', range?.diff]
      ].flatMap(([name, value]) => (value ? [`\n    ${name} = ${value}`] : []))
      return `CREATE TYPE ${path} AS RANGE (${lines.join(',')}\n);\n`
    }
    case 'd': {
      const checks = (row.checks ?? []).filter(check => check.valid)
      return [
        `CREATE DOMAIN ${path} AS ${row.baseType}${collated(row.collation)}`,
        row.notNull ? ' NOT NULL' : '',
        row.default === null ? '' : ` DEFAULT ${row.default}`,
        ...checks.map(check => `\n\tCONSTRAINT ${quote(check.name)} ${check.definition}`),
        ';\n'
      ].join('')
    }
  }
}

/** A check that was never validated is an entry of its own, as a table's is. */
function addCheck(reading: Reading, domain: Item, path: string, check: NonNullable<TypeRow['checks']>[0]) {
  const { quote, items } = reading
  const name = quote(check.name)
  const label = {
    kind: 'CONSTRAINT',
    tag: `${name} ON DOMAIN ${quote(domain.name)}`,
    sql: `${name} ON DOMAIN ${path}`
  }
  if (check.valid) return items.alias(ref(classes.constraint, check.oid), domain, label)
  items.add({
    kind: 'CHECK CONSTRAINT',
    catalog: classes.constraint,
    oid: check.oid,
    schema: domain.schema,
    name: `${domain.name} ${check.name}`,
    owner: domain.owner,
    section: 4,
    definition: `ALTER DOMAIN ${path}\n    ADD CONSTRAINT ${name} ${check.definition};\n`,
    drop: `ALTER DOMAIN ${path} DROP CONSTRAINT ${name};\n`,
    needs: [domain],
    label
  })
}

const collationName = (oid: string) =>
  `(SELECT quote_ident(cn.nspname) || '.' || quote_ident(co.collname) FROM pg_collation co
    JOIN pg_namespace cn ON cn.oid = co.collnamespace WHERE co.oid = ${oid})`

const routineName = (oid: string) => `CASE WHEN ${oid} <> 0 THEN ${oid}::regproc::text END`

const typesQuery = ({ can }: Reading) => `
SELECT t.oid, t.typrelid AS relid, t.typtype::text AS kind, n.nspname::text AS schema, t.typname::text AS name,
  pg_get_userbyid(t.typowner) AS owner, t.typnotnull AS "notNull",
  t.typacl::text[] AS acl, acldefault('T', t.typowner)::text[] AS base,
  CASE t.typtype WHEN 'e' THEN (SELECT json_agg(e.enumlabel ORDER BY e.enumsortorder) FROM pg_enum e WHERE e.enumtypid = t.oid) END AS labels,
  CASE t.typtype WHEN 'c' THEN (SELECT json_agg(json_build_object('number', a.attnum, 'name', a.attname, 'type', format_type(a.atttypid, a.atttypmod),
      'collation', CASE WHEN a.attcollation <> at.typcollation THEN ${collationName('a.attcollation')} END) ORDER BY a.attnum)
    FROM pg_attribute a JOIN pg_type at ON at.oid = a.atttypid WHERE a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped) END AS attributes,
  CASE t.typtype WHEN 'r' THEN (SELECT json_build_object('subtype', format_type(r.rngsubtype, NULL),
      'multi', ${can.multirange ? `(SELECT quote_ident(mn.nspname) || '.' || quote_ident(m.typname) FROM pg_type m JOIN pg_namespace mn ON mn.oid = m.typnamespace WHERE m.oid = r.rngmultitypid)` : 'NULL'},
      'opclass', CASE WHEN NOT oc.opcdefault THEN quote_ident(ocn.nspname) || '.' || quote_ident(oc.opcname) END,
      'collation', CASE WHEN r.rngcollation <> st.typcollation THEN ${collationName('r.rngcollation')} END,
      'canonical', ${routineName('r.rngcanonical')}, 'diff', ${routineName('r.rngsubdiff')})
    FROM pg_range r JOIN pg_type st ON st.oid = r.rngsubtype JOIN pg_opclass oc ON oc.oid = r.rngsubopc
    JOIN pg_namespace ocn ON ocn.oid = oc.opcnamespace WHERE r.rngtypid = t.oid) END AS range,
  CASE t.typtype WHEN 'd' THEN format_type(t.typbasetype, t.typtypmod) END AS "baseType",
  CASE WHEN t.typtype = 'd' AND t.typcollation <> bt.typcollation THEN ${collationName('t.typcollation')} END AS collation,
  CASE WHEN t.typtype <> 'd' THEN NULL WHEN t.typdefaultbin IS NOT NULL THEN pg_get_expr(t.typdefaultbin, 0)
    ELSE quote_literal(t.typdefault) END AS default,
  CASE t.typtype WHEN 'd' THEN (SELECT json_agg(json_build_object('oid', k.oid::int8, 'name', k.conname, 'definition',
      pg_get_constraintdef(k.oid), 'valid', k.convalidated) ORDER BY k.conname COLLATE "C") FROM pg_constraint k WHERE k.contypid = t.oid AND k.contype = 'c') END AS checks
FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace LEFT JOIN pg_type bt ON bt.oid = t.typbasetype
LEFT JOIN pg_class c ON c.oid = t.typrelid
WHERE t.typnamespace = ANY ($1::oid[]) AND t.typtype IN ('e', 'd', 'c', 'r') AND t.typisdefined
  AND (t.typtype <> 'c' OR c.relkind = 'c') AND ${free('type', 't.oid')}`

interface CollationRow {
  oid: number
  schema: string
  name: string
  owner: string
  provider: string
  deterministic: boolean
  collate: string | null
  ctype: string | null
  locale: string | null
  rules: string | null
}

const providers: Record<string, string> = { c: 'libc', i: 'icu', d: 'default', b: 'builtin' }

export async function readCollations(reading: Reading): Promise<void> {
  const { can, quote, items } = reading
  const rows = await reading.query<CollationRow>(
    `SELECT c.oid, n.nspname::text AS schema, c.collname::text AS name, pg_get_userbyid(c.collowner) AS owner,
      c.collprovider::text AS provider, ${can.collationDeterministic ? 'c.collisdeterministic' : 'true'} AS deterministic,
      c.collcollate::text AS collate, c.collctype::text AS ctype,
      ${can.localeColumn ? `c.coll${can.localeColumn}` : 'NULL'} AS locale, ${can.localeRules ? 'c.collicurules' : 'NULL'} AS rules
    FROM pg_collation c JOIN pg_namespace n ON n.oid = c.collnamespace
    WHERE c.collnamespace = ANY ($1::oid[]) AND c.collencoding IN (-1, (SELECT encoding FROM pg_database WHERE datname = current_database()))
      AND ${free('collation', 'c.oid')}`,
    [reading.schemas]
  )
  for (const row of rows) {
    const path = reading.path(row.schema, row.name)
    const locale = row.provider === 'c' ? undefined : (row.locale ?? row.collate)
    const options = [
      `provider = ${providers[row.provider] ?? row.provider}`,
      ...(row.deterministic ? [] : ['deterministic = false']),
      ...(locale != null
        ? [`locale = ${text(locale)}`]
        : row.collate === row.ctype
          ? [`locale = ${text(row.collate ?? '')}`]
          : [`lc_collate = ${text(row.collate ?? '')}`, `lc_ctype = ${text(row.ctype ?? '')}`]),
      ...(row.rules === null ? [] : [`rules = ${text(row.rules)}`])
    ]
    items.add({
      kind: 'COLLATION',
      catalog: classes.collation,
      oid: row.oid,
      schema: row.schema,
      name: row.name,
      owner: row.owner,
      definition: `CREATE COLLATION ${path} (${options.join(', ')});\n`,
      drop: `DROP COLLATION ${path};\n`,
      label: { kind: 'COLLATION', tag: quote(row.name), sql: path }
    })
  }
}
