/**
 * What happens to a side after both were the same. Each statement is a block of its own, in which what the side's own
 * constraints refuse did not happen: any list of changes is possible, and so is every shorter one.
 */
import { ident, literal } from '../../../src/postgres/quote.js'
import { insertRows, valueOf } from './ddl.js'
import { at, rowsOf, schemas, written, type Column, type Model, type Table } from './model.js'
import type { AlterationSpec, ChangeSpec } from './spec.js'

/** Past foreign keys and triggers, and then as before. */
const role = (name: string): string =>
  `PERFORM pg_catalog.set_config('session_replication_role', '${name}', false);`

function attempt(statements: readonly string[], silent = false): string {
  const body = statements.map(statement => `  ${statement};`).join('\n')
  const [before, after] = silent ? [`  ${role('replica')}\n`, `\n  ${role('origin')}`] : ['', '']
  return `DO $drift$ BEGIN
${before}${body}${after}
  SET CONSTRAINTS ALL IMMEDIATE;
EXCEPTION WHEN OTHERS THEN RAISE NOTICE 'refused: %', SQLERRM;
END $drift$`
}

/** The statement for one change; undefined where the case has nothing of the kind. */
export function changeRows(model: Model, spec: ChangeSpec): string | undefined {
  const table = at(model.tables, spec.table)!
  const statements = statementsOf(model, table, spec)
  // What is checked at the end is checked by a trigger: past it two rows would have one key, which no server allows.
  const late = table.keys.some(({ form }) => /deferr/.test(form)) || table.exclusion?.deferred === true
  return statements && attempt(statements, isSilent(spec) && (moves.has(spec.what) || !late))
}

/** Rows change places, and none is added. */
const moves = new Set<ChangeSpec['what']>(['swap', 'rotate', 'shuffle'])

/** Main stays as its own constraints want it. Rows that change places by being deleted and inserted must not take others with them. */
export const isSilent = (spec: ChangeSpec): boolean => !spec.main && (spec.silent || moves.has(spec.what))

function statementsOf(model: Model, table: Table, spec: ChangeSpec): string[] | undefined {
  const rows = rowsOf(table)
  const columns = written(table)
  const column = at(columns, spec.column)
  const names = columns.map(one => ident(one.name)).join(', ')
  const fresh = table.rows + spec.value
  switch (spec.what) {
    case 'insert':
      return insertRows(table, [fresh])
    case 'delete':
      return [`DELETE FROM ${rows} x WHERE ${place(table, spec.row)}`]
    case 'update':
      return column && [`UPDATE ${rows} x SET ${set(column, spec.value)} WHERE ${place(table, spec.row)}`]
    case 'key': {
      const key = at(table.keys, spec.column)
      if (!key) return undefined
      const to = key.columns.map(one =>
        one.type.alike && spec.value % 2 === 1
          ? `${ident(one.name)} = ${one.type.alike.replace('%', () => `x.${ident(one.name)}`)}`
          : set(one, fresh)
      )
      return [`UPDATE ${rows} x SET ${to.join(', ')} WHERE ${place(table, spec.row)}`]
    }
    case 'swap':
    case 'rotate':
    case 'shuffle': {
      const unique = [
        ...new Set(table.keys.flatMap(key => key.columns)),
        ...(table.exclusion ? [table.exclusion.column] : [])
      ]
      const moved = at(unique.length > 0 ? unique : columns, spec.column)
      return moved && permute(table, spec, columns, moved)
    }
    case 'copy':
      return columns.length === 0
        ? insertRows(table, [0])
        : [
            `INSERT INTO ${table.sql} (${names}) OVERRIDING SYSTEM VALUE SELECT ${names} FROM ${rows} x WHERE ${place(table, spec.row)}`
          ]
    case 'truncate':
      return [`TRUNCATE ${table.sql} CASCADE`]
    case 'thin':
      return [`DELETE FROM ${rows} x WHERE abs(hashtext(x.ctid::text)) % 3 = ${spec.value % 3}`]
    case 'sequence': {
      const counted = table.columns.find(
        one => one.declared !== undefined || ['identity', 'always'].includes(one.special)
      )
      if (!counted) return undefined
      return [
        `PERFORM pg_catalog.setval(pg_catalog.pg_get_serial_sequence(${literal(table.sql)}, ${literal(counted.name)}), ${spec.value + 1})`
      ]
    }
  }
  return undefined
}

const set = (column: Column, n: number): string => `${ident(column.name)} = ${valueOf(column, n)}`

/** The condition of a row by its number, over `x`. */
function place(table: Table, row: number): string {
  const rows = rowsOf(table)
  const offset = `${row} % greatest((SELECT count(*) FROM ${rows}), 1)`
  return `(x.tableoid, x.ctid) = (SELECT y.tableoid, y.ctid FROM ${rows} y ORDER BY y.tableoid, y.ctid OFFSET ${offset} LIMIT 1)`
}

