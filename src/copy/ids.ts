/** Ids: PostgreSQL's bigint, as JavaScript's. */
import type { Row } from './types.js'

/** −2^63 */
export const lowestId = -(2n ** 63n)
/** 2^63: the end, itself no id, of a range that goes to the greatest. */
export const idsEnd = 2n ** 63n

const digits = /^-?\d{1,19}$/

/** The id of a row, where its first value is one. A number that may have lost digits is none. */
export function idOf(row: Row): bigint | undefined {
  const [value] = row
  if (typeof value === 'bigint') return value
  if (typeof value === 'string') return digits.test(value) ? BigInt(value) : undefined
  return Number.isSafeInteger(value) ? BigInt(value as number) : undefined
}
