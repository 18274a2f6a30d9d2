/** Functions and procedures: replaced where PostgreSQL lets the new one take the old one's place, else dropped and made. */
import { alteration, sql, type Handler, type Pair, type Situation } from './handler.js'

export const routineHandler: Handler = {
  mark(pair, situation) {
    if (!replaceable(pair, situation)) situation.fate.drop(pair.standby, 'changed', 'its signature differs')
  },
  alter: ({ main }) =>
    alteration({
      structure: [sql(main.definition.trim().replace(/^CREATE (FUNCTION|PROCEDURE)/, 'CREATE OR REPLACE $1'))]
    })
}

function replaceable({ main, standby }: Pair, situation: Situation): boolean {
  const wanted = situation.main.details.routines.get(main.catalogId.oid)
  const there = situation.standby.details.routines.get(standby.catalogId.oid)
  if (!wanted || !there) return false
  return (
    wanted.kind === there.kind &&
    wanted.result === there.result &&
    wanted.identity === there.identity &&
    wanted.defaults >= there.defaults
  )
}
