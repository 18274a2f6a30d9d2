/** The sequences of a plan: each is set where it still stands as it stood; one that moved since is left, for its values are in use. */
import type pg from 'pg'
import { literal, qualified } from '../../postgres/quote.js'
import { readSequences } from '../../postgres/relations.js'
import { asQueryable, type Server } from '../../postgres/server.js'
import type { PlanHead, PlanSequence } from './document.js'
import type { PlanReport } from './report.js'

export interface Planned extends PlanSequence {
  /** Where it stands. */
  now: PlanSequence['to']
  result: PlanReport['sequences'][number]
}

/** What is to become of each that is there. */
export async function planSequences(
  client: pg.Client,
  can: Server['can'],
  plan: PlanHead
): Promise<Planned[]> {
  if (plan.sequences.length === 0) return []
  const schemas = [...new Set(plan.sequences.map(({ schema }) => schema))]
  const there = await readSequences(asQueryable(client), schemas, can)
  return plan.sequences.flatMap(planned => {
    const { schema, name, from, to } = planned
    const found = there.find(one => one.schema === schema && one.name === name)
    if (found?.lastValue === undefined) return []
    const now = { value: found.lastValue, called: found.called }
    // One that the plan itself makes has stood nowhere.
    const same = from === null || (from.value === now.value && from.called === now.called)
    return {
      ...planned,
      now,
      result: {
        schema,
        name,
        status: same ? ('set' as const) : ('left' as const),
        value: same ? to.value : now.value,
        ...(!same && { reason: `it stood at ${from.value} when the plan was made` })
      }
    }
  })
}

/** No rollback brings a sequence back: the last thing before the commit. */
export async function setPlanned(client: pg.Client, sequences: readonly Planned[]): Promise<void> {
  for (const { schema, name, to, result } of sequences) {
    if (result.status === 'left') continue
    const target = `${literal(qualified(schema, name))}::pg_catalog.regclass`
    await client.query(`SELECT pg_catalog.setval(${target}, ${literal(to.value)}::bigint, ${to.called})`)
  }
}
