/** Triggers and their functions: what is to be there for a stream, what is there, and the SQL from the one to the other. */
import type { Capabilities } from '../../postgres/capabilities.js'
import { ident, literal, qualified } from '../../postgres/quote.js'
import type { Queryable } from '../../postgres/server.js'
import type { CaptureObject } from './capture.js'
import { createFunction, schema } from './outboxsql.js'

/** pg_trigger.tgtype: AFTER INSERT OR UPDATE OR DELETE of a row; BEFORE and AFTER TRUNCATE; AFTER an INSERT statement. */
export const moments = {
  row: { type: 29, when: 'AFTER INSERT OR UPDATE OR DELETE', each: 'ROW' },
  truncate: { type: 32, when: 'AFTER TRUNCATE', each: 'STATEMENT' },
  before: { type: 34, when: 'BEFORE TRUNCATE', each: 'STATEMENT' },
  inserted: { type: 4, when: 'AFTER INSERT', each: 'STATEMENT' }
} as const

export type Moment = keyof typeof moments

/**
 * A trigger for rows must be the first of its table, and triggers run in the order of their names: one that runs earlier and
 * changes the same row again would have the later change written down before the earlier.
 */
export const triggerName = (name: string, moment: Moment): string =>
  moment === 'row' ? `!pgsyncer_${name}` : `!pgsyncer_${name}$${moment}`

export interface WantedTrigger {
  readonly schema: string
  readonly table: string
  readonly name: string
  readonly moment: Moment
  readonly function: string
  readonly argument?: 'whole' | undefined
}

export interface WantedFunction {
  readonly name: string
  readonly body: string
}

export interface Wanted {
  readonly functions: readonly WantedFunction[]
  readonly triggers: readonly WantedTrigger[]
}

interface PresentTrigger {
  schema: string
  table: string
  name: string
  type: number
  enabled: boolean
  function: string
  argument: string
}

interface PresentFunction {
  name: string
  /** All that CREATE FUNCTION said, but for its name. */
  body: string
  safe: boolean
}

export interface Present {
  readonly functions: readonly PresentFunction[]
  readonly triggers: readonly PresentTrigger[]
}

/** Those of one stream, on whatever table they are. */
export async function readPresent(sql: Queryable, can: Capabilities, prefix: string): Promise<Present> {
  const ours = `p.pronamespace = (SELECT oid FROM pg_catalog.pg_namespace WHERE nspname = '${schema}')
      AND pg_catalog.split_part(p.proname, '$', 1) = ${literal(prefix)}`
  const functions = await sql.unsafe<PresentFunction[]>(
    `SELECT p.proname::text AS name, p.prosrc AS body, p.prosecdef AND p.proconfig IS NOT NULL AS safe
     FROM pg_catalog.pg_proc p WHERE ${ours} ORDER BY 1`
  )
  const own = can.triggerParents ? 'g.tgparentid = 0' : 'NOT g.tgisinternal'
  const triggers = await sql.unsafe<PresentTrigger[]>(
    `SELECT n.nspname::text AS schema, c.relname::text AS table, g.tgname::text AS name, g.tgtype::int AS type,
       g.tgenabled IN ('O', 'A') AS enabled, p.proname::text AS function,
       pg_catalog.replace(pg_catalog.encode(g.tgargs, 'escape'), '\\000', '') AS argument
     FROM pg_catalog.pg_trigger g JOIN pg_catalog.pg_proc p ON p.oid = g.tgfoid
     JOIN pg_catalog.pg_class c ON c.oid = g.tgrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
     WHERE ${ours} AND ${own} ORDER BY 1, 2, 3`
  )
  return { functions, triggers }
}

const sameTrigger = (a: WantedTrigger, b: PresentTrigger): boolean =>
  a.schema === b.schema && a.table === b.table && a.name === b.name

const isAsWanted = (a: WantedTrigger, b: PresentTrigger): boolean =>
  b.type === moments[a.moment].type &&
  b.enabled &&
  b.function === a.function &&
  b.argument === (a.argument ?? '')

const isSameBody = (a: WantedFunction, b: PresentFunction): boolean => b.safe && a.body === b.body

