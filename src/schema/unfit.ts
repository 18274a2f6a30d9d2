/**
 * Columns whose values main's type cannot take: SQL has no cast that gives NULL instead of an error, so the values are asked before. Such a
 * column is emptied, and main's rows bring its values.
 */
import { inOwnSession } from '../postgres/backend.js'
import { codeOf } from '../postgres/failure.js'
import type { Server } from '../postgres/server.js'
import type { Decision } from './decide.js'
import type { Relation } from './details/details.js'
import { doubtful } from './handlers/table/casts.js'
import { sameType } from './handlers/table/mark.js'
import { relationOf } from './side.js'

/** Reads the tables whose columns are to be of another type, where a value may be lost by that. */
export async function markUnfit(standby: Server, decision: Decision, signal: AbortSignal): Promise<void> {
  for (const { main, standby: entry } of decision.pairs.values()) {
    const wanted = entry.kind === 'TABLE' ? relationOf(decision.main, main) : undefined
    const there = relationOf(decision.standby, entry)
    if (!wanted || !there) continue
    for (const column of there.columns) {
      const twin = wanted.columns.find(other => other.name === column.name)
      if (!twin || twin.generated || column.generated || sameType(twin, column)) continue
      const expression = doubtful(twin, column, there, decision)
      if (expression !== undefined && !(await isConvertible(standby, signal, there, expression)))
        decision.unfit.add(`${there.oid}:${column.name}`)
    }
  }
}

async function isConvertible(
  standby: Server,
  signal: AbortSignal,
  table: Relation,
  expression: string
): Promise<boolean> {
  try {
    const query = `SELECT pg_catalog.count(${expression}) FROM ${table.sql}`
    await inOwnSession(standby, signal, client => client.query(query))
    return true
  } catch (error) {
    signal.throwIfAborted()
    // Where it cannot be asked, the statement itself will tell.
    return codeOf(error)?.startsWith('22') !== true
  }
}
