/**
 * What the standby's foreign keys and deferrable constraints ask of a writing transaction. Where the role may set
 * session_replication_role they are silent, and are checked here before the commit. Where it may not, they speak for themselves: they are put off
 * to the end where rows pass through a state that breaks them, and they must not act on rows that nobody named.
 */
import { DataError } from '../core/errors.js'
import { parseName } from '../postgres/names.js'
import { ident, qualified } from '../postgres/quote.js'
import type { ForeignKey } from '../postgres/relations.js'
import type { Deferrable } from '../postgres/tables.js'
import type { WriteContext } from './context.js'
import { checkParents } from './foreignkeys.js'
import type { Pair } from './pairs.js'
import type { Unit } from './unit.js'

/** Of a pair, only the side that is written. */
type Standby = Pick<Pair, 'standby'>

/**
 * Makes the units' constraints deferrable for the length of the transaction, which the child's owner may do. Needed for
 * a circle, and (`replaced`) where rows that others refer to are deleted and inserted again.
 * @returns what brings the constraints back, for restoreConstraints.
 */
export async function deferConstraints(
  context: WriteContext,
  pair: Standby,
  units: readonly Unit[],
  replaced: boolean
): Promise<string[]> {
  const { pool, graph } = context
  if (pool.replica || !(replaced || units.some(unit => graph.circular(unit)))) return []
  const keys = units.flatMap(unit => [...graph.from(unit), ...(replaced ? graph.to(unit) : [])])
  const alter = keys
    .filter(key => !key.deferrable)
    .map(
      ({ declared }) =>
        `ALTER TABLE ${qualified(declared.schema, declared.table)} ALTER CONSTRAINT ${ident(declared.name)}`
    )
  const once = [...new Set(alter)]
  for (const constraint of once) await pair.standby.query(`${constraint} DEFERRABLE`)
  if (keys.length > 0) await pair.standby.query('SET CONSTRAINTS ALL DEFERRED')
  return once.map(constraint => `${constraint} NOT DEFERRABLE`)
}

/** Lets the constraints look at what was written, and makes them again what they were. */
export async function restoreConstraints(pair: Standby, restore: readonly string[]): Promise<void> {
  if (restore.length === 0) return
  await pair.standby.query('SET CONSTRAINTS ALL IMMEDIATE')
  for (const statement of restore) await pair.standby.query(statement)
}

/** Fails where a row of the child that `rows` names (a FROM item `t`) has no parent, if nothing else would look. */
export async function checkChildren(context: WriteContext, pair: Standby, unit: Unit, rows: string) {
  if (!context.pool.replica) return
  for (const key of context.graph.from(unit)) await checkParents(pair.standby, key, rows)
}

/** Fails where a row of any child has lost its parent in this unit, if nothing else would look. */
export async function checkReferrers(context: WriteContext, pair: Standby, unit: Unit, removed: boolean) {
  if (!context.pool.replica) return
  for (const key of context.graph.to(unit)) {
    if (!removed && context.graph.byKey(key, unit)) continue
    await checkParents(pair.standby, key, `${qualified(key.childSchema, key.childName)} AS t`)
  }
}

/**
 * Fails where a row that `written` (a condition over `t`) names and another one break a deferrable unique or exclusion constraint: its
 * check is a trigger, which replicas do not have, and its index takes what breaks it.
 */
export async function checkDeferrable(context: WriteContext, pair: Standby, unit: Unit, written: string) {
  if (!context.pool.replica) return
  for (const one of unit.standby.deferrable) {
    if (!isMatchedBy(unit, one)) await checkPairs(pair, unit, one, written)
  }
}

/** Rows are updated or inserted by its columns, and so none can come to be there twice. */
function isMatchedBy({ key }: Unit, { exclusion, items }: Deferrable): boolean {
  const names = items.map(item => parseName(item)?.[0])
  return !exclusion && names.length === key.length && key.every(({ name }) => names.includes(name))
}

