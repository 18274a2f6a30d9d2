/** The rows of tables that were put aside move into their successors, and what was aside goes. */
import { ident, qualified } from '../postgres/quote.js'
import { type Decision, isGone } from './decide.js'
import { catalogs } from './dependents.js'
import type { Column, Relation } from './details/details.js'
import type { Entry } from './entry.js'
import type { RewrittenTable } from './fate.js'
import { sql, type Sql } from './handlers/handler.js'
import { conversion } from './handlers/table/casts.js'
import { relationOf, type Side } from './side.js'

export interface Copy {
  readonly entry: Entry
  readonly statements: Sql[]
  /** After the rows: what the new table says of them and the old one did not. */
  readonly late: Sql[]
}

/** For each table put aside, in order: its copy. */
export function copyStatements(decision: Decision): Copy[] {
  const { fate, main } = decision
  const tables = [...fate.tables.values()]
  // A partition's rows move with the topmost table that is aside; a child by inheritance has rows of its own.
  const roots = tables.filter(
    ({ relation }) => !relation.isPartition || !relation.parentOids.some(oid => fate.tables.has(oid))
  )
  return roots.map(table => {
    const twin = main.byKey.get(table.entry.key)
    const wanted = twin && main.details.relations.get(twin.catalogId.oid)
    if (!wanted) return { entry: table.entry, statements: [], late: [] }
    const { loosen, late } = loosened(table.relation, wanted, decision)
    return { entry: table.entry, statements: [...loosen, ...copy(table, wanted, decision)], late }
  })
}

/** The bounds of partitions may have moved: only the root knows where a row belongs now. */
function rootOf(table: Relation, main: Side): Relation {
  const parent = table.isPartition ? main.details.relations.get(table.parentOids[0] ?? 0) : undefined
  return parent ? rootOf(parent, main) : table
}

/** The rows of the old table need not satisfy what only the new one asks of them: that is asked after the rows. */
function loosened(there: Relation, wanted: Relation, decision: Decision): { loosen: Sql[]; late: Sql[] } {
  const root = rootOf(wanted, decision.main)
  const strict = wanted.columns.flatMap(column => {
    const was = there.columns.find(other => other.name === column.name)
    // Rows come by way of the root: what it fills is not NULL.
    const filling = root.columns.find(other => other.name === column.name)
    if (!column.notNull || filling?.identity || filling?.generated) return []
    const canBeNull = was
      ? conversion(column, was, there, decision).empties || (!was.notNull && column.default === null)
      : !filling || filling.default === null
    const holder = canBeNull && whoSaysNotNull(wanted, column.name, decision)
    return holder ? [`ALTER TABLE ${holder.sql} ALTER COLUMN ${ident(column.name)}`] : []
  })
  // An inherited one comes from the parent.
  const checks = wanted.checks.filter(
    check =>
      check.parents === 0 &&
      !there.checks.some(other => other.name === check.name && other.definition === check.definition)
  )
  const alter = `ALTER TABLE ${wanted.sql}`
  return {
    loosen: [
      ...strict.map(alterColumn => sql(`${alterColumn} DROP NOT NULL;`)),
      ...checks.map(check => sql(`${alter} DROP CONSTRAINT IF EXISTS ${ident(check.name)};`))
    ],
    late: [
      ...strict.map(alterColumn => sql(`${alterColumn} SET NOT NULL;`, 'blocks-reads')),
      ...checks.map(check =>
        sql(`${alter} ADD CONSTRAINT ${ident(check.name)} ${check.definition};`, 'blocks-reads')
      )
    ]
  }
}

/**
 * Who is to let go of NOT NULL: not a partition while the table above it, which is new as well, holds it. Undefined where
 * that table stands and holds it.
 */
function whoSaysNotNull(table: Relation, column: string, decision: Decision): Relation | undefined {
  const { main, standby, pairs } = decision
  const parent = table.isPartition ? main.details.relations.get(table.parentOids[0] ?? 0) : undefined
  const isStrict = (relation: Relation | undefined) =>
    relation?.columns.some(each => each.name === column && each.notNull) ?? false
  const entry = parent && main.find(catalogs.relation, parent.oid)
  const there = entry && pairs.get(entry)?.standby
  if (!parent) return table
  if (there && !isGone(there, decision)) return isStrict(relationOf(standby, there)) ? undefined : table
  return isStrict(parent) ? whoSaysNotNull(parent, column, decision) : table
}

/** Whether the new table has nothing that the rows of the old one could be kept in. */
export function losesRows({ relation, entry }: RewrittenTable, { main }: Decision): boolean {
  const twin = main.byKey.get(entry.key)
  const wanted = twin && main.details.relations.get(twin.catalogId.oid)
  return !wanted || (relation.columns.length > 0 && sharedColumns(wanted, relation).length === 0)
}

function sharedColumns(wanted: Relation, there: Relation): { column: Column; was: Column }[] {
  return wanted.columns.flatMap(column => {
    const was = there.columns.find(other => other.name === column.name)
    return was && !column.generated ? [{ column, was }] : []
  })
}

function copy({ relation, aside, entry }: RewrittenTable, wanted: Relation, decision: Decision): Sql[] {
  const shared = sharedColumns(wanted, relation)
  if (shared.length === 0) return []
  const only = relation.kind === 'p' ? '' : 'ONLY '
  const names = shared.map(({ column }) => ident(column.name)).join(', ')
  const values = shared.map(({ column, was }) => valueOf(column, was, relation, decision)).join(', ')
  const lost = relation.columns.some(column => !wanted.columns.some(other => other.name === column.name))
  return [
    {
      ...sql(
        `INSERT INTO ${rootOf(wanted, decision.main).sql} (${names}) OVERRIDING SYSTEM VALUE SELECT ${values} FROM ${only}${qualified(entry.schema, aside)};`,
        'rewrites-table',
        ...(lost ? (['deletes-data'] as const) : [])
      ),
      extra: true
    }
  ]
}

function valueOf(column: Column, was: Column, relation: Relation, decision: Decision): string {
  const moves = column.type !== was.type || decision.fate.columnFate(relation, was) === 'retype'
  const value = moves ? conversion(column, was, relation, decision).expression : ident(was.name)
  return column.notNull && !was.notNull && column.default !== null
    ? `coalesce(${value}, ${column.default})`
    : value
}
