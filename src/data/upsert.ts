/**
 * Rows that came into a stage (a temporary table of the written columns) go from it into their table: the one place that knows how,
 * for chunks of a sync (mend.ts) and for batches of a copy.
 */
import { columnList, ident } from '../postgres/quote.js'

export interface Target {
  /** The table as SQL. */
  relation: string
  /** The same as a `FROM` item with the alias `t`. */
  source: string
  /** What is written. */
  columns: readonly string[]
  key: readonly string[]
  /** What an update may set: no key, no ALWAYS identity. */
  settable: readonly string[]
  /** A written column is an ALWAYS identity. */
  overriding: boolean
  /** The key can be the arbiter of ON CONFLICT. */
  upsert: boolean
}

/** A temporary table for the rows; the server empties it at each commit. */
export function stageStatement(target: Target, stage: string): string {
  const columns = columnList(target.columns, 't.')
  return `CREATE TEMPORARY TABLE ${stage} ON COMMIT DELETE ROWS AS SELECT ${columns} FROM ${target.source} WITH NO DATA`
}

/** The stage's rows are new: they are inserted. By an alias, for a table may be named `excluded` itself. */
export function insertStatement(target: Target, stage: string): string {
  const overriding = target.overriding ? ' OVERRIDING SYSTEM VALUE' : ''
  return `INSERT INTO ${target.relation} AS t (${columnList(target.columns)})${overriding}
    SELECT ${columnList(target.columns, 's.')} FROM ${stage} s`
}

/** A row of the stage and a row of the table have the same key. */
export function sameKey(target: Target): string {
  return target.key.map(name => `t.${ident(name)} = s.${ident(name)}`).join(' AND ')
}

/** The row `t` is among those of a stage: a condition. */
export function isIn(target: Target, stage: string): string {
  return `EXISTS (SELECT 1 FROM ${stage} s WHERE ${sameKey(target)})`
}

/** What an INSERT does where a row with the same key is there. */
function takeOver({ key, settable }: Target): string {
  const set = settable.map(name => `${ident(name)} = EXCLUDED.${ident(name)}`).join(', ')
  return `ON CONFLICT (${columnList(key)}) DO ${settable.length === 0 ? 'NOTHING' : `UPDATE SET ${set}`}`
}

/** Rows of the table take over what may be set from the stage's row with the same key. */
export function updateStatement(target: Target, stage: string): string {
  const set = target.settable.map(name => `${ident(name)} = s.${ident(name)}`).join(', ')
  return `UPDATE ${target.source} SET ${set} FROM ${stage} s WHERE ${sameKey(target)}`
}

/**
 * The same as upsertStatements for few rows, which need no stage; the target must be able to.
 * @param rows each of the columns' values as SQL.
 */
export function upsertRows(target: Target, rows: readonly string[]): string {
  return `${insertRows(target, rows)} ${takeOver(target)}`
}

export function insertRows(target: Target, rows: readonly string[]): string {
  const overriding = target.overriding ? ' OVERRIDING SYSTEM VALUE' : ''
  return `INSERT INTO ${target.relation} AS t (${columnList(target.columns)})${overriding} VALUES ${rows.join(', ')}`
}

/** The stage's rows are inserted, or, where their key is there already, take its row over. */
export function upsertStatements(target: Target, stage: string): string[] {
  const insert = insertStatement(target, stage)
  if (target.upsert) return [`${insert} ${takeOver(target)}`]
  const same = sameKey(target)
  return [
    ...(target.settable.length > 0 ? [updateStatement(target, stage)] : []),
    `${insert} WHERE NOT EXISTS (SELECT 1 FROM ${target.source} WHERE ${same})`
  ]
}
