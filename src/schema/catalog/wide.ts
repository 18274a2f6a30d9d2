/** Schemas, and what is in none: extensions, casts, event triggers, publications. */
import { type Acl, addAcl } from './acl.js'
import { classes, free, type Reading, ref } from './items.js'
import { text } from './text.js'

export interface SchemaRow extends Acl {
  oid: number
  name: string
  owner: string
  /** What initdb granted. */
  initial: string[] | null
  usualOwner: boolean
  /** Made by an extension. */
  member: boolean
}

/** The schemas of the scope; `$1` names them, `$2` is whether it is the whole database. */
export const schemasQuery = `
SELECT n.oid, n.nspname::text AS name, pg_get_userbyid(n.nspowner) AS owner,
  n.nspowner IN (10, 6171) AS "usualOwner", NOT ${free('namespace', 'n.oid')} AS member,
  n.nspacl::text[] AS acl, acldefault('n', n.nspowner)::text[] AS base,
  (SELECT i.initprivs::text[] FROM pg_init_privs i WHERE i.classoid = 2615 AND i.objoid = n.oid AND i.objsubid = 0) AS initial
FROM pg_namespace n
WHERE CASE WHEN $2 THEN n.nspname !~ '^pg_' AND n.nspname <> 'information_schema' ELSE n.nspname = ANY ($1::text[]) END
  AND n.nspname <> 'pgsyncer'`

export function addSchemas(reading: Reading, rows: readonly SchemaRow[]): void {
  const { quote, scope, items } = reading
  if (scope.tables) return
  for (const row of rows) {
    if (row.member) continue
    const given = scope.all && row.name === 'public'
    const item = items.add({
      kind: 'SCHEMA',
      catalog: classes.namespace,
      oid: row.oid,
      name: row.name,
      owner: row.owner,
      definition: given
        ? '-- *not* creating schema, since initdb creates it\n'
        : `CREATE SCHEMA ${quote(row.name)};\n`,
      drop: given ? '' : `DROP SCHEMA ${quote(row.name)};\n`,
      label: { kind: 'SCHEMA', tag: quote(row.name), sql: quote(row.name) }
    })
    addAcl(reading, item, 'SCHEMA', { acl: row.acl, base: row.initial ?? row.base })
    // pg_dump takes for granted that it is there, and tells of it only what was changed.
    if (given && row.usualOwner) items.hide(item)
  }
}

export async function readExtensions(reading: Reading): Promise<void> {
  const { quote, items } = reading
  const rows = await reading.query<{ oid: number; name: string; schema: string; nsp: number }>(
    `SELECT e.oid, e.extname::text AS name, n.nspname::text AS schema, n.oid AS nsp
    FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace WHERE e.oid >= 16384`
  )
  for (const row of rows) {
    items.add({
      kind: 'EXTENSION',
      catalog: classes.extension,
      oid: row.oid,
      name: row.name,
      definition: `CREATE EXTENSION IF NOT EXISTS ${quote(row.name)} WITH SCHEMA ${quote(row.schema)};\n`,
      drop: `DROP EXTENSION ${quote(row.name)};\n`,
      needs: [ref(classes.namespace, row.nsp)],
      label: { kind: 'EXTENSION', tag: quote(row.name), sql: quote(row.name) }
    })
  }
}

export async function readCasts(reading: Reading): Promise<void> {
  const rows = await reading.query<{
    oid: number
    source: string
    target: string
    routine: string | null
    method: string
    context: string
  }>(
    `SELECT c.oid, format_type(c.castsource, NULL) AS source, format_type(c.casttarget, NULL) AS target,
      c.castmethod::text AS method, c.castcontext::text AS context,
      (SELECT quote_ident(n.nspname) || '.' || quote_ident(p.proname) || '(' || pg_get_function_identity_arguments(p.oid) || ')'
        FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE p.oid = c.castfunc) AS routine
    FROM pg_cast c WHERE c.oid >= 16384 AND ${free('cast', 'c.oid')}
      AND NOT EXISTS (SELECT 1 FROM pg_depend i WHERE i.classid = ${classes.cast} AND i.objid = c.oid AND i.deptype = 'i')`
  )
  for (const row of rows) {
    const name = `(${row.source} AS ${row.target})`
    const how =
      row.method === 'f'
        ? `WITH FUNCTION ${row.routine}`
        : row.method === 'i'
          ? 'WITH INOUT'
          : 'WITHOUT FUNCTION'
    const when = row.context === 'a' ? ' AS ASSIGNMENT' : row.context === 'i' ? ' AS IMPLICIT' : ''
    reading.items.add({
      kind: 'CAST',
      catalog: classes.cast,
      oid: row.oid,
      name: `CAST ${name}`,
      definition: `CREATE CAST ${name} ${how}${when};\n`,
      drop: `DROP CAST ${name};\n`,
      label: { kind: 'CAST', tag: name, sql: name }
    })
  }
}

const enabling: Record<string, string> = { D: 'DISABLE', A: 'ENABLE ALWAYS', R: 'ENABLE REPLICA' }

export async function readEventTriggers(reading: Reading): Promise<void> {
  const { can, quote, items } = reading
  const rows = await reading.query<{
    oid: number
    name: string
    owner: string
    event: string
    tags: string[] | null
    routine: string
    enabled: string
  }>(
    `SELECT e.oid, e.evtname::text AS name, pg_get_userbyid(e.evtowner) AS owner, e.evtevent::text AS event, e.evttags AS tags,
      e.evtfoid::regproc::text AS routine, e.evtenabled::text AS enabled
    FROM pg_event_trigger e WHERE ${free('eventTrigger', 'e.oid')}`
  )
  for (const row of rows) {
    const name = quote(row.name)
    const tags = row.tags ? `\n         WHEN TAG IN (${row.tags.map(text).join(', ')})` : ''
    const state = enabling[row.enabled]
    items.add({
      kind: 'EVENT TRIGGER',
      catalog: classes.eventTrigger,
      oid: row.oid,
      name: row.name,
      owner: row.owner,
      section: 4,
      definition:
        `CREATE EVENT TRIGGER ${name} ON ${quote(row.event)}${tags}\n` +
        `   EXECUTE ${can.procedures ? 'FUNCTION' : 'PROCEDURE'} ${row.routine}();\n` +
        (state ? `\nALTER EVENT TRIGGER ${name} ${state};\n` : ''),
      drop: `DROP EVENT TRIGGER ${name};\n`,
      label: { kind: 'EVENT TRIGGER', tag: name, sql: name }
    })
  }
}
