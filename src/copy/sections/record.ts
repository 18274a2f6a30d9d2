/**
 * The standby's own record of a copy into sections: the cursor up to which its rows are there. It is written in the
 * transaction that stores them, so that a row and its cursor are there together or not at all.
 */
import type pg from 'pg'
import { DataError, GuardError } from '../../core/errors.js'
import { codeOf } from '../../postgres/failure.js'
import { literal } from '../../postgres/quote.js'

/** What a record is of. */
export interface Subject {
  /** `schema.table` on main. */
  sourceTable: string
  /** `schema.routine` on the standby. */
  procedure: string
  cursorColumn: string
  /** Main's address. */
  source: string
}

export interface SectionsRecord {
  /** As main printed it; null: nothing was sent yet. */
  cursor: string | null
  /** Tables that fit the pattern and are no sections: they were there before. */
  others: string[]
}

const table = 'pgsyncer.sections'
const where = (of: Subject) =>
  `source_table = ${literal(of.sourceTable)} AND procedure = ${literal(of.procedure)}`

/**
 * The record, or undefined where there is none.
 * @throws GuardError where it is of another main or of another cursor: going on from it would lose rows.
 */
export async function readRecord(standby: pg.Client, of: Subject): Promise<SectionsRecord | undefined> {
  if (!(await exists(standby))) return undefined
  const { rows } = await standby.query<SectionsRecord & { source: string; column: string }>(
    `SELECT last_cursor AS cursor, pg_catalog.to_json(others) AS others, source, cursor_column AS column FROM ${table} WHERE ${where(of)}`
  )
  const record = rows[0]
  if (!record) return undefined
  const repair = (assignment: string) => `UPDATE ${table} SET ${assignment} WHERE ${where(of)}`
  if (record.source !== of.source) {
    throw new GuardError(
      `the standby's sections of ${of.sourceTable} are from ${record.source}, not from ${of.source}`,
      {
        hint: `If that is the same database under another name, say so on the standby: ${repair(`source = ${literal(of.source)}`)}`
      }
    )
  }
  if (record.column !== of.cursorColumn) {
    throw new GuardError(
      `the standby's sections of ${of.sourceTable} were copied along ${record.column}, not along ${of.cursorColumn}`,
      {
        hint: `To go on along the other column, write down from where: ${repair(`cursor_column = ${literal(of.cursorColumn)}, last_cursor = '…'`)}`
      }
    )
  }
  return { cursor: record.cursor, others: record.others }
}

/** Writes a new record, in place of any other of the same source and procedure; within the caller's transaction. */
export async function beginRecord(standby: pg.Client, of: Subject, record: SectionsRecord): Promise<void> {
  try {
    // Each may be made only by who may also make the next one, and need not be made twice.
    const { rows } = await standby.query<{ there: boolean }>(
      `SELECT pg_catalog.to_regnamespace('pgsyncer') IS NOT NULL AS there`
    )
    if (!rows[0]!.there) await standby.query('CREATE SCHEMA pgsyncer')
    if (!(await exists(standby))) {
      await standby.query(`CREATE TABLE ${table} (source_table text, procedure text, source text NOT NULL,
        cursor_column text NOT NULL, last_cursor text, rows_sent bigint NOT NULL DEFAULT 0, others text[] NOT NULL,
        updated timestamptz NOT NULL DEFAULT pg_catalog.now(), PRIMARY KEY (source_table, procedure))`)
    }
    await standby.query(
      `INSERT INTO ${table} AS r (source_table, procedure, source, cursor_column, last_cursor, others)
       VALUES ($1, $2, $3, $4, $5, $6::text[]) ON CONFLICT (source_table, procedure) DO UPDATE
       SET source = EXCLUDED.source, cursor_column = EXCLUDED.cursor_column, last_cursor = EXCLUDED.last_cursor,
         rows_sent = 0, others = EXCLUDED.others, updated = pg_catalog.now()`,
      [of.sourceTable, of.procedure, of.source, of.cursorColumn, record.cursor, record.others]
    )
  } catch (error) {
    if (codeOf(error) !== '42501') throw error
    throw new DataError('the standby’s record (schema pgsyncer) cannot be written', {
      cause: error,
      sqlstate: '42501',
      hint: 'Without it a copy cannot know where to go on: GRANT CREATE ON DATABASE to the role, or the rights on schema pgsyncer.'
    })
  }
}

/**
 * Moves the cursor on, within the transaction that stored the rows.
 * @throws DataError where the record is not as this run left it.
 */
export async function advance(
  standby: pg.Client,
  of: Subject,
  from: string | null,
  to: string,
  rows: number
): Promise<void> {
  const { rowCount } = await standby.query(
    `UPDATE ${table} SET last_cursor = $1, rows_sent = rows_sent + $2::bigint, updated = pg_catalog.now()
     WHERE ${where(of)} AND last_cursor IS NOT DISTINCT FROM $3`,
    [to, rows, from]
  )
  if (rowCount === 1) return
  throw new DataError(`the standby's record of ${of.sourceTable} was changed by someone else`, {
    hint: 'The chunk was not stored. Run again: it goes on from the record.'
  })
}

async function exists(standby: pg.Client): Promise<boolean> {
  const { rows } = await standby.query<{ there: boolean }>(
    `SELECT pg_catalog.to_regclass('${table}') IS NOT NULL AS there`
  )
  return rows[0]!.there
}
