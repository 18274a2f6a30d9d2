/** What must be true before a run writes anything; each guard says what to do. */
import { GuardError } from '../core/errors.js'
import type { UnitResult } from '../data/rows.js'
import { qualified } from '../postgres/quote.js'
import type { Server } from '../postgres/server.js'
import { labelOf } from '../schema/change.js'
import type { SchemaPlan } from '../schema/plan.js'
import type { DeleteGuard } from './config.js'

export { refuseReadOnly, refuseSameDatabase } from '../postgres/guards.js'

/** What to do where the guard was right to ask, and is to let it be. */
export const raiseGuard =
  'If that is meant, raise --max-delete (a number of rows, or a percentage such as 100%).'

/** Rows of a table that a share lets go without asking. */
const spared = 1000

/**
 * @param changed the structure was brought over by now: rows could not be compared before.
 * @throws GuardError naming every table that would lose more rows than the guard allows.
 */
export function guardDeletes(results: readonly UnitResult[], guard: DeleteGuard, changed = false): void {
  const refused = results.filter(({ tally }) => tally.delete > allowed(guard, tally.standby))
  if (refused.length === 0) return
  const list = refused.map(({ unit, tally }) => `${unit.name} (${tally.delete} of ${tally.standby} rows)`)
  const done = changed ? '; the structure was brought over, and no row was written' : ''
  throw new GuardError(`--clean-extra would delete too much: ${list.join(', ')}${done}`, {
    hint: raiseGuard
  })
}

/** How many of a table's rows may go. */
export function allowed(guard: DeleteGuard, rows: number): number {
  if (guard.rows !== undefined) return guard.rows
  return Math.max(spared, Math.floor((rows * (guard.percent ?? 100)) / 100))
}

/** @throws GuardError naming every change of the structure whose hazard was not allowed. */
export function guardHazards({ refused }: Pick<SchemaPlan, 'refused'>): void {
  if (refused.length === 0) return
  const lines = new Map(
    refused.map(({ change, hazard, extra }) => [
      `${change.action} ${labelOf(change)}: ${hazard}${change.reason ? ` (${change.reason})` : ''}`,
      extra
    ])
  )
  const others = refused.filter(({ extra }) => !extra).map(({ hazard }) => hazard)
  const flags = [
    ...(refused.some(({ extra }) => extra) ? ['--clean-extra removes what main does not have'] : []),
    ...(others.length > 0
      ? [
          `--allow ${[...new Set(others)].join(',')} accepts ${others.length < refused.length ? 'the others' : 'them'}`
        ]
      : [])
  ]
  throw new GuardError(
    `the structure of the standby would be changed at a risk, and nothing was changed:\n${[...lines.keys()].join('\n')}`,
    {
      hint: `Look at it with diff; then ${flags.join(', ')}.`
    }
  )
}

/** @throws GuardError where dropping extra tables would lose more rows than the guard allows. */
export async function guardDrops(
  standby: Server,
  tables: readonly { schema: string; name: string }[],
  guard: DeleteGuard
): Promise<void> {
  const refused: string[] = []
  for (const { schema, name } of tables) {
    const [row] = await standby.sql.unsafe<{ n: string }[]>(
      `SELECT pg_catalog.count(*)::text AS n FROM ${qualified(schema, name)}`
    )
    const rows = Number(row!.n)
    if (rows > allowed(guard, rows)) refused.push(`${schema}.${name} (${rows} rows)`)
  }
  if (refused.length === 0) return
  throw new GuardError(`--clean-extra would drop tables that hold rows: ${refused.join(', ')}`, {
    hint: raiseGuard
  })
}
