/** From one type to another: by which expression, and whether a value can be lost on the way. */
import { ident, literal } from '../../../postgres/quote.js'
import { catalogs } from '../../dependents.js'
import {
  type Column,
  type Details,
  firstUserOid,
  type Relation,
  type TypeDetail
} from '../../details/details.js'
import type { Side, Standby } from '../../side.js'

interface TypeName {
  /** Without modifier and brackets. */
  base: string
  modifiers: number[]
  array: boolean
}

function parse(type: string): TypeName {
  const array = type.endsWith('[]')
  const element = array ? type.slice(0, -2) : type
  const modifiers = /\(([\d, -]+)\)/.exec(element)?.[1]?.split(',').map(Number) ?? []
  return { base: element.replace(/\([\d, -]+\)/, ''), modifiers, array }
}

const whole = ['smallint', 'integer', 'bigint']
const moments: Record<string, string[]> = {
  date: ['timestamp without time zone', 'timestamp with time zone'],
  'timestamp without time zone': ['timestamp with time zone'],
  'timestamp with time zone': ['timestamp without time zone']
}

/** Whether every value of the one type is the same value in the other. In doubt, no. */
function isLossless(from: string, to: string): boolean {
  if (from === to) return true
  const [a, b] = [parse(from), parse(to)]
  if (a.array !== b.array) return false
  const [aSize, aScale = 0] = a.modifiers
  const [bSize, bScale = 0] = b.modifiers
  if (a.base === b.base) {
    if (bSize === undefined) return true
    if (aSize === undefined) return false
    return b.base === 'numeric' ? bScale >= aScale && bSize - bScale >= aSize - aScale : bSize >= aSize
  }
  if (b.base === 'text' || (b.base === 'character varying' && bSize === undefined))
    return a.base !== 'character'
  if (b.base === 'character varying' && (a.base === 'text' || a.base === 'character varying')) return false
  if (whole.includes(a.base)) {
    if (whole.includes(b.base)) return whole.indexOf(b.base) >= whole.indexOf(a.base)
    if (b.base === 'numeric')
      return bSize === undefined || bSize - bScale >= [5, 10, 19][whole.indexOf(a.base)]!
    return b.base === 'double precision' && a.base !== 'bigint'
  }
  if (a.base === 'real') return b.base === 'double precision'
  return moments[a.base]?.includes(b.base) ?? false
}

/** An expression that makes of `value`, which is of type `from`, one of type `to`. */
function castExpression(value: string, from: string, to: string, casts: Details['casts']): string {
  const [a, b] = [parse(from), parse(to)]
  // The same name: another type of it was put aside.
  if (from === to) return isBuiltIn(to) ? `${value}::${to}` : `${value}::text::${to}`
  const direct = a.array === b.array && (a.base === b.base || casts.has(`${a.base} ${b.base}`))
  return direct ? `${value}::${to}` : `${value}::text::${to}`
}

export interface Conversion {
  readonly expression: string
  /** A value can be lost. */
  readonly lossy: boolean
  /** It can become NULL where it was not. */
  readonly empties: boolean
}

/** What is asked of a value: a column's type, or an attribute's. */
type Typed = Pick<Column, 'type' | 'typeOid'>

interface Sides {
  readonly main: Pick<Side, 'details'>
  readonly standby: Pick<Standby, 'details' | 'dependents'>
  /** As the situation has it. */
  readonly unfit: ReadonlySet<string>
}

/**
 * From a column of the standby to main's. Types that were put aside have the same name as their successors. A value that has no
 * counterpart becomes NULL, and with one that only its cast refuses the whole column, save in a primary key, where the server is to
 * refuse it: rows are told apart by that.
 */
export function conversion(wanted: Column, there: Column, table: Relation, sides: Sides): Conversion {
  const { main, standby, unfit } = sides
  const mayEmpty = !isInPrimaryKey(table, there, standby)
  if (mayEmpty && !wanted.identity && unfit.has(`${table.oid}:${there.name}`)) {
    return { expression: `NULL::${wanted.type}`, lossy: true, empties: true }
  }
  return convert(ident(there.name), there, wanted, main.details, standby.details, mayEmpty)
}

