/**
 * The outbox as SQL. A trigger function never names a column of its table but inside of a guard: whatever is added, dropped or altered, the
 * application's writes go on.
 */
import { createHash } from 'node:crypto'
import { ident, literal, qualified } from '../../postgres/quote.js'
import type { FollowedTable } from '../table.js'
import { awakeKey, channelOf, readerKey } from './signal.js'

export const schema = 'pgsyncer'

/** What belongs to one stream. */
export interface OutboxNames {
  /** The table of changes. */
  readonly outbox: string
  /** Its table of one row: up to where changes were taken away. */
  readonly taken: string
  /** The changes as JSON records. */
  readonly view: string
  /** Its functions are named so up to a `$`. */
  readonly functions: string
}

export const outboxNames = (name: string): OutboxNames => ({
  outbox: `outbox_${name}`,
  taken: `taken_${name}`,
  view: `changes_${name}`,
  functions: `capture_${name}`
})

/** The name of a table's function: `$` stands in no stream's name. */
export function functionName(prefix: string, table: Pick<FollowedTable, 'schema' | 'name'>): string {
  const hash = createHash('sha256').update(`${table.schema}\0${table.name}`).digest('hex')
  return `${prefix}$${hash.slice(0, 12)}`
}

/**
 * @param start where ids begin: one that is greater than any of an outbox of this name that was there before, so that nothing which
 *   was read then is taken for what is read now. Undefined where the server cannot be told.
 */
export function createOutbox({ outbox }: OutboxNames, start: string | undefined): string {
  const id = start === undefined ? 'bigserial' : `bigint GENERATED ALWAYS AS IDENTITY (START WITH ${start})`
  // Rows come and go all the time: they are to be cleaned up after so many, not after a share of what there once was.
  const often = ['autovacuum_vacuum_scale_factor = 0', 'autovacuum_vacuum_threshold = 5000']
  const storage = [...often, ...often.map(setting => `toast.${setting}`)].join(', ')
  return `CREATE TABLE ${qualified(schema, outbox)} (id ${id} PRIMARY KEY, "schema" text NOT NULL, "table" text NOT NULL,
  operation text NOT NULL, new_record json, old_record json, exact json, at timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp())
  WITH (${storage})`
}

/** The id before the first change that is there, or that will be. */
export function createTaken({ outbox, taken }: OutboxNames): string {
  const last = 'CASE WHEN is_called THEN last_value ELSE last_value - 1 END'
  return `CREATE TABLE ${qualified(schema, taken)} AS SELECT coalesce((SELECT pg_catalog.min(id) - 1 FROM ${qualified(schema, outbox)}),
  (SELECT ${last} FROM ${qualified(schema, `${outbox}_id_seq`)})) AS id`
}

export const createView = ({ view, outbox }: OutboxNames): string =>
  `CREATE VIEW ${qualified(schema, view)} AS SELECT id, at, "schema", pg_catalog.json_build_object('table', "table",
  'operation', operation, 'new_record', new_record, 'old_record', old_record) AS change FROM ${qualified(schema, outbox)}`

/**
 * Texts must not depend on what a session was set to; the search path is safe for one who acts with the owner's rights.
 */
const settings = [
  'search_path = pg_catalog, pg_temp',
  `DateStyle = 'ISO, YMD'`,
  'IntervalStyle = postgres',
  'TimeZone = UTC',
  'bytea_output = hex',
  'extra_float_digits = 3',
  `lc_monetary = 'C'`
]

/** A function's head and body, with CREATE OR REPLACE. */
export const createFunction = (name: string, body: string): string =>
  `CREATE OR REPLACE FUNCTION ${qualified(schema, name)}() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER\n  ${settings
    .map(setting => `SET ${setting}`)
    .join(' ')}\n  AS $pgsyncer$${body}$pgsyncer$`

/**
 * The body for one table.
 * @param exact columns whose text goes beside the record.
 */
