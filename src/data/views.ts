/** Materialized views hold rows of their own: they are refreshed after the tables, each after those it reads. */
import { messageOf } from '../core/errors.js'
import { retrying, type RetryPolicy } from '../core/retry.js'
import { qualified } from '../postgres/quote.js'
import type { MaterializedView } from '../postgres/relations.js'
import type { Server } from '../postgres/server.js'
import { unheard } from '../postgres/unheard.js'

/**
 * Refreshes the standby's views that main has populated. Which of those that call functions reads which other is not known: they are
 * refreshed again, all of them, until nothing comes of it.
 * @param existing in the order of readMaterializedViews
 * @param replica the role may set session_replication_role on the standby
 * @returns a sentence for each that could not be refreshed.
 */
export async function refreshViews(
  standby: Server,
  main: readonly Omit<MaterializedView, 'calls'>[],
  existing: readonly MaterializedView[],
  replica: boolean,
  retry: RetryPolicy
): Promise<string[]> {
  const populated = new Set(
    main.filter(view => view.populated).map(view => qualified(view.schema, view.name))
  )
  const wanted = existing.filter(({ schema, name }) => populated.has(qualified(schema, name)))
  const calling = wanted.filter(view => view.calls)
  const refresh = async (views: readonly MaterializedView[]) => {
    const failures: string[] = []
    for (const { schema, name } of views) {
      try {
        const statement = `REFRESH MATERIALIZED VIEW ${qualified(schema, name)}`
        await retrying(`${schema}.${name}`, retry, () => unheard(standby, replica, statement))
      } catch (error) {
        retry.signal.throwIfAborted()
        failures.push(`materialized view ${schema}.${name} could not be refreshed: ${messageOf(error)}`)
      }
    }
    return failures
  }
  const settled = await refresh(wanted.filter(view => !view.calls))
  let failures = await refresh(calling)
  // One that stands alone has nothing to wait for; of others each pass brings at least one to its end.
  for (let pass = 1, before = ''; pass < calling.length; pass++) {
    const now = await contents(standby, calling)
    if (now === before) break
    before = now
    failures = await refresh(calling)
  }
  return [...settled, ...failures]
}

/** The same text as long as their rows are the same. */
async function contents({ sql }: Server, views: readonly MaterializedView[]): Promise<string> {
  const found: string[] = []
  for (const { schema, name } of views) {
    const [row] = await sql
      .unsafe<{ digest: string }[]>(
        `SELECT pg_catalog.count(*) || ' ' || coalesce(pg_catalog.sum(('x' || pg_catalog.left(pg_catalog.md5(v::text), 15))::bit(60)::bigint), 0) AS digest
         FROM ${qualified(schema, name)} v`
      )
      // Not populated: it could not be refreshed yet.
      .catch(() => [])
    found.push(row?.digest ?? '')
  }
  return found.join('\n')
}
