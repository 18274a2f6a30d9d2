/** A case as SQL and options: all that a person needs to see it again by hand. */
import type { SyncOptions } from '../../../src/index.js'
import { allRows, insertRows, makeForeignKeys, makeLast, makeTables } from './ddl.js'
import { changeRows, changeStructure, isSilent } from './drift.js'
import { makeModel, schemas, type Model } from './model.js'
import type { Spec } from './spec.js'

export interface Scenario {
  model: Model
  /** Run on both, statement by statement. */
  both: string[]
  /** Then on one. */
  main: string[]
  standby: string[]
  /** Then, to the standby's structure. */
  altered: string[]
  /** At the end on both: what would stop the changes. */
  last: string[]
  options: Partial<SyncOptions>
  /** Neither side's role is a superuser. */
  plain: boolean
  /** The standby's rows past its own foreign keys: some may have no parent. */
  orphans: boolean
}

export interface Server {
  /** postgres_fdw can be had. */
  fdw: boolean
}

export function makeScenario(spec: Spec, server: Server): Scenario {
  const plain = spec.options.plainOwner
  const model = makeModel({
    ...spec,
    // A role without superuser meets row security and triggers, and says so.
    tables: spec.tables.map(table =>
      plain && ['security', 'trigger'].includes(table.extras) ? { ...table, extras: '' as const } : table
    )
  })
  const structure = spec.options.structure !== ''
  const changes = spec.changes.map(change => ({ change, sql: changeRows(model, change) }))
  const made = changes.filter((one): one is typeof one & { sql: string } => one.sql !== undefined)
  const altered = structure ? spec.alterations.map(one => changeStructure(model, one)) : []
  return {
    model,
    both: [
      ...makeTables(model),
      ...model.tables.flatMap(table => insertRows(table, allRows(table))),
      ...makeForeignKeys(model)
    ],
    main: made.filter(({ change }) => change.main).map(({ sql }) => sql),
    standby: made.filter(({ change }) => !change.main).map(({ sql }) => sql),
    altered: altered.filter(sql => sql !== undefined),
    last: makeLast(model),
    options: optionsOf(spec, server),
    plain,
    orphans: spec.changes.some(isSilent)
  }
}

function optionsOf({ options }: Spec, server: Server): Partial<SyncOptions> {
  const { structure, keepExtra, chunkSize, workers, strictHash, verify } = options
  const changes = structure !== ''
  return {
    schemas: [...schemas],
    chunkSize,
    workers,
    strictHash,
    verify,
    fdwMode: options.fdwMode && server.fdw && !options.plainOwner,
    syncSchema: changes,
    schemaMethod: structure === 'catalog' ? 'catalog' : 'auto',
    forcePsql: structure === 'psql',
    concurrentIndexes: structure === 'concurrent',
    // Objects go with their rows: a table that is left has foreign keys of its own.
    cleanExtra: { rows: !keepExtra || changes, objects: changes },
    ...(changes && { allow: ['all'] as const })
  }
}

/** The case as a script to paste. */
export function scriptOf({ both, main, standby, altered, last, options, plain }: Scenario): string {
  const sql = (title: string, statements: readonly string[]) =>
    statements.length === 0 ? [] : [`-- ${title}`, ...statements.map(one => `${one};`)]
  return [
    ...sql('both', both),
    ...sql('main', main),
    ...sql('standby', [...standby, ...altered]),
    ...sql('both', last),
    `-- options ${JSON.stringify(options)}${plain ? ', as roles without superuser' : ''}`
  ].join('\n')
}
