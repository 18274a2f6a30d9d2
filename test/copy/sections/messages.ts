/**
 * The source of C and its procedure, as users have them: an ever-growing device.messages on main, and on the standby a
 * check_section that makes the section of a row's object if there is none and stores the row there.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { expect } from 'vitest'
import type { SectionsOptions } from '../../../src/copy/sections/config.js'
import { copySections, type SectionsResult } from '../../../src/copy/sections/sections.js'
import { PgsyncerError } from '../../../src/core/errors.js'
import { createPair, type Db, type Pair, type PairOptions } from '../../support/databases.js'

export const columns = (
  cursor = 'bigint'
) => `created_id ${cursor}, device_id int, object_id int, mes_id bigint,
  mes_time timestamptz, mes_code int, mes_status text, mes_data jsonb, event_value numeric, event_data text`

/** The standby's side: a template of the sections, and the procedure or function. */
export function checkSection(
  kind: 'PROCEDURE' | 'FUNCTION' = 'PROCEDURE',
  takes = 'json',
  cursor?: string
): string {
  return `
    CREATE TABLE section_template (${columns(cursor)});
    CREATE ${kind} check_section(r ${takes}, absent text, present boolean DEFAULT true) ${kind === 'FUNCTION' ? 'RETURNS void' : ''}
    LANGUAGE plpgsql AS $$
    DECLARE section text := 'message_' || (r->>'object_id');
    BEGIN
      IF absent IS NOT NULL OR present IS NOT TRUE THEN RAISE EXCEPTION 'arguments: %, %', absent, present; END IF;
      IF to_regclass(section) IS NULL THEN EXECUTE format('CREATE TABLE %I (n serial, LIKE section_template)', section); END IF;
      EXECUTE format('INSERT INTO %I (%s) SELECT * FROM ${takes}_populate_record(NULL::section_template, $1)', section,
        (SELECT string_agg(attname, ', ' ORDER BY attnum) FROM pg_attribute
         WHERE attrelid = 'section_template'::regclass AND attnum > 0)) USING r;
    END $$`
}

/** INSERT of rows whose cursor is an SQL expression over `n`; objects 0, 1, … in turn. */
export function messages(from: number, to: number, { cursor = 'n', objects = 7 } = {}): string {
  return `INSERT INTO device.messages
    SELECT ${cursor}, n % 3, n % ${objects}, n, '2026-01-01'::timestamptz + n * interval '1.000001 s', n % 5, E'st\\t"a\\\\tus\\n' || n,
      jsonb_build_object('n', n, 'deep', jsonb_build_array(n, 'ä')), n / 7.0, NULLIF(repeat('x', n % 11), '')
    FROM generate_series(${from}, ${to}) n`
}

export interface Flow extends Pair {
  options: SectionsOptions
}

/** Two databases with the source on main and the procedure on the standby. */
export async function createFlow({
  cursor = 'bigint PRIMARY KEY',
  standby = checkSection('PROCEDURE', 'json', cursor),
  main = '',
  ...rest
}: PairOptions & { cursor?: string } = {}): Promise<Flow> {
  const source = `CREATE SCHEMA device; CREATE TABLE device.messages (${columns(cursor)});`
  const pair = await createPair({ ...rest, main: `${source} ${main}`, standby })
  return { ...pair, options: { main: pair.main.url, standby: pair.standby.url } }
}

/** Each row as text with the section it belongs to, sorted; the same on both sides where the copy is right. */
export async function sourceRows(main: Db, table = 'device.messages'): Promise<string[]> {
  const rows = await main.query<{ row: string }>(
    `SELECT 'message_' || object_id || ' ' || row_to_json(m)::text AS row FROM ${table} m`
  )
  return rows.map(({ row }) => row).sort()
}

export async function sectionNames(standby: Db, pattern = 'message\\_%'): Promise<string[]> {
  const rows = await standby.query<{ name: string }>(
    `SELECT relname AS name FROM pg_class WHERE relkind = 'r' AND relname LIKE $1 ORDER BY 1`,
    [pattern]
  )
  return rows.map(({ name }) => name)
}

export async function sectionRows(standby: Db): Promise<string[]> {
  const names = await sectionNames(standby)
  const parts = names.map(
    name => `SELECT '${name} ' || (SELECT row_to_json(x)::text FROM (SELECT created_id, device_id, object_id, mes_id, mes_time,
      mes_code, mes_status, mes_data, event_value, event_data) x) AS row FROM "${name}"`
  )
  if (parts.length === 0) return []
  const rows = await standby.query<{ row: string }>(parts.join(' UNION ALL '))
  return rows.map(({ row }) => row).sort()
}

/** All that a run may have left behind on the standby. */
export async function remains(standby: Db): Promise<string[]> {
  const rows = await standby.query<{ name: string }>(
    `SELECT n.nspname || '.' || c.relname AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE c.relkind IN ('r', 'S') AND (c.relname LIKE 'message%' OR n.nspname = 'pgsyncer') ORDER BY 1`
  )
  return rows.map(({ name }) => name)
}

/** Settles when the condition is true, which the test's own time-out bounds. */
export async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await delay(10)
}

/** Whether the run stands in its procedure, at an advisory lock that the test holds. */
export async function isWaiting(standby: Db): Promise<boolean> {
  const [row] = await standby.query<{ waiting: boolean }>(
    `SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted
       AND database = (SELECT oid FROM pg_database WHERE datname = current_database())) AS waiting`
  )
  return row!.waiting
}

/** The result without what differs from run to run. */
export const plain = ({ durationMs, ...rest }: SectionsResult) => {
  if (!(durationMs > 0)) throw new Error(`a run took ${durationMs} ms`)
  return rest
}

/** Makes a flow, and drops it again. */
export async function withFlow(
  options: PairOptions & { cursor?: string },
  use: (flow: Flow) => Promise<void>
) {
  const flow = await createFlow(options)
  try {
    await use(flow)
  } finally {
    await flow.drop()
  }
}

/** Both sides hold the same rows, each in its section; returns how many. */
export async function expectSame({ main, standby }: Flow) {
  const rows = await sourceRows(main)
  expect(await sectionRows(standby)).toEqual(rows)
  return rows.length
}

/** The error of ours that a run ends with. */
export async function failure(options: SectionsOptions): Promise<PgsyncerError> {
  const error: unknown = await copySections(options).catch((error: unknown) => error)
  if (error instanceof PgsyncerError) return error
  throw new Error(`expected an error of ours, and got ${String(error)}`)
}
