/** What follow, publish and apply have in common: a run is kept going, and what it did is added up. */
import type { EmitFollow } from '../core/events.js'
import type { FollowConfig } from './config.js'
import type { FollowReport } from './report.js'
import { supervise } from './supervise.js'
import { Tally } from './tally.js'

export interface FollowContext {
  /** Ends it: at once, with nothing half-written. */
  signal?: AbortSignal
  emit?: EmitFollow
}

/** From opening to the end, or to the first failure; `opened` is called when everybody has let it in. */
export type Session = (emit: EmitFollow, signal: AbortSignal, opened: () => void) => Promise<void>

/**
 * Runs sessions until one ends by itself.
 * @throws what supervise throws.
 */
export async function running(
  command: FollowReport['command'],
  config: FollowConfig,
  context: FollowContext,
  session: Session
): Promise<FollowReport> {
  const signal = context.signal ?? new AbortController().signal
  const tally = new Tally(config, command)
  const emit: EmitFollow = event => {
    tally.add(event)
    context.emit?.(event)
  }
  const ends = config.once || config.snapshot === 'only'
  const supervision = { name: config.name, ends, signal, emit, progress: () => tally.batches }
  await supervise(supervision, opened => session(emit, signal, opened))
  return tally.report()
}

/** Opens one thing after the other, and closes them again, the last one first, however the work ends. */
export async function holding(
  work: (held: <T extends { close(): Promise<void> }>(opening: Promise<T>) => Promise<T>) => Promise<void>
): Promise<void> {
  const ends: { close(): Promise<void> }[] = []
  try {
    await work(async opening => {
      const end = await opening
      ends.push(end)
      return end
    })
  } finally {
    // One that cannot be closed in good order is gone anyhow.
    for (const end of ends.reverse()) await end.close().catch(() => {})
  }
}
