/**
 * Cuts what comes after the rows into units: one object with its comments, whole or not at all. Four stages, each
 * begun when the one before has ended: NOT NULL and checks, the first of which a partitioned table's primary key needs; indexes
 * and keys, which foreign keys need; foreign keys; the rest.
 */
import type postgres from 'postgres'
import type { Entry } from './entry.js'
import type { PlannedStep } from './step.js'
import { tableParameters } from './scope.js'

export interface Unit {
  readonly steps: PlannedStep[]
  /** Dump ids that it makes, and those that it must wait for. */
  readonly makes: Set<number>
  readonly needs: Set<number>
  /** Tables that it locks, by dump id; with the others that only read them where `shared`. */
  readonly locks: ReadonlySet<number>
  readonly shared: boolean
  /** In this order, one at a time. */
  readonly serial: boolean
  /** Bytes of the table, or of the largest that waits for it: the longest work is begun first. */
  weight: number
  /** Why it failed. */
  failure?: string
}

/** `schema\0table` → bytes. */
export type TableSizes = ReadonlyMap<string, number>

const stageOf = (entry: Entry): number => {
  if (['INDEX', 'CONSTRAINT', 'INDEX ATTACH'].includes(entry.kind)) return 1
  return entry.kind === 'FK CONSTRAINT' ? 2 : 3
}

const lastStage = 3

/** The stages' units, those of all but the last by weight. */
export function unitsOf(steps: readonly PlannedStep[], sizes: TableSizes): Unit[][] {
  const stages: Unit[][] = [[], [], [], []]
  const placed = new Map<number, { unit: Unit; stage: number }>()
  for (const step of steps) {
    const { entry } = step
    const home = entry.parent && placed.get(entry.parent.dumpId)
    if (home && ['COMMENT', 'SECURITY LABEL'].includes(entry.kind)) {
      home.unit.steps.push(step)
      home.unit.makes.add(entry.dumpId)
      placed.set(entry.dumpId, home)
      continue
    }
    // An index on a materialized view that itself comes after a key must wait for both.
    const before = entry.dependencies.flatMap(id => placed.get(id) ?? [])
    const stage = Math.max(step.stage ?? stageOf(entry), ...before.map(other => other.stage))
    const unit: Unit = {
      steps: [step],
      makes: new Set([entry.dumpId]),
      needs: new Set(entry.dependencies),
      locks: step.locks,
      shared: entry.kind === 'INDEX',
      serial: stage === lastStage,
      weight: sizes.get(nameOf(entry.parent)) ?? 0
    }
    placed.set(entry.dumpId, { unit, stage })
    stages[stage]!.push(unit)
  }
  const all = [...placed.values()].toReversed()
  for (const { unit } of all) {
    for (const id of unit.needs) {
      const other = placed.get(id)?.unit
      if (other) other.weight = Math.max(other.weight, unit.weight)
    }
  }
  return stages.map((units, stage) =>
    stage === lastStage ? units : units.toSorted((a, b) => b.weight - a.weight)
  )
}

/** Bytes of the tables that the steps are on, as they are now. */
export async function readSizes(sql: postgres.Sql, steps: readonly PlannedStep[]): Promise<TableSizes> {
  const tables = new Map(
    steps.flatMap(({ entry }) => (entry.parent ? [[nameOf(entry.parent), entry.parent]] : []))
  )
  const rows = await sql.unsafe<{ schema: string; name: string; bytes: number }[]>(
    `SELECT n.nspname::text AS schema, c.relname::text AS name, pg_catalog.pg_relation_size(c.oid)::float8 AS bytes
     FROM unnest($1::text[], $2::text[]) AS wanted (schema, name)
     JOIN pg_catalog.pg_namespace n ON n.nspname = wanted.schema
     JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = wanted.name AND c.relkind IN ('r', 'm')`,
    tableParameters([...tables.values()])
  )
  return new Map(rows.map(row => [nameOf(row), row.bytes]))
}

function nameOf(table: { schema: string; name: string } | undefined): string {
  return table ? [table.schema, table.name].join('\0') : ''
}
