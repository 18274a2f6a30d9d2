/** Types and domains: which way each sort goes. */
import type { TypeDetail } from '../details/details.js'
import { alterComposite, markComposite } from './composite.js'
import { alterDomain, domainBreak } from './domain.js'
import { enumAdditions, enumBreak } from './enum.js'
import { alteration, type Handler, type Pair, type Situation } from './handler.js'

export const typeHandler: Handler = {
  mark(pair, situation) {
    const { main, standby } = typesOf(pair, situation)
    const { fate } = situation
    if (!main || !standby) return fate.drop(pair.standby, 'changed', 'its definition differs')
    if (main.kind !== standby.kind) return fate.swapType(standby.oid, 'it is another sort of type')
    if (main.kind === 'c') return markComposite(main, standby, situation)
    const reason =
      main.kind === 'e'
        ? enumBreak(main, standby)
        : main.kind === 'd'
          ? domainBreak(main, standby, situation)
          : 'its definition differs'
    if (reason !== undefined) fate.swapType(standby.oid, reason)
  },
  alter(pair, situation) {
    const { main, standby } = typesOf(pair, situation)
    if (!main || !standby) return alteration()
    if (main.kind === 'e') return enumAdditions(main, standby)
    if (main.kind === 'd') return alterDomain(main, standby, pair, situation)
    return main.kind === 'c' ? alterComposite(main, standby, situation) : alteration()
  }
}

function typesOf(
  { main, standby }: Pair,
  situation: Situation
): { main: TypeDetail | undefined; standby: TypeDetail | undefined } {
  return {
    main: situation.main.details.types.get(main.catalogId.oid),
    standby: situation.standby.details.types.get(standby.catalogId.oid)
  }
}

/** A collation is what sorts and compares: everything that rests on it is made with the new one. */
export const collationHandler: Handler = {
  mark({ standby }, { fate }) {
    fate.swapCollation(standby, 'its definition differs')
  }
}
