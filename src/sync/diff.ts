/** `diff`: what a sync would do, and nothing written on either side. */
import { setMaxListeners } from 'node:events'
import { retrying } from '../core/retry.js'
import { countRows } from '../data/buckets.js'
import type { DataContext } from '../data/context.js'
import { compareUnits } from '../data/rows.js'
import { printedRow, sampleColumns, textColumns, type RowSample } from '../data/samples.js'
import { compareSequences } from '../data/sequences.js'
import type { Unit } from '../data/unit.js'
import type { ViewResult } from '../data/views.js'
import { readSequences } from '../postgres/relations.js'
import { planSchema } from '../schema/plan.js'
import { untilWhole } from './again.js'
import { assembleReport, missingReport, refusedReports, tableReport } from './assemble.js'
import { completeConfig, type SyncOptions } from './config.js'
import type { Report, TableReport } from './report.js'
import { PlanDraft } from './plan/make.js'
import { schemaOptions, schemaScope } from './structure.js'
import { compareViews, readViews } from './views.js'
import { noteLargeObjects, readScope, withData, type RunContext, type Session } from './session.js'

/**
 * Compares structure and rows of two databases.
 * @throws ConfigError, ConnectionError, ProgramError or SchemaError where the comparison could not be made at all;
 * a single table's failure is in the report instead.
 */
export async function diff(options: SyncOptions, context: RunContext = {}): Promise<Report> {
  const config = completeConfig(options)
  const started = performance.now()
  return untilWhole('diff', config, context, async session => {
    if (config.plan === undefined) return compare(session, started)
    const draft = await PlanDraft.open(config.plan, session)
    try {
      return await compare(session, started, draft)
    } finally {
      await draft.discard()
    }
  })
}

async function compare(session: Session, started: number, draft?: PlanDraft): Promise<Report> {
  const { config, main, standby, emit } = session
  const [plan, { tables, views }] = await bothOrNeither(session, draft)
  await noteLargeObjects(main, emit)
  const sequences = config.syncData
    ? compareSequences(
        await readSequences(main.sql, config.schemas, main.can),
        await readSequences(standby.sql, config.schemas, standby.can)
      )
    : []
  await draft?.finish(session, { plan, tables, sequences, views })
  return assembleReport(session, { command: 'diff', started, plan, tables, sequences, views, failures: [] })
}

/** Structure and rows at the same time; what fails first stops the other, which is waited for. */
async function bothOrNeither(session: Session, draft?: PlanDraft) {
  const over = new AbortController()
  const signal = AbortSignal.any([session.signal, over.signal])
  setMaxListeners(0, signal)
  const one = { ...session, signal, retry: { ...session.retry, signal } }
  const stop = (error: unknown): never => {
    over.abort(error)
    throw error
  }
  const works = [compareStructure(one).catch(stop), compareRows(one, draft).catch(stop)] as const
  await Promise.allSettled(works)
  session.signal.throwIfAborted()
  if (over.signal.aborted) throw over.signal.reason
  return Promise.all(works)
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

async function compareRows(
  session: Session,
  draft?: PlanDraft
): Promise<{ tables: TableReport[]; views: ViewResult[] }> {
  if (!session.config.syncData) return { tables: [], views: [] }
  const scope = await readScope(session)
  session.emit({ type: 'phase', phase: 'compare' })
  return withData(session, scope.units, async context => {
    const compared = await compareUnits(context, scope.units)
    await draft?.rows(context, compared, scope.missing)
    const tables = [
      ...compared.map(result => tableReport(result, 'diff', false)),
      ...(await Promise.all(scope.missing.map(unit => countMissing(context, unit)))),
      ...refusedReports(scope).map(table => waiting(table, session))
    ]
    return { tables, views: await compareViews(session, await readViews(session, context), context) }
  })
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
      const count = await countRows(context, main, unit)
      const { rows } = await main.query<(string | null)[]>({
        text: `SELECT ${textColumns(unit)} FROM ${unit.source} WHERE ${unit.filter} LIMIT ${context.samples}`,
        rowMode: 'array'
      })
      const samples = rows.map((row): RowSample => {
        const values = sampleColumns(unit, 'insert', printedRow(unit, row), undefined)
        const key = Object.fromEntries(unit.key.map(({ name }) => [name, values.columns[name]?.main ?? null]))
        return { key, kind: 'insert', ...values }
      })
      return missingReport(unit, count, samples)
    })
  )
}
