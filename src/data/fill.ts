/**
 * Fills an empty table, and makes sure of it: its digests are compared where that was asked for, or where its rows
 * did not come from the cut itself and so may be newer; then what is too new is mended at once.
 */
import { DataError } from '../core/errors.js'
import { codeOf } from '../postgres/failure.js'
import { compareUnit } from './compare.js'
import type { DataContext } from './context.js'
import { loadUnit } from './load.js'
import { mendUnit } from './mending.js'
import { copyMover } from './move.js'
import { differs, newTally, type Tally } from './tally.js'
import type { Unit } from './unit.js'

export async function fillUnit(context: DataContext, unit: Unit, tally: Tally): Promise<void> {
  const ofCut = { ...context, mover: copyMover, since: new Map<Unit, string>(), samples: 0 }
  try {
    await loadUnit(context, unit, tally)
  } catch (error) {
    // Rows newer than the cut may refer to parents that the cut does not have.
    if (context.mover.ofCut || !codeOf(error)?.startsWith('23')) throw error
    await loadUnit(ofCut, unit, tally)
    return
  }
  if (context.mover.ofCut && !context.verify) return
  if (!context.mover.ofCut) {
    // Nothing refers to the rows yet: those too many can go at once.
    await mendUnit({ ...ofCut, deletes: true }, unit, newTally(unit), { deletes: true, compared: false })
  }
  const proof = newTally(unit)
  await compareUnit(ofCut, unit, proof)
  tally.insert = tally.main = proof.main
  if (!differs(proof)) return
  throw new DataError(`the rows loaded into ${unit.name} are not what main has`, {
    table: unit.name,
    hint: 'A trigger, a rule or another session changed them: run the sync again, which compares and mends the table.'
  })
}
