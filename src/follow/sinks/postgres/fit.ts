/**
 * Whether the standby's table takes main's rows as they are, and how it is made to. Only what cannot lose or round a value is taken:
 * everything else is said before a row is written.
 */
import { ConfigError, FollowError } from '../../../core/errors.js'
import type { Target } from '../../../data/upsert.js'
import type { Capabilities } from '../../../postgres/capabilities.js'
import { qualified } from '../../../postgres/quote.js'
import type { Column, Table } from '../../../postgres/tables.js'
import { keyNames, nameOf, type FollowedColumn, type FollowedTable } from '../../table.js'

/** By main's type, those that hold all of its values. */
const wider: Readonly<Record<string, readonly string[]>> = {
  smallint: ['integer', 'bigint', 'numeric'],
  integer: ['bigint', 'numeric'],
  bigint: ['numeric']
}

/** How the standby's column takes main's values: `wider` as they are printed, though its type is another. */
export function typeFit(main: Pick<Column, 'type' | 'base'>, standby: Column): 'same' | 'wider' | undefined {
  if (standby.type === main.type) return 'same'
  if (standby.type === 'text') return 'wider'
  // No domain, and without a modifier that would round or cut.
  const plain = standby.type === standby.base
  if (plain && (standby.base === main.base || wider[main.base]?.includes(standby.base))) return 'wider'
  if (standby.base !== main.base) return undefined
  const [ours, theirs] = [modifiers(main), modifiers(standby)]
  if (!ours || !theirs) return undefined
  const [size, scale = 0] = ours
  const [room, places = 0] = theirs
  switch (main.base) {
    case 'character varying':
      return room! >= size! ? 'wider' : undefined
    case 'numeric':
      return places >= scale && room! - places >= size! - scale ? 'wider' : undefined
    default:
      return undefined
  }
}

/** `numeric(10,2)` → 10 and 2; undefined: it has none, or is a domain. */
function modifiers({ type, base }: Pick<Column, 'type' | 'base'>): number[] | undefined {
  if (!type.startsWith(`${base}(`)) return undefined
  return type
    .slice(base.length + 1, -1)
    .split(',')
    .map(Number)
}

export interface Fit {
  /** Main has them, the standby does not. */
  readonly missing: readonly FollowedColumn[]
  /** `column: its type on main, its type on the standby`, where that is another and takes all values. */
  readonly differing: readonly string[]
}

/**
 * @param required the standby's columns that must be given a value.
 * @throws ConfigError where the key is another; FollowError where a column does not fit.
 */
export function fitOf(main: FollowedTable, standby: Table, required: readonly string[]): Fit {
  const name = nameOf(main)
  const key = keyNames(main)
  const { columns } = standby
  const refuse = (what: string, hint: string): never => {
    throw new FollowError(`${name} on the standby ${what}`, { table: name, hint })
  }
  if (standby.kind === 'f') refuse('is a foreign table', 'Follow into the server where its rows are.')
  if (standby.inherited) refuse('has children by inheritance', 'Follow into a table that has none.')
  const missing = main.columns.filter(column => !columns.some(other => other.name === column.name))
  const ofKey = missing.find(column => key.includes(column.name))
  if (ofKey)
    refuse(`has no column ${ofKey.name}, which is of main's key`, 'Make the tables the same: pgsyncer sync.')
  const differing: string[] = []
  for (const column of main.columns) {
    const other = columns.find(({ name }) => name === column.name)
    if (!other) continue
    if (other.generated !== '')
      refuse(
        `computes ${column.name}, which main gives a value`,
        'Make it an ordinary column on the standby: ALTER TABLE … ALTER COLUMN … DROP EXPRESSION.'
      )
    const fit = typeFit(column, other)
    const types = `${column.type}, on the standby ${other.type}`
    if (fit === undefined)
      refuse(
        `has another type of ${column.name}: on main ${types}`,
        `Alter the standby's column to ${column.type}.`
      )
    if (fit === 'wider') differing.push(`${column.name} is on main ${types}`)
  }
  const unfilled = columns.find(
    ({ name }) => required.includes(name) && !main.columns.some(column => column.name === name)
  )
  if (unfilled)
    refuse(
      `has a column ${unfilled.name} that main does not have, and that is NOT NULL without a default`,
      `Give it a default, or let it be NULL: ALTER TABLE … ALTER COLUMN … DROP NOT NULL.`
    )
  if (key.length > 0 && !keyOn(standby, key))
    throw new ConfigError(`${name} has no unique key (${key.join(', ')}) on the standby, which main has`, {
      table: name,
      hint: `Make it: ALTER TABLE … ADD PRIMARY KEY (${key.join(', ')}), or bring the structure over by pgsyncer sync --sync-data=false.`
    })
  return { missing, differing }
}

/** The standby's key of these columns, one that ON CONFLICT can use before one that it cannot. */
function keyOn(standby: Table, names: readonly string[]) {
  const same = standby.keys.filter(
    ({ columns }) => columns.length === names.length && columns.every(column => names.includes(column))
  )
  return same.find(({ immediate }) => immediate) ?? same[0]
}

/** What is written, for the statements of the data engine. */
export function targetOf(main: FollowedTable, standby: Table, can: Capabilities): Target {
  const key = keyNames(main)
  const columns = main.columns.map(({ name }) => name)
  const always = standby.columns.filter(({ identity }) => identity === 'a').map(({ name }) => name)
  const relation = qualified(standby.schema, standby.name)
  return {
    relation,
    source: `${standby.kind === 'p' ? '' : 'ONLY '}${relation} AS t`,
    columns,
    key,
    settable: columns.filter(name => !key.includes(name) && !always.includes(name)),
    overriding: always.some(name => columns.includes(name)),
    upsert:
      keyOn(standby, key)?.immediate === true &&
      !always.some(name => columns.includes(name) && !key.includes(name)) &&
      !standby.hasRules &&
      (standby.kind !== 'p' || can.upsertThroughParent)
  }
}
