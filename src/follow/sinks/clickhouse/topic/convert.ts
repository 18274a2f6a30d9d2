/**
 * From a message's text to a value, in ClickHouse's SQL: what codecs.ts says of values in PostgreSQL's SQL and in JavaScript, said a third
 * time. Every expression is total: it is NULL where the text does not fit the type, and never throws or wraps around, whatever order
 * ClickHouse evaluates in; whether NULL may stand there is for the view to say.
 */
import type { FollowConfig } from '../../../config.js'
import { literal } from '../names.js'
import { parseType, type TargetType } from '../types.js'

type Unfit = FollowConfig['unfit']

/** SQL over SQL of a text that may be NULL. */
type Sql = (text: string) => string

export interface Conversion {
  /** Of the column's type, or that as Nullable. */
  value: Sql
  /** SQL over the text and what became of it: whether the column cannot take it; undefined: it takes all. */
  refused: ((text: string, value: string) => string) | undefined
}

/**
 * @param type ClickHouse's, as types.ts chose it.
 * @param variable what names that lambdas may use begin with.
 */
export function conversionOf(type: string, unfit: Unfit, variable: string): Conversion {
  const target = parseType(type)
  if (!target.element) {
    const { value, exact } = scalar(target, unfit)
    const all = exact || (unfit !== 'error' && target.nullable)
    return { value, refused: all ? undefined : missed }
  }
  const { value, exact } = scalar(target.element, unfit)
  const [one, two] = [`${variable}e`, `${variable}n`]
  const nested: Sql = text => `startsWith(${body(text)}, '{{')`
  return {
    value: text => `arrayMap(${one} -> ${value(one)}, ${elements(text, one)})`,
    refused: (text, made) =>
      exact || unfit !== 'error'
        ? nested(text)
        : `${nested(text)} OR arrayExists((${one}, ${two}) -> ${missed(one, two)}, ${elements(text, one)}, ${made})`
  }
}

const missed = (text: string, value: string): string => `isNotNull(${text}) AND isNull(${value})`

interface Scalar {
  value: Sql
  /** Every text that main prints fits. */
  exact: boolean
}

function scalar({ base, args, text: type }: TargetType, unfit: Unfit): Scalar {
  const bare = type.replace(/^Nullable\((.*)\)$/, '$1')
  const cast: Sql = text => `accurateCastOrNull(${text}, ${literal(bare)})`
  const guarded = (fits: Sql): Sql => {
    return text => `if(${fits(text)}, ${cast(text)}, NULL)`
  }
  switch (base) {
    case 'Bool':
      return {
        value: text => `multiIf(${text} IN ('true', 't'), true, ${text} IN ('false', 'f'), false, NULL)`,
        exact: false
      }
    case 'Float32':
    case 'Float64':
      return { value: float(base), exact: false }
    case 'Decimal': {
      const [digits = 0, scale = 0] = args.map(Number)
      const whole = Math.max(digits - scale, 1)
      const pattern = `^-?[0-9]{1,${whole}}${scale > 0 ? `[.][0-9]{${scale}}` : ''}$`
      // ClickHouse would take a digit more than the type has, and leave out those behind the scale.
      return { value: guarded(text => `match(${text}, ${literal(pattern)})`), exact: false }
    }
    case 'Date32':
      return {
        value: bounded(
          '^[0-9]{4}-[0-9]{2}-[0-9]{2}$',
          '1900-01-01',
          '2299-12-31',
          guarded,
          unfit === 'clamp'
        ),
        exact: false
      }
    case 'DateTime64': {
      const pattern = '^[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}([.][0-9]{1,6})?$'
      const [first, last] = ['1900-01-01 00:00:00', '2299-12-31 23:59:59.999999']
      const local = bounded(pattern, first, last, guarded, unfit === 'clamp')
      return { value: text => local(`replaceRegexpOne(${text}, '[+]00$', '')`), exact: false }
    }
    case 'String':
      return { value: text => text, exact: true }
    default:
      return { value: cast, exact: false }
  }
}

/** Within years of four digits, texts compare as times do. */
function bounded(
  pattern: string,
  first: string,
  last: string,
  guarded: (fits: Sql) => Sql,
  clamp: boolean
): Sql {
  const [low, high] = [literal(first), literal(last)]
  const value = guarded(
    text => `match(${text}, ${literal(pattern)}) AND ${text} >= ${low} AND ${text} <= ${high}`
  )
  if (!clamp) return value
  return text =>
    value(
      `multiIf(${text} = '-infinity' OR endsWith(${text}, ' BC'), ${low}, ${text} = 'infinity' OR match(${text}, '^[0-9]{5}'), ${high}, ` +
        `${text} < ${low}, ${low}, ${text} > ${high}, ${high}, ${text})`
    )
}

/**
 * JSON's reader gives the nearest double, whatever the server's settings; one without a point or exponent it would take for a whole number,
 * which has no −0 and an end. A Float32 is rounded from the double, which gives the nearest again, but for one value: of all that have
 * 32 bits, and both signs, this is the only one whose shortest text lies so near the middle between two.
 */
function float(type: 'Float32' | 'Float64'): Sql {
  const twice = '7.038531e-26'
  const bits = 0x15ae43fd
  const exceptions =
    type === 'Float64'
      ? []
      : [
          ['= ' + literal(twice), `reinterpretAsFloat32(toUInt32(${bits}))`],
          ['= ' + literal(`-${twice}`), `-reinterpretAsFloat32(toUInt32(${bits}))`]
        ]
  const cases = [["= 'NaN'", 'nan'], ["= 'Infinity'", 'inf'], ["= '-Infinity'", '-inf'], ...exceptions]
  return text => {
    const json = `if(match(${text}, '^-?[0-9]+$'), concat(${text}, '.0'), ${text})`
    const shown = cases.map(([test, value]) => `${text} ${test}, ${value}, `).join('')
    return `CAST(multiIf(${shown}JSONExtract(ifNull(${json}, ''), 'Nullable(${type})')), 'Nullable(${type})')`
  }
}

/** An array's text without the bounds that may stand before it; no text at all where it is NULL. */
const body: Sql = text => `substring(ifNull(${text}, ''), position(ifNull(${text}, ''), '{'))`

/** The elements as Nullable(String), as arrays.ts reads them. */
function elements(text: string, variable: string): string {
  const token = literal(String.raw`(?s)"(?:[^"\\]|\\.)*"|[^,"{}]+`)
  const inner = `replaceRegexpAll(substring(${variable}, 2, length(${variable}) - 2), ${literal(String.raw`(?s)\\(.)`)}, ${literal(String.raw`\1`)})`
  return `arrayMap(${variable} -> if(${variable} = 'NULL', NULL, if(startsWith(${variable}, '"'), ${inner}, ${variable})), extractAll(${body(text)}, ${token}))`
}
