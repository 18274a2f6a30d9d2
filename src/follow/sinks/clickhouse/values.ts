/**
 * One column's values on their way into ClickHouse: what to do with those that do not fit, in SQL for the first copy and in JavaScript
 * for changes. In SQL a value that is an error becomes a mark that no value can hold, and is found in the rows as they pass (load.ts):
 * nothing is read twice, and ClickHouse never has to understand it.
 */
import { randomBytes } from 'node:crypto'
import type { FollowConfig } from '../../config.js'
import type { FollowedColumn } from '../../table.js'
import { literal } from '../../../postgres/quote.js'
import { arrayOf, arraySql, elementsOf, quotedElement, quotedElementSql } from './arrays.js'
import { type Codec, codecFor } from './codecs.js'
import { parseType, sourceType, type SourceType, type TargetType } from './types.js'

type Unfit = FollowConfig['unfit']

/** What stands before a value that does not fit; behind it comes PostgreSQL's text of the value, `\N` for NULL. */
export const mark = `\u0001unfit:${randomBytes(9).toString('base64url')}:`

/** Thrown by Carrier.text. */
export class UnfitValue extends Error {}

export interface Carrier {
  /** SQL instead of the column; undefined: the column's own text will do. */
  sql(value: string): string | undefined
  /** The same for the text of a value, `null` for NULL; undefined: every text stays as it is. @throws UnfitValue */
  readonly text: ((value: string | null) => string | null) | undefined
}

/**
 * @param type ClickHouse's, as it writes it.
 * @returns undefined where values of the column cannot stand in that type.
 */
export function carrierOf(
  column: FollowedColumn,
  filled: boolean,
  type: string,
  unfit: Unfit,
  zone: string
): Carrier | undefined {
  const source = sourceType(column)
  const target = parseType(type)
  const mayBeNull = !filled && !target.nullable
  if (target.element)
    return source.element && arrayCarrier(source.element, target.element, mayBeNull, unfit, zone)
  const codec = codecFor(source, target, zone)
  return codec && scalarCarrier(codec, target, mayBeNull, unfit)
}

const marked = (value: string) => `${literal(mark)} || coalesce(${value}::text, '\\N')`

/** @param missing NULLs come, and the target takes none. */
function scalarCarrier(codec: Codec, target: TargetType, missing: boolean, unfit: Unfit): Carrier {
  const { fits, render } = codec
  if (!fits && !render && !missing) return { sql: () => undefined, text: undefined }
  const one = choose(codec, target.nullable, unfit)
  return {
    sql: value => {
      const shown = one.sql(value, marked(value))
      return missing ? `CASE WHEN ${value} IS NULL THEN ${marked(value)} ELSE ${shown} END` : shown
    },
    text: value => {
      if (value !== null) return one.text(value)
      if (missing) throw new UnfitValue()
      return null
    }
  }
}

/** What becomes of one value that is not NULL; in SQL, NULL stays NULL. */
function choose({ fits, nearest, render }: Codec, nullable: boolean, unfit: Unfit) {
  const asSql = (value: string) => `(${render ? render.sql(value) : value})::text`
  const asText = (value: string) => (render ? render.text(value) : value)
  const near = unfit === 'clamp' ? nearest : undefined
  // A value that nothing is near to (NaN) is NULL where that can be.
  const orNull = unfit !== 'error' && nullable
  return {
    sql(value: string, refused: string): string {
      if (!fits) return asSql(value)
      const last = orNull ? 'NULL' : refused
      const other = near ? `coalesce(${asSql(near.sql(value))}, ${last})` : last
      return `CASE WHEN ${value} IS NULL THEN NULL WHEN ${fits.sql(value)} THEN ${asSql(value)} ELSE ${other} END`
    },
    text(value: string): string | null {
      if (!fits || fits.text(value)) return asText(value)
      const other = near?.text(value)
      if (other !== undefined) return asText(other)
      if (orNull) return null
      throw new UnfitValue()
    }
  }
}

/** ClickHouse's arrays are never NULL: they are empty then. */
function arrayCarrier(
  source: SourceType,
  target: TargetType,
  missing: boolean,
  unfit: Unfit,
  zone: string
): Carrier | undefined {
  if (target.element) return undefined
  const codec = codecFor(source, target, zone)
  if (!codec) return undefined
  const one = choose(codec, target.nullable, unfit)
  const refused = 'NULL'
  // An old server takes NaN, but for its sign, for the beginning of NULL.
  const inQuotes = (text: string) =>
    codec.quoted ? quotedElementSql(text) : `replace(${text}, 'NaN', '-nan')`
  /** Whether an element is an error: SQL. */
  const wrong = [
    ...(target.nullable ? [] : ['u.e IS NULL']),
    ...(codec.fits ? [`u.e IS NOT NULL AND (${one.sql('u.e', refused)}) IS NULL`] : [])
  ]
  // Where an element that does not fit may be NULL, none is an error.
  const errors = target.nullable && unfit !== 'error' ? [] : wrong
  return {
    sql: value => {
      const elements = arraySql(value, inQuotes(one.sql('u.e', refused)))
      const refusals = [
        `WHEN array_ndims(${value}) > 1 THEN ${marked(value)}`,
        ...(errors.length === 0
          ? []
          : [
              `WHEN EXISTS (SELECT FROM unnest(${value}) AS u(e) WHERE ${errors.map(test => `(${test})`).join(' OR ')}) THEN ${marked(value)}`
            ])
      ]
      const empty = missing ? `WHEN ${value} IS NULL THEN '[]'` : ''
      return `CASE ${empty} ${refusals.join(' ')} ELSE ${elements} END`
    },
    text: value => {
      if (value === null) {
        if (missing) return '[]'
        throw new UnfitValue()
      }
      const elements = elementsOf(value)
      if (!elements) throw new UnfitValue()
      return arrayOf(
        elements.map(element => {
          const shown = element === null ? null : one.text(element)
          if (shown === null && !target.nullable) throw new UnfitValue()
          return shown === null ? 'NULL' : codec.quoted ? quotedElement(shown) : shown.replace('NaN', '-nan')
        })
      )
    }
  }
}