/** The conversion's expression where main's type may have no such value: only the values themselves tell. */
export function doubtful(wanted: Column, there: Column, table: Relation, sides: Sides): string | undefined {
  const { expression, lossy, empties } = conversion(wanted, there, table, sides)
  // A text takes every value. A type of the user's is not main's yet.
  const isSure = !lossy || empties || !isBuiltIn(wanted.type) || /^(text|character[^[]*)$/.test(wanted.type)
  return isSure ? undefined : expression
}

function isInPrimaryKey({ oid }: Relation, { number }: Column, { dependents }: Sides['standby']): boolean {
  return dependents
    .of(catalogs.relation, oid)
    .some(
      other =>
        other.on === number &&
        other.catalog === catalogs.constraint &&
        dependents.constraints.get(other.oid)?.kind === 'p'
    )
}

function convert(
  value: string,
  there: Typed,
  wanted: Typed,
  main: Details,
  standby: Details,
  mayEmpty = true
): Conversion {
  const [from, to] = [enumWithin(there.typeOid, standby), enumWithin(wanted.typeOid, main)]
  const isLost = from?.labels.some(label => !to?.labels.includes(label)) === true
  if (mayEmpty && from && to && from.array === to.array && isLost) {
    return { expression: castToEnum(value, to, wanted.type), lossy: true, empties: true }
  }
  const [outer, inner] = [main.types.get(wanted.typeOid), standby.types.get(there.typeOid)]
  const composed =
    outer?.kind === 'c' && inner?.kind === 'c' && castToComposite(value, outer, inner, main, standby)
  if (composed) return composed
  return {
    expression: castExpression(value, there.type, wanted.type, standby.casts),
    lossy: !isLossless(there.type, wanted.type),
    empties: false
  }
}

interface EnumWithin {
  readonly labels: readonly string[]
  readonly array: boolean
}

/** The enum that values of the type are, or that its arrays or domains are made of. */
function enumWithin(oid: number, details: Details, array = false): EnumWithin | undefined {
  if (oid < firstUserOid) return undefined
  const found = details.types.get(oid)
  if (found?.kind === 'e') return { labels: found.labels, array }
  if (found?.kind === 'd') return enumWithin(found.baseOid, details, array)
  const element = [...details.types.values()].find(type => type.array === oid)
  return element && !array ? enumWithin(element.oid, details, true) : undefined
}

/** pg_catalog's types are the only ones that print without a schema. */
function isBuiltIn(type: string): boolean {
  return !/^("(?:[^"]|"")*"|[^\s".(]+)\./.test(type)
}

/** To an enum that lacks some of the old values: what holds one of these becomes NULL, an array as a whole. */
function castToEnum(value: string, { labels, array }: EnumWithin, type: string): string {
  const kept = `ARRAY[${labels.map(label => literal(label)).join(', ')}]::text[]`
  // An element that is NULL is in no array.
  const test = array
    ? `pg_catalog.array_replace(${value}::text[], NULL, ${literal(labels[0] ?? '')}) OPERATOR(pg_catalog.<@) ${kept}`
    : `${value}::text = ANY (${kept})`
  return `CASE WHEN ${test} THEN ${value}::text::${type} END`
}

/** Attribute by attribute, by their names. */
function castToComposite(
  value: string,
  to: TypeDetail,
  from: TypeDetail,
  main: Details,
  standby: Details
): Conversion | undefined {
  const [wanted, there] = [main.relations.get(to.relation), standby.relations.get(from.relation)]
  if (!wanted || !there) return undefined
  let lossy = there.columns.some(column => !wanted.columns.some(other => other.name === column.name))
  const fields = wanted.columns.map(column => {
    const was = there.columns.find(other => other.name === column.name)
    if (!was) return `NULL::${column.type}`
    const change = convert(`(${value}).${ident(column.name)}`, was, column, main, standby)
    lossy ||= change.lossy
    return change.expression
  })
  // Not IS NOT NULL: PostgreSQL transforms it twice where a partition's columns stand in another order ("unrecognized node type").
  const given = `pg_catalog.octet_length(${value}::text) > 0`
  const expression = `CASE WHEN ${given} THEN ROW(${fields.join(', ')})::${to.sql} END`
  return { expression, lossy, empties: false }
}
