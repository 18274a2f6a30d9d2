/**
 * The view that turns messages of one table into its rows. What it cannot make a row of it refuses: the number that says whether a row is
 * deleted is then read from a sentence, which is no number, so ClickHouse's error holds the sentence, the block is not taken, and
 * the group's offset stays before it. Nothing is skipped, and nothing is guessed.
 */
import type { FollowConfig } from '../../../config.js'
import { type FollowedTable, keyNames, nameOf } from '../../../table.js'
import type { Capabilities } from '../capabilities.js'
import { ident, literal } from '../names.js'
import { deletedColumn, typesOf, versionColumn } from '../target.js'
import { parseType } from '../types.js'
import { conversionOf } from './convert.js'

/** The columns that the views read: a message taken apart, with all values as texts. */
export const messageColumns: Readonly<Record<string, string>> = {
  place: 'String',
  schema: 'String',
  table: 'String',
  operation: 'String',
  version: 'UInt64',
  key_columns: 'Array(String)',
  record: 'Map(String, Nullable(String))',
  absent: 'Array(String)'
}

/** Characters of a value that are shown. */
const shown = 100

export interface ViewNames {
  /** Quoted. */
  readonly view: string
  readonly target: string
  readonly messages: string
  /** As a person would say what to do about a message that no view can take. */
  readonly advice: string
}

/** @throws what typesOf() throws. */
export function viewStatement(
  table: FollowedTable,
  { view, target, messages, advice }: ViewNames,
  can: Capabilities,
  unfit: FollowConfig['unfit']
): string {
  const { columns, keyLength } = table
  const names = columns.map(column => column.name)
  const own = prefixFor(names)
  const types = typesOf(table, can)
  const conversions = types.map(type => conversionOf(type, unfit, own))
  const filled = columns.map((column, i) => i < keyLength || column.notNull)
  const [text, value] = ['t', 'v'].map(kind => (i: number) => `${own}${kind}${i}`) as [Nth, Nth]
  const live = `${own}operation IN ('INSERT', 'UPDATE')`

  const read = columns.map(({ name, missing }, i) => {
    const found = `record[${literal(name)}]`
    // The message is older than the column: rows had this then.
    if (i < keyLength || missing === undefined || missing === null) return found
    return `if(mapContains(record, ${literal(name)}) OR operation = 'DELETE', ${found}, ${literal(missing)})`
  })
  const texts = [
    ...read.map((sql, i) => `${sql} AS ${text(i)}`),
    ...['operation', 'version', 'key_columns', 'absent'].map(name => `${name} AS ${own}${name}`),
    `mapKeys(record) AS ${own}columns`,
    `concat(${aboutRow(table)}) AS ${own}about`
  ]

  const needed = names.filter((_, i) => i < keyLength || columns[i]!.missing === undefined)
  const nulls = columns.flatMap(({ name }, i) =>
    filled[i] ? [[`${i < keyLength ? '' : `${live} AND `}isNull(${text(i)})`, literal(name)]] : []
  )
  const misfits = columns.flatMap(({ name }, i) => {
    const test = conversions[i]!.refused?.(text(i), value(i))
    return test ? [[test, `concat(${literal(`${name} = `)}, ${short(`ifNull(${text(i)}, '')`)})`]] : []
  })
  const either = (cases: string[][]) =>
    cases.length === 0
      ? '[]'
      : `arrayFilter(${own}e -> ${own}e != '', [${cases.map(([test, told]) => `if(${test}, ${told}, '')`).join(',\n      ')}])`
  const lists: Record<string, readonly [array: string, what: string]> = {
    strange: [
      `arrayFilter(${own}e -> NOT has(${list(names)}, ${own}e), ${own}columns)`,
      'the message has columns that are not known here, make tables and views anew:'
    ],
    lacking: [
      `if(${live}, arrayFilter(${own}e -> NOT has(${own}columns, ${own}e), ${list(needed)}), [])`,
      'the message lacks columns:'
    ],
    nulls: [either(nulls), 'here no NULL may be in'],
    misfits: [either(misfits), 'ClickHouse’s types cannot hold']
  }
  const made = [
    ...conversions.map((conversion, i) => `${conversion.value(text(i))} AS ${value(i)}`),
    ...Object.entries(lists).map(([name, [array]]) => `${array} AS ${own}${name}`)
  ]

  const refusals: [test: string, told: string][] = [
    [
      `${own}operation = 'TRUNCATE'`,
      literal(`it was truncated on main, which no view can do here. ${advice}`)
    ],
    [
      `${own}key_columns != ${list(keyNames(table))}`,
      `concat('its key on main is ', arrayStringConcat(${own}key_columns, ', '), ', not ', ${literal(keyNames(table).join(', '))})`
    ],
    [
      `${live} AND empty(${own}columns)`,
      `'the message holds the key alone: publish with --payload row, which is the default'`
    ],
    [
      `${live} AND notEmpty(${own}absent)`,
      `concat('main did not send what had not changed, ', arrayStringConcat(${own}absent, ', '), ', as it does with REPLICA IDENTITY FULL. ', ${literal(advice)})`
    ],
    ...Object.entries(lists).map(([name, [, what]]): [string, string] => [
      `notEmpty(${own}${name})`,
      `concat(${literal(`${what} `)}, arrayStringConcat(${own}${name}, ', '))`
    ])
  ]
  const values = columns.map(({ name }, i) => {
    const isArray = parseType(types[i]!).element !== undefined
    const ready =
      filled[i] && !isArray ? `ifNull(${value(i)}, defaultValueOfTypeName(${literal(types[i]!)}))` : value(i)
    return `${ready} AS ${ident(name)}`
  })
  const cases = refusals.map(([test, told]) => `${test}, concat(${own}about, ${told})`)
  return `CREATE MATERIALIZED VIEW ${view} TO ${target} AS
SELECT
  ${values.join(',\n  ')},
  ${own}version AS ${ident(versionColumn)},
  toUInt8(multiIf(
    ${cases.join(',\n    ')},
    ${own}operation = 'DELETE', '1', '0')) AS ${ident(deletedColumn)}
FROM (
  SELECT *,
    ${made.join(',\n    ')}
  FROM (
    SELECT
      ${texts.join(',\n      ')}
    FROM ${messages}
    WHERE ${ident('schema')} = ${literal(table.schema)} AND ${ident('table')} = ${literal(table.name)}
  )
)`
}

/** The name of what is about the column of this index. */
type Nth = (index: number) => string

/** What an error begins with: which row it is about. */
function aboutRow(table: FollowedTable): string {
  const key = keyNames(table).flatMap((name, i) => [
    literal(`${i === 0 ? ' (' : ', '}${name} = `),
    short(`ifNull(record[${literal(name)}], 'NULL')`)
  ])
  return [literal(nameOf(table)), ...key, literal('), '), 'place', literal(': ')].join(', ')
}

/** The beginning of all names that are not main's, so that no column of main's is taken for one of them. */
function prefixFor(names: readonly string[]): string {
  let prefix = 'm_'
  while (names.some(name => name.startsWith(prefix))) prefix = `m${prefix}`
  return prefix
}

const list = (texts: readonly string[]): string => `[${texts.map(literal).join(', ')}]`

const short = (text: string): string => `substringUTF8(${text}, 1, ${shown})`
