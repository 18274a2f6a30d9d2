/** The tables of a plan as they are on the standby now: what has changed of their structure since is found here, before any row. */
import { GuardError } from '../../core/errors.js'
import { keyColumn } from '../../data/key.js'
import { makeUnit, type Unit } from '../../data/unit.js'
import { qualified } from '../../postgres/quote.js'
import type { Table } from '../../postgres/tables.js'
import type { PlanHead, PlanTable } from './document.js'

/**
 * @returns the unit of each table of the plan, by its name there.
 * @throws GuardError naming all tables that are not as the plan knows them.
 */
export function planUnits(
  plan: PlanHead,
  tables: readonly Table[],
  upsertThroughParent: boolean
): Map<string, Unit> {
  const there = new Map(tables.map(table => [qualified(table.schema, table.name), table]))
  const units = new Map<string, Unit>()
  const faults: string[] = []
  for (const planned of plan.tables) {
    const table = there.get(qualified(planned.schema, planned.table))
    const found = table
      ? unitOf(planned, table, plan.digest.exactFloats, upsertThroughParent)
      : 'is not there'
    if (typeof found === 'string') faults.push(`${planned.name} ${found}`)
    else units.set(planned.name, found)
  }
  if (faults.length === 0) return units
  throw new GuardError(
    `the standby’s structure is not what the plan was made for, and nothing was written: ${faults.join('; ')}`,
    {
      hint: 'Make the plan anew with diff --plan.'
    }
  )
}

function unitOf(
  planned: PlanTable,
  table: Table,
  exactFloats: boolean,
  upsertThroughParent: boolean
): Unit | string {
  const known = new Set([...Object.keys(planned.columns), ...planned.generated])
  for (const name of known) {
    const column = table.columns.find(one => one.name === name)
    if (!column) return `has no column ${name}`
    const type = planned.columns[name]
    if (type !== undefined && column.type !== type)
      return `has ${column.type} for column ${name}, and the plan ${type}`
    if ((column.generated === '') !== (type !== undefined))
      return `has another rule for what is computed in column ${name}`
  }
  const exclude = new Set(table.columns.map(({ name }) => name).filter(name => !known.has(name)))
  const rules = { form: 'md5', exactFloats, upsertThroughParent, where: undefined, exclude } as const
  const unit = makeUnit(table, table, rules)
  if ('reason' in unit) return unit.reason
  if (planned.key.length === 0) return { ...unit, strategy: 'multiset', key: [], upsert: false }
  const index = table.keys.find(({ columns }) => columns.join('\0') === planned.key.join('\0'))
  // A table that the plan itself makes has its key after its rows.
  if (!index && planned.update + planned.delete > 0) return `has no key (${planned.key.join(', ')})`
  const key = planned.key.map(name => keyColumn(table.columns.find(column => column.name === name)!))
  return { ...unit, strategy: 'range', key, upsert: index?.immediate === true && unit.upsert }
}
