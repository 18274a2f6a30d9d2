/** CREATE TABLE and what pg_dump alters right after it. */
import { classes, type Reading, ref } from './items.js'
import type { Column, Relation } from './relations.js'
import { foreignOptions, storageOptions } from './text.js'

const storages: Record<string, string> = { p: 'PLAIN', e: 'EXTERNAL', x: 'EXTENDED', m: 'MAIN' }
const compressions: Record<string, string> = { p: 'pglz', l: 'lz4' }

/** @param apart `class:oid` of the defaults that are entries of their own */
export function tableText(
  reading: Reading,
  table: Relation,
  relations: ReadonlyMap<number, Relation>,
  apart: ReadonlySet<string>
): string {
  const { quote } = reading
  const { kind, path, of, partition, key, server } = table
  const inherited = inheritedColumns(table, relations)
  const printed = table.columns.filter(column => column.local || partition)
  const lines = printed.flatMap(column => columnLine(reading, table, column, inherited, apart) ?? [])
  lines.push(
    ...table.checks
      .filter(check => check.local || partition)
      .map(check => `CONSTRAINT ${quote(check.name)} ${check.definition}`)
  )
  const parents = partition ? [] : (table.parents ?? []).map(oid => relations.get(oid)?.path ?? `${oid}`)
  const options = [
    ...storageOptions(quote, table.options),
    ...storageOptions(quote, table.toastOptions, 'toast.')
  ]
  const head = `CREATE ${table.persistence === 'u' ? 'UNLOGGED ' : ''}${kind === 'f' ? 'FOREIGN ' : ''}TABLE ${path}`
  return [
    head,
    of === null ? '' : ` OF ${of}`,
    of !== null && lines.length === 0 ? '' : ` (${lines.map(line => `\n    ${line}`).join(',')}\n)`,
    parents.length > 0 ? `\nINHERITS (${parents.join(', ')})` : '',
    key === null ? '' : `\nPARTITION BY ${key}`,
    server === null ? '' : `\nSERVER ${quote(server)}`,
    options.length > 0 ? `\nWITH (${options.join(', ')})` : '',
    table.fdwOptions?.length ? `\n${foreignOptions(quote, table.fdwOptions)}` : '',
    ';\n',
    ...table.columns.flatMap(column => alterations(reading, table, column, inherited)),
    table.identity === 'f' ? `\nALTER TABLE ONLY ${path} REPLICA IDENTITY FULL;\n` : '',
    table.identity === 'n' && 'rp'.includes(kind)
      ? `\nALTER TABLE ONLY ${path} REPLICA IDENTITY NOTHING;\n`
      : '',
    table.forced ? `\nALTER TABLE ONLY ${path} FORCE ROW LEVEL SECURITY;\n` : ''
  ].join('')
}

/** Names of the columns that a parent has as NOT NULL. */
function inheritedColumns(table: Relation, relations: ReadonlyMap<number, Relation>): ReadonlySet<string> {
  const parents = (table.parents ?? []).flatMap(oid => relations.get(oid) ?? [])
  return new Set(parents.flatMap(({ columns }) => columns.flatMap(each => (each.notNull ? each.name : []))))
}

function columnLine(
  { quote }: Reading,
  table: Relation,
  column: Column,
  inherited: ReadonlySet<string>,
  apart: ReadonlySet<string>
): string | undefined {
  const { default: expression } = column
  const inline = expression !== null && !apart.has(ref(classes.attrdef, expression.oid))
  const notNull = column.notNull && (table.partition || !inherited.has(column.name))
  if (table.of !== null && !inline && !notNull) return undefined
  return [
    quote(column.name),
    table.of === null ? ` ${column.type}` : '',
    !inline
      ? ''
      : column.generated === 's'
        ? ` GENERATED ALWAYS AS (${expression.text}) STORED`
        : column.generated === 'v'
          ? ` GENERATED ALWAYS AS (${expression.text})`
          : ` DEFAULT ${expression.text}`,
    notNull ? ' NOT NULL' : '',
    column.collation !== null && table.of === null ? ` COLLATE ${column.collation}` : ''
  ].join('')
}

/** What a column is told after its relation is made. */
export function alterations(
  { quote }: Reading,
  table: Relation,
  column: Column,
  inherited: ReadonlySet<string>
): string[] {
  const foreign = table.kind === 'f' ? 'FOREIGN ' : ''
  const head = `ALTER ${foreign}TABLE ONLY ${table.path} ALTER COLUMN ${quote(column.name)}`
  const hidden = !column.local && !table.partition
  const fdw = column.fdwOptions?.length ? foreignOptions(quote, column.fdwOptions) : ''
  return [
    hidden && column.notNull && !inherited.has(column.name) ? `${head} SET NOT NULL;\n` : '',
    column.statistics >= 0 ? `${head} SET STATISTICS ${column.statistics};\n` : '',
    column.storage === null ? '' : `${head} SET STORAGE ${storages[column.storage]};\n`,
    column.compression === null ? '' : `${head} SET COMPRESSION ${compressions[column.compression]};\n`,
    column.options ? `${head} SET (${column.options});\n` : '',
    fdw ? `ALTER FOREIGN TABLE ${table.path} ALTER COLUMN ${quote(column.name)} ${fdw};\n` : ''
  ].filter(line => line !== '')
}
