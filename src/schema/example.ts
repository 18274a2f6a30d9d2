/** A row that a constraint refuses, where the server names the constraint and not the row. */
import { ident, qualified } from '../postgres/quote.js'
import type { Queryable } from '../postgres/server.js'

const longest = 200

/** What PostgreSQL says of its refusal beside the message. */
export interface Refusal {
  /** SQLSTATE. */
  code?: string | undefined
  schema?: string | undefined
  table?: string | undefined
  column?: string | undefined
  constraint?: string | undefined
}

/** The row as text; undefined where the error is another one, or names its row itself. */
export async function exampleOf(
  sql: Queryable,
  statement: string,
  { code, schema, table, column, constraint }: Refusal
): Promise<string | undefined> {
  if (schema === undefined || table === undefined) return undefined
  const condition =
    code === '23502' && column !== undefined
      ? `t.${ident(column)} IS NULL`
      : code === '23514' && constraint !== undefined
        ? refusedBy(statement)
        : undefined
  if (condition === undefined) return undefined
  const query = `SELECT pg_catalog.left(t::text, ${longest}) AS row FROM ${qualified(schema, table)} AS t WHERE ${condition} LIMIT 1`
  try {
    const [found] = await sql.unsafe<{ row: string }[]>(query)
    return found?.row
  } catch {
    return undefined
  }
}

/** Of `ALTER TABLE … ADD CONSTRAINT name CHECK (expression)`. */
function refusedBy(statement: string): string | undefined {
  const check = / CHECK (\([\s\S]*\))(?: NO INHERIT| NOT VALID)*;\s*$/.exec(statement)?.[1]
  return check && `NOT ${check}`
}
