/**
 * What is compared and written as one table: an ordinary table, a leaf partition, or, where the two sides are
 * partitioned differently, the whole partitioned table. Everything that depends on both sides is decided here, once.
 */
import { columnList, qualified } from '../postgres/quote.js'
import type { Column, Table } from '../postgres/tables.js'
import { rowHash, type HashForm } from './hash.js'
import { commonKey, keyColumn, ordersAlike, type KeyColumn } from './key.js'

/**
 * range: chunks of the key's order; bucket: chunks of the key's hash, where the two servers do not sort alike;
 * multiset: no usable key, rows are matched by their hashes and counts.
 */
export type Strategy = 'range' | 'bucket' | 'multiset'

export interface Unit {
  /** `schema.table`, for people. */
  name: string
  main: Table
  standby: Table
  /** The table as SQL, without ONLY. */
  relation: string
  /** `FROM` item with the alias `t`. */
  source: string
  strategy: Strategy
  key: KeyColumn[]
  /** Columns that COPY and INSERT carry: compared, and not generated on the standby. */
  written: Column[]
  compared: Column[]
  /** Row hash: bigint expressions over `t`. */
  hashes: string[]
  /** The user's row filter (`--where`), as a condition. */
  filter: string
  /** The key can be the arbiter of ON CONFLICT. */
  upsert: boolean
  overriding: boolean
  /** COPY can carry it in binary form. */
  binary: boolean
}

export interface UnitRules {
  form: HashForm
  exactFloats: boolean
  upsertThroughParent: boolean
  where: string | undefined
  exclude: ReadonlySet<string>
}

/** Why a table cannot be compared row by row, and what to do. */
export interface Refusal {
  reason: string
  hint: string
}

/** The unit of a table that both sides have, or why there is none. */
export function makeUnit(main: Table, standby: Table, rules: UnitRules): Unit | Refusal {
  const refusal = differingColumns(main, standby, rules.exclude)
  if (refusal) return refusal
  const compared = main.columns.filter(column => !rules.exclude.has(column.name))
  const other = new Map(standby.columns.map(column => [column.name, column]))
  // What main computes can be read as well; what the standby computes cannot be written.
  const written = compared.filter(column => other.get(column.name)?.generated === '')
  const key = commonKey(main, standby, new Set(written.map(column => column.name)))
  const only = main.kind === 'p' || standby.kind === 'p' ? '' : 'ONLY '
  const relation = qualified(main.schema, main.name)
  return {
    name: `${main.schema}.${main.name}`,
    main,
    standby,
    relation,
    source: `${only}${relation} AS t`,
    strategy: !key ? 'multiset' : ordersAlike(main, standby, key) ? 'range' : 'bucket',
    key: key ? key.columns.map(name => keyColumn(main.columns.find(column => column.name === name)!)) : [],
    written,
    compared,
    hashes: rowHash(rules.form, compared, rules.exactFloats),
    filter: rules.where === undefined ? 'true' : `(${rules.where})`,
    upsert:
      key?.immediate === true && !standby.hasRules && (standby.kind !== 'p' || rules.upsertThroughParent),
    overriding: standby.columns.some(column => column.identity === 'a'),
    binary: written.every(column => sameBinary(column, rules.exactFloats))
  }
}

function differingColumns(main: Table, standby: Table, exclude: ReadonlySet<string>): Refusal | undefined {
  const say = (reason: string, column: string): Refusal => ({
    reason,
    hint: `Alter the standby's table, or leave the column out with --exclude-column '${main.schema}.${main.name}: ${column}'.`
  })
  const theirs = new Map(standby.columns.map(column => [column.name, column]))
  for (const column of main.columns) {
    if (exclude.has(column.name)) continue
    const other = theirs.get(column.name)
    if (!other) return say(`column ${column.name} is missing on the standby`, column.name)
    if (other.type !== column.type) {
      return say(
        `column ${column.name} is ${column.type} on main and ${other.type} on the standby`,
        column.name
      )
    }
  }
  const ours = new Set(main.columns.map(column => column.name))
  const extra = standby.columns.find(column => !ours.has(column.name) && !exclude.has(column.name))
  return extra && say(`column ${extra.name} is missing on main`, extra.name)
}

/** Types whose binary form names OIDs of the database, depends on settings, or is not read where it is empty, must travel as text. */
function sameBinary(column: Column, exactFloats: boolean): boolean {
  if (column.kind === 'e') return true
  if (!column.builtin || column.foreignElement || column.kind === 'c') return false
  if (!exactFloats && /^(real|double)/.test(column.base)) return true
  return !/^(reg\w+|money|record|aclitem|xml|tsquery|cstring|int2vector|oidvector)(\[\])?$/.test(column.base)
}

/** Whether what was found of one is true of the other: the structure may have been changed in between, and the key with it. */
export function comparedAlike(one: Unit, other: Unit | undefined): boolean {
  const told = ({ strategy, source, key, hashes, filter }: Unit) =>
    JSON.stringify([strategy, source, key, hashes, filter])
  return other !== undefined && told(one) === told(other)
}

/** The written columns, each with a prefix such as `t.`. */
export function writtenColumns(unit: Unit, prefix = ''): string {
  return columnList(
    unit.written.map(column => column.name),
    prefix
  )
}

/** The largest first, so that none is left alone at the end. */
export function bySize(units: readonly Unit[]): Unit[] {
  return units.toSorted(
    (a, b) => Math.max(b.main.estimate, b.main.pages) - Math.max(a.main.estimate, a.main.pages)
  )
}
