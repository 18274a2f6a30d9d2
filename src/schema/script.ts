/** A plan as one script: every statement in the order in which it would be run. */
import { labelOf, type SchemaScript, type SchemaStatement } from './change.js'
import type { SchemaPlan } from './plan.js'
import type { Step } from './step.js'

export function scriptOf({ preamble, outside, structure, constraints }: SchemaPlan): SchemaScript {
  const statements = (steps: readonly Step[]) => steps.flatMap(statementsOf)
  return {
    preamble: [...preamble],
    outside: statements(outside),
    structure: statements(structure),
    constraints: statements(constraints)
  }
}

function statementsOf({ change, statements, hazards }: Step): SchemaStatement[] {
  const label = `${change.action} ${labelOf(change)}`
  return statements.map((sql, i) => ({ sql, label, hazards: [...(hazards[i] ?? [])] }))
}
