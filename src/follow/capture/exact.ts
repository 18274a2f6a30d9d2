/**
 * What JSON cannot carry: for these columns the text that PostgreSQL prints goes beside the record. Everything else is in JSON just as it is
 * printed, but for what `typeInJson` names.
 */
import type { Queryable } from '../../postgres/server.js'
import type { FollowedColumn } from '../table.js'

/** Types with a cast to json, by which PostgreSQL writes them: what that makes of them cannot be read back. As format_type prints them. */
export async function typesCastToJson(sql: Queryable): Promise<ReadonlySet<string>> {
  const rows = await sql.unsafe<{ type: string }[]>(
    `SELECT pg_catalog.format_type(castsource, NULL) AS type FROM pg_catalog.pg_cast
     WHERE casttarget = 'json'::regtype AND castmethod = 'f' AND castsource >= 16384`
  )
  return new Set(rows.map(row => row.type))
}

/**
 * json: what stands in it is JSON itself, and its spaces, NULL beside null, or strings are not kept; arrays: bounds; composites: all of
 * that within.
 */
export const isExact = ({ base, array, kind }: FollowedColumn, cast: ReadonlySet<string>): boolean =>
  array || kind === 'c' || base === 'json' || base === 'jsonb' || cast.has(base)

/** As what a value is taken out of JSON, so that it is printed as the table's own. */
export function typeInJson(column: FollowedColumn, cast: ReadonlySet<string>): string {
  switch (column.base) {
    case 'boolean':
    case 'timestamp without time zone':
    case 'timestamp with time zone':
      return column.base
    default:
      return isExact(column, cast) && !cast.has(column.base) ? column.type : 'text'
  }
}
