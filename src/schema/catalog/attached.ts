/** What hangs on a table: triggers, rules, policies, extended statistics. */
import { classes, free, type Reading, ref } from './items.js'
import type { Relation } from './relations.js'

interface Row {
  oid: number
  relid: number
  name: string
  definition: string
  enabled: string
}

const states: Record<string, string> = { D: 'DISABLE', A: 'ENABLE ALWAYS', R: 'ENABLE REPLICA', O: 'ENABLE' }

type Relations = ReadonlyMap<number, Relation>

export async function readTriggers(reading: Reading, relations: Relations): Promise<void> {
  const { can, quote, items } = reading
  const wanted = can.triggerParents
    ? '((NOT t.tgisinternal AND t.tgparentid = 0) OR p.tgenabled <> t.tgenabled)'
    : 'NOT t.tgisinternal'
  const rows = await reading.query<Row & { parent: number | null }>(
    `SELECT t.oid, t.tgrelid AS relid, t.tgname::text AS name, pg_get_triggerdef(t.oid, false) AS definition,
      t.tgenabled::text AS enabled, ${can.triggerParents ? 'p.oid' : 'NULL'} AS parent
    FROM unnest($1::oid[]) AS r (oid) JOIN pg_trigger t ON t.tgrelid = r.oid
    ${can.triggerParents ? 'LEFT JOIN pg_trigger p ON p.oid = t.tgparentid AND t.tgparentid <> 0' : ''}
    WHERE ${wanted} AND ${free('trigger', 't.oid')}`,
    [[...relations.keys()]]
  )
  for (const row of rows) {
    const table = relations.get(row.relid)!
    const name = quote(row.name)
    // A partition's own state differs from the trigger that it was given by the partitioned table.
    const state = row.enabled === 'O' && row.parent === null ? undefined : states[row.enabled]
    items.add({
      kind: 'TRIGGER',
      catalog: classes.trigger,
      oid: row.oid,
      ...placed(table, row.name),
      definition:
        (row.parent === null ? `${row.definition};\n` : '') +
        (state
          ? `\nALTER ${table.kind === 'f' ? 'FOREIGN ' : ''}TABLE ${table.path} ${state} TRIGGER ${name};\n`
          : ''),
      drop: row.parent === null ? `DROP TRIGGER ${name} ON ${table.path};\n` : '',
      needs: [table.item, ...(row.parent === null ? [] : [ref(classes.trigger, row.parent)])],
      ...labelled(reading, 'TRIGGER', table, row.name)
    })
  }
}

export async function readRules(reading: Reading, relations: Relations): Promise<void> {
  const { quote, items } = reading
  const rows = await reading.query<Row>(
    `SELECT w.oid, w.ev_class AS relid, w.rulename::text AS name, pg_get_ruledef(w.oid) AS definition, w.ev_enabled::text AS enabled
    FROM unnest($1::oid[]) AS r (oid) JOIN pg_rewrite w ON w.ev_class = r.oid
    WHERE w.rulename <> '_RETURN' AND ${free('rule', 'w.oid')}`,
    [[...relations.keys()]]
  )
  for (const row of rows) {
    const table = relations.get(row.relid)!
    const name = quote(row.name)
    const state =
      row.enabled === 'O' ? '' : `ALTER TABLE ${table.path} ${states[row.enabled]} RULE ${name};\n`
    items.add({
      kind: 'RULE',
      catalog: classes.rule,
      oid: row.oid,
      ...placed(table, row.name),
      definition: `${row.definition}\n${state}`,
      drop: `DROP RULE ${name} ON ${table.path};\n`,
      needs: [table.item],
      ...labelled(reading, 'RULE', table, row.name)
    })
  }
}

const commands: Record<string, string> = { r: 'SELECT', a: 'INSERT', w: 'UPDATE', d: 'DELETE' }

interface PolicyRow {
  oid: number
  relid: number
  name: string
  permissive: boolean
  command: string
  roles: string[] | null
  using: string | null
  check: string | null
}

export async function readPolicies(reading: Reading, relations: Relations): Promise<void> {
  const { quote, items } = reading
  const rows = await reading.query<PolicyRow>(
    `SELECT p.oid, p.polrelid AS relid, p.polname::text AS name, p.polpermissive AS permissive, p.polcmd::text AS command,
      CASE WHEN p.polroles <> '{0}' THEN (SELECT json_agg(o.name ORDER BY o.name COLLATE "C") FROM (SELECT pg_get_userbyid(u.oid) AS name FROM unnest(p.polroles) AS u (oid)) o) END AS roles,
      pg_get_expr(p.polqual, p.polrelid) AS using, pg_get_expr(p.polwithcheck, p.polrelid) AS check
    FROM unnest($1::oid[]) AS r (oid) JOIN pg_policy p ON p.polrelid = r.oid WHERE ${free('policy', 'p.oid')}`,
    [[...relations.keys()]]
  )
  for (const row of rows) {
    const table = relations.get(row.relid)!
    const name = quote(row.name)
    const command = commands[row.command]
    items.add({
      kind: 'POLICY',
      catalog: classes.policy,
      oid: row.oid,
      ...placed(table, row.name),
      definition: [
        `CREATE POLICY ${name} ON ${table.path}`,
        row.permissive ? '' : ' AS RESTRICTIVE',
        command ? ` FOR ${command}` : '',
        row.roles ? ` TO ${row.roles.map(quote).join(', ')}` : '',
        row.using === null ? '' : ` USING (${row.using})`,
        row.check === null ? '' : ` WITH CHECK (${row.check})`,
        ';\n'
      ].join(''),
      drop: `DROP POLICY ${name} ON ${table.path};\n`,
      needs: [table.item],
      ...labelled(reading, 'POLICY', table, row.name)
    })
  }
}

interface StatisticsRow {
  oid: number
  relid: number
  schema: string
  name: string
  owner: string
  definition: string
  target: number
}

export async function readStatistics(reading: Reading): Promise<void> {
  const { quote, items } = reading
  const rows = await reading.query<StatisticsRow>(
    `SELECT s.oid, s.stxrelid AS relid, n.nspname::text AS schema, s.stxname::text AS name, pg_get_userbyid(s.stxowner) AS owner,
      pg_get_statisticsobjdef(s.oid) AS definition, coalesce((to_jsonb(s)->>'stxstattarget')::int, -1) AS target
    FROM pg_statistic_ext s JOIN pg_namespace n ON n.oid = s.stxnamespace
    WHERE s.stxnamespace = ANY ($1::oid[]) AND ${free('statistics', 's.oid')}`,
    [reading.schemas]
  )
  for (const row of rows) {
    const path = reading.path(row.schema, row.name)
    items.add({
      kind: 'STATISTICS',
      catalog: classes.statistics,
      oid: row.oid,
      schema: row.schema,
      name: row.name,
      owner: row.owner,
      section: 4,
      definition:
        `${row.definition};\n` +
        (row.target >= 0 ? `ALTER STATISTICS ${path} SET STATISTICS ${row.target};\n` : ''),
      drop: `DROP STATISTICS ${path};\n`,
      needs: [ref(classes.relation, row.relid)],
      label: { kind: 'STATISTICS', tag: quote(row.name), sql: path }
    })
  }
}

function placed(table: Relation, name: string) {
  return { schema: table.schema, name: `${table.name} ${name}`, owner: table.owner, section: 4 }
}

function labelled({ quote }: Reading, kind: string, table: Relation, name: string) {
  return {
    label: {
      kind,
      tag: `${quote(name)} ON ${quote(table.name)}`,
      sql: `${quote(name)} ON ${table.path}`
    }
  }
}
