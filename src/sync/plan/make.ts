/** Writes the plan of a `diff`: the structure's statements, the rows, the sequences. The standby's structure is known by a digest again. */
import { createHash } from 'node:crypto'
import type { DataContext } from '../../data/context.js'
import type { UnitResult } from '../../data/rows.js'
import type { SequenceResult } from '../../data/sequences.js'
import type { Unit } from '../../data/unit.js'
import { toFill, type ViewResult } from '../../data/views.js'
import { readSequences } from '../../postgres/relations.js'
import type { Server } from '../../postgres/server.js'
import { labelOf, type SchemaStatement } from '../../schema/change.js'
import type { SchemaPlan } from '../../schema/plan.js'
import { scriptOf } from '../../schema/script.js'
import { withoutPasswords } from '../../schema/secretsql.js'
import type { TableReport } from '../report.js'
import type { Session } from '../session.js'
import type { PlanHead, PlanSequence, PlanStructure, PlanTable } from './document.js'
import { writeRows, type Digests } from './rows.js'
import { PlanWriter } from './writer.js'

export interface Found {
  plan: SchemaPlan | undefined
  tables: readonly TableReport[]
  sequences: readonly SequenceResult[]
  views: readonly ViewResult[]
}

export class PlanDraft {
  #tables: PlanTable[] = []

  private constructor(
    private readonly path: string,
    private readonly out: PlanWriter,
    private readonly digests: Digests
  ) {}

  /** @throws ConfigError where there can be no such file. */
  static async open(path: string, { main, standby, hashing }: Session): Promise<PlanDraft> {
    const form = main.can.hashText && standby.can.hashText ? 'sha256' : 'md5'
    return new PlanDraft(path, await PlanWriter.create(path), { form, exactFloats: hashing.exactFloats })
  }

  /** Reads the rows that a comparison found, while its connections are there. */
  async rows(context: DataContext, compared: readonly UnitResult[], missing: readonly Unit[]): Promise<void> {
    this.#tables = await writeRows(context, compared, missing, this.digests, this.out)
  }

  /** Writes the file. */
  async finish(session: Session, { plan, tables, sequences, views }: Found): Promise<void> {
    const { main, standby, cut, emit } = session
    const named = new Set(this.#tables.map(nameOf))
    const structure = plan && !plan.identical ? await structureOf(session, plan) : null
    const head: PlanHead = {
      kind: 'plan',
      main: { address: main.address, version: main.version },
      standby: { address: standby.address, version: standby.version },
      cut: { snapshot: cut.snapshot ?? null, lsn: cut.lsn, time: cut.time },
      digest: this.digests,
      structure,
      tables: this.#tables,
      sequences: await sequencesOf(session, sequences),
      views: views
        .filter(({ populated, status }) => populated && (structure || status !== 'identical'))
        .map(({ schema, name, status }) => ({
          schema,
          name,
          ...(status === 'identical' && { ifEmpty: true as const })
        })),
      missing: [
        ...tables
          .filter(({ status, ...one }) => status !== 'identical' && !named.has(nameOf(one)))
          .map(({ schema, table, status, reason }) => ({ name: `${schema}.${table}`, status, reason })),
        ...views
          .filter(view => !isMended(view, structure !== null))
          .map(({ schema, name, status, reason }) => ({
            name: `materialized view ${schema}.${name}`,
            status,
            reason
          }))
      ].flatMap(({ name, status, reason }) => (reason === undefined ? [] : [`${name}: ${status}: ${reason}`]))
    }
    await this.out.finish(head)
    const rows = this.#tables.reduce((sum, one) => sum + one.insert + one.update + one.delete, 0)
    emit({ type: 'note', message: `the plan is in ${this.path}, with ${rows} row${rows === 1 ? '' : 's'}` })
  }

  /** Takes away what was begun. */
  discard(): Promise<void> {
    return this.out.discard()
  }
}

const nameOf = ({ schema, table }: Pick<PlanTable, 'schema' | 'table'>): string =>
  JSON.stringify([schema, table])

/** REFRESH may be all that it takes, or, with the structure of the plan, making it and REFRESH. */
const isMended = ({ populated, status, reason }: ViewResult, structure: boolean): boolean =>
  populated && status !== 'failed' && (structure || reason === undefined || reason === toFill)

async function structureOf({ standby, config, signal }: Session, plan: SchemaPlan): Promise<PlanStructure> {
  const { preamble = [], outside, structure, constraints } = scriptOf(plan)
  const all = config.allSchemas && config.tables.length === 0 && config.excludeTables.length === 0
  const statements = (list: readonly SchemaStatement[]) =>
    list.map(one => ({ ...one, sql: withoutPasswords(one.sql) }))
  return {
    before: await structureDigest(standby, config.schemas, all, signal),
    schemas: [...config.schemas],
    all,
    changes: plan.changes
      .filter(({ status }) => status !== 'left')
      .map(change => ({
        label: `${change.action} ${labelOf(change)}`,
        ...(change.reason !== undefined && { reason: change.reason }),
        hazards: change.hazards
      })),
    script: {
      preamble,
      outside: statements(outside),
      structure: statements(structure),
      constraints: statements(constraints)
    },
    risks: plan.refused.map(({ change, hazard }) => ({
      change: `${change.action} ${labelOf(change)}`,
      hazard: hazard as PlanStructure['risks'][number]['hazard']
    })),
    strangers: [...plan.strangers]
  }
}

/** The same exactly where every object of the schemas is, by name and by definition. */
export async function structureDigest(
  standby: Server,
  schemas: readonly string[],
  all: boolean,
  signal: AbortSignal
): Promise<string> {
  const { readCatalog } = await import('../../schema/catalog/read.js')
  const there = await standby.sql<
    { name: string }[]
  >`SELECT nspname::text AS name FROM pg_catalog.pg_namespace`
  const names = new Set(there.map(({ name }) => name))
  const options = { owners: true, privileges: true, signal, lockTimeout: 5_000, emit: () => {} }
  const { entries } = await readCatalog(
    standby,
    { schemas: schemas.filter(name => names.has(name)), all },
    options
  )
  const lines = entries.map(({ key, definition, owner }) => JSON.stringify([key, definition, owner])).sort()
  return createHash('sha256').update(lines.join('\n')).digest('hex')
}

/** Those that a sync would set. */
async function sequencesOf(
  { standby, config }: Session,
  results: readonly SequenceResult[]
): Promise<PlanSequence[]> {
  const wanted = results.filter(
    ({ status }) => status === 'differs' || (status === 'ahead' && config.cleanExtra.rows)
  )
  if (wanted.length === 0) return []
  const there = await readSequences(standby.sql, config.schemas, standby.can)
  return wanted.map(({ schema, name, main, called = true }) => {
    const now = there.find(one => one.schema === schema && one.name === name)
    const from = now?.lastValue === undefined ? null : { value: now.lastValue, called: now.called }
    return { schema, name, from, to: { value: main, called } }
  })
}
