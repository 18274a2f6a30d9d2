/** What a follower is doing, folded from its events. A value: nothing here reads a clock, and nothing is ever altered. */
import type { FollowEvent, FollowState, Lag } from '../../core/events.js'

export type Operation = 'insert' | 'update' | 'delete' | 'truncate'

export interface TableStatus extends Record<Operation, number> {
  /** Its first copy in this process, the last one where it was made again. */
  copy: CopyStatus | undefined
}

export interface CopyStatus {
  bytes: number
  /** Main's own estimate of the rows, −1 if it has none. */
  estimate: number
  /** Known when it is done. */
  rows: number | undefined
}

/** Something that went wrong, or that the user should know. */
export interface Remark {
  at: number
  kind: 'retry' | 'note' | 'schema'
  text: string
}

/** Times are milliseconds since 1970. */
export interface Status {
  startedAt: number
  state: FollowState
  stateSince: number
  /** Since when it does not copy or follow; undefined where it does, and did so for long enough to be believed. */
  downSince: number | undefined
  lag: Lag | undefined
  /** Since when the sink was behind each time that one looked. */
  behindSince: number | undefined
  /** When the sink was last known to have everything. */
  levelAt: number | undefined
  /** When the newest change that is written was committed on main. */
  committedAt: number | undefined
  /** When something was last written to the sink, or copied, or the position moved. */
  progressAt: number | undefined
  position: string | undefined
  changes: number
  batches: number
  retries: number
  tables: ReadonlyMap<string, TableStatus>
  /** Changes written, by the second; those of the last minute. */
  seconds: readonly { second: number; changes: number }[]
  /** The last ones, the newest first. */
  remarks: readonly Remark[]
}

/** A state of work that ends sooner, and without progress, was none. */
const believed = 10_000
const keptRemarks = 20
export const keptSeconds = 60

export function begin(now: number): Status {
  return {
    startedAt: now,
    state: 'connecting',
    stateSince: now,
    downSince: now,
    lag: undefined,
    behindSince: undefined,
    levelAt: undefined,
    committedAt: undefined,
    progressAt: undefined,
    position: undefined,
    changes: 0,
    batches: 0,
    retries: 0,
    tables: new Map(),
    seconds: [],
    remarks: []
  }
}

export const works = (state: FollowState): boolean => state === 'copying' || state === 'following'

/** The status after an event that came at `now`. */
export function fold(status: Status, event: FollowEvent, now: number): Status {
  switch (event.type) {
    case 'state':
      return turned(status, event.state, now)
    case 'batch':
      return written(status, event, now)
    case 'lag':
      return measured(status, event.lag, now)
    case 'copy-start':
      return copied(status, event.table, now, () => ({ bytes: 0, estimate: event.rows, rows: undefined }))
    case 'copy-bytes':
      return copied(status, event.table, now, copy => ({ ...copy, bytes: copy.bytes + event.bytes }))
    case 'copy-end':
      return copied(status, event.table, now, copy => ({ ...copy, rows: event.rows }))
    case 'quiet':
      return status
    default: {
      const remark: Remark = { at: now, kind: event.type, text: remarkOf(event) }
      const retries = status.retries + (event.type === 'retry' ? 1 : 0)
      return { ...status, retries, remarks: [remark, ...status.remarks].slice(0, keptRemarks) }
    }
  }
}

/** The sentence of an event that is one. */
export function remarkOf(event: Extract<FollowEvent, { type: Remark['kind'] }>): string {
  if (event.type === 'schema')
    return `${event.table}: ${event.added.length === 1 ? 'column' : 'columns'} ${event.added.join(', ')} added`
  if (event.type === 'retry') {
    const { what, attempt, delay, reason } = event
    const wait = delay < 1000 ? `${Math.round(delay)} ms` : `${Math.round(delay / 1000)} s`
    return delay === 0
      ? `${what}: it goes on anew: ${reason}`
      : `${what}: try ${attempt} failed, again in ${wait}: ${reason}`
  }
  const { table, message } = event
  return table === undefined || message.includes(table) ? message : `${table}: ${message}`
}

/** How many seconds old the oldest change may be that is not in the sink; undefined where nothing tells. */
export function lagSeconds(
  { lag, behindSince, levelAt, committedAt }: Status,
  now: number
): number | undefined {
  if (lag?.bytes === undefined && lag?.rows === undefined) return undefined
  if (behindSince === undefined) return 0
  if (levelAt === undefined && committedAt === undefined) return undefined
  return Math.max(0, now - Math.max(levelAt ?? 0, committedAt ?? 0)) / 1000
}

/** Changes written in each of the last 60 whole seconds, the oldest first. */
export function rates({ seconds }: Status, now: number): number[] {
  const last = Math.floor(now / 1000) - 1
  const result = Array.from({ length: keptSeconds }, () => 0)
  for (const { second, changes } of seconds) {
    const at = keptSeconds - 1 - (last - second)
    if (at >= 0 && at < keptSeconds) result[at] = changes
  }
  return result
}

function turned(status: Status, state: FollowState, now: number): Status {
  if (state === status.state) return status
  const lasted = works(status.state) && now - status.stateSince >= believed
  const downSince = works(state) ? status.downSince : lasted ? now : (status.downSince ?? now)
  return { ...status, state, stateSince: now, downSince }
}

/** Whether a state of work has lasted. */
export function proven({ state, stateSince, downSince }: Status, now: number): boolean {
  return works(state) && (downSince === undefined || now - stateSince >= believed)
}

function written(status: Status, event: Extract<FollowEvent, { type: 'batch' }>, now: number): Status {
  const next = { ...status, position: event.position, progressAt: now, downSince: undefined }
  // What moves the position alone says that there was nothing to be written.
  if (event.changes === 0) return { ...next, levelAt: now }
  const tables = new Map(status.tables)
  for (const [name, counts] of Object.entries(event.tables)) {
    const before = tables.get(name) ?? fresh
    const after = { ...before }
    for (const [operation, n] of Object.entries(counts)) after[operation as Operation] += n
    tables.set(name, after)
  }
  return {
    ...next,
    tables,
    committedAt: event.committedAt ?? status.committedAt,
    changes: status.changes + event.changes,
    batches: status.batches + 1,
    seconds: counted(status.seconds, event.changes, Math.floor(now / 1000))
  }
}

const fresh: TableStatus = { insert: 0, update: 0, delete: 0, truncate: 0, copy: undefined }

function counted(seconds: Status['seconds'], changes: number, second: number): Status['seconds'] {
  const last = seconds.at(-1)
  if (last?.second === second) return [...seconds.slice(0, -1), { second, changes: last.changes + changes }]
  return [...seconds.filter(one => one.second >= second - keptSeconds), { second, changes }]
}

function measured(status: Status, lag: Lag, now: number): Status {
  const behind = (lag.bytes ?? 0) > 0 || (lag.rows ?? 0) > 0
  const told = lag.bytes !== undefined || lag.rows !== undefined
  return {
    ...status,
    lag,
    behindSince: behind ? (status.behindSince ?? now) : undefined,
    levelAt: told && !behind ? now : status.levelAt
  }
}

function copied(
  status: Status,
  table: string,
  now: number,
  change: (copy: CopyStatus) => CopyStatus
): Status {
  const before = status.tables.get(table) ?? fresh
  const copy = change(before.copy ?? { bytes: 0, estimate: -1, rows: undefined })
  const tables = new Map(status.tables).set(table, { ...before, copy })
  return { ...status, tables, progressAt: now, downSince: undefined }
}
