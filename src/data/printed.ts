/**
 * Values as they are shown: a whole text where it is short, and of a long one its beginning, its size and its MD5, all
 * made by the server, so that a value of any size never comes here to be looked at.
 */
import { ident } from '../postgres/quote.js'
import type { Column } from '../postgres/tables.js'

/** Bytes of a value's text beyond which only its beginning is shown. */
const longest = 65_536
/** Characters of that beginning. */
const beginning = 200

/** What a value is preceded by where its text may be long: whether it is whole. */
const [whole, part] = ['=', '~']

const short = new Set([
  'smallint', 'integer', 'bigint', 'boolean', 'uuid', 'date', 'oid', 'real', 'double precision', 'money', 'interval', 'name',
  'time without time zone', 'time with time zone', 'timestamp without time zone', 'timestamp with time zone', '"char"',
  'inet', 'cidr', 'macaddr', 'macaddr8'
]) // prettier-ignore

export interface Printed {
  text: string | null
  /** Only its beginning is there. */
  cut: boolean
}

const isShort = (column: Column) => column.kind === 'e' || short.has(column.base)

/** SQL of the value over `t`, to be read by `printed`. */
export function printing(column: Column): string {
  const value = `t.${ident(column.name)}`
  if (isShort(column)) return `${value}::text`
  // As text bytes would be twice as long, and the largest could not be printed at all.
  const bytes = column.base === 'bytea'
  const text = bytes ? value : `${value}::text`
  const first = bytes
    ? `pg_catalog.substr(${value}, 1, ${beginning / 2})::text`
    : `pg_catalog.left(${text}, ${beginning})`
  const size = `pg_catalog.octet_length(${text})`
  return `CASE WHEN ${size} > ${bytes ? longest / 2 : longest}
    THEN '${part}' || ${first} || '… (' || ${size} || ' bytes, MD5 ' || pg_catalog.md5(${text}) || ')' ELSE '${whole}' || ${value}::text END`
}

export function printed(column: Column, text: string | null): Printed {
  if (text === null || isShort(column)) return { text, cut: false }
  return { text: text.slice(1), cut: text.startsWith(part) }
}
