/** What a table's changes touch beyond the table, and which of them take a new table beside the old one. */
import { catalogs } from '../../dependents.js'
import type { Column, Relation } from '../../details/details.js'
import { relationOf } from '../../side.js'
import type { Pair, Situation } from '../handler.js'

export function markTable(pair: Pair, { main, standby, fate }: Situation): void {
  const wanted = relationOf(main, pair.main)
  const there = relationOf(standby, pair.standby)
  if (!wanted || !there) return
  const { constraint, relation } = catalogs
  if (there.ofType !== null && there.ofType !== wanted.ofType) fate.untyped.add(there)
  if (there.persistence !== wanted.persistence) {
    // A foreign key cannot join a table that is logged with one that is not, not even for a moment.
    for (const dependent of standby.dependents.of(relation, there.oid)) {
      const key = dependent.catalog === constraint ? standby.find(constraint, dependent.oid) : undefined
      if (key?.kind === 'FK CONSTRAINT')
        fate.drop(key, 'dependent', 'a table that it joins is made unlogged, or logged')
    }
  }
  for (const column of there.columns) {
    const twin = wanted.columns.find(other => other.name === column.name)
    const inherited = sameParents(wanted, there) && column.parents > 0
    if (!twin) {
      if (!inherited) fate.follow(catalogs.relation, there.oid, column.number)
    } else if (isRegenerated(twin, column, false) && !(column.generated && !sameType(twin, column))) {
      fate.follow(catalogs.relation, there.oid, column.number)
    } else if (sameType(twin, column)) {
      if (column.generated && (!twin.generated || twin.default !== column.default)) {
        fate.follow(catalogs.relation, there.oid, column.number)
      }
    } else {
      fate.changeColumn(there.oid, column.number, 'the type of a column changes')
    }
  }
}

/** Why ALTER TABLE cannot make the one of the other; asked again until nothing new comes of it. */
export function rewriteReason(pair: Pair, situation: Situation): string | undefined {
  const { main, standby, fate } = situation
  const wanted = relationOf(main, pair.main)
  const there = relationOf(standby, pair.standby)
  if (!wanted || !there) return undefined
  if ((there.kind === 'p') !== (wanted.kind === 'p')) {
    return wanted.kind === 'p' ? 'it is partitioned on main' : 'it is not partitioned on main'
  }
  if (there.partitionKey !== wanted.partitionKey) return `main partitions it by ${wanted.partitionKey}`
  const fates = fate.columns.get(there.oid)
  if (
    there.kind === 'p' &&
    fates &&
    [...fates.keys()].some(number => isPartitioning(there, number, situation))
  ) {
    return 'a column of its partition key changes'
  }
  if (
    wanted.ofType !== null &&
    wanted.ofType !== there.ofType &&
    wanted.columns.length !== there.columns.length
  ) {
    return `main made it of the type ${wanted.ofType}`
  }
  if (
    !wanted.isPartition &&
    !there.isPartition &&
    wanted.columns.some(column => localAfter(column, wanted, there) !== column.local)
  ) {
    return 'a column is inherited on one side only'
  }
  if (fates && there.columns.some(column => column.parents > 1 && fates.has(column.number))) {
    return 'a column that it has from two parents changes'
  }
  if (fates && [...fates.values()].includes('retype') && rowTypeIsStored(there, situation)) {
    return 'its rows are values of another table'
  }
  const order = orderAfter(wanted, there, situation)
  return order.join('\0') === wanted.columns.map(column => column.name).join('\0')
    ? undefined
    : 'its columns are in another order on main'
}

/** Whether the column would be the table's own after ALTER TABLE: one that has another parent, or was added, is. */
function localAfter(column: Column, wanted: Relation, there: Relation): boolean {
  if (wanted.parents.join('\0') !== there.parents.join('\0')) return true
  const twin = there.columns.find(other => other.name === column.name)
  return twin ? twin.local : column.parents === 0 || column.local
}

function isPartitioning(there: Relation, number: number, { standby }: Situation): boolean {
  if (there.partitionColumns.includes(number)) return true
  return standby.dependents
    .of(catalogs.relation, there.oid)
    .some(
      other =>
        other.catalog === catalogs.relation &&
        other.oid === there.oid &&
        other.on === number &&
        other.part === 0
    )
}

function rowTypeIsStored(there: Relation, { standby }: Situation): boolean {
  return standby.dependents
    .of(catalogs.type, there.rowType)
    .some(other => other.catalog === catalogs.relation && other.part > 0)
}

/** The names of the columns as ALTER TABLE would leave them: what stays, then what is added. */
function orderAfter(wanted: Relation, there: Relation, { fate }: Situation): string[] {
  const kept = there.columns
    .filter(column => {
      const twin = wanted.columns.find(other => other.name === column.name)
      return (
        twin !== undefined && !isRegenerated(twin, column, fate.columnFate(there, column) === 'regenerate')
      )
    })
    .map(column => column.name)
  return [...kept, ...wanted.columns.map(column => column.name).filter(name => !kept.includes(name))]
}

/** Whether the column is dropped and added again, as a generated one is for another expression or type. */
export function isRegenerated(wanted: Column, there: Column, marked: boolean): boolean {
  if (!wanted.generated) return false
  return (
    !there.generated ||
    there.generated !== wanted.generated ||
    there.default !== wanted.default ||
    marked ||
    there.type !== wanted.type
  )
}

export function sameType(a: Column, b: Column): boolean {
  return a.type === b.type && a.collation === b.collation
}

export function sameParents(wanted: Relation, there: Relation): boolean {
  return there.parents.length > 0 && there.parents.join('\0') === wanted.parents.join('\0')
}
