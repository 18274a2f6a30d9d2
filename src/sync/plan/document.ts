/**
 * A plan as it is written: one JSON document, a row a line, so that it can be read, searched and shortened by hand. It says all that is
 * to be done to the standby, and by which digest each row must still be recognised. docs/plan.schema.json is the same for others.
 */
import { z } from 'zod'
import { hazards } from '../../schema/change.js'

/** Of the document; another number means another form. */
export const planVersion = 1

const text = z.string().nullable()
const values = z.record(z.string(), text)
const digest = z.string().regex(/^[0-9a-f]{32}$/)

const statement = z.strictObject({
  sql: z.string(),
  label: z.string(),
  hazards: z.array(z.enum(hazards))
})

const structure = z.strictObject({
  /** Of the standby's structure when the plan was made. */
  before: z.string(),
  schemas: z.array(z.string()),
  all: z.boolean(),
  changes: z.array(
    z.strictObject({ label: z.string(), reason: z.string().optional(), hazards: z.array(z.enum(hazards)) })
  ),
  script: z.strictObject({
    preamble: z.array(z.string()).optional(),
    outside: z.array(statement),
    structure: z.array(statement),
    constraints: z.array(statement)
  }),
  /** Changes that nothing has allowed yet: `--allow` of the hazard does. */
  risks: z.array(z.strictObject({ change: z.string(), hazard: z.enum(hazards) })),
  /** What is outside of the scope and stands in the way. */
  strangers: z.array(z.string())
})

const table = z.strictObject({
  /** How the rows below call it. */
  name: z.string(),
  schema: z.string(),
  table: z.string(),
  /** Empty: rows without a key, known by their digest. */
  key: z.array(z.string()),
  /** Those that the rows below hold, each with its type. */
  columns: z.record(z.string(), z.string()),
  /** Those that the server computes. */
  generated: z.array(z.string()),
  insert: z.int().min(0),
  update: z.int().min(0),
  delete: z.int().min(0)
})

const position = z.strictObject({ value: z.string().regex(/^-?\d+$/), called: z.boolean() })

const sequence = z.strictObject({
  schema: z.string(),
  name: z.string(),
  /** null: there is none yet. */
  from: position.nullable(),
  to: position
})

const server = z.strictObject({ address: z.string(), version: z.string() })

export const headShape = z.strictObject({
  /** plan: makes the standby what main was; undo: what it was itself. */
  kind: z.enum(['plan', 'undo']),
  main: server,
  standby: server,
  /** The moment of main, or, of an undo, of its making. */
  cut: z.strictObject({ snapshot: text, lsn: text, time: z.string() }),
  digest: z.strictObject({ form: z.enum(['md5', 'sha256']), exactFloats: z.boolean() }),
  structure: structure.nullable(),
  /** Those that have rows below. */
  tables: z.array(table),
  sequences: z.array(sequence),
  /** Materialized views that are refreshed; `ifEmpty`: only where the structure has made them anew. */
  views: z.array(
    z.strictObject({ schema: z.string(), name: z.string(), ifEmpty: z.literal(true).optional() })
  ),
  /** Differences that are not in the plan, and why. */
  missing: z.array(z.string())
})

export const rowShape = z.discriminatedUnion('op', [
  z.strictObject({ table: z.string(), op: z.literal('insert'), row: values, after: digest }),
  /** `was`: of the columns that change, what the standby has. */
  z.strictObject({
    table: z.string(),
    op: z.literal('update'),
    row: values,
    was: values,
    before: digest,
    after: digest
  }),
  z.strictObject({ table: z.string(), op: z.literal('delete'), was: values, before: digest })
])

/** The whole of it, as docs/plan.schema.json is made from it. */
export const documentShape = z.strictObject({
  pgsyncer: z.literal(planVersion),
  head: headShape,
  rows: z.array(rowShape)
})

export type PlanHead = z.infer<typeof headShape>
export type PlanTable = PlanHead['tables'][number]
export type PlanSequence = PlanHead['sequences'][number]
export type PlanStructure = NonNullable<PlanHead['structure']>
export type PlanRow = z.infer<typeof rowShape>

/** `shop.orders`, with quotes where the parts could not be told apart without. */
export function planName(schema: string, table: string): string {
  const plain = /^[a-z_][a-z0-9_]*$/
  const part = (name: string) => (plain.test(name) ? name : `"${name.replaceAll('"', '""')}"`)
  return `${part(schema)}.${part(table)}`
}
