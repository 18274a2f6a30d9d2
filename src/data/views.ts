/** Materialized views hold rows of their own: they are refreshed after the tables, each after those it reads. */
import { messageOf } from '../core/errors.js'
import { retrying, type RetryPolicy } from '../core/retry.js'
import { qualified } from '../postgres/quote.js'
import type { MaterializedView } from '../postgres/relations.js'
import type { Server } from '../postgres/server.js'

/**
 * Refreshes the standby's views that main has populated.
 * @returns a sentence for each that could not be refreshed.
 */
export async function refreshViews(
  standby: Server,
  main: readonly MaterializedView[],
  existing: readonly MaterializedView[],
  retry: RetryPolicy
): Promise<string[]> {
  const populated = new Set(
    main.filter(view => view.populated).map(view => qualified(view.schema, view.name))
  )
  const failures: string[] = []
  for (const { schema, name } of existing) {
    if (!populated.has(qualified(schema, name))) continue
    try {
      const refresh = `REFRESH MATERIALIZED VIEW ${qualified(schema, name)}`
      await retrying(`${schema}.${name}`, retry, async () => standby.sql.unsafe(refresh).simple())
    } catch (error) {
      retry.signal.throwIfAborted()
      failures.push(`materialized view ${schema}.${name} could not be refreshed: ${messageOf(error)}`)
    }
  }
  return failures
}
