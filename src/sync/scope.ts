/**
 * Which of main's tables a run is about, and as what each is compared: as itself, leaf by leaf, or as one where the
 * two sides are partitioned differently. Every table of the scope ends in exactly one of the three lists.
 */
import { distance } from 'fastest-levenshtein'
import { ConfigError } from '../core/errors.js'
import { rowHash, type HashForm } from '../data/hash.js'
import { makeUnit, type Refusal, type Unit, type UnitRules } from '../data/unit.js'
import { firstMatch, namePattern } from '../postgres/patterns.js'
import { qualified } from '../postgres/quote.js'
import type { Column, Table } from '../postgres/tables.js'
import type { SyncConfig } from './config.js'

export interface Scope {
  units: Unit[]
  /** On main only. The unit reads main alone. */
  missing: Unit[]
  /** Not compared, and why. */
  refused: { table: Table; status: 'failed' | 'skipped'; reason: string; hint?: string }[]
}

export interface Hashing {
  form: HashForm
  exactFloats: boolean
  upsertThroughParent: boolean
}

/**
 * The tables and materialized views that -t and -T choose.
 * @throws ConfigError for a pattern of -t that none of them fits.
 */
export function chosenTables(tables: readonly Table[], config: SyncConfig): Table[] {
  const excluded = config.excludeTables.map(namePattern)
  const wanted = config.tables.map(pattern => ({ pattern, fits: namePattern(pattern) }))
  for (const { pattern, fits } of wanted) {
    if (tables.some(fits)) continue
    throw new ConfigError(
      `no table or materialized view of main fits ${JSON.stringify(pattern)} in ${config.schemas.join(', ')}`,
      {
        hint: `${nearest(pattern, tables)}Names with capitals need double quotes inside the pattern; other schemas need --schema.`
      }
    )
  }
  return tables.filter(
    table =>
      (wanted.length === 0 || wanted.some(one => one.fits(table))) && !excluded.some(fits => fits(table))
  )
}

function nearest(pattern: string, tables: readonly Table[]): string {
  const [best] = tables.toSorted((a, b) => distance(pattern, a.name) - distance(pattern, b.name))
  return best && distance(pattern, best.name) <= 3 ? `Is ${best.schema}.${best.name} meant? ` : ''
}

export function makeScope(
  main: readonly Table[],
  standby: readonly Table[],
  config: SyncConfig,
  hashing: Hashing
): Scope {
  const scope: Scope = { units: [], missing: [], refused: [] }
  const theirs = new Map(standby.map(table => [qualified(table.schema, table.name), table]))
  const other = (table: Table) => theirs.get(qualified(table.schema, table.name))
  const asOne = new Map(
    main
      .filter(table => table.kind === 'p')
      .map(root => [root.oid, comparedAsOne(root, main, standby, other(root))])
  )
  for (const table of main) {
    if (table.kind === 'f') {
      scope.refused.push({
        table,
        status: 'skipped',
        reason: 'a foreign table: its rows are another server’s'
      })
      continue
    }
    // Inner levels of a partition tree have no rows of their own; leaves are in their root where that is compared as one.
    if (table.kind === 'p' && (asOne.has(table.root) || !asOne.get(table.oid))) continue
    if (table.kind !== 'p' && asOne.get(table.root)) continue
    add(scope, table, other(table), rulesFor(table, config, hashing))
  }
  return scope
}

/** A partitioned table whose leaves are not the standby's. Without any leaf it is listed itself. */
function comparedAsOne(
  root: Table,
  main: readonly Table[],
  standby: readonly Table[],
  twin: Table | undefined
): boolean {
  const leaves = (tables: readonly Table[], oid: number) =>
    tables
      .filter(table => table.root === oid && table.kind !== 'p')
      .map(table => `${qualified(table.schema, table.name)} ${table.bound}`)
      .sort()
      .join('\n')
  const ours = leaves(main, root.oid)
  return ours === '' || (twin !== undefined && (twin.kind !== 'p' || leaves(standby, twin.oid) !== ours))
}

function rulesFor(table: Table, config: SyncConfig, hashing: Hashing): UnitRules {
  return {
    ...hashing,
    where: firstMatch(config.where, table),
    exclude: new Set(firstMatch(config.excludeColumns, table))
  }
}

function add(scope: Scope, table: Table, twin: Table | undefined, rules: UnitRules): void {
  const unit = makeUnit(table, twin ?? table, rules)
  if ('reason' in unit) scope.refused.push({ table, status: 'failed', ...unit })
  else (twin ? scope.units : scope.missing).push(unit)
}

/** A materialized view, which --where is not for. */
export function viewUnit(view: Table, twin: Table, config: SyncConfig, hashing: Hashing): Unit | Refusal {
  return makeUnit(view, twin, { ...rulesFor(view, config, hashing), where: undefined })
}

/** The row hash of some columns, in the run's form. */
export function hasher(hashing: Hashing): (columns: readonly Column[]) => string[] {
  return columns => rowHash(hashing.form, columns, hashing.exactFloats)
}
