/**
 * The structure's parts of a script, in the order of a run: what no transaction can hold comes before it or after
 * it. The engine's own script is taken where the report has one; without it, the kinds of the changes decide.
 */
import { labelOf, type SchemaChange, type SchemaStatement } from '../../schema/change.js'
import type { SchemaReport } from '../../sync/report.js'
import { lacksPassword } from './secretsql.js'
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
export function structureParts({ changes, script }: SchemaReport, dropsExtra: boolean): StructureParts {
  const isLeft = ({ action, status }: SchemaChange) =>
    !script && action === 'drop' ? !dropsExtra : status === 'left'
  const done = changes.filter(change => !isLeft(change))
  const run = script ? fromScript(script) : fromChanges(done)
  const reasons = new Map(changes.map(change => [titleOf(change), change.reason]))
  const lines = (statements: readonly SchemaStatement[]) => linesOf(statements, reasons)
  const all = [...run.before, ...run.structure, ...run.constraints, ...run.after]
  return {
    preamble: script?.preamble ?? [],
    before: lines(run.before),
    structure: lines(run.structure),
    constraints: lines(run.constraints),
    after: lines(run.after),
    left: changes
      .filter(isLeft)
      .flatMap(change => ['', header(titleOf(change), change.reason), ...change.sql.map(commented)]),
    deleting: new Set(all.filter(({ hazards }) => hazards.includes('deletes-data')).map(({ label }) => label))
      .size
  }
}

type Parts = Record<'before' | 'structure' | 'constraints' | 'after', SchemaStatement[]>

const isAlone = ({ hazards }: SchemaStatement) => hazards.includes('not-transactional')

function fromScript({ outside, structure, constraints }: NonNullable<SchemaReport['script']>): Parts {
  return {
    before: outside,
    structure,
    constraints: constraints.filter(statement => !isAlone(statement)),
    after: constraints.filter(isAlone)
  }
}

function fromChanges(changes: readonly SchemaChange[]): Parts {
  const parts: Parts = { before: [], structure: [], constraints: [], after: [] }
  const drops: SchemaStatement[] = []
  for (const change of changes) {
    // Which of its statements they are of, a change does not say: they stand above the first.
    const all = change.sql.map((sql, at) => ({
      sql,
      label: titleOf(change),
      hazards: at === 0 ? change.hazards : []
    }))
    const early = all.length - (change.late?.length ?? 0)
    if (change.hazards.includes('not-transactional')) {
      parts[change.kind === 'INDEX' ? 'after' : 'before'].push(...all)
    } else if (change.action === 'drop') drops.push(...all)
    else if (isLate(change)) parts.constraints.push(...all)
    else {
      parts.structure.push(...all.slice(0, early))
      parts.constraints.push(...all.slice(early))
    }
  }
  parts.constraints.push(...drops)
  return parts
}

/** Made after the rows, because the rows must be there for them, or must not set them off. */
function isLate({ kind }: SchemaChange): boolean {
  return /^(FK CONSTRAINT|TRIGGER|EVENT TRIGGER|RULE|MATERIALIZED VIEW DATA)$/.test(kind)
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
