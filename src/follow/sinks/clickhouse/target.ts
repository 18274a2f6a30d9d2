/**
 * The ClickHouse table of a followed table: made from PostgreSQL's definition, or found fit, or refused with the statement that would
 * make it. What it has besides main's columns stays as it is.
 *
 * Its name is the table's; where more than one schema is followed, `schema_table`. Rows are `ReplacingMergeTree(_version, _is_deleted)`
 * by main's key: read them with FINAL, on old servers also WHERE NOT _is_deleted.
 */
import { ConfigError, FollowError } from '../../../core/errors.js'
import type { FollowConfig } from '../../config.js'
import { type FollowedColumn, type FollowedTable, keyNames, nameOf } from '../../table.js'
import type { Capabilities } from './capabilities.js'
import type { Link } from './link.js'
import { ident, identList, literal } from './names.js'
import { type Rows, rowsOf } from './rows.js'
import { stateTable } from './state.js'
import { clickHouseType } from './types.js'
import { carrierOf, type Carrier } from './values.js'

export const versionColumn = '_version'
export const deletedColumn = '_is_deleted'

export interface Target {
  readonly name: string
  readonly rows: Rows
  readonly columns: readonly string[]
}

type Settings = Pick<FollowConfig, 'schemas' | 'unfit' | 'onSchemaChange'>

/** @throws ConfigError where ClickHouse cannot take the table at all. */
export function targetName(table: FollowedTable, { schemas }: Pick<FollowConfig, 'schemas'>): string {
  const name = schemas.length === 1 ? table.name : `${table.schema}_${table.name}`
  if (name === stateTable)
    throw new ConfigError(`${nameOf(table)} has the name of the table that keeps positions in ClickHouse`, {
      table: nameOf(table),
      hint: 'Follow it together with another schema, so that its name begins with the schema.'
    })
  return name
}

/** Makes the table or finds it fit. @returns it, and the columns that were added. */
export async function prepareTarget(
  link: Link,
  table: FollowedTable,
  config: Settings
): Promise<{ target: Target; added: string[] }> {
  refuseUnfit(table)
  const name = targetName(table, config)
  const found = await readTarget(link, name)
  if (!found) {
    const types = typesOf(table, link.can)
    const target = targetOf(table, name, types, config, link)
    await link.run(createStatement(link.database, name, table, link.can))
    return { target, added: [] }
  }
  checkEngine(link, table, name, found)
  const missing = table.columns.filter(column => !found.columns.has(column.name))
  const types = typesOf(table, link.can).map((type, i) => found.columns.get(table.columns[i]!.name) ?? type)
  const target = targetOf(table, name, types, config, link)
  if (missing.length > 0) {
    if (config.onSchemaChange === 'add') await refuseRenamed(link, table, name, types, found)
    await addColumns(link, table, target, types, missing, config)
  }
  return { target, added: missing.map(column => column.name) }
}

/**
 * For rows that ClickHouse makes itself (topic/): it either has no such table, or one that is just as it would be made.
 * @throws FollowError with the statement that would make it fit.
 */
export async function checkTarget(link: Link, table: FollowedTable, config: Settings): Promise<void> {
  const name = targetName(table, config)
  const found = await readTarget(link, name)
  if (!found) return
  checkEngine(link, table, name, found)
  const types = typesOf(table, link.can)
  const missing = table.columns.filter(column => !found.columns.has(column.name))
  if (missing.length > 0) {
    const target = targetOf(table, name, types, config, link)
    await addColumns(link, table, target, types, missing, { ...config, onSchemaChange: 'stop' })
  }
  for (const [i, { name: column }] of table.columns.entries()) {
    const [type, wanted] = [found.columns.get(column)!, types[i]!]
    if (type === wanted) continue
    throw new FollowError(
      `${link.database}.${name}: column ${column} is ${type} in ClickHouse, and views would write ${wanted}`,
      {
        table: nameOf(table),
        hint: `Make it ${wanted}, or use pgsyncer apply, which writes the type that is there: ALTER TABLE ${ident(link.database)}.${ident(name)} MODIFY COLUMN ${ident(column)} ${wanted}`
      }
    )
  }
}

/**
 * The types of the columns where the table is ours to make.
 * @throws ConfigError where ClickHouse cannot take the table at all.
 */
export function typesOf(table: FollowedTable, can: Capabilities): string[] {
  refuseUnfit(table)
  return table.columns.map((column, i) => clickHouseType(column, isFilled(table, i), can))
}