async function checkPairs(pair: Standby, unit: Unit, one: Deferrable, written: string): Promise<void> {
  const rows = (condition: string) =>
    `(SELECT t.tableoid AS o, t.ctid AS c, ${one.items.map((item, i) => `${item} AS e${i}`).join(', ')}
      FROM ${unit.source} WHERE (${one.where}) AND ${condition})`
  const meet = one.operators.map((operator, i) => {
    const both = `a.e${i} ${operator} b.e${i}`
    return one.nullsAlike ? `(${both} OR a.e${i} IS NULL AND b.e${i} IS NULL)` : both
  })
  const { rows: found } = await pair.standby.query<string[]>({
    text: `SELECT ${one.items.map((_, i) => `a.e${i}::text`).join(', ')} FROM ${rows(written)} a
      JOIN ${rows('true')} b ON (a.o <> b.o OR a.c <> b.c) AND ${meet.join(' AND ')} LIMIT 1`,
    rowMode: 'array'
  })
  if (!found[0]) return
  const values = `(${one.items.join(', ')}) = (${found[0].join(', ')})`
  throw new DataError(`constraint ${one.name} would be broken: ${values} meets another row`, {
    table: unit.name,
    hint: 'A row that main does not have stands in the way: --clean-extra removes it.',
    sqlstate: one.exclusion ? '23P01' : '23505'
  })
}

/**
 * Before rows of the unit are deleted.
 * @param condition the rows, over `t`.
 * @throws DataError where the delete would reach rows of a child that are not themselves among them.
 */
export async function refuseDeletes(context: WriteContext, pair: Standby, unit: Unit, condition: string) {
  for (const key of acting(context, unit, 'deletes')) {
    const same = unit.key.map(({ name }) => `t.${ident(name)} = c.${ident(name)}`).join(' AND ')
    const among =
      key.child === unit.standby.oid && same !== ''
        ? `AND NOT EXISTS (SELECT 1 FROM ${unit.source} WHERE ${condition} AND ${same})`
        : ''
    await refuse(
      pair,
      unit,
      key,
      `${unit.source} JOIN ${child(key)} c ON ${match(key)} WHERE ${condition} ${among}`
    )
  }
}

/**
 * Before the unit's staged rows are written over what is there.
 * @param stages of the units that are written in this transaction.
 * @throws DataError where an update would reach rows of a child that are not themselves written.
 */
export async function refuseUpdates(
  context: WriteContext,
  pair: Standby,
  unit: Unit,
  stages: ReadonlyMap<Unit, string>
) {
  const keys = acting(context, unit, 'updates').filter(key => !context.graph.byKey(key, unit))
  for (const key of keys) {
    const row = (alias: string) => key.parentColumns.map(name => `${alias}.${ident(name)}`).join(', ')
    const [written, stage] = [...stages].find(([one]) => one.standby.oid === key.child) ?? []
    const among = written
      ? `AND NOT EXISTS (SELECT 1 FROM ${stage} w WHERE ${sameKey(written, 'w', 'c')})`
      : ''
    await refuse(
      pair,
      unit,
      key,
      `${unit.source} JOIN ${stages.get(unit)} s ON ${sameKey(unit, 't', 's')} JOIN ${child(key)} c ON ${match(key)}
       WHERE (${row('t')}) IS DISTINCT FROM (${row('s')}) ${among}`
    )
  }
}

/** Foreign keys to the unit that would act, were they to fire. */
function acting({ pool, graph }: WriteContext, unit: Unit, how: 'deletes' | 'updates'): ForeignKey[] {
  return pool.replica ? [] : graph.to(unit).filter(key => key[how])
}

async function refuse(pair: Standby, unit: Unit, key: ForeignKey, from: string): Promise<void> {
  const { rows } = await pair.standby.query(`SELECT 1 FROM ${from} LIMIT 1`)
  if (rows.length === 0) return
  throw new DataError(
    `the change of ${unit.name} would cascade to ${key.childSchema}.${key.childName} by ${key.name}`,
    {
      table: unit.name,
      hint: `Bring ${key.childSchema}.${key.childName} in line by hand first, or give the standby's role the right to set session_replication_role.`
    }
  )
}

const child = (key: ForeignKey): string => qualified(key.childSchema, key.childName)

const match = (key: ForeignKey): string =>
  key.columns.map((column, i) => `c.${ident(column)} = t.${ident(key.parentColumns[i]!)}`).join(' AND ')

const sameKey = (unit: Unit, a: string, b: string): string =>
  unit.key.map(({ name }) => `${a}.${ident(name)} = ${b}.${ident(name)}`).join(' AND ') || 'false'
