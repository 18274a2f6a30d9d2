/**
 * Reading that is woken by a signal. While changes come it stays awake and looks every few milliseconds, so that writers need not
 * signal; when none came for a while it goes to sleep (wake.ts).
 */
import { setTimeout as delay } from 'node:timers/promises'
import type { EmitFollow } from '../../core/events.js'
import type { Queryable } from '../../postgres/server.js'
import type { ChangeBatch } from '../ports.js'
import type { Wake } from './wake.js'

/** Milliseconds between two looks while awake, and without a change until sleep. */
const [pace, linger] = [8, 200]
/** Milliseconds between two looks where triggers cannot signal. */
const unsignalled = 100

/** Whether triggers signal: a signal would make PREPARE TRANSACTION fail where main allows it. */
export async function maySignal(sql: Queryable): Promise<boolean> {
  const [row] = await sql.unsafe<{ may: boolean }[]>(
    `SELECT pg_catalog.current_setting('max_prepared_transactions') = '0' AS may`
  )
  return row!.may
}

export interface Attention {
  /** Everything that is committed when it begins. */
  look(last: boolean): AsyncGenerator<ChangeBatch>
  wake: Wake
  /** Whether triggers signal (maySignal). */
  signals: boolean
  /** What `look` reads is what everyone had written who was writing when it began: else no signal may be saved. */
  settles: boolean
  /** Milliseconds of sleep without a signal at most. */
  interval: number
  once: boolean
  emit: EmitFollow
  signal: AbortSignal
}

export async function* attend(attention: Attention): AsyncGenerator<ChangeBatch> {
  const { wake, settles, once, signal } = attention
  for (;;) {
    wake.forget()
    if (settles) await wake.awake()
    let quiet = performance.now()
    do {
      if (yield* looked(attention)) quiet = performance.now()
      if (once) return
      await delay(pace, undefined, { signal })
    } while (stays(attention, quiet))
    if (settles) {
      await wake.asleep()
      if (yield* looked(attention)) continue
    }
    yield* sleep(attention)
  }
}

const stays = ({ settles }: Attention, quiet: number): boolean =>
  settles && performance.now() - quiet < linger

/** Says whether there were changes, where they are not such as come again and again. */
async function* looked({ look, once, settles }: Attention): AsyncGenerator<ChangeBatch, boolean> {
  let found = false
  for await (const batch of look(once)) {
    found ||= batch.changes.length > 0
    yield batch
  }
  return found && settles
}

/** Until there is a signal, or a change without one. */
async function* sleep(attention: Attention): AsyncGenerator<ChangeBatch> {
  const { wake, signals, settles, interval, emit, signal } = attention
  const longest = signals || !settles ? interval : Math.min(interval, unsignalled)
  let quiet = performance.now()
  for (;;) {
    if (await wake.heard(longest, signal)) return
    if (performance.now() - quiet >= interval) {
      emit({ type: 'quiet', after: interval })
      quiet = performance.now()
    }
    // Where there is nothing, it costs one small query; or else the interval is what somebody asked for.
    if (yield* looked(attention)) return
  }
}
