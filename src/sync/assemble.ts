/** Makes the report out of what the floors below returned: the one place where a run's result gets its final form. */
import type { UnitResult } from '../data/rows.js'
import type { SequenceResult } from '../data/sequences.js'
import { differs } from '../data/tally.js'
import type { Unit } from '../data/unit.js'
import type { ViewResult } from '../data/views.js'
import type { SchemaChange } from '../schema/change.js'
import type { SchemaPlan } from '../schema/plan.js'
import { scriptOf } from '../schema/script.js'
import type { Report, TableReport } from './report.js'
import type { Scope } from './scope.js'
import type { Session } from './session.js'

export interface Findings {
  command: Report['command']
  started: number
  /** Of the structure; undefined: it was left alone. */
  plan: SchemaPlan | undefined
  tables: TableReport[]
  sequences: SequenceResult[]
  views: ViewResult[]
  /** Sentences for what failed and is no table, statement, sequence or view. */
  failures: string[]
}

export function assembleReport(session: Session, found: Findings): Report {
  const { main, standby, cut, notes } = session
  const changes = found.plan?.changes ?? []
  const tables = found.tables.toSorted(
    (a, b) => compareNames(a.schema, b.schema) || compareNames(a.table, b.table)
  )
  const count = (status: TableReport['status']) => tables.filter(table => table.status === status).length
  const sum = (value: (table: TableReport) => number) =>
    tables.reduce((total, table) => total + value(table), 0)
  const done = (change: SchemaChange) => change.status === 'applied'
  const settled: TableReport['status'][] = [
    'identical',
    'skipped',
    ...(found.command === 'sync' ? (['synced'] as const) : [])
  ]
  const schemaIdentical = changes.every(done)
  const identical =
    schemaIdentical &&
    found.failures.length === 0 &&
    tables.every(table => settled.includes(table.status) && !table.left) &&
    found.sequences.every(one => ['identical', 'ahead', 'synced', 'skipped'].includes(one.status)) &&
    found.views.every(one => one.status === 'identical' || one.status === 'synced')
  const ok =
    found.failures.length === 0 &&
    changes.every(change => change.status !== 'failed') &&
    tables.every(table => table.status !== 'failed') &&
    [...found.sequences, ...found.views].every(one => one.status !== 'failed')
  return {
    version: 1,
    command: found.command,
    identical,
    ok,
    cut: { snapshot: cut.snapshot ?? null, lsn: cut.lsn, time: cut.time },
    main: { address: main.address, version: main.version },
    standby: { address: standby.address, version: standby.version },
    schema: {
      identical: schemaIdentical,
      changes,
      ...(found.plan && changes.length > 0 && { script: scriptOf(found.plan) })
    },
    tables,
    sequences: found.sequences,
    views: found.views,
    totals: {
      tables: tables.length,
      identical: count('identical'),
      differs: count('differs'),
      synced: count('synced'),
      failed: count('failed'),
      skipped: count('skipped'),
      rows: { main: sum(table => table.rows.main), standby: sum(table => table.rows.standby) },
      insert: sum(table => table.insert),
      update: sum(table => table.update),
      delete: sum(table => table.delete)
    },
    failures: found.failures,
    notes,
    durationMs: Math.round(performance.now() - found.started)
  }
}

const compareNames = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

/** A compared or written unit. `deleted`: the rows that main does not have were removed, not only counted. */
export function tableReport(result: UnitResult, command: Report['command'], deleted: boolean): TableReport {
  const { unit, tally } = result
  const left = command === 'sync' && !deleted && result.status !== 'failed' && tally.delete > 0
  const written = tally.insert + tally.update > 0
  const { cells } = tally.drift
  const reasons = [
    ...(result.reason === undefined ? [] : [result.reason]),
    ...(left ? [`${tally.delete} rows that main does not have were left: --clean-extra removes them`] : []),
    ...(unit.main.persistence === 'u' ? ['unlogged on main: a crash empties it'] : [])
  ]
  return {
    ...base(unit),
    status: left && !written ? 'differs' : result.status,
    rows: { main: tally.main, standby: tally.standby },
    insert: tally.insert,
    update: tally.update,
    delete: left ? 0 : tally.delete,
    ...(left && { left: tally.delete }),
    ...(reasons.length > 0 && { reason: reasons.join('; ') }),
    ...(result.hint !== undefined && { hint: result.hint }),
    samples: tally.samples,
    ...(differs(tally) &&
      cells.length > 0 && { drift: { by: unit.strategy === 'range' ? 'key' : 'hash', cells } })
  }
}

function base(unit: Unit) {
  const generated = unit.compared.filter(column => !unit.written.includes(column)).map(column => column.name)
  return {
    schema: unit.main.schema,
    table: unit.main.name,
    key: unit.key.map(column => column.name),
    ...(generated.length > 0 && { generated }),
    ...(unit.overriding && { overriding: true })
  }
}

/** Tables that could not be compared. */
export function refusedReports(scope: Scope): TableReport[] {
  return scope.refused.map(({ table, status, reason, hint }) => ({
    schema: table.schema,
    table: table.name,
    status,
    key: [],
    rows: { main: 0, standby: 0 },
    insert: 0,
    update: 0,
    delete: 0,
    reason,
    ...(hint !== undefined && { hint }),
    samples: []
  }))
}

/** A table that the standby does not have, with its rows counted. */
export function missingReport(unit: Unit, rows: number, samples: TableReport['samples']): TableReport {
  return {
    ...base(unit),
    status: 'differs',
    rows: { main: rows, standby: 0 },
    insert: rows,
    update: 0,
    delete: 0,
    reason: 'missing on the standby',
    samples
  }
}
