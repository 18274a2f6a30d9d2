/** Views: replaced while their columns stay and others come behind, else dropped and made. */
import { relationOf } from '../side.js'
import { alteration, sql, type Handler, type Pair, type Situation } from './handler.js'

export const viewHandler: Handler = {
  mark(pair, situation) {
    if (!replaceable(pair, situation)) situation.fate.drop(pair.standby, 'changed', 'its columns differ')
  },
  alter: ({ main }) =>
    alteration({
      structure: [
        sql(main.definition.trim().replace(/^CREATE (RECURSIVE )?VIEW/, 'CREATE OR REPLACE $1VIEW'))
      ]
    })
}

function replaceable(pair: Pair, { main, standby }: Situation): boolean {
  const wanted = relationOf(main, pair.main)
  const there = relationOf(standby, pair.standby)
  // A view that rests on a key is made in two steps, the second of which is a rule of it.
  const inTwoSteps = [main, standby].some(side =>
    side.entries.some(
      entry => entry.kind === 'RULE' && entry.parent?.key === pair.main.key && entry.name.endsWith(' _RETURN')
    )
  )
  if (!wanted || !there || inTwoSteps) return false
  return there.columns.every((column, i) => {
    const other = wanted.columns[i]
    return other?.name === column.name && other.type === column.type && other.collation === column.collation
  })
}
