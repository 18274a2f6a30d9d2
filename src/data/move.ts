/** How main's rows reach the standby: by COPY through this program, or (fdw.ts) from server to server. */
import { pipeline } from 'node:stream/promises'
import { from as copyFrom, to as copyTo } from 'pg-copy-streams'
import { DataError } from '../core/errors.js'
import type { Pace } from './pace.js'
import type { Pair } from './pairs.js'
import { writtenColumns, type Unit } from './unit.js'

export interface Mover {
  /** It can move rows by their place (ctid) on main. */
  readonly byPlace: boolean
  /** Its rows are those of the run's snapshot. */
  readonly ofCut: boolean
  /** Called first in each writing transaction of the standby, before any row moves. */
  begin(pair: Pair, units: readonly Unit[]): Promise<void>
  /** Moves main's rows under a condition (over `t`) into a table of the standby; returns how many it stored. */
  move(pair: Pair, unit: Unit, condition: string, into: string, pace: Pace): Promise<number>
  /** Called last in the transaction, before its commit. */
  end(pair: Pair, units: readonly Unit[]): Promise<void>
}

/**
 * COPY on both sides, binary where the columns allow it. The bytes pass through without being looked at, one
 * buffer at a time; where either side fails, the other is stopped and the standby's transaction must be rolled back.
 */
export const copyMover: Mover = {
  byPlace: true,
  ofCut: true,
  begin: async () => {},
  end: async () => {},
  async move(pair, unit, condition, into, pace) {
    if (unit.written.length === 0) return moveEmptyRows(pair, unit, condition, into)
    const format = `(FORMAT ${unit.binary ? 'binary' : 'text'})`
    const query = `SELECT ${writtenColumns(unit, 't.')} FROM ${unit.source} WHERE ${unit.filter} AND ${condition}`
    const source = pair.main.query(copyTo(`COPY (${query}) TO STDOUT ${format}`))
    const target = pair.standby.query(copyFrom(`COPY ${into} (${writtenColumns(unit)}) FROM STDIN ${format}`))
    await pipeline(pace.through(source), target, { signal: pace.signal })
    if (source.rowCount === target.rowCount) return target.rowCount ?? 0
    throw new DataError(
      `main sent ${source.rowCount} rows of ${unit.name} and the standby stored ${target.rowCount}`,
      {
        table: unit.name,
        hint: 'A trigger on the standby drops rows: disable it, or give the role the right to session_replication_role.'
      }
    )
  }
}

/** COPY cannot name no column: rows of a table without any are counted and made again. */
async function moveEmptyRows(pair: Pair, unit: Unit, condition: string, into: string): Promise<number> {
  const query = `SELECT pg_catalog.count(*)::int AS n FROM ${unit.source} WHERE ${unit.filter} AND ${condition}`
  const { n } = (await pair.main.query<{ n: number }>(query)).rows[0]!
  await pair.standby.query(`INSERT INTO ${into} SELECT FROM pg_catalog.generate_series(1, ${n})`)
  return n
}
