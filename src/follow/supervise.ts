/**
 * Keeps a run going: whatever is lost on the way ends it, and it begins anew. Nothing is kept in between; where to go on is what the
 * sink, the broker or main remembers.
 */
import { ConnectionError, GuardError, messageOf, TemporaryError } from '../core/errors.js'
import type { EmitFollow } from '../core/events.js'
import { retrying } from '../core/retry.js'
import { codeOf, isTransient } from '../postgres/failure.js'

export interface Supervision {
  /** For whoever is told of a retry. */
  name: string
  /** It is to end by itself: it is not tried for ever. */
  ends: boolean
  signal: AbortSignal
  emit: EmitFollow
  /** Grows whenever something was written. */
  progress(): number
}

/** Further tries of a run that is to end by itself: a minute in all. */
const endingRetries = 10

/** Milliseconds that a server takes at most to notice that a session of ours is gone: TCP's keepalive. */
const lingering = 120_000

/**
 * Runs `session` until it ends by itself.
 * @param session calls `opened` when everybody has let it in: what fails before was never right, and is not tried again.
 * @throws the signal's reason; what another try will not mend.
 */
export async function supervise(
  { name, ends, signal, emit, progress }: Supervision,
  session: (opened: () => void) => Promise<void>
): Promise<void> {
  let met = false
  let lostAt = 0
  // What stands in the way may be our own session, which is lost here and not yet there.
  const ours = (error: unknown) =>
    error instanceof GuardError && lostAt > 0 && performance.now() - lostAt < lingering
  const policy = {
    retries: ends ? endingRetries : Infinity,
    signal,
    emit,
    transient: (error: unknown) => met && (isTemporary(error) || ours(error))
  }
  const attempt = async () => {
    const before = progress()
    emit({ type: 'state', state: 'connecting' })
    try {
      await session(() => {
        met = true
        lostAt = 0
      })
      return undefined
    } catch (error) {
      if (signal.aborted || !isTemporary(error)) throw error
      if (met && lostAt === 0) lostAt = performance.now()
      emit({ type: 'state', state: 'waiting' })
      if (progress() === before) throw error
      return error
    }
  }
  for (;;) {
    // What was written since is progress: the delays begin anew.
    const lost = await retrying(name, policy, attempt)
    if (lost === undefined) break
    emit({ type: 'retry', what: name, attempt: 1, delay: 0, reason: messageOf(lost) })
  }
  emit({ type: 'state', state: 'stopped' })
}

/** Another try may do: a connection was lost, a server does not answer for now, or has too much to do. */
export function isTemporary(error: unknown): boolean {
  return error instanceof TemporaryError || isTransient(error) || isSilence(error)
}

/** Nobody answered in time, or the name service did not know the name, as it did before. */
function isSilence(error: unknown): boolean {
  if (/^(EAI_AGAIN|ENOTFOUND|CONNECT_TIMEOUT)$/.test(codeOf(error) ?? '')) return true
  return error instanceof ConnectionError && /timeout expired/i.test(messageOf(error.cause ?? error))
}

/** The first failure ends the others, and is what they are all rejected with; `beside` ends with them. */
export async function together(
  over: AbortController,
  works: readonly Promise<void>[],
  beside: Promise<void>
): Promise<void> {
  const failed = (error: unknown) => {
    over.abort(error)
    throw error
  }
  const results = await Promise.allSettled(works.map(work => work.catch(failed)))
  over.abort()
  await beside
  const failure = results.find(result => result.status === 'rejected')
  if (failure) throw failure.reason
}

/** A controller that is aborted with the signal, for as long as `work` takes; it ends with it. */
export async function within(
  signal: AbortSignal,
  work: (over: AbortController) => Promise<void>
): Promise<void> {
  const over = new AbortController()
  const stop = () => over.abort(signal.reason)
  signal.addEventListener('abort', stop, { once: true })
  try {
    signal.throwIfAborted()
    await work(over)
  } finally {
    signal.removeEventListener('abort', stop)
    over.abort()
  }
}