export function outboxBody(name: string, table: FollowedTable, exact: readonly string[]): string {
  const { outbox, functions } = outboxNames(name)
  const into = `INSERT INTO ${qualified(schema, outbox)} ("schema", "table", operation`
  const of = `${literal(table.schema)}, ${literal(table.name)}`
  const alone = `${into}, old_record) SELECT ${of.replaceAll('%', '%%')}, 'DELETE', row_to_json(t) FROM %I.%I t`
  const self = literal(functionName(functions, table))
  return `
DECLARE
  new_row json;
  old_row json;
  texts json;
BEGIN
  IF TG_LEVEL = 'ROW' THEN
    IF TG_OP <> 'DELETE' THEN new_row := row_to_json(NEW); END IF;
    IF TG_OP <> 'INSERT' THEN old_row := row_to_json(OLD); END IF;${exact.length > 0 ? exactTexts(exact) : ''}
    ${into}, new_record, old_record, exact) VALUES (${of}, TG_OP, new_row, old_row, texts);
  ELSIF TG_WHEN = 'AFTER' THEN
    ${into}) VALUES (${of}, TG_OP);
    PERFORM set_config('pgsyncer.truncating', '', true);
  ELSIF TG_ARGV[0] = 'whole' THEN
    PERFORM set_config('pgsyncer.truncating', ${self}, true);
  ELSIF current_setting('pgsyncer.truncating', true) IS DISTINCT FROM ${self} THEN
    -- One partition alone: for who follows the whole table, its rows are deleted.
    EXECUTE format(${literal(alone)}, TG_TABLE_SCHEMA, TG_TABLE_NAME);
  END IF;
  ${signal('outbox', name)}
  RETURN NULL;
END`
}

/**
 * Only a sleeping reader is woken: one that is awake holds one lock, one that is there at all another. Signals cost writers much, since main
 * sends them one transaction at a time; and where main allows it, one would make PREPARE TRANSACTION fail.
 */
export const signal = (kind: string, name: string): string => `
  IF pg_try_advisory_lock_shared(${awakeKey(kind, name)}) THEN
    PERFORM pg_advisory_unlock_shared(${awakeKey(kind, name)});
    IF pg_try_advisory_lock_shared(${readerKey(kind, name)}) THEN
      PERFORM pg_advisory_unlock_shared(${readerKey(kind, name)});
    ELSIF current_setting('max_prepared_transactions') = '0' THEN
      NOTIFY ${ident(channelOf(name))};
    END IF;
  END IF;`

/** A column that is gone or has another type than when the session first came here makes the fast way fail: then each is looked for. */
function exactTexts(columns: readonly string[]): string {
  const texts = (row: string) =>
    `json_build_object(${columns.map(column => `${literal(column)}, ${row}.${ident(column)}::text`).join(', ')})`
  const names = literal(`{${columns.map(column => `"${column.replace(/[\\"]/g, '\\$&')}"`).join(',')}}`)
  return `
    BEGIN
      IF TG_OP = 'INSERT' THEN texts := json_build_object('new', ${texts('NEW')});
      ELSIF TG_OP = 'DELETE' THEN texts := json_build_object('old', ${texts('OLD')});
      ELSE texts := json_build_object('new', ${texts('NEW')}, 'old', ${texts('OLD')});
      END IF;
    EXCEPTION WHEN undefined_column OR datatype_mismatch THEN
      DECLARE
        list text := (SELECT string_agg(format('%L, ($1).%I::text', attname, attname), ', ') FROM pg_attribute
          WHERE attrelid = TG_RELID AND attname = ANY (${names}) AND NOT attisdropped);
        new_texts json;
        old_texts json;
      BEGIN
        IF list IS NOT NULL THEN
          IF TG_OP <> 'DELETE' THEN EXECUTE 'SELECT json_build_object(' || list || ')' INTO new_texts USING NEW; END IF;
          IF TG_OP <> 'INSERT' THEN EXECUTE 'SELECT json_build_object(' || list || ')' INTO old_texts USING OLD; END IF;
          texts := json_build_object('new', new_texts, 'old', old_texts);
        END IF;
      END;
    END;`
}
