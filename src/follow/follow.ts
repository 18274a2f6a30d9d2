/** Following: a source and a sink in one process, with nothing but a hand-over between them. */
import { setTimeout as delay } from 'node:timers/promises'
import type { EmitFollow } from '../core/events.js'
import { completeFollow, type FollowConfig, type FollowOptions } from './config.js'
import { beginStream } from './first.js'
import { consume, produce } from './loops.js'
import type { Source } from './ports.js'
import type { FollowReport } from './report.js'
import { running, type FollowContext } from './running.js'
import { together, within } from './supervise.js'
import { DirectTransport } from './transports/direct.js'
import { openLine } from './wiring.js'

/** Milliseconds from one look at the lag to the next. */
const lagInterval = 5000

/**
 * Follows until the signal is aborted, or, with `once` or `snapshot: 'only'`, until all is written.
 * @throws ConfigError for wrong options; the signal's reason; what a first connection, or anything that another try will not mend,
 *   ended with.
 */
export async function follow(options: FollowOptions, context: FollowContext = {}): Promise<FollowReport> {
  const config = completeFollow(options)
  return running('follow', config, context, (...given) => session(config, ...given))
}

/** From opening to the end, or to the first failure. */
async function session(
  config: FollowConfig,
  emit: EmitFollow,
  signal: AbortSignal,
  opened: () => void
): Promise<void> {
  const { source, sink, close } = await openLine(config, emit)
  opened()
  try {
    await within(signal, async over => {
      const { position, tables } = await beginStream(source, sink, config, emit, over.signal)
      if (config.snapshot === 'only') return
      emit({ type: 'state', state: 'following' })
      const since = Object.fromEntries(Object.entries(tables).filter(isKnown))
      const transport = new DirectTransport()
      const start = { after: position, since, once: config.once }
      const works = [
        produce(source, transport, start, over.signal),
        consume(transport, sink, emit, over.signal)
      ]
      await together(over, works, watch(source, emit, over.signal))
    })
  } finally {
    await close()
  }
}

const isKnown = (entry: [string, string | null]): entry is [string, string] => Boolean(entry[1])

/** Tells now and then how far behind the sink is, until the signal is aborted. */
export async function watch(
  source: Pick<Source, 'lag'>,
  emit: EmitFollow,
  signal: AbortSignal
): Promise<void> {
  while (!signal.aborted) {
    // A connection that is lost is noticed by the stream.
    await source.lag().then(
      lag => emit({ type: 'lag', lag }),
      () => {}
    )
    await delay(lagInterval, undefined, { signal }).catch(() => {})
  }
}
