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
  const texts = columns.map((_, i) => `${own}t${i}`)
  const conversions = columns.map((column, i) => conversionOf(column, types[i]!, unfit, `${own}e`))
  const isArray = types.map(type => parseType(type).element !== undefined)
  const filled = columns.map((column, i) => i < keyLength || column.notNull)
  const live = `${own}operation IN ('INSERT', 'UPDATE')`

  const read = columns.map(({ name, missing }, i) => {
    const text = `record[${literal(name)}]`
    // The message is older than the column: rows had this then.
    if (i < keyLength || missing === undefined || missing === null) return `${text} AS ${texts[i]}`
    return `if(mapContains(record, ${literal(name)}) OR operation = 'DELETE', ${text}, ${literal(missing)}) AS ${texts[i]}`
  })
  const about = [
    literal(nameOf(table)),
    ...keyNames(table).flatMap((name, i) => [
      literal(`${i === 0 ? ' (' : ', '}${name} = `),
      short(`ifNull(record[${literal(name)}], 'NULL')`)
    ]),
    literal('), '),
    'place',
    literal(': ')
  ]
  const inner = [
    ...read,
    ...['operation', 'version', 'key_columns', 'absent'].map(name => `${name} AS ${own}${name}`),
    `mapKeys(record) AS ${own}columns`,
    `concat(${about.join(', ')}) AS ${own}about`
  ]
  const needed = columns.filter((column, i) => i < keyLength || column.missing === undefined)
  const nulls = columns.flatMap((_, i) =>
    filled[i] ? [`${i < keyLength ? '' : `${live} AND `}isNull(${texts[i]})`] : []
  )
  const misfits = columns.flatMap(({ name }, i) => {
    const { refused } = conversions[i]!
    return refused
      ? [
          `if(${refused(texts[i]!)}, concat(${literal(`${name} = `)}, ${short(`ifNull(${texts[i]}, '')`)}), '')`
        ]
      : []
  })
  const refusals: [string, string][] = [
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
    ...listed(
      `arrayFilter(${own}e -> NOT has(${list(names)}, ${own}e), ${own}columns)`,
      'the message has columns that are not known here, make tables and views anew:'
    ),
    ...listed(
      `if(${live}, arrayFilter(${own}e -> NOT has(${own}columns, ${own}e), ${list(needed.map(({ name }) => name))}), [])`,
      'the message lacks columns:'
    ),
    ...listed(
      `arrayFilter((${own}e, ${own}n) -> ${own}n, ${list(names.filter((_, i) => filled[i]))}, [${nulls.join(', ')}])`,
      'here no NULL may be in'
    ),
    ...(misfits.length === 0
      ? []
      : listed(
          `arrayFilter(${own}e -> ${own}e != '', [${misfits.join(', ')}])`,
          'ClickHouse’s types cannot hold'
        ))
  ]
  const cases = refusals.map(([test, text]) => `    ${test},\n      concat(${own}about, ${text}),\n`).join('')
  const values = columns.map(({ name }, i) => {
    const value = conversions[i]!.value(texts[i]!)
    const ready =
      filled[i] && !isArray[i] ? `ifNull(${value}, defaultValueOfTypeName(${literal(types[i]!)}))` : value
    return `  ${ready} AS ${ident(name)},\n`
  })
  return `CREATE MATERIALIZED VIEW ${view} TO ${target} AS
SELECT
${values.join('')}  ${own}version AS ${ident(versionColumn)},
  toUInt8(multiIf(
${cases}    ${own}operation = 'DELETE', '1', '0')) AS ${ident(deletedColumn)}
FROM (
  SELECT
    ${inner.join(',\n    ')}
  FROM ${messages}
  WHERE ${ident('schema')} = ${literal(table.schema)} AND ${ident('table')} = ${literal(table.name)}
)`
}

/** The beginning of all names that are not main's, so that no column of main's is taken for one of them. */
function prefixFor(names: readonly string[]): string {
  let prefix = 'm_'
  while (names.some(name => name.startsWith(prefix))) prefix = `m${prefix}`
  return prefix
}

const list = (texts: readonly string[]): string => `[${texts.map(literal).join(', ')}]`

const short = (text: string): string => `substringUTF8(${text}, 1, ${shown})`

/** Refused where the array that this SQL is of has elements. */
const listed = (array: string, what: string): [string, string][] => [
  [`notEmpty(${array})`, `concat(${literal(`${what} `)}, arrayStringConcat(${array}, ', '))`]
]