const isFilled = (table: FollowedTable, index: number) =>
  index < table.keyLength || table.columns[index]!.notNull

function refuseUnfit(table: FollowedTable): void {
  if (table.keyLength === 0) {
    throw new ConfigError(`${nameOf(table)} has no primary key, by which ClickHouse would tell its rows`, {
      table: nameOf(table),
      hint: 'Add one on main, or leave the table out with --exclude-table.'
    })
  }
  const taken = table.columns.find(({ name }) => name === versionColumn || name === deletedColumn)
  if (taken) {
    throw new ConfigError(`${nameOf(table)} has a column ${taken.name}, which is ours in ClickHouse`, {
      table: nameOf(table),
      hint: 'Rename it on main, or leave the table out with --exclude-table.'
    })
  }
}

function targetOf(
  table: FollowedTable,
  name: string,
  types: readonly string[],
  { unfit }: Settings,
  link: Link
): Target {
  const carriers = table.columns.map((column, i): Carrier => {
    const carrier = carrierOf(column, isFilled(table, i), types[i]!, unfit, link.can.zone)
    if (carrier) return carrier
    const wanted = clickHouseType(column, isFilled(table, i), link.can)
    throw new FollowError(
      `${link.database}.${name}: column ${column.name} is ${types[i]} in ClickHouse, which does not hold main's ${column.type} as it is`,
      {
        table: nameOf(table),
        hint: `Make it ${wanted}: ALTER TABLE ${ident(link.database)}.${ident(name)} MODIFY COLUMN ${ident(column.name)} ${wanted}`
      }
    )
  })
  return {
    name,
    rows: rowsOf(table, types, carriers),
    columns: table.columns.map(column => column.name)
  }
}

/**
 * The DDL, such as a person would write it.
 * @param database undefined: the one that it is run in.
 */
export function createStatement(
  database: string | undefined,
  name: string,
  table: FollowedTable,
  can: Capabilities
): string {
  const types = typesOf(table, can)
  const columns = table.columns.map((column, i) => `${ident(column.name)} ${types[i]}`)
  const own = [`${ident(versionColumn)} UInt64 DEFAULT 0`, `${ident(deletedColumn)} UInt8 DEFAULT 0`]
  const relation = (database === undefined ? '' : `${ident(database)}.`) + ident(name)
  return `CREATE TABLE IF NOT EXISTS ${relation} (
  ${[...columns, ...own].join(',\n  ')}
) ENGINE = ${engine(can)}
ORDER BY (${identList(keyNames(table))})`
}

const engine = ({ isDeleted }: Pick<Capabilities, 'isDeleted'>) =>
  `ReplacingMergeTree(${versionColumn}${isDeleted ? `, ${deletedColumn}` : ''})`

interface Found {
  engine: string
  /** With its arguments. */
  full: string
  sortingKey: string
  /** Columns that it is made of. */
  sorted: ReadonlySet<string>
  /** Name → type of those that can be written. */
  columns: Map<string, string>
}

async function readTarget(link: Link, name: string): Promise<Found | undefined> {
  const where = (column: string) => `database = ${literal(link.database)} AND ${column} = ${literal(name)}`
  const [found] = await link.rows(
    `SELECT engine, engine_full, sorting_key FROM system.tables WHERE ${where('name')}`
  )
  if (!found) return undefined
  const columns = await link.rows(
    `SELECT name, type, is_in_sorting_key FROM system.columns WHERE ${where('table')} AND default_kind NOT IN ('MATERIALIZED', 'ALIAS')`
  )
  const [engine, full, sortingKey] = found.map(value => value ?? '') as [string, string, string]
  return {
    engine,
    full,
    sortingKey,
    sorted: new Set(columns.filter(([, , sorted]) => sorted === '1').map(([name]) => name!)),
    columns: new Map(columns.map(([name, type]) => [name!, type!]))
  }
}

