/** What stands against a plan: its own risks, and a standby that is not what it was when the plan was made. Each says what to do. */
import type pg from 'pg'
import { ConfigError, GuardError } from '../../core/errors.js'
import { changedRows, countPatch } from '../../data/patch.js'
import type { Patch } from '../../data/patchstage.js'
import type { Server } from '../../postgres/server.js'
import { lacksPassword } from '../../schema/secretsql.js'
import { allowed, raiseGuard } from '../guards.js'
import type { ApplyPlanConfig } from './config.js'
import type { PlanHead, PlanStructure } from './document.js'
import { structureDigest } from './make.js'
import type { PlanReport } from './report.js'

/** Rows that are named where some have changed. */
const mostNamed = 20

/** Before anything is connected to. */
export function guardStructure({ structure }: PlanHead, { undo, allow }: ApplyPlanConfig): void {
  if (!structure) return
  if (undo !== undefined) {
    throw new ConfigError('the plan changes the structure, which no undo brings back', {
      hint: 'Apply the structure first, by a plan of its own (diff --plan with --sync-data=false), and then a plan of the rows, with --undo.'
    })
  }
  if (structure.strangers.length > 0) {
    throw new GuardError(
      `the structure cannot be changed, because what is outside of the scope rests on it: ${structure.strangers.join('; ')}`,
      {
        hint: 'Make the plan with --schema for its schema as well, or with --all-schemas.'
      }
    )
  }
  const risks = structure.risks.filter(({ hazard }) => !allow.includes('all') && !allow.includes(hazard))
  if (risks.length > 0) {
    const names = [...new Set(risks.map(({ hazard }) => hazard))]
    throw new GuardError(
      `the plan changes the structure at a risk, and nothing was changed:\n${risks.map(({ change, hazard }) => `${change}: ${hazard}`).join('\n')}`,
      { hint: `--allow ${names.join(',')} accepts ${risks.length === 1 ? 'it' : 'them'}.` }
    )
  }
  const { outside, structure: inside, constraints } = structure.script
  const secret = [...outside, ...inside, ...constraints].find(({ sql }) => lacksPassword(sql))
  if (secret) {
    throw new GuardError(`${secret.label} needs a password, which no plan holds`, {
      hint: 'Make it on the standby by hand, and the plan anew; or let sync do it.'
    })
  }
}

/** @throws GuardError where the standby’s structure is another by now. */
export async function refuseOther(
  standby: Server,
  { before, schemas, all }: PlanStructure,
  signal: AbortSignal
): Promise<void> {
  if ((await structureDigest(standby, schemas, all, signal)) === before) return
  throw new GuardError(
    'the standby’s structure has changed since the plan was made, and nothing was written',
    {
      hint: 'Make the plan anew with diff --plan.'
    }
  )
}

/**
 * @returns how many rows of each table come, change and go.
 * @throws GuardError where rows are not as they were, or too many would go.
 */
export async function guardRows(
  client: pg.Client,
  plan: PlanHead,
  byName: ReadonlyMap<string, Patch>,
  { maxDelete }: ApplyPlanConfig
): Promise<PlanReport['tables']> {
  const changed: string[] = []
  const tooMany: string[] = []
  const tables: PlanReport['tables'] = []
  for (const { name, schema, table } of plan.tables) {
    const patch = byName.get(name)!
    const rows = await changedRows(client, patch, mostNamed + 1)
    changed.push(...rows.map(row => `${name} ${row}`))
    const counts = await countPatch(client, patch)
    tables.push({ schema, table, ...counts })
    // Of fewer no share is asked.
    const whole = counts.delete > allowed(maxDelete, 0) ? await countAll(client, patch) : 0
    if (counts.delete > allowed(maxDelete, whole)) tooMany.push(`${name} (${counts.delete} of ${whole} rows)`)
  }
  if (changed.length > 0) {
    const named = changed.slice(0, mostNamed).join('\n')
    throw new GuardError(
      `rows of the standby have changed since the plan was made, and nothing was written:\n${named}${changed.length > mostNamed ? '\n… and more' : ''}`,
      { hint: 'Make the plan anew with diff --plan, or take those rows out of it.' }
    )
  }
  if (tooMany.length > 0) {
    throw new GuardError(`the plan would delete too much: ${tooMany.join(', ')}`, {
      hint: raiseGuard
    })
  }
  return tables
}

async function countAll(client: pg.Client, { unit }: Patch): Promise<number> {
  const { rows } = await client.query<{ n: string }>(
    `SELECT pg_catalog.count(*)::text AS n FROM ${unit.source}`
  )
  return Number(rows[0]!.n)
}
