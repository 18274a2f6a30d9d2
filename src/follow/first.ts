/**
 * The first copy: tables that the sink does not have whole yet, all from one moment of main. What is being copied is remembered before
 * the first row, so that a copy that was stopped half-way is known to be ours and is made anew.
 */
import { GuardError } from '../core/errors.js'
import type { EmitFollow } from '../core/events.js'
import type { FollowConfig } from './config.js'
import type { Position, Sink, Snapshot, Source, StreamState } from './ports.js'
import { nameOf, type FollowedTable } from './table.js'

/**
 * Brings the sink to where changes can follow.
 * @returns what the sink now remembers.
 * @throws GuardError where the record is another source's, or a table of the sink has rows that are not ours.
 */
export async function beginStream(
  source: Source,
  sink: Sink,
  config: FollowConfig,
  emit: EmitFollow,
  signal: AbortSignal
): Promise<StreamState> {
  const known = await sink.recall()
  if (known && known.origin !== source.origin) throw otherOrigin(known.origin, source.origin, config.name)
  const state = known ?? { origin: source.origin, position: null, tables: {} }
  const followed = new Set(source.tables.map(nameOf))
  const kept = Object.fromEntries(Object.entries(state.tables).filter(([name]) => followed.has(name)))
  const fresh = source.tables.filter(table => (kept[nameOf(table)] ?? null) === null)
  if (fresh.length === 0) {
    // A table that is no longer followed misses changes from now on, and must be copied should it come back.
    const same = Object.keys(kept).length === Object.keys(state.tables).length
    const now = { ...state, tables: kept }
    if (!same) await sink.remember(now)
    return now
  }
  for (const table of fresh) await sink.prepare(table)
  if (config.snapshot === 'never') {
    const now = { ...state, tables: { ...kept, ...all(fresh, '') } }
    await sink.remember(now)
    return now
  }
  emit({ type: 'state', state: 'copying' })
  await empty(sink, fresh, state, config)
  await sink.remember({ ...state, tables: { ...kept, ...all(fresh, null) } })
  const snapshot = await source.snapshot(fresh, signal)
  try {
    for (const table of sink.loadOrder(fresh)) await copyTable(snapshot, sink, table, emit, signal)
    const { position } = snapshot
    const now = {
      ...state,
      position: state.position ?? position,
      tables: { ...kept, ...all(fresh, position) }
    }
    await sink.remember(now)
    await snapshot.done()
    return now
  } finally {
    await snapshot.close()
  }
}

const all = (tables: readonly FollowedTable[], position: Position | null): Record<string, Position | null> =>
  Object.fromEntries(tables.map(table => [nameOf(table), position]))

/** Rows that a copy of ours left half-way go; others only where that was asked for. */
async function empty(
  sink: Sink,
  tables: readonly FollowedTable[],
  { tables: known }: StreamState,
  { cleanExtra }: FollowConfig
): Promise<void> {
  const filled: FollowedTable[] = []
  for (const table of tables) if (await sink.hasRows(table)) filled.push(table)
  const foreign = filled.filter(table => !(nameOf(table) in known))
  if (foreign.length > 0 && !cleanExtra) {
    throw new GuardError(
      `the sink has rows in ${foreign.map(nameOf).join(', ')} that are not of this stream`,
      {
        hint: 'They are emptied before the first copy with --clean-extra, or taken as they are with --snapshot never.'
      }
    )
  }
  // Children before their parents.
  for (const table of [...sink.loadOrder(filled)].reverse()) await sink.clear(table)
}

async function copyTable(
  snapshot: Snapshot,
  sink: Sink,
  table: FollowedTable,
  emit: EmitFollow,
  signal: AbortSignal
): Promise<void> {
  const name = nameOf(table)
  emit({ type: 'copy-start', table: name, rows: snapshot.estimate(table) })
  const text = counted(snapshot.copy(table, sink.expressions(table), signal), bytes =>
    emit({ type: 'copy-bytes', table: name, bytes })
  )
  const rows = await sink.load(table, text, signal)
  emit({ type: 'copy-end', table: name, rows })
}

/** Bytes between two counts that are told. */
const step = 1024 * 1024

async function* counted(text: AsyncIterable<Buffer>, tell: (bytes: number) => void): AsyncGenerator<Buffer> {
  let bytes = 0
  for await (const part of text) {
    bytes += part.length
    if (bytes >= step) {
      tell(bytes)
      bytes = 0
    }
    yield part
  }
  if (bytes > 0) tell(bytes)
}

function otherOrigin(theirs: string, ours: string, name: string): GuardError {
  return new GuardError(
    `the sink's record of the stream ${name} is of another source: ${theirs}, not ${ours}`,
    {
      hint: 'Give this stream a --name of its own, or name the source that the record is of.'
    }
  )
}
