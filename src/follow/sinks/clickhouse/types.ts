/**
 * PostgreSQL's types as ClickHouse's. A type is chosen only where it holds the values as they are; what an old server has no such type
 * for is a String with PostgreSQL's own text. Arrays may be NULL in PostgreSQL and not in ClickHouse: they are arrays only where the
 * column is NOT NULL. Times are in UTC, so that no hour of theirs is missing or there twice.
 */
import type { FollowedColumn } from '../../table.js'
import type { Capabilities } from './capabilities.js'

/** A ClickHouse type, taken apart: `LowCardinality(Nullable(String))` is String, nullable. */
export interface TargetType {
  /** As ClickHouse writes it. */
  readonly text: string
  readonly base: string
  readonly args: readonly string[]
  readonly nullable: boolean
  /** Of an Array. */
  readonly element?: TargetType
}

export function parseType(text: string): TargetType {
  let inner = text.trim()
  let nullable = false
  for (;;) {
    const wrapped = /^(Nullable|LowCardinality)\((.*)\)$/s.exec(inner)
    if (!wrapped) break
    if (wrapped[1] === 'Nullable') nullable = true
    inner = wrapped[2]!
  }
  const [, base = inner, args] = /^(\w+)(?:\((.*)\))?$/s.exec(inner) ?? []
  const element = base === 'Array' && args !== undefined ? { element: parseType(args) } : {}
  return { text, base, args: args === undefined ? [] : args.split(/,\s*/), nullable, ...element }
}

/** What a value is in PostgreSQL, without the column around it. */
export interface SourceType {
  /** Under all domains, without modifier: `timestamp with time zone`. */
  readonly base: string
  /** Digits in all and behind the point, of a numeric that says so. */
  readonly digits?: readonly [number, number]
  readonly enumeration: boolean
  readonly element?: SourceType
}

type Typed = Pick<FollowedColumn, 'type' | 'base' | 'kind' | 'array'>

export function sourceType({ type, base, kind, array }: Typed): SourceType {
  // Elements of box[] stand between semicolons.
  if (array && base !== 'box[]') {
    const element = {
      type: type.replace(/\[\]$/, ''),
      base: base.replace(/\[\]$/, ''),
      kind: 'b',
      array: false
    }
    return { base, enumeration: false, element: sourceType(element) }
  }
  const digits = base === 'numeric' ? /^numeric\((\d+),(-?\d+)\)$/.exec(type) : null
  const bounds = digits && ([Number(digits[1]), Number(digits[2])] as const)
  return { base, enumeration: kind === 'e', ...(bounds && { digits: bounds }) }
}

const plain: Readonly<Record<string, string>> = {
  smallint: 'Int16',
  integer: 'Int32',
  bigint: 'Int64',
  real: 'Float32',
  uuid: 'UUID'
}

function bare(source: SourceType, can: Capabilities): string {
  const { base, digits, enumeration } = source
  if (enumeration) return can.lowCardinality ? 'LowCardinality(String)' : 'String'
  if (digits) {
    const [all, fraction] = digits
    if (all <= can.decimalDigits && fraction >= 0 && fraction <= all) return `Decimal(${all}, ${fraction})`
  }
  switch (base) {
    case 'boolean':
      return can.bool ? 'Bool' : 'UInt8'
    case 'double precision':
      return can.exactFloats ? 'Float64' : 'String'
    case 'date':
      return can.dates ? 'Date32' : 'String'
    case 'timestamp without time zone':
    case 'timestamp with time zone':
      return can.dates ? `DateTime64(6, 'UTC')` : 'String'
    default:
      return plain[base] ?? 'String'
  }
}

function nullable(type: string): string {
  const low = /^LowCardinality\((.*)\)$/.exec(type)
  return low ? `LowCardinality(Nullable(${low[1]}))` : `Nullable(${type})`
}

/** @param filled the column is of the key, or NOT NULL. */
export function clickHouseType(column: Typed, filled: boolean, can: Capabilities): string {
  const source = sourceType(column)
  if (source.element) {
    return filled ? `Array(${nullable(bare(source.element, can))})` : 'Nullable(String)'
  }
  const type = bare(source, can)
  return filled ? type : nullable(type)
}
