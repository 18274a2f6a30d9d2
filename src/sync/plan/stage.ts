/** The plan's rows on the standby, before any is written; from then on nobody else writes to their tables. */
import type pg from 'pg'
import type { WriteContext } from '../../data/context.js'
import { ForeignKeyGraph } from '../../data/foreignkeys.js'
import { rowDigestText } from '../../data/hash.js'
import { closeStage, fillStage, openStage, type Patch } from '../../data/patchstage.js'
import { readForeignKeys } from '../../postgres/relations.js'
import { asQueryable, type Server } from '../../postgres/server.js'
import { readTables } from '../../postgres/tables.js'
import { noteTriggers } from '../triggers.js'
import type { Emit } from '../../core/events.js'
import { batchesOf } from './batches.js'
import type { PlanHead } from './document.js'
import { planUnits } from './units.js'

export interface Applying {
  /** Path of the plan. */
  path: string
  plan: PlanHead
  standby: Server
  /** The role may set session_replication_role. */
  replica: boolean
  emit: Emit
  signal: AbortSignal
}

export interface Patches {
  context: WriteContext
  byName: ReadonlyMap<string, Patch>
  /** Parents first. */
  ordered: readonly Patch[]
}

/** @throws GuardError where the standby’s tables are not those of the plan; ConfigError for a row that is none of theirs. */
export async function stageRows(
  { path, plan, standby, replica, emit, signal }: Applying,
  client: pg.Client
): Promise<Patches> {
  const sql = asQueryable(client)
  const schemas = [...new Set(plan.tables.map(({ schema }) => schema))]
  const tables = plan.tables.length > 0 ? await readTables(sql, standby.can, schemas) : []
  const units = planUnits(plan, tables, standby.can.upsertThroughParent)
  noteTriggers({ replica, emit }, [...units.values()])
  const graph = new ForeignKeyGraph([...units.values()], await readForeignKeys(sql, standby.can))
  const { form, exactFloats } = plan.digest
  const byName = new Map<string, Patch>()
  for (const [name, unit] of units) {
    await client.query(`LOCK TABLE ${unit.relation} IN SHARE ROW EXCLUSIVE MODE`)
    const digest = rowDigestText(form, unit.compared, exactFloats)
    byName.set(name, await openStage(client, unit, digest, byName.size + 1))
  }
  for await (const { table, batches } of batchesOf(path, plan, signal))
    await fillStage(client, byName.get(table)!, batches, signal)
  for (const patch of byName.values()) await closeStage(client, patch)
  const byUnit = new Map([...byName.values()].map(patch => [patch.unit, patch]))
  return {
    context: { pool: { replica }, graph },
    byName,
    ordered: graph.ordered().map(unit => byUnit.get(unit)!)
  }
}
