/** The schema floor's view of a run: which objects, and by which programs. */
import type { SchemaOptions, SchemaScope } from '../schema/change.js'
import type { Session } from './session.js'

/** Whole schemas, or, where -t or -T chose, only those tables. */
export function schemaScope({ config, tables }: Session): SchemaScope {
  const chosen = config.tables.length > 0 || config.excludeTables.length > 0
  return { schemas: config.schemas, ...(chosen && { tables }) }
}

export function schemaOptions({ config, cut, emit, signal }: Session): SchemaOptions {
  return {
    pgDump: config.pgDump,
    psql: config.psql,
    forcePsql: config.forcePsql,
    cleanExtra: config.cleanExtra.objects,
    snapshot: cut.snapshot,
    workers: config.workers,
    lockTimeout: config.lockTimeout,
    emit,
    signal,
    env: config.env
  }
}
