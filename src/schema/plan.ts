/**
 * Reads both sides and says what is to be done. Nothing is written here, and what is planned is final: apply.ts
 * only carries it out.
 */
import { asQueryable, type Server } from '../postgres/server.js'
import { arrivals } from './arrivals.js'
import type { SchemaChange, SchemaOptions, SchemaScope } from './change.js'
import { Changes } from './changes.js'
import { decide, isChanged, type Decision } from './decide.js'
import { departures } from './departures.js'
import type { Details } from './details/details.js'
import { readDetails } from './details/read.js'
import { type Dependents, readDependents } from './dependents.js'
import { type Entry, satelliteKinds } from './entry.js'
import { readBoth, type Both, type MainStructure } from './read.js'
import { requireAll } from './requirements.js'
import type { Environment } from './run.js'
import { makeSide } from './side.js'
import { lockedTables, preambleOf, removal } from './statements.js'
import type { PlannedStep, Step } from './step.js'
import { markUnfit } from './unfit.js'

/** Main's side of a comparison, for the next one. */
export interface KnownMain extends MainStructure {
  /** Read only where something that is there must change or go. */
  readonly details: Details | undefined
}

export interface SchemaPlan {
  /** For the proof; undefined where nothing is to be proved. */
  readonly main: KnownMain | undefined
  /** For the report: their status changes in place while the plan is applied. */
  readonly changes: SchemaChange[]
  /** Nothing differs. */
  readonly identical: boolean
  /** Objects outside of the scope that rest on what must be dropped or changed, each with how. */
  readonly strangers: readonly string[]
  /** Labels of the changes whose hazards nothing allows, each with what it would do. */
  readonly refused: readonly { change: SchemaChange; hazard: string; extra: boolean }[]
  /** Statements that a script needs before those of the changes. */
  readonly preamble: readonly string[]
  /** Each by itself, before the structure: what PostgreSQL must have committed before it can be used. */
  readonly outside: readonly Step[]
  /** One transaction, before the rows. */
  readonly structure: readonly Step[]
  /** After the rows, object by object. */
  readonly constraints: readonly PlannedStep[]
  /** pg_dump's path: psql is looked for beside it. */
  readonly pgDump: string | undefined
  readonly env: Environment
}

/**
 * Compares the structure of both sides.
 * @param known main's side as an earlier comparison of the run has read it
 * @throws ProgramError where pg_dump is missing, too old or fails; SchemaError where main has no such schema, or the
 * standby cannot have a role, tablespace or extension that is needed.
 */
export async function planSchema(
  main: Server,
  standby: Server,
  scope: SchemaScope,
  options: SchemaOptions,
  known?: KnownMain
): Promise<SchemaPlan> {
  const both = await readBoth(main, standby, scope, options, known)
  const { entries, extensions } = both
  const decision = await decisionOf(main, standby, both, options, known)
  await markUnfit(standby, decision, options.signal)
  const { details } = decision.main
  const changes = new Changes()
  const going = await departures(decision, changes)
  const coming = await arrivals(decision, changes, standby.user, options)
  for (const { entry, reason } of extensions.unavailable) changes.leave(entry, 'create', reason)
  for (const { entry, reason } of extensions.elsewhere) changes.leave(entry, 'alter', reason)
  await leaveExtras(decision, changes, options)
  const created = new Set([...coming.structure, ...coming.after].map(step => step.entry))
  await requireAll(standby, [...created], decision, options)
  const [settings] = await standby.sql.unsafe<{ there: boolean }[]>(
    "SELECT pg_catalog.count(*) > 0 AS there FROM pg_catalog.pg_settings WHERE name = 'default_table_access_method'"
  )
  const list = inOrder(changes, entries.main)
  return {
    main:
      list.length === 0 ? undefined : { ...both.main, details: details === noDetails ? undefined : details },
    changes: list,
    identical: list.length === 0,
    strangers: [...decision.fate.strangers].map(([name, reason]) => `${name}: ${reason}`),
    refused: changes.risks.filter(
      ({ hazard, extra }) =>
        (hazard === 'deletes-data' || hazard === 'loses-grants') &&
        !options.allow.has(hazard) &&
        !(extra && options.cleanExtra)
    ),
    preamble: preambleOf({
      standardStrings: both.standardStrings,
      accessMethods: settings?.there ?? false,
      lockTimeout: options.lockTimeout,
      replica: options.replica
    }),
    outside: coming.outside,
    structure: [...going.first, ...coming.structure, ...going.last],
    constraints: [
      ...coming.late.map((step, i) => asConstraint(step, -1 - i)),
      ...withLocks(coming.after, entries.main)
    ],
    pgDump: both.pgDump,
    env: options.env ?? {}
  }
}

