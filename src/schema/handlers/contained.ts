/** Which tables hold values of a type: PostgreSQL does not look into arrays, rows and ranges when it alters one. */
import { catalogs } from '../dependents.js'
import type { Standby } from '../side.js'

/** Whether a column of a table is of the type, or holds values of it within other ones. */
export function isStored(oid: number, side: Standby): boolean {
  return (
    isContained(oid, side) ||
    side.dependents
      .of(catalogs.type, oid)
      .some(({ catalog, part }) => catalog === catalogs.relation && part > 0)
  )
}

/** Whether a column holds values of the type in an array, a row or a range. */
export function isContained(oid: number, side: Standby, inside = false): boolean {
  const type = side.details.types.get(oid)
  const arrays = type && type.array !== 0 ? [type.array] : []
  return [oid, ...arrays].some(each =>
    side.dependents.of(catalogs.type, each).some(({ catalog, oid: other, part }) => {
      if (catalog === catalogs.relation && part > 0) {
        const relation = side.details.relations.get(other)
        if (relation?.kind === 'r' || relation?.kind === 'p' || relation?.kind === 'm') {
          if (inside || each !== oid) return true
        }
        return relation !== undefined && relation.rowType !== oid && isContained(relation.rowType, side, true)
      }
      const made = catalog === catalogs.type ? side.details.types.get(other) : undefined
      if (!made || made.oid === oid || other === each) return false
      return isContained(other, side, inside || made.kind !== 'd' || each !== oid)
    })
  )
}
