/**
 * Dates and times: the years that a ClickHouse type holds, the digits of a second that it keeps, and UTC. PostgreSQL prints them so
 * that within four digits of year texts compare as times do.
 */
import type { Codec } from './codecs.js'
import type { SourceType, TargetType } from './types.js'

/** First and last day; of DateTime64, depending on its digits, see below. */
const days: Readonly<Record<string, readonly [string, string]>> = {
  // What the oldest servers hold: later ones hold some years more.
  Date: ['1970-01-01', '2105-12-31'],
  Date32: ['1900-01-01', '2299-12-31']
}

export function dateCodec(target: TargetType): Codec | undefined {
  const span = days[target.base]
  if (!span) return undefined
  const [first, last] = span
  return {
    fits: {
      sql: value => `${value} BETWEEN DATE '${first}' AND DATE '${last}'`,
      text: value => /^\d{4}-\d\d-\d\d$/.test(value) && value >= first && value <= last
    },
    nearest: {
      sql: value => `least(greatest(${value}, DATE '${first}'), DATE '${last}')`,
      text: value => clamped(value, first, last)
    },
    quoted: true
  }
}

/**
 * A column of another time zone than UTC would move or merge times: there is no codec for it.
 * @param zone the server's, for columns that do not name theirs.
 */
export function timestampCodec(
  { base }: SourceType,
  { base: type, args }: TargetType,
  zone: string
): Codec | undefined {
  if (type !== 'DateTime' && type !== 'DateTime64') return undefined
  const digits = type === 'DateTime' ? 0 : Number(args[0] ?? 3)
  const named = args[type === 'DateTime' ? 0 : 1] ?? `'${zone}'`
  if (!/^'(Etc\/)?UTC'$/.test(named)) return undefined
  const [first, last] =
    type === 'DateTime'
      ? ['1970-01-01 00:00:00', '2105-12-31 23:59:59']
      : ['1900-01-01 00:00:00', digits > 8 ? '2262-04-11 23:47:16' : lastMoment(digits)]
  const zoned = base === 'timestamp with time zone'
  // In UTC and without its zone, from here on.
  const local = (value: string) => (zoned ? `(${value} AT TIME ZONE 'UTC')` : value)
  const pattern = new RegExp(`^\\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d:\\d\\d${fraction(digits)}(\\+00)?$`)
  const cut = (value: string) => (digits >= 6 ? value : `${value}::timestamp(${digits})`)
  return {
    fits: {
      sql: value =>
        `${local(value)} BETWEEN TIMESTAMP '${first}' AND TIMESTAMP '${last}'` +
        (digits >= 6 ? '' : ` AND ${cut(local(value))} = ${local(value)}`),
      text: value => {
        const bare = value.replace(/\+00$/, '')
        return pattern.test(value) && bare >= first && bare <= last
      }
    },
    nearest: {
      // Cut off, not rounded: a time is never later than it was.
      sql: value => {
        const bounded = `least(greatest(${local(value)}, TIMESTAMP '${first}'), TIMESTAMP '${last}')`
        const whole = digits >= 6 ? bounded : truncated(bounded, digits)
        return zoned ? `(${whole} AT TIME ZONE 'UTC')` : whole
      },
      text: value => {
        const within = clamped(value.replace(/\+00$/, ''), first, last)
        return digits >= 6
          ? within
          : within.replace(new RegExp(`(\\.\\d{${digits}})\\d*$`), '$1').replace(/\.$/, '')
      }
    },
    ...(zoned && {
      render: { sql: local, text: (value: string) => value.replace(/\+00$/, '') }
    }),
    quoted: true
  }
}

const lastMoment = (digits: number) =>
  `2299-12-31 23:59:59${digits > 0 ? `.${'9'.repeat(Math.min(digits, 6))}` : ''}`

/** Of up to so many digits. */
const fraction = (digits: number) => (digits === 0 ? '' : `(\\.\\d{1,${digits}})?`)

/** SQL: to so many digits of a second. */
function truncated(value: string, digits: number): string {
  const unit = 10 ** (6 - digits)
  return `(${value} - (((extract(microseconds FROM ${value})::bigint % ${unit})::text || ' microseconds')::interval))`
}

function clamped(value: string, first: string, last: string): string {
  if (value === '-infinity' || value.endsWith(' BC')) return first
  if (value === 'infinity' || /^\d{5}/.test(value)) return last
  return value < first ? first : value > last ? last : value
}
