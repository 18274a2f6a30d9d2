/** Whether a follower gets on: its process may live and its connection hold while nothing is written. */
import type { Lag } from '../../core/events.js'
import { redact } from '../../core/redact.js'
import { lagSeconds, proven, type Status } from './status.js'

export interface Health {
  ok: boolean
  /** Why not. */
  reason: string | null
  state: string
  /** ISO times. */
  stateSince: string
  lastProgress: string | null
  lag: (Lag & { seconds?: number }) | null
  position: string | null
  staleAfterSeconds: number
}

export const defaultStale = 60

/** @param stale seconds without progress that are too many. An idle follower without lag is healthy. */
export function healthOf(status: Status, now: number, stale = defaultStale): Health {
  const reason = faultOf(status, now, stale)
  const seconds = lagSeconds(status, now)
  return {
    ok: reason === null,
    reason,
    state: status.state,
    stateSince: new Date(status.stateSince).toISOString(),
    lastProgress: status.progressAt === undefined ? null : new Date(status.progressAt).toISOString(),
    lag: status.lag ? { ...status.lag, ...(seconds !== undefined && { seconds }) } : null,
    position: status.position === undefined ? null : status.position,
    staleAfterSeconds: stale
  }
}

function faultOf(status: Status, now: number, stale: number): string | null {
  const { state, downSince, behindSince, progressAt } = status
  const tooLong = (since: number) => now - since > stale * 1000
  const seconds = (since: number) => `${Math.floor((now - since) / 1000)} s`
  if (downSince !== undefined && tooLong(downSince) && !proven(status, now)) {
    const retry = status.remarks.find(remark => remark.kind === 'retry')
    const why = retry ? `; ${redact(retry.text)}` : ''
    return `it has not been able to work for ${seconds(downSince)} (now: ${state})${why}`
  }
  if (state === 'copying') {
    const since = Math.max(progressAt ?? 0, status.stateSince)
    return tooLong(since) ? `the first copy has not moved for ${seconds(since)}` : null
  }
  if (behindSince === undefined) return null
  const since = Math.max(progressAt ?? 0, behindSince)
  return tooLong(since) ? `changes are waiting, and nothing was written for ${seconds(since)}` : null
}
