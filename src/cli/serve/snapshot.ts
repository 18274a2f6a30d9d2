/** The status as the live page gets it: JSON, ages instead of times (no two clocks agree), sentences without secrets. */
import { redact } from '../../core/redact.js'
import { shown } from '../render/words.js'
import { healthOf } from './health.js'
import type { About } from './metrics.js'
import { lagSeconds, rates, type Operation, type Status } from './status.js'

export interface Snapshot {
  about: About
  state: string
  /** Ages are whole seconds. */
  stateAge: number
  upAge: number
  /** Why it is not healthy. */
  trouble: string | null
  lag: { bytes: number | null; rows: number | null; seconds: number | null; retainedBytes: number | null }
  /** Changes written in each of the last 60 seconds, the oldest first. */
  rates: number[]
  changes: number
  batches: number
  retries: number
  progressAge: number | null
  position: string | null
  tables: TableSnapshot[]
  remarks: { age: number; kind: string; text: string }[]
}

export interface TableSnapshot extends Record<Operation, number> {
  table: string
  copy: { bytes: number; estimate: number; rows: number | null } | null
}

export function snapshotOf(about: About, status: Status, now: number): Snapshot {
  const { lag, progressAt, position, tables, remarks } = status
  const age = (since: number) => Math.max(0, Math.floor((now - since) / 1000))
  return {
    about,
    state: status.state,
    stateAge: age(status.stateSince),
    upAge: age(status.startedAt),
    trouble: healthOf(status, now).reason,
    lag: {
      bytes: lag?.bytes ?? null,
      rows: lag?.rows ?? null,
      seconds: lagSeconds(status, now) ?? null,
      retainedBytes: lag?.retainedBytes ?? null
    },
    rates: rates(status, now),
    changes: status.changes,
    batches: status.batches,
    retries: status.retries,
    progressAge: progressAt === undefined ? null : age(progressAt),
    position: position ?? null,
    tables: [...tables]
      .map(([table, { copy, ...counts }]) => ({
        ...counts,
        table: shown(table),
        copy: copy ? { ...copy, rows: copy.rows ?? null } : null
      }))
      .sort((a, b) => (a.table < b.table ? -1 : 1)),
    remarks: remarks.map(({ at, kind, text }) => ({ age: age(at), kind, text: shown(redact(text)) }))
  }
}