/** Rows of a table with another engine, version or key would not replace one another. */
function checkEngine(link: Link, table: FollowedTable, name: string, found: Found): void {
  const args = /ReplacingMergeTree\(([^)]*)\)/.exec(found.full)?.[1] ?? ''
  const versions = args
    .split(',')
    .map(arg => arg.trim().replace(/^`(.*)`$/, '$1'))
    .filter(arg => !arg.startsWith("'"))
  const replaces =
    versions[0] === versionColumn && (versions[1] === undefined || versions[1] === deletedColumn)
  const typed = found.columns.get(versionColumn) === 'UInt64' && found.columns.get(deletedColumn) === 'UInt8'
  const keys = keyNames(table)
  // Names alone: what a function makes of a key may be the same for two.
  const plain = /^\(?[\w\s,]*\)?$/.test(found.sortingKey.replace(/`(?:[^`\\]|\\.)*`/g, ''))
  const byKey = plain && found.sorted.size === keys.length && keys.every(key => found.sorted.has(key))
  if (replaces && typed && byKey) return
  const why = !replaces
    ? `its engine is ${found.engine}, not ${engine(link.can)}`
    : !typed
      ? `it has no columns ${versionColumn} UInt64 and ${deletedColumn} UInt8`
      : `it is ordered by ${found.sortingKey}, not by main's key`
  throw new FollowError(`${link.database}.${name} is there, but changes cannot be written to it: ${why}`, {
    table: nameOf(table),
    hint: `Rename or drop it, and it is made as needed:\n${createStatement(link.database, name, table, link.can)}`
  })
}

/**
 * A column that was renamed on main looks like a new one beside one that is gone: if it were added, older rows would not have its values.
 * Whether it was is known to nobody here, so that it is refused wherever it may be.
 */
async function refuseRenamed(
  link: Link,
  table: FollowedTable,
  name: string,
  types: readonly string[],
  found: Found
): Promise<void> {
  const relation = `${ident(link.database)}.${ident(name)}`
  const plain = (type: string) => type.replace(/^Nullable\((.*)\)$/, '$1')
  const isOurs = (other: string) => other === versionColumn || other === deletedColumn
  for (const [other, type] of found.columns) {
    if (isOurs(other) || table.columns.some(column => column.name === other)) continue
    const column = table.columns.find(
      (one, i) => !found.columns.has(one.name) && plain(types[i]!) === plain(type)
    )
    if (!column) continue
    const [filled] = await link.rows(`SELECT 1 FROM ${relation} WHERE ${ident(other)} IS NOT NULL LIMIT 1`)
    if (!filled) continue
    const [old, now] = [ident(other), ident(column.name)]
    throw new FollowError(
      `main's ${nameOf(table)} has got column ${column.name}, which may be ClickHouse's ${other} under another name`,
      {
        table: nameOf(table),
        hint: `If it was renamed, rename it there too: ALTER TABLE ${relation} RENAME COLUMN ${old} TO ${now}. If it is a new one, drop ${old} there, or add ${now} with the values that older rows have on main.`
      }
    )
  }
}

async function addColumns(
  link: Link,
  table: FollowedTable,
  target: Target,
  types: readonly string[],
  missing: readonly FollowedColumn[],
  { onSchemaChange }: Settings
): Promise<void> {
  const relation = `${ident(link.database)}.${ident(target.name)}`
  const names = missing.map(column => column.name).join(', ')
  const keyed = missing.some(column => table.columns.indexOf(column) < table.keyLength)
  if (keyed) {
    throw new FollowError(`${link.database}.${target.name} lacks ${names}, which is of main's key`, {
      table: nameOf(table),
      hint: 'A key cannot be added in ClickHouse: rename or drop the table there, and copy it anew.'
    })
  }
  const empty = (await link.rows(`SELECT 1 FROM ${relation} LIMIT 1`)).length === 0
  const clauses = missing.map(column => {
    const index = table.columns.indexOf(column)
    const value = empty ? null : column.missing
    if (value === undefined) {
      throw new FollowError(
        `${nameOf(table)} has got column ${column.name}, and main cannot tell what older rows hold in it`,
        {
          table: nameOf(table),
          hint: `Add it in ClickHouse, with the values that its rows are to have: ALTER TABLE ${relation} ADD COLUMN ${ident(column.name)} ${types[index]}`
        }
      )
    }
    const shown =
      value === null
        ? ''
        : ` DEFAULT CAST(${literal(target.rows.value(index, value))}, ${literal(types[index]!)})`
    return `ADD COLUMN ${ident(column.name)} ${types[index]}${shown}`
  })
  const statement = `ALTER TABLE ${relation} ${clauses.join(', ')}`
  if (onSchemaChange === 'stop') {
    throw new FollowError(`${nameOf(table)} has got columns that ClickHouse has not: ${names}`, {
      table: nameOf(table),
      hint: `Add them there, or follow with --on-schema-change add: ${statement}`
    })
  }
  await link.run(statement)
}
