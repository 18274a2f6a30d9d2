/** Whole numbers and decimals: what a ClickHouse type holds, and the nearest to what it does not. */
import type { Codec } from './codecs.js'
import type { SourceType, TargetType } from './types.js'

/** The least and the greatest value. */
export const limits: Readonly<Record<string, readonly [bigint, bigint]>> = Object.fromEntries(
  [8n, 16n, 32n, 64n, 128n, 256n].flatMap(bits => [
    [`Int${bits}`, [-(2n ** (bits - 1n)), 2n ** (bits - 1n) - 1n]] as const,
    [`UInt${bits}`, [0n, 2n ** bits - 1n]] as const
  ])
)

const sources: Readonly<Record<string, readonly [bigint, bigint]>> = {
  smallint: limits.Int16!,
  integer: limits.Int32!,
  bigint: limits.Int64!,
  oid: limits.UInt32!
}

export function integerCodec(source: string, target: string): Codec {
  const [least, greatest] = limits[target]!
  const own = sources[source]
  if (own && own[0] >= least && own[1] <= greatest) return { quoted: false }
  // As numerics: a bound may be beyond the value's own type.
  const bound = (value: bigint) => `'${value}'::numeric`
  return {
    fits: {
      sql: value =>
        `${value}::numeric BETWEEN ${bound(least)} AND ${bound(greatest)} AND ${value}::numeric = trunc(${value}::numeric)`,
      text: value => {
        const parts = partsOf(value)
        return (
          parts !== undefined && /^0*$/.test(parts.fraction) && within(toWhole(parts, 0), least, greatest)
        )
      }
    },
    nearest: nearestOf(0, least, greatest),
    render: {
      sql: value => `trunc(${value}::numeric)`,
      text: value => value.replace(/\.0*$/, '')
    },
    quoted: false
  }
}

/** Numeric to Decimal; a NaN has nothing near it. */
export function decimalCodec(source: SourceType, target: TargetType): Codec | undefined {
  const size = sizeOf(target)
  if (!size) return undefined
  const [digits, scale] = size
  const own = source.digits
  const greatest = 10n ** BigInt(digits) - 1n
  if (own && own[1] >= 0 && own[1] <= scale && own[0] - own[1] <= digits - scale) {
    return {
      fits: { sql: value => `${value} <> 'NaN'`, text: value => value !== 'NaN' },
      quoted: false
    }
  }
  const bound = `'1e${digits - scale}'::numeric`
  return {
    fits: {
      // NaN and Infinity are greater than any bound.
      sql: value =>
        `abs(${value}::numeric) < ${bound} AND ${value}::numeric = round(${value}::numeric, ${scale})`,
      text: value => {
        const parts = partsOf(value)
        return (
          parts !== undefined &&
          /^0*$/.test(parts.fraction.slice(scale)) &&
          within(toWhole(parts, scale), -greatest, greatest)
        )
      }
    },
    nearest: nearestOf(scale, -greatest, greatest),
    // Old servers refuse more digits behind the point, even where they are noughts.
    render: {
      sql: value => `round(${value}::numeric, ${scale})`,
      text: value => {
        const parts = partsOf(value)
        return parts ? fromWhole(toWhole(parts, scale), scale) : value
      }
    },
    quoted: false
  }
}

/** Decimal(P, S), Decimal64(S) and so on: digits in all, and behind the point. */
function sizeOf({ base, args }: TargetType): [number, number] | undefined {
  const [first, second] = args.map(Number)
  const fixed: Record<string, number> = { Decimal32: 9, Decimal64: 18, Decimal128: 38, Decimal256: 76 }
  if (base === 'Decimal') return [first ?? 10, second ?? 0]
  const digits = fixed[base]
  return digits === undefined || first === undefined ? undefined : [digits, first]
}

interface Parts {
  minus: boolean
  whole: string
  fraction: string
}

/** Of a number as PostgreSQL prints it; undefined for NaN and the infinities. */
function partsOf(value: string): Parts | undefined {
  const found = /^(-?)(\d+)(?:\.(\d+))?$/.exec(value)
  return found ? { minus: found[1] === '-', whole: found[2]!, fraction: found[3] ?? '' } : undefined
}

/** In units of the last place, rounded half away from zero as PostgreSQL does. */
function toWhole({ minus, whole, fraction }: Parts, scale: number): bigint {
  const kept = fraction.slice(0, scale).padEnd(scale, '0')
  const up = (fraction[scale] ?? '0') >= '5' ? 1n : 0n
  const size = BigInt(whole + kept) + up
  return minus ? -size : size
}

function fromWhole(value: bigint, scale: number): string {
  const digits = (value < 0n ? -value : value).toString().padStart(scale + 1, '0')
  const cut = digits.length - scale
  const sign = value < 0n ? '-' : ''
  return scale === 0 ? sign + digits : `${sign}${digits.slice(0, cut)}.${digits.slice(cut)}`
}

const within = (value: bigint, least: bigint, greatest: bigint) => value >= least && value <= greatest

function nearestOf(scale: number, least: bigint, greatest: bigint): NonNullable<Codec['nearest']> {
  const low = fromWhole(least, scale)
  const high = fromWhole(greatest, scale)
  return {
    sql: value =>
      `CASE WHEN ${value}::numeric = 'NaN' THEN NULL
        ELSE least(greatest(CASE WHEN ${value}::numeric BETWEEN '${low}' AND '${high}' THEN round(${value}::numeric, ${scale}) ELSE ${value}::numeric END, '${low}'::numeric), '${high}'::numeric) END`,
    text: value => {
      if (value === 'NaN') return undefined
      if (value === 'Infinity') return high
      if (value === '-Infinity') return low
      const found = toWhole(partsOf(value)!, scale)
      return fromWhole(found < least ? least : found > greatest ? greatest : found, scale)
    }
  }
}
