/** From one type to another: by which expression, and whether a value can be lost on the way. */
import { ident, literal } from '../../../postgres/quote.js'
import type { Column, Details, TypeDetail } from '../../details/details.js'

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

/** From a column of the standby to main's. Types that were put aside have the same name as their successors. */
export function conversion(wanted: Column, there: Column, main: Details, standby: Details): Conversion {
  const value = ident(there.name)
  const [to, from] = [main.types.get(wanted.typeOid), standby.types.get(there.typeOid)]
  if (to?.kind === 'e' && from?.kind === 'e' && from.labels.some(label => !to.labels.includes(label))) {
    return { expression: castToEnum(value, to), lossy: true, empties: true }
  }
  if (to?.kind === 'c' && from?.kind === 'c') {
    const composed = castToComposite(value, to, from, main, standby)
    if (composed) return composed
  }
  const lossy = !isLossless(there.type, wanted.type)
  if (wanted.type !== there.type) {
    return {
      expression: castExpression(value, there.type, wanted.type, standby.casts),
      lossy,
      empties: false
    }
  }
  const expression = isBuiltIn(wanted.type) ? `${value}::${wanted.type}` : `${value}::text::${wanted.type}`
  return { expression, lossy, empties: false }
}

/** pg_catalog's types are the only ones that print without a schema. */
function isBuiltIn(type: string): boolean {
  return !/^("(?:[^"]|"")*"|[^\s".(]+)\./.test(type)
}

/** To an enum that lacks some of the old values: rows that hold these become NULL. */
function castToEnum(value: string, to: TypeDetail): string {
  const labels = to.labels.map(label => literal(label)).join(', ')
  return `CASE WHEN ${value}::text = ANY (ARRAY[${labels}]::text[]) THEN ${value}::text::${to.sql} END`
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
    const field = `(${value}).${ident(column.name)}`
    const [inner, outer] = [standby.types.get(was.typeOid), main.types.get(column.typeOid)]
    if (inner?.kind === 'c' && outer?.kind === 'c') {
      const within = castToComposite(field, outer, inner, main, standby)
      lossy ||= within?.lossy ?? false
      if (within) return within.expression
    }
    lossy ||= !isLossless(was.type, column.type)
    return was.type === column.type && isBuiltIn(column.type)
      ? field
      : castExpression(field, was.type, column.type, standby.casts)
  })
  // Not IS NOT NULL: PostgreSQL transforms it twice where a partition's columns stand in another order ("unrecognized node type").
  const given = `pg_catalog.octet_length(${value}::text) > 0`
  const expression = `CASE WHEN ${given} THEN ROW(${fields.join(', ')})::${to.sql} END`
  return { expression, lossy, empties: false }
}
