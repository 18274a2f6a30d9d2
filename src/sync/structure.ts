/** The schema floor's view of a run: which objects, and by which programs. */
import { hazards, type Hazard, type SchemaOptions, type SchemaScope } from '../schema/change.js'
import type { Session } from './session.js'

/** Whole schemas, or, where -t or -T chose, only those tables. */
export function schemaScope({ config, tables }: Session): SchemaScope {
  const chosen = config.tables.length > 0 || config.excludeTables.length > 0
  return { schemas: config.schemas, all: config.allSchemas && !chosen, ...(chosen && { tables }) }
}

export function schemaOptions({ config, cut, emit, signal, replica }: Session): SchemaOptions {
  const allow: readonly string[] = config.allow
  return {
    method: config.schemaMethod,
    owners: config.withOwner,
    privileges: config.withPrivileges,
    allow: new Set<Hazard>(hazards.filter(name => allow.includes('all') || allow.includes(name))),
    concurrentIndexes: config.concurrentIndexes,
    pgDump: config.pgDump,
    psql: config.psql,
    forcePsql: config.forcePsql,
    cleanExtra: config.cleanExtra.objects,
    snapshot: cut.isOver ? undefined : cut.snapshot,
    rows: config.syncData,
    workers: config.workers,
    replica,
    lockTimeout: config.lockTimeout,
    emit,
    signal,
    env: config.env
  }
}
