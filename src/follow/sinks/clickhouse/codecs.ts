/**
 * How a value of a PostgreSQL type becomes one of a ClickHouse type, told twice: as SQL, for the first copy, and on the text that
 * PostgreSQL printed, for changes. Both say the same of every value (test/follow/sinks/clickhouse/values.test.ts compares them).
 * Neither ClickHouse nor its error decides whether a value fits: it wraps numbers and dates that do not, and says nothing.
 */
import { dateCodec, timestampCodec } from './times.js'
import { decimalCodec, integerCodec, limits } from './numbers.js'
import type { SourceType, TargetType } from './types.js'

/** About values that are not NULL; what is left out says that all fit, or stay as they are. `value` is SQL of the type itself. */
export interface Codec {
  fits?: Rule<string, boolean>
  /** The nearest that fits, still PostgreSQL's; undefined: none is near. */
  nearest?: Rule<string, string | undefined>
  /** What ClickHouse reads. */
  render?: Rule<string, string>
  /** Stands in quotes within an array. */
  quoted: boolean
}

interface Rule<T, R> {
  sql(value: string): string
  text(value: T): R
}

const asItIs: Codec = { quoted: true }
const number: Codec = { quoted: false }

const flag = (yes: string, no: string): Codec => ({
  render: {
    sql: value => `CASE WHEN ${value} THEN '${yes}' WHEN NOT ${value} THEN '${no}' END`,
    text: value => (value === 't' ? yes : no)
  },
  quoted: false
})

const whole = new Set(['smallint', 'integer', 'bigint', 'oid'])
const fractional = new Set(['real', 'double precision'])

/**
 * undefined: values of the one type cannot stand in the other. Arrays are made of the codec of their elements (values.ts).
 * @param zone the server's time zone.
 */
export function codecFor(source: SourceType, target: TargetType, zone: string): Codec | undefined {
  const { base } = source
  if (target.base === 'String') return asItIs
  if (/^Enum(8|16)?$/.test(target.base)) return asItIs
  if (base === 'boolean') {
    if (target.base === 'Bool') return flag('true', 'false')
    return target.base in limits ? flag('1', '0') : undefined
  }
  if (base === 'uuid') return target.base === 'UUID' ? asItIs : undefined
  if (target.base in limits) {
    return whole.has(base) || base === 'numeric' ? integerCodec(base, target.base) : undefined
  }
  if (target.base.startsWith('Decimal')) {
    return whole.has(base) || base === 'numeric' ? decimalCodec(source, target) : undefined
  }
  // A double in a Float32 would lose digits.
  if (target.base === 'Float64') return fractional.has(base) ? number : undefined
  if (target.base === 'Float32') return base === 'real' ? number : undefined
  if (base === 'date') return dateCodec(target)
  if (base.startsWith('timestamp')) return timestampCodec(source, target, zone)
  return undefined
}
