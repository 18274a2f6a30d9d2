/**
 * Following, for as long as it is wanted: both ends are opened, the stream runs, and whatever is lost on the way is closed and opened
 * again. Nothing is kept in between: where to go on is what the sink remembers.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { messageOf, TemporaryError } from '../core/errors.js'
import type { EmitFollow } from '../core/events.js'
import { retrying } from '../core/retry.js'
import { isTransient } from '../postgres/failure.js'
import { completeFollow, type FollowConfig, type FollowOptions } from './config.js'
import { beginStream } from './first.js'
import { consume, produce } from './loops.js'
import type { Source } from './ports.js'
import type { FollowReport } from './report.js'
import { Tally } from './tally.js'
import { DirectTransport } from './transports/direct.js'
import { openLine } from './wiring.js'

export interface FollowContext {
  /** Ends it: at once, with nothing half-written. */
  signal?: AbortSignal
  emit?: EmitFollow
}

/** Milliseconds from one look at the lag to the next. */
const lagInterval = 5000
/** Further tries of a run that is to end by itself: a minute in all. */
const onceRetries = 10

/**
 * Follows until the signal is aborted, or, with `once` or `snapshot: 'only'`, until all is written.
 * @throws ConfigError for wrong options; the signal's reason; what a first connection, or anything that another try will not mend,
 *   ended with.
 */
export async function follow(options: FollowOptions, context: FollowContext = {}): Promise<FollowReport> {
  const config = completeFollow(options)
  const signal = context.signal ?? new AbortController().signal
  const tally = new Tally(config)
  const emit: EmitFollow = event => {
    tally.add(event)
    context.emit?.(event)
  }
  const ends = config.once || config.snapshot === 'only'
  let met = false
  const policy = {
    retries: ends ? onceRetries : Infinity,
    signal,
    emit,
    // Who was never let in has most likely been told a wrong address.
    transient: (error: unknown) => met && isTemporary(error)
  }
  const attempt = async () => {
    const before = tally.batches
    try {
      await session(config, emit, signal, () => (met = true))
      return undefined
    } catch (error) {
      // What was written since is progress: the delays begin anew.
      if (signal.aborted || !isTemporary(error)) throw error
      emit({ type: 'state', state: 'waiting' })
      if (tally.batches === before) throw error
      return error
    }
  }
  for (;;) {
    const lost = await retrying(config.name, policy, async () => {
      emit({ type: 'state', state: 'connecting' })
      return attempt()
    })
    if (lost === undefined) break
    emit({ type: 'retry', what: config.name, attempt: 1, delay: 0, reason: messageOf(lost) })
  }
  emit({ type: 'state', state: 'stopped' })
  return tally.report()
}

/** Another try may do: a connection was lost, or a server has too much to do. */
function isTemporary(error: unknown): boolean {
  return error instanceof TemporaryError || isTransient(error)
}

/** From opening to the end, or to the first failure. */
async function session(
  config: FollowConfig,
  emit: EmitFollow,
  outer: AbortSignal,
  opened: () => void
): Promise<void> {
  const line = await openLine(config, emit)
  opened()
  const over = new AbortController()
  const stop = () => over.abort(outer.reason)
  outer.addEventListener('abort', stop, { once: true })
  try {
    outer.throwIfAborted()
    const { source, sink } = line
    const { position, tables } = await beginStream(source, sink, config, emit, over.signal)
    if (config.snapshot === 'only') return
    emit({ type: 'state', state: 'following' })
    const since = Object.fromEntries(Object.entries(tables).filter(isKnown))
    const transport = new DirectTransport()
    const start = { after: position, since, once: config.once }
    await allOrNone(
      over,
      [produce(source, transport, start, over.signal), consume(transport, sink, emit, over.signal)],
      watch(source, emit, over.signal)
    )
  } finally {
    outer.removeEventListener('abort', stop)
    over.abort()
    await line.close()
  }
}

const isKnown = (entry: [string, string | null]): entry is [string, string] => Boolean(entry[1])

/** The first failure ends the others, and is what they are all rejected with; `beside` ends with them. */
async function allOrNone(
  over: AbortController,
  works: Promise<void>[],
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

/** Tells now and then how far behind the sink is, until the signal is aborted. */
async function watch(source: Source, emit: EmitFollow, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    // A connection that is lost is noticed by the stream.
    await source.lag().then(
      lag => emit({ type: 'lag', lag }),
      () => {}
    )
    await delay(lagInterval, undefined, { signal }).catch(() => {})
  }
}
