/** `diff`: what a sync would do, and nothing written on either side. */
import { retrying } from '../core/retry.js'
import type { DataContext } from '../data/context.js'
import { compareUnits } from '../data/rows.js'
import { sampleColumns, textColumns, type RowSample } from '../data/samples.js'
import { compareSequences } from '../data/sequences.js'
import type { Unit } from '../data/unit.js'
import { readSequences } from '../postgres/relations.js'
import { planSchema } from '../schema/plan.js'
import { assembleReport, missingReport, refusedReports, tableReport } from './assemble.js'
import { completeConfig, type SyncOptions } from './config.js'
import type { Report, TableReport } from './report.js'
import { schemaOptions, schemaScope } from './structure.js'
import {
  noteLargeObjects,
  readScope,
  withData,
  withSession,
  type RunContext,
  type Session
} from './session.js'

/**
 * Compares structure and rows of two databases.
 * @throws ConfigError, ConnectionError, ProgramError or SchemaError where the comparison could not be made at all;
 * a single table's failure is in the report instead.
 */
export async function diff(options: SyncOptions, context: RunContext = {}): Promise<Report> {
  const config = completeConfig(options)
  const started = performance.now()
  return withSession(config, context, async session => {
    const [plan, tables] = await Promise.all([compareStructure(session), compareRows(session)])
    const { main, standby, emit } = session
    await noteLargeObjects(main, emit)
    const sequences = config.syncData
      ? compareSequences(
          await readSequences(main.sql, config.schemas, main.can),
          await readSequences(standby.sql, config.schemas, standby.can)
        )
      : []
    return assembleReport(session, { command: 'diff', started, plan, tables, sequences, failures: [] })
  })
}

async function compareStructure(session: Session) {
  const { config, main, standby, emit } = session
  if (!config.syncSchema) return undefined
  emit({ type: 'phase', phase: 'structure' })
  const plan = await planSchema(main, standby, schemaScope(session), schemaOptions(session))
  for (const stranger of plan.strangers) {
    emit({ type: 'note', message: `outside of the scope, and in the way of a sync: ${stranger}` })
  }
  return plan
}

async function compareRows(session: Session): Promise<TableReport[]> {
  if (!session.config.syncData) return []
  const scope = await readScope(session)
  session.emit({ type: 'phase', phase: 'compare' })
  return withData(session, scope.units, async context => [
    ...(await compareUnits(context, scope.units)).map(result => tableReport(result, 'diff', false)),
    ...(await Promise.all(scope.missing.map(unit => countMissing(context, unit)))),
    ...refusedReports(scope).map(table => waiting(table, session))
  ])
}

/** A table that the structure's sync will alter: not a failure, but not comparable before. */
function waiting(table: TableReport, { config }: Session): TableReport {
  if (!config.syncSchema || table.status !== 'failed') return table
  const { hint: _, ...rest } = table
  return {
    ...rest,
    status: 'differs',
    reason: `${table.reason}: its rows are compared when its structure is main's`
  }
}

/** All rows of a table that the standby does not have would be inserted. */
async function countMissing(context: DataContext, unit: Unit): Promise<TableReport> {
  return retrying(unit.name, context.retry, () =>
    context.pool.run(async ({ main }) => {
      const from = `FROM ${unit.source} WHERE ${unit.filter}`
      const counted = await main.query<{ n: string }>(`SELECT pg_catalog.count(*)::text AS n ${from}`)
      const { rows } = await main.query<(string | null)[]>({
        text: `SELECT ${textColumns(unit)} ${from} LIMIT ${context.samples}`,
        rowMode: 'array'
      })
      const samples = rows.map((row): RowSample => {
        const columns = sampleColumns(unit, 'insert', row, undefined)
        const key = Object.fromEntries(unit.key.map(({ name }) => [name, columns[name]?.main ?? null]))
        return { key, kind: 'insert', columns }
      })
      return missingReport(unit, Number(counted.rows[0]!.n), samples)
    })
  )
}
