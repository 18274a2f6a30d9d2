/** Composite types: attribute by attribute, unless the order changes or a table holds values whose form would. */
import { ident } from '../../postgres/quote.js'
import { catalogs } from '../dependents.js'
import type { Column, Relation, TypeDetail } from '../details/details.js'
import { isStored } from './contained.js'
import { alteration, sql, type Alteration, type Situation } from './handler.js'

/** Marks what rests on attributes that go or change; swaps the type where its attributes cannot be altered. */
export function markComposite(
  main: TypeDetail,
  standby: TypeDetail,
  { main: ours, standby: theirs, fate }: Situation
): void {
  const [wanted, there] = [
    ours.details.relations.get(main.relation),
    theirs.details.relations.get(standby.relation)
  ]
  if (!wanted || !there) return
  const changed = retyped(wanted, there)
  if (!sameOrder(wanted, there)) return fate.swapType(standby.oid, 'its attributes are in another order')
  if (changed.length > 0 && isStored(standby.oid, theirs))
    return fate.swapType(standby.oid, 'the type of an attribute changes')
  for (const column of [...changed, ...gone(wanted, there)]) {
    fate.follow(catalogs.relation, there.oid, column.number)
  }
}

export function alterComposite(
  main: TypeDetail,
  standby: TypeDetail,
  { main: ours, standby: theirs }: Situation
): Alteration {
  const [wanted, there] = [
    ours.details.relations.get(main.relation),
    theirs.details.relations.get(standby.relation)
  ]
  if (!wanted || !there) return alteration()
  const alter = `ALTER TYPE ${main.sql}`
  const changed = new Set(retyped(wanted, there).map(column => column.name))
  return alteration({
    structure: [
      ...gone(wanted, there).map(column =>
        sql(`${alter} DROP ATTRIBUTE ${ident(column.name)} CASCADE;`, 'deletes-data')
      ),
      ...wanted.columns.flatMap(column => {
        const form = `${column.type}${column.collation ? ` COLLATE ${column.collation}` : ''}`
        if (changed.has(column.name)) {
          return [sql(`${alter} ALTER ATTRIBUTE ${ident(column.name)} TYPE ${form} CASCADE;`)]
        }
        const isNew = !there.columns.some(other => other.name === column.name)
        return isNew ? [sql(`${alter} ADD ATTRIBUTE ${ident(column.name)} ${form} CASCADE;`)] : []
      })
    ]
  })
}

function gone(main: Relation, standby: Relation): Column[] {
  return standby.columns.filter(column => !main.columns.some(other => other.name === column.name))
}

function retyped(main: Relation, standby: Relation): Column[] {
  return standby.columns.filter(column => {
    const other = main.columns.find(each => each.name === column.name)
    return other && (other.type !== column.type || other.collation !== column.collation)
  })
}

function sameOrder(main: Relation, standby: Relation): boolean {
  const kept = standby.columns
    .map(column => column.name)
    .filter(name => main.columns.some(other => other.name === name))
  const added = main.columns.map(column => column.name).filter(name => !kept.includes(name))
  return [...kept, ...added].join('\0') === main.columns.map(column => column.name).join('\0')
}
