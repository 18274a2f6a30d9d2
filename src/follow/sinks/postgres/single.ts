/**
 * The slow way: a batch's changes one by one in main's own order, in which they broke nothing on main. It is taken where what is left of a
 * batch cannot be written at once (two rows that swap a unique value), and to know which change it is that the standby refuses.
 */
import type pg from 'pg'
import { FollowError } from '../../../core/errors.js'
import { insertRows, upsertRows } from '../../../data/upsert.js'
import { valuesOf } from '../../../postgres/copytext.js'
import { affected } from '../../../postgres/wire.js'
import type { Change } from '../../ports.js'
import { keyOf, nameOf, type FollowedTable } from '../../table.js'
import { describe, refusal } from './refusal.js'
import { Script } from './script.js'
import type { Prepared, Tables } from './tables.js'
import { assignments, hasKey, hasValues, rowOf } from './values.js'

/** Changes that go to the server together. */
const together = 100

/** What a statement must do to a row: find the one that is there, or store the new one. */
type Must = 'find' | 'store'

type Statement = [sql: string, must?: Must | undefined]

interface Step {
  readonly change: Change
  readonly must?: Must | undefined
}

/**
 * Within the transaction that is open.
 * @param replica no trigger of the standby keeps a row from being stored.
 * @throws FollowError that names the change that cannot be made.
 */
export async function writeSingly(
  client: pg.Client,
  tables: Tables,
  changes: readonly Change[],
  replica: boolean
): Promise<void> {
  for (let start = 0; start < changes.length;) {
    const script = new Script<Step>()
    const steps: Step[] = []
    const add = (statement: string, step: Step) => {
      script.add(statement, step)
      steps.push(step)
    }
    const end = Math.min(start + together, changes.length)
    while (start < end) {
      const change = changes[start]!
      if (change.operation === 'truncate') {
        const truncated = truncatesFrom(changes, start)
        for (const statement of tables.emptying(truncated.tables)) add(statement, { change })
        start += truncated.count
      } else {
        for (const [statement, must] of statementsOf(tables.of(change.table), change))
          add(statement, { change, must })
        start++
      }
    }
    if (steps.length === 0) continue
    let failed: Step | undefined
    const tags = await script
      .run(client, step => (failed = step))
      .catch((error: unknown) => {
        throw refusal(error, failed?.change)
      })
    for (const [i, { change, must }] of steps.entries()) {
      if (must === undefined || affected(tags[i]!) > 0) continue
      if (must === 'find') throw lostRow(change)
      if (!replica) throw droppedRow(change)
    }
  }
}

function truncatesFrom(changes: readonly Change[], start: number) {
  const tables = new Map<string, FollowedTable>()
  let count = 0
  for (; changes[start + count]?.operation === 'truncate'; count++) {
    const { table } = changes[start + count]!
    tables.set(nameOf(table), table)
  }
  return { tables: [...tables.values()], count }
}

/** One change as SQL. */
function statementsOf({ target, table, standby }: Prepared, change: Change): Statement[] {
  const { row, old, absent = [] } = change
  const { key, source, columns } = target
  const remove = (line: string) => `DELETE FROM ${source} WHERE ${hasKey(key, line)}`
  if (row === undefined) return [[remove(keyOf(table, old ?? ''))]]
  if (key.length === 0) return [[insertRows(target, [rowOf(row)]), 'store']]
  const to = keyOf(table, row)
  const from = old === undefined ? to : keyOf(table, old)
  const always = new Set(standby.columns.filter(({ identity }) => identity === 'a').map(({ name }) => name))
  const isPresent = (i: number) => !absent.includes(i)
  const set = assignments(columns, row, i => isPresent(i) && !always.has(columns[i]!))
  const update = `UPDATE ${source} SET ${set} WHERE ${hasKey(key, from)}`
  if (absent.length > 0) {
    if (from !== to && key.some(name => always.has(name))) throw fixedKey(change)
    if (set === '') return []
    // What no update can set must be what it is.
    const fixed = columns.filter((name, i) => always.has(name) && i >= key.length && isPresent(i))
    const values = valuesOf(row).filter((_, i) => fixed.includes(columns[i]!))
    return [[fixed.length > 0 ? `${update} AND ${hasValues(fixed, values)}` : update, 'find']]
  }
  const rows = [rowOf(row)]
  // A row that is nothing but its key is left as it is.
  const stored = target.settable.length > 0 ? 'store' : undefined
  const put: Statement[] = target.upsert
    ? [[upsertRows(target, rows), stored]]
    : [[remove(to)], [insertRows(target, rows), 'store']]
  if (from === to) return put
  // As main did, so that what refers to the row goes with it; a row that was not there is made.
  return [[always.size > 0 ? remove(from) : update], ...put]
}

const droppedRow = (change: Change): FollowError =>
  new FollowError(`the standby did not store the row of ${describe(change)}`, {
    table: nameOf(change.table),
    hint: 'A trigger on the standby drops rows: disable it, or give the role the right to set session_replication_role.'
  })

const fixedKey = (change: Change): FollowError =>
  new FollowError(`the standby cannot change the key for ${describe(change)}: it is GENERATED ALWAYS there`, {
    table: nameOf(change.table),
    hint: 'Alter it on the standby: ALTER TABLE … ALTER COLUMN … SET GENERATED BY DEFAULT.'
  })

/** What main did to a row that the standby does not have, and that cannot be made from the change. */
const lostRow = (change: Change): FollowError =>
  new FollowError(
    `the standby does not have the row for ${describe(change)}, and main tells only the values that changed`,
    {
      table: nameOf(change.table),
      hint: `Bring the table over by pgsyncer sync -t '${nameOf(change.table)}', and follow on.`
    }
  )