/** Rows are taken out and put in again, with a column's values exchanged between two, or handed on along all. */
function permute(table: Table, spec: ChangeSpec, columns: readonly Column[], moved: Column): string[] {
  const rows = rowsOf(table)
  const count = '(SELECT greatest(count(*), 1) FROM drift)'
  const [i, j] = [`(${spec.row} % ${count} + 1)`, `(${spec.value} % ${count} + 1)`]
  const other = {
    swap: `CASE a."!n" WHEN ${i} THEN ${j} WHEN ${j} THEN ${i} ELSE a."!n" END`,
    rotate: `a."!n" % ${count} + 1`
  }[spec.what as string]
  const items = columns.map(column => `${column === moved && other ? 'b' : 'a'}.${ident(column.name)}`)
  return [
    `CREATE TEMPORARY TABLE drift AS SELECT x.*, row_number() OVER (ORDER BY x.tableoid, x.ctid) AS "!n" FROM ${rows} x`,
    `DELETE FROM ${rows}`,
    `INSERT INTO ${table.sql} (${columns.map(column => ident(column.name)).join(', ')}) OVERRIDING SYSTEM VALUE
    SELECT ${items.join(', ')} FROM drift a JOIN drift b ON b."!n" = ${other ?? 'a."!n"'} ORDER BY a."!n" DESC`,
    `DROP TABLE drift`
  ]
}

/** The standby's structure is no longer main's. */
export function changeStructure(model: Model, spec: AlterationSpec): string | undefined {
  const table = at(model.tables, spec.table)!
  const { sql } = table
  const chosen = at(table.columns, spec.column)
  const column = chosen && ident(chosen.name)
  const alter = (what: string): string[] => [`ALTER TABLE ${sql} ${what}`]
  const ofColumn = (what: string): string[] | undefined =>
    column === undefined ? undefined : alter(what.replaceAll('%', () => column))
  const key = at(table.keys, spec.column)
  const statements: Record<AlterationSpec['what'], string[] | undefined> = {
    'drop table': [`DROP TABLE ${sql} CASCADE`],
    'drop column': ofColumn('DROP COLUMN % CASCADE'),
    'add column': alter('ADD COLUMN "one more" integer DEFAULT 5'),
    retype: ofColumn('ALTER COLUMN % DROP DEFAULT, ALTER COLUMN % TYPE text USING %::text'),
    'not null': ofColumn('ALTER COLUMN % SET NOT NULL'),
    'drop not null': ofColumn('ALTER COLUMN % DROP NOT NULL'),
    'drop index': key && [`DROP INDEX ${ident(table.schema)}.${ident(key.name)}`],
    'drop constraint': key && alter(`DROP CONSTRAINT ${ident(key.name)} CASCADE`),
    'rename column': ofColumn('RENAME COLUMN % TO "renamed"'),
    'rename table': alter('RENAME TO "renamed"'),
    'add table': [`CREATE TABLE ${ident(table.schema)}."one more" AS SELECT 1 AS id`],
    'add index': column === undefined ? undefined : [`CREATE INDEX "one more" ON ${sql} (${column})`],
    'add check': alter('ADD CONSTRAINT "one more" CHECK (true) NOT VALID'),
    default: ofColumn('ALTER COLUMN % SET DEFAULT NULL'),
    unlogged: alter(table.form === 'unlogged' ? 'SET LOGGED' : 'SET UNLOGGED'),
    detach: table.leaves.length > 0 ? alter(`DETACH PARTITION ${at(table.leaves, spec.column)!}`) : undefined,
    label:
      at(model.enums, spec.column) === undefined
        ? undefined
        : [`ALTER TYPE ${at(model.enums, spec.column)} ADD VALUE 'one more'`],
    'drop type':
      at(model.enums, spec.column) === undefined
        ? undefined
        : [`DROP TYPE ${at(model.enums, spec.column)} CASCADE`],
    'drop view': [`DROP VIEW public."view ${spec.table % model.tables.length}" CASCADE`],
    'add view': [`CREATE VIEW ${ident(table.schema)}."one more" AS SELECT * FROM ${sql}`],
    comment: [`COMMENT ON TABLE ${sql} IS 'it''s another'`],
    'replace key': key && [
      ...alter(`DROP CONSTRAINT ${ident(key.name)} CASCADE`),
      ...(column === undefined ? [] : alter(`ADD CONSTRAINT ${ident(key.name)} UNIQUE (${column})`))
    ],
    'drop schema': [`DROP SCHEMA ${ident(schemas[1])} CASCADE`],
    'not valid': [
      `EXECUTE (SELECT format('ALTER TABLE %1$s DROP CONSTRAINT %2$I, ADD CONSTRAINT %2$I %3$s NOT VALID', conrelid::regclass, conname, pg_catalog.pg_get_constraintdef(oid))
    FROM pg_catalog.pg_constraint WHERE contype IN ('f', 'c') AND conrelid = ${literal(sql)}::regclass ORDER BY conname OFFSET ${spec.column % 2} LIMIT 1)`
    ]
  }
  const found = statements[spec.what]
  return found && attempt(found)
}
