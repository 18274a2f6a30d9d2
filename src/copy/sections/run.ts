/**
 * What the parts of one run share, and the one way in which rows go from main to the standby: COPY into a stage, a
 * call of the procedure for each of them, in the caller's transaction. Rows pass through as bytes, one buffer at a time.
 */
import { pipeline } from 'node:stream/promises'
import type pg from 'pg'
import { from as copyFrom, to as copyTo } from 'pg-copy-streams'
import type { Emit } from '../../core/events.js'
import { DataError } from '../../core/errors.js'
import type { Server } from '../../postgres/server.js'
import type { Sections } from './config.js'
import { callForEach, explainCall, stage, type Procedure } from './procedure.js'
import type { Subject } from './record.js'
import type { Source } from './source.js'

export interface Run {
  config: Sections
  /** A session that only reads. */
  main: pg.Client
  /** A session with the role's own search_path, in which the procedure runs. */
  standby: pg.Client
  standbyServer: Server
  source: Source
  procedure: Procedure
  subject: Subject
  emit: Emit
  signal: AbortSignal
}

/** Makes the stage, for the life of the session. */
export async function makeStage(standby: pg.Client, takes: Procedure['takes']): Promise<void> {
  const name = stage.slice(stage.indexOf('.') + 1)
  await standby.query(`CREATE TEMPORARY TABLE ${name} (v ${takes}) ON COMMIT DELETE ROWS`)
}

/** Runs `work` in a transaction of the standby that is rolled back where it fails or says so. */
export async function transaction<T>(
  { standby, signal }: Run,
  isolation: 'READ COMMITTED' | 'REPEATABLE READ',
  work: () => Promise<T>
): Promise<T> {
  signal.throwIfAborted()
  await standby.query(`BEGIN ISOLATION LEVEL ${isolation}`)
  try {
    const result = await work()
    signal.throwIfAborted()
    await standby.query('COMMIT')
    return result
  } catch (error) {
    await standby.query('ROLLBACK').catch(() => {})
    throw error
  }
}

/** Main's rows into the stage, by a query of one json column; returns how many. */
export async function fetchRows({ main, standby, source, signal }: Run, query: string): Promise<number> {
  const from = main.query(copyTo(`COPY (${query}) TO STDOUT`))
  const into = standby.query(copyFrom(`COPY ${stage} FROM STDIN`))
  await pipeline(from, into, { signal })
  if (from.rowCount === into.rowCount) return from.rowCount ?? 0
  throw new DataError(
    `main sent ${from.rowCount} rows of ${source.name} and the standby took ${into.rowCount}`,
    {
      table: source.name,
      hint: 'Nothing of the chunk was stored. Run again: it goes on from the standby’s record.'
    }
  )
}

/** Calls the procedure for each row of the stage; `each` and `declare` as in `callForEach`. */
export async function storeRows(
  { standby, procedure, config }: Run,
  each?: string,
  declare?: string
): Promise<void> {
  try {
    await standby.query(callForEach(procedure, config, each, declare))
  } catch (error) {
    throw explainCall(error, procedure, config)
  }
}