const noDetails: Details = {
  relations: new Map(),
  types: new Map(),
  routines: new Map(),
  sequences: new Map(),
  casts: new Set(),
  extensions: new Map()
}
const noDependents: Dependents = {
  of: () => [],
  rules: new Map(),
  defaults: new Map(),
  constraints: new Map(),
  ownTriggers: new Set(),
  indexes: new Map(),
  invalidIndexes: []
}

/** Details and dependencies are read only where something that is there must change or go. */
async function decisionOf(
  main: Server,
  standby: Server,
  { entries }: Both,
  options: SchemaOptions,
  known?: KnownMain
): Promise<Decision> {
  const there = new Map(entries.standby.map(entry => [entry.key, entry]))
  const ours = new Set(entries.main.map(entry => entry.key))
  const altered =
    entries.standby.some(entry => !ours.has(entry.key)) ||
    entries.main.some(entry => {
      const twin = there.get(entry.key)
      return twin && isChanged({ main: entry, standby: twin })
    }) ||
    (entries.standby.length > 0 &&
      entries.main.some(entry => ['TABLE ATTACH', 'INDEX'].includes(entry.kind) && !there.has(entry.key)))
  if (!altered) {
    return decide(
      makeSide(entries.main, noDetails),
      { ...makeSide(entries.standby, noDetails), dependents: noDependents },
      options
    )
  }
  const [mainDetails, standbyDetails, dependents] = await Promise.all([
    known?.details ?? detailsOf(main, options.snapshot),
    detailsOf(standby),
    readDependents(standby.sql)
  ])
  return decide(
    makeSide(entries.main, mainDetails),
    { ...makeSide(entries.standby, standbyDetails), dependents },
    options
  )
}

/** As of the same moment as the dump, where that has a snapshot. */
async function detailsOf(server: Server, snapshot?: string): Promise<Details> {
  if (snapshot === undefined) return readDetails(server.sql, server.can, server.role)
  const client = await server.connect()
  try {
    await client.query('BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY')
    await client.query(`SET TRANSACTION SNAPSHOT '${snapshot}'`)
    return await readDetails(asQueryable(client), server.can, server.role)
  } finally {
    await client.end().catch(() => {})
  }
}

/** What only the standby has, and stays. */
async function leaveExtras(decision: Decision, changes: Changes, options: SchemaOptions): Promise<void> {
  const { extras, fate } = decision
  const all = new Set(extras)
  for (const entry of extras) {
    if (fate.drops.has(entry) || satelliteKinds.has(entry.kind) || /^(SCHEMA|DEFAULT ACL)$/.test(entry.kind))
      continue
    if (options.cleanExtra) continue
    changes.leave(entry, 'drop', 'it is only on the standby')
    changes.of(entry, 'drop').sql.push(...(await removal(entry, all, new Set())))
  }
}

/** Main's order, then what only the standby has. */
function inOrder(changes: Changes, main: readonly Entry[]): SchemaChange[] {
  const place = new Map(main.map((entry, i) => [entry.key, i]))
  return changes.byKey
    .toSorted(([a], [b]) => (place.get(a) ?? place.size) - (place.get(b) ?? place.size))
    .map(([, change]) => change)
}

/** NOT NULL and checks: by itself, for others do not rest on it. */
function asConstraint(step: Step, dumpId: number): PlannedStep {
  const entry = { ...step.entry, dumpId, dependencies: [] }
  return { ...step, entry, locks: new Set([step.entry.dumpId]), stage: 0 }
}

/**
 * That an index has become whole is handed up the tree of partitions: of two that are attached at once each would miss the other,
 * and the topmost index would stay invalid.
 */
const attaching = -1

function withLocks(steps: readonly Step[], entries: readonly Entry[]): PlannedStep[] {
  const byId = new Map(entries.map(entry => [entry.dumpId, entry]))
  return steps.map(step => {
    const locks = lockedTables(step.entry, byId)
    return { ...step, locks: step.entry.kind === 'INDEX ATTACH' ? locks.add(attaching) : locks }
  })
}