/** From what is there to what is to be; what is there besides stays. */
export function changesTo(wanted: Wanted, present: Present): string[] {
  const functions = wanted.functions
    .filter(one => !present.functions.some(other => other.name === one.name && isSameBody(one, other)))
    .map(({ name, body }) => createFunction(name, body))
  const triggers = wanted.triggers.flatMap(one => {
    const there = present.triggers.find(other => sameTrigger(one, other))
    if (there && isAsWanted(one, there)) return []
    return [...(there ? [dropTrigger(there)] : []), createTrigger(one)]
  })
  return [...functions, ...triggers]
}

function createTrigger({ schema: of, table, name, moment, function: runs, argument }: WantedTrigger): string {
  const { when, each } = moments[moment]
  return `CREATE TRIGGER ${ident(name)} ${when} ON ${qualified(of, table)}
  FOR EACH ${each} EXECUTE PROCEDURE ${qualified(schema, runs)}(${argument ? literal(argument) : ''})`
}

const dropTrigger = ({ schema: of, table, name }: PresentTrigger): string =>
  `DROP TRIGGER ${ident(name)} ON ${qualified(of, table)}`

/** Takes all of them away: the triggers first, so that no write of the application finds its function gone. */
export const removalOf = ({ functions, triggers }: Present): string[] => [
  ...triggers.map(dropTrigger),
  ...functions.map(({ name }) => `DROP FUNCTION ${qualified(schema, name)}()`)
]

/** How each of them stands; without tables, what is there. */
export function objectsOf(wanted: Wanted | undefined, present: Present): CaptureObject[] {
  const kindOf = (kind: string, name: string) => ({ kind, name })
  const label = ({ schema: of, table, name }: PresentTrigger | WantedTrigger) => `${name} on ${of}.${table}`
  if (!wanted) {
    return [
      ...present.functions.map(({ name }): CaptureObject => ({
        ...kindOf('function', `${schema}.${name}`),
        state: 'present'
      })),
      ...present.triggers.map((one): CaptureObject => ({
        ...kindOf('trigger', label(one)),
        state: one.enabled ? 'present' : 'differs',
        ...(!one.enabled && { detail: 'disabled' })
      }))
    ]
  }
  const functions = wanted.functions.map((one): CaptureObject => {
    const object = kindOf('function', `${schema}.${one.name}`)
    const there = present.functions.find(other => other.name === one.name)
    if (!there) return { ...object, state: 'missing' }
    if (isSameBody(one, there)) return { ...object, state: 'present' }
    return { ...object, state: 'differs', detail: 'made for other columns, or by another version' }
  })
  const triggers = wanted.triggers.map((one): CaptureObject => {
    const object = kindOf('trigger', label(one))
    const there = present.triggers.find(other => sameTrigger(one, other))
    if (!there) return { ...object, state: 'missing' }
    if (isAsWanted(one, there)) return { ...object, state: 'present' }
    return { ...object, state: 'differs', detail: there.enabled ? 'made otherwise' : 'disabled' }
  })
  return [...functions, ...triggers]
}

/** The schema's own objects that are not of these names: as long as there are any, it stays. */
export async function isAlone(
  sql: Queryable,
  prefix: string,
  relations: readonly string[]
): Promise<boolean> {
  const names = [...relations, ...relations.map(name => `${name}_id_seq`)]
    .map(name => literal(name))
    .join(', ')
  const [row] = await sql.unsafe<{ alone: boolean }[]>(
    `SELECT NOT EXISTS (SELECT 1 FROM pg_catalog.pg_class c WHERE c.relnamespace = n.oid AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
         AND c.relname NOT IN (${names || `''`}))
       AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_proc p WHERE p.pronamespace = n.oid
         AND pg_catalog.split_part(p.proname, '$', 1) <> ${literal(prefix)}) AS alone
     FROM pg_catalog.pg_namespace n WHERE n.nspname = '${schema}'`
  )
  return row?.alone ?? false
}

/** Which of these relations of the schema are there, and the schema itself. */
export async function readRelations(
  sql: Queryable,
  names: readonly string[]
): Promise<{ schema: boolean; relations: ReadonlySet<string> }> {
  const rows = await sql.unsafe<{ name: string | null }[]>(
    `SELECT c.relname::text AS name FROM pg_catalog.pg_namespace n
     LEFT JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname IN (${names.map(name => literal(name)).join(', ')})
     WHERE n.nspname = '${schema}'`
  )
  return { schema: rows.length > 0, relations: new Set(rows.flatMap(({ name }) => name ?? [])) }
}
