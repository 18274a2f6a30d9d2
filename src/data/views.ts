/**
 * Materialized views hold rows of their own, which only REFRESH can write: what a view holds is one digest, and a view of the standby that
 * holds something else than main's is refreshed after the tables, each after those that it reads.
 */
import { messageOf } from '../core/errors.js'
import { retrying, type RetryPolicy } from '../core/retry.js'
import { inOwnSession } from '../postgres/backend.js'
import { codeOf } from '../postgres/failure.js'
import { qualified } from '../postgres/quote.js'
import type { MaterializedView } from '../postgres/relations.js'
import type { Server } from '../postgres/server.js'
import { unpinned } from '../postgres/session.js'
import { inSilence } from '../postgres/unheard.js'
import { sameDigest, type Digest } from './digest.js'
import { explain, type Explanation } from './explain.js'

/** What a view holds. empty: it is not populated; other: it has not main's columns; unread: that could not be found out. */
export type Held =
  { state: 'filled'; digest: Digest } | { state: 'empty' } | ({ state: 'other' | 'unread' } & Explanation)

export interface ViewResult {
  schema: string
  name: string
  status: 'identical' | 'differs' | 'synced' | 'failed'
  /** Main's is. */
  populated: boolean
  /** Its rows, on the standby before the run; null: not populated, not there, or not read. */
  main: number | null
  standby: number | null
  /** sync: the standby's was. */
  refreshed?: true
  reason?: string
  hint?: string
}

/** @param theirs undefined: the standby has no such view. */
export function compareView(
  { schema, name }: Pick<ViewResult, 'schema' | 'name'>,
  ours: Held,
  theirs: Held | undefined
): ViewResult {
  const rows = (held: Held | undefined) => (held?.state === 'filled' ? held.digest.count : null)
  const populated = ours.state !== 'empty'
  const result = { schema, name, populated, main: rows(ours), standby: rows(theirs) }
  for (const held of [ours, theirs]) {
    if (held === undefined || !('reason' in held)) continue
    const { state, sqlstate: _, ...why } = held
    return { ...result, status: state === 'unread' ? 'failed' : 'differs', ...why }
  }
  if (theirs === undefined) return { ...result, status: 'differs', reason: 'missing on the standby' }
  if (holdsAlike(ours, theirs)) return { ...result, status: 'identical' }
  if (ours.state === theirs.state) return { ...result, status: 'differs' }
  return { ...result, status: 'differs', reason: populated ? toFill : 'not populated on main' }
}

/** Why a view differs that the standby need only fill. */
export const toFill = 'not populated on the standby'

/** Both are known, and the same. */
export function holdsAlike(one: Held, other: Held): boolean {
  if (one.state === 'filled' && other.state === 'filled') return sameDigest(one.digest, other.digest)
  return one.state === 'empty' && other.state === 'empty'
}

/** What is to be done with a view: filled, or emptied, or first the one, as others are made from it, and then the other. */
export interface DueView {
  view: MaterializedView
  fill: boolean
  empty: boolean
}

/**
 * Refreshes views of the standby under the settings that its database has, as its users would. Which of those that call functions reads
 * which other is not known: they are refreshed again until nothing comes of it.
 * @param due in the order of readMaterializedViews
 * @param replica the role may set session_replication_role on the standby
 * @param look a text of what a view holds, which is another one when that is; undefined: it is what main's holds
 * @returns why, by the quoted name of each that could not be refreshed.
 */
export async function refreshViews(
  standby: Server,
  due: readonly DueView[],
  replica: boolean,
  retry: RetryPolicy,
  look: (view: MaterializedView) => Promise<string | undefined>
): Promise<Map<string, Explanation>> {
  const failures = new Map<string, Explanation>()
  const refresh = async ({ schema, name }: MaterializedView, how: 'DATA' | 'NO DATA') => {
    const view = qualified(schema, name)
    const statement = inSilence(replica, `REFRESH MATERIALIZED VIEW ${view} WITH ${how}`)
    try {
      await retrying(view, retry, () =>
        inOwnSession(standby, retry.signal, async client => {
          await client.query(unpinned)
          await client.query(statement)
        })
      )
      failures.delete(view)
    } catch (error) {
      retry.signal.throwIfAborted()
      failures.set(view, unrefreshed(error))
    }
  }
  const filled = due.filter(({ fill }) => fill).map(({ view }) => view)
  for (const view of filled) await refresh(view, 'DATA')
  let calling = filled.filter(({ calls }) => calls)
  // One that stands alone has nothing to wait for; of others each pass brings at least one to its end.
  for (let left = calling.length - 1, before = ''; left > 0; left--) {
    const found: { view: MaterializedView; text: string | undefined }[] = []
    for (const view of calling) found.push({ view, text: await look(view) })
    calling = found.filter(({ text }) => text !== undefined).map(({ view }) => view)
    const now = found.map(({ text }) => text).join('\n')
    if (now === before) break
    before = now
    for (const view of calling) await refresh(view, 'DATA')
  }
  for (const { view, empty } of due) if (empty) await refresh(view, 'NO DATA')
  return failures
}

function unrefreshed(error: unknown): Explanation {
  const owner = 'Only its owner may refresh it; from PostgreSQL 17 on also who has MAINTAIN on it.'
  const isRights = codeOf(error) === '42501'
  return {
    ...explain(error),
    ...(isRights && { hint: owner }),
    reason: `could not be refreshed: ${messageOf(error)}`
  }
}

/** The same text as long as the view's rows are the same on this server; nothing where it is not populated. */
export async function contents(
  standby: Server,
  signal: AbortSignal,
  { schema, name }: MaterializedView
): Promise<string> {
  const digest = `SELECT pg_catalog.count(*) || ' ' || coalesce(pg_catalog.sum(
      ('x' || pg_catalog.left(pg_catalog.md5((v.*)::text), 15))::bit(60)::bigint), 0) AS digest FROM ${qualified(schema, name)} v`
  try {
    const { rows } = await inOwnSession(standby, signal, client => client.query<{ digest: string }>(digest))
    return rows[0]!.digest
  } catch (error) {
    if (codeOf(error) !== notPopulated) throw error
    return ''
  }
}

/** SQLSTATE of a statement that reads a view which is not populated. */
export const notPopulated = '55000'
