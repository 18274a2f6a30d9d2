/**
 * Materialized views hold rows of their own, which only REFRESH can write: what a view holds is one digest, and a view of the standby that
 * holds something else than main's is refreshed after the tables, each after those that it reads.
 */
import { messageOf } from '../core/errors.js'
import { retrying, type RetryPolicy } from '../core/retry.js'
import { inOwnSession } from '../postgres/backend.js'
import { qualified } from '../postgres/quote.js'
import type { MaterializedView } from '../postgres/relations.js'
import type { Server } from '../postgres/server.js'
import { inSilence } from '../postgres/unheard.js'
import { sameDigest, type Digest } from './digest.js'
import type { Explanation } from './explain.js'

/** What a view holds; null: it is not populated. Or why that could not be found out, or, as it is another view, cannot be compared. */
export type Held = Digest | null | (Explanation & { other?: true })

export interface ViewResult {
  schema: string
  name: string
  status: 'identical' | 'differs' | 'synced' | 'failed'
  /** Its rows, on the standby before the run; null: not populated, not there, or not read. */
  main: number | null
  standby: number | null
  reason?: string
  hint?: string
}

/** @param theirs undefined: the standby has no such view. */
export function compareView(
  { schema, name }: Pick<ViewResult, 'schema' | 'name'>,
  ours: Held,
  theirs: Held | undefined
): ViewResult {
  const rows = (held: Held | undefined) => (held && 'count' in held ? held.count : null)
  const result = { schema, name, main: rows(ours), standby: rows(theirs) }
  for (const held of [ours, theirs]) {
    if (!held || !('reason' in held)) continue
    const { sqlstate: _, other, ...why } = held
    return { ...result, status: other ? 'differs' : 'failed', ...why }
  }
  if (theirs === undefined) return { ...result, status: 'differs', reason: 'missing on the standby' }
  if (holdsAlike(ours, theirs)) return { ...result, status: 'identical' }
  if (ours && theirs) return { ...result, status: 'differs' }
  return { ...result, status: 'differs', reason: `not populated on ${ours ? 'the standby' : 'main'}` }
}

/** Both are known, and the same. */
export function holdsAlike(one: Held, other: Held): boolean {
  if (one === null || other === null) return one === other
  return 'count' in one && 'count' in other && sameDigest(one, other)
}

/**
 * Refreshes views of the standby; those that main has not populated are emptied. Which of those that call functions reads which other is
 * not known: they are refreshed again until nothing comes of it.
 * @param views in the order of readMaterializedViews, `populated` as on main
 * @param replica the role may set session_replication_role on the standby
 * @param held a text of what a view holds, which is another one when that is; undefined: it is what main's holds
 * @returns why, for each that could not be refreshed.
 */
export async function refreshViews(
  standby: Server,
  views: readonly MaterializedView[],
  replica: boolean,
  retry: RetryPolicy,
  held: (view: MaterializedView) => Promise<string | undefined>
): Promise<Map<MaterializedView, string>> {
  const failures = new Map<MaterializedView, string>()
  const refresh = async (view: MaterializedView) => {
    const name = qualified(view.schema, view.name)
    const statement = `REFRESH MATERIALIZED VIEW ${name} WITH ${view.populated ? '' : 'NO '}DATA`
    try {
      await retrying(name, retry, () =>
        inOwnSession(standby, retry.signal, client => client.query(inSilence(replica, statement)))
      )
      failures.delete(view)
    } catch (error) {
      retry.signal.throwIfAborted()
      failures.set(view, `could not be refreshed: ${messageOf(error)}`)
    }
  }
  for (const view of views.filter(({ populated }) => populated)) await refresh(view)
  let calling = views.filter(({ populated, calls }) => populated && calls)
  // One that stands alone has nothing to wait for; of others each pass brings at least one to its end.
  for (let left = calling.length - 1, before = ''; left > 0; left--) {
    const found: { view: MaterializedView; text: string | undefined }[] = []
    for (const view of calling) found.push({ view, text: await held(view) })
    calling = found.filter(({ text }) => text !== undefined).map(({ view }) => view)
    const now = found.map(({ text }) => text).join('\n')
    if (now === before) break
    before = now
    for (const view of calling) await refresh(view)
  }
  // Only now: others may be made from what they hold.
  for (const view of views.filter(({ populated }) => !populated)) await refresh(view)
  return failures
}

/** The same text as long as the view's rows are the same on this server. */
export async function contents({ sql }: Server, { schema, name }: MaterializedView): Promise<string> {
  const [row] = await sql
    .unsafe<{ digest: string }[]>(
      `SELECT pg_catalog.count(*) || ' ' || coalesce(pg_catalog.sum(('x' || pg_catalog.left(pg_catalog.md5(v::text), 15))::bit(60)::bigint), 0) AS digest
       FROM ${qualified(schema, name)} v`
    )
    // Not populated: it could not be refreshed yet.
    .catch(() => [])
  return row?.digest ?? ''
}
