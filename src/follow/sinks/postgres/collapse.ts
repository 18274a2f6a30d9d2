/**
 * A batch as what is left of it: of each row only the last state is written, and it is the same whether the changes before it are applied
 * or not. Where that cannot be told from the changes alone, the batch is for the slow way (single.ts).
 */
import { FollowError } from '../../../core/errors.js'
import { lineOf, valuesOf } from '../../../postgres/copytext.js'
import type { Change } from '../../ports.js'
import { keyOf, nameOf, type FollowedTable } from '../../table.js'

/** What is left of one table's changes: deletes come first, and no key is in two of the lists. */
export interface Outcome {
  readonly table: FollowedTable
  /** Lines of new rows that nothing else touched. */
  readonly fresh: readonly string[]
  /** Lines of rows that may be there already. */
  readonly rows: readonly string[]
  /** By which columns are absent: lines of rows that are there, whose other columns are to be set. */
  readonly partial: readonly Partial[]
  /** Keys, as lines. */
  readonly gone: readonly string[]
}

export interface Partial {
  readonly absent: readonly number[]
  readonly rows: readonly string[]
}

/** What can be written together; `truncated` comes first. */
export interface Segment {
  readonly truncated: readonly FollowedTable[]
  readonly outcomes: readonly Outcome[]
}

type State =
  | { kind: 'gone' }
  | { kind: 'row'; line: string; fresh: boolean }
  | { kind: 'partial'; line: string; absent: readonly number[] }

const gone: State = { kind: 'gone' }

/**
 * @returns undefined where a change needs the row as it is in the table after other changes of the batch.
 * @throws FollowError for anything but new rows of a table without a key.
 */
export function collapse(changes: readonly Change[]): Segment[] | undefined {
  const segments: Segment[] = []
  let truncated = new Map<string, FollowedTable>()
  let states = new Map<FollowedTable, Map<string, State>>()
  let names = new Set<string>()
  const flush = () => {
    segments.push({ truncated: [...truncated.values()], outcomes: [...states].map(outcomeOf) })
    truncated = new Map()
    states = new Map()
    names = new Set()
  }
  for (const change of changes) {
    const { table, operation } = change
    if (operation === 'truncate') {
      if (states.size > 0) flush()
      truncated.set(nameOf(table), table)
      continue
    }
    if (!states.has(table)) {
      // Two shapes of one table are two tables here: the rows of one come before those of the other.
      if (names.has(nameOf(table))) flush()
      names.add(nameOf(table))
      states.set(table, new Map())
    }
    const known = states.get(table)!
    // Rows without a key are all new, and two may be alike.
    if (table.keyLength === 0) {
      if (operation !== 'insert') throw keyless(table, operation)
      known.set(String(known.size), { kind: 'row', line: change.row ?? '', fresh: true })
    } else if (!take(known, change)) return undefined
  }
  flush()
  return segments
}

const keyless = (table: FollowedTable, operation: string): FollowError =>
  new FollowError(
    `main made ${operation === 'update' ? 'an update' : 'a delete'} in ${nameOf(table)}, which has no key to know the row by`,
    {
      table: nameOf(table),
      hint: 'Give the table a primary key on both servers, or leave it out.'
    }
  )

/** Says whether it could. */
function take(known: Map<string, State>, { table, operation, row, old, absent = [] }: Change): boolean {
  if (row === undefined) {
    known.set(keyOf(table, old ?? ''), gone)
    return true
  }
  const key = keyOf(table, row)
  const from = old === undefined ? key : keyOf(table, old)
  const before = known.get(from)
  let next: State = { kind: 'row', line: row, fresh: operation === 'insert' && before === undefined }
  if (absent.length > 0) {
    if (before?.kind === 'gone' || (from !== key && before?.kind !== 'row')) return false
    if (!before) next = { kind: 'partial', line: row, absent }
    else {
      const line = merged(row, absent, before.line)
      const still = before.kind === 'partial' ? absent.filter(i => before.absent.includes(i)) : []
      next = still.length > 0 ? { kind: 'partial', line, absent: still } : { kind: 'row', line, fresh: false }
    }
  }
  if (from !== key) known.set(from, gone)
  known.set(key, next)
  return true
}

/** The row with its absent values as an earlier line tells them. */
function merged(row: string, absent: readonly number[], earlier: string): string {
  const values = valuesOf(row)
  const before = valuesOf(earlier)
  for (const index of absent) values[index] = before[index]!
  return lineOf(values)
}

function outcomeOf([table, states]: [FollowedTable, Map<string, State>]): Outcome {
  const [fresh, rows, keys]: [string[], string[], string[]] = [[], [], []]
  const partial = new Map<string, { absent: readonly number[]; rows: string[] }>()
  for (const [key, state] of states) {
    if (state.kind === 'gone') keys.push(key)
    else if (state.kind === 'row') (state.fresh ? fresh : rows).push(state.line)
    else {
      const pattern = state.absent.join(' ')
      const like = partial.get(pattern) ?? { absent: state.absent, rows: [] }
      partial.set(pattern, like)
      like.rows.push(state.line)
    }
  }
  return { table, fresh, rows, partial: [...partial.values()], gone: keys }
}
