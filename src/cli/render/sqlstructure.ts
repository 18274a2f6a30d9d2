/**
 * The structure's parts of a script, in the order of a run: what no transaction can hold comes before it or after
 * it. What is run, and when, the engine's script says; the changes add why, and what stays as it is.
 */
import { labelOf, type SchemaChange, type SchemaScript, type SchemaStatement } from '../../schema/change.js'
import type { SchemaReport } from '../../sync/report.js'
import { lacksPassword } from '../../schema/secretsql.js'
import { shown } from './words.js'

export interface StructureParts {
  /** Settings of the session. */
  preamble: readonly string[]
  /** Lines of the script. */
  before: string[]
  structure: string[]
  constraints: string[]
  after: string[]
  /** What is not run, as comments. */
  left: string[]
  /** How many changes are made that delete data. */
  deleting: number
}

/** Every part; those that have nothing are empty. */
export function structureParts({ changes, script = nothing }: SchemaReport): StructureParts {
  const run = partsOf(script)
  const reasons = new Map(changes.map(change => [titleOf(change), change.reason]))
  const lines = (statements: readonly SchemaStatement[]) => linesOf(statements, reasons)
  const all = [...run.before, ...run.structure, ...run.constraints, ...run.after]
  return {
    preamble: script.preamble ?? [],
    before: lines(run.before),
    structure: lines(run.structure),
    constraints: lines(run.constraints),
    after: lines(run.after),
    left: changes
      .filter(({ status }) => status === 'left')
      .flatMap(change => ['', header(titleOf(change), change.reason), ...change.sql.map(commented)]),
    deleting: new Set(all.filter(({ hazards }) => hazards.includes('deletes-data')).map(({ label }) => label))
      .size
  }
}

const nothing: SchemaScript = { outside: [], structure: [], constraints: [] }

type Parts = Record<'before' | 'structure' | 'constraints' | 'after', SchemaStatement[]>

const isAlone = ({ hazards }: SchemaStatement) => hazards.includes('not-transactional')

function partsOf({ outside, structure, constraints }: SchemaScript): Parts {
  return {
    before: outside,
    structure,
    constraints: constraints.filter(statement => !isAlone(statement)),
    after: constraints.filter(isAlone)
  }
}

const titleOf = (change: SchemaChange): string => `${change.action} ${labelOf(change)}`

function linesOf(
  statements: readonly SchemaStatement[],
  reasons: ReadonlyMap<string, string | undefined>
): string[] {
  let last: string | undefined
  return statements.flatMap(({ sql, label, hazards }) => {
    const lines = label === last ? [] : ['', header(label, reasons.get(label))]
    last = label
    if (hazards.length > 0) lines.push(comment(`hazard: ${hazards.join(', ')}`))
    if (!lacksPassword(sql)) return [...lines, sql]
    return [...lines, comment('a password was left out here: put it in, and run this'), commented(sql)]
  })
}

const header = (title: string, reason?: string): string => comment(reason ? `${title}: ${reason}` : title)

export const comment = (text: string): string => `-- ${shown(text)}`

/** Every line of a statement as a comment; it may have line ends within a value. */
export function commented(statement: string): string {
  return statement
    .split(/\r\n|\r|\n/)
    .map(line => `-- ${line}`)
    .join('\n')
}
