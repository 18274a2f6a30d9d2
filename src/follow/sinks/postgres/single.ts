/**
 * The slow way: a batch's changes one by one in main's own order, in which they broke nothing on main. It is taken where what is left of a
 * batch cannot be written at once (two rows that swap a unique value), and to know which change it is that the standby refuses.
 */
import type pg from 'pg'
import { FollowError } from '../../../core/errors.js'
import { insertRows, upsertRows } from '../../../data/upsert.js'
import { affected } from '../../../postgres/wire.js'
import type { Change } from '../../ports.js'
import { keyOf, nameOf, type FollowedTable } from '../../table.js'
import { describe, refusal } from './refusal.js'
import { Script } from './script.js'
import type { Prepared, Tables } from './tables.js'
import { assignments, hasKey, rowOf } from './values.js'

/** Changes that go to the server together. */
const together = 100

interface Step {
  readonly change: Change
  /** The statement must find a row. */
  readonly finds?: boolean
}

/** Within the transaction that is open. */
export async function writeSingly(
  client: pg.Client,
  tables: Tables,
  changes: readonly Change[]
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
        for (const [statement, finds] of statementsOf(tables.of(change.table), change))
          add(statement, { change, finds })
        start++
      }
    }
    let failed: Step | undefined
    const tags = await script
      .run(client, step => (failed = step))
      .catch((error: unknown) => {
        throw refusal(error, failed?.change)
      })
    const lost = steps.find(({ finds }, i) => finds && affected(tags[i]!) === 0)
    if (lost) throw lostRow(lost.change)
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

/** Each with whether it must find a row. */
function statementsOf({ target, table }: Prepared, change: Change): [string, boolean][] {
  const { row, old, absent = [] } = change
  const key = target.key
  if (row === undefined)
    return [[`DELETE FROM ${target.source} WHERE ${hasKey(key, keyOf(table, old ?? ''))}`, false]]
  if (key.length === 0) return [[insertRows(target, [rowOf(row)]), false]]
  const from = keyOf(table, old ?? row)
  const moves = from !== keyOf(table, row)
  // An ALWAYS identity cannot be set by an update.
  const movable = !target.overriding
  const settable = (i: number) =>
    !absent.includes(i) && (target.settable.includes(target.columns[i]!) || (movable && i < key.length))
  const set = assignments(target.columns, row, settable)
  const update = `UPDATE ${target.source} SET ${set} WHERE ${hasKey(key, from)}`
  if (absent.length > 0) return [[update, true]]
  const put: [string, boolean][] = target.upsert
    ? [[upsertRows(target, [rowOf(row)]), false]]
    : [
        [`DELETE FROM ${target.source} WHERE ${hasKey(key, keyOf(table, row))}`, false],
        [insertRows(target, [rowOf(row)]), false]
      ]
  if (!moves) return put
  // As main did, so that what refers to the row goes with it; a row that was not there is made.
  return [[movable ? update : `DELETE FROM ${target.source} WHERE ${hasKey(key, from)}`, false], ...put]
}

/** What main did to a row that the standby does not have, and that cannot be made from the change. */
export const lostRow = (change: Change): FollowError =>
  new FollowError(
    `the standby does not have the row for ${describe(change)}, and main tells only the values that changed`,
    {
      table: nameOf(change.table),
      hint: `Bring the table over by pgsyncer sync -t '${nameOf(change.table)}', and follow on.`
    }
  )
