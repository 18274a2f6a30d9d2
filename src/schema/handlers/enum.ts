/** Enums: values are added where main has them; where one is gone or stands elsewhere, a new type takes over. */
import { literal } from '../../postgres/quote.js'
import type { TypeDetail } from '../details/details.js'
import { alteration, sql, type Alteration } from './handler.js'

/** Why values cannot merely be added; undefined where they can. */
export function enumBreak(main: TypeDetail, standby: TypeDetail): string | undefined {
  const places = standby.labels.map(label => main.labels.indexOf(label))
  const gone = standby.labels.filter((_, i) => places[i]! < 0)
  if (gone.length > 0)
    return `main does not have its ${gone.length > 1 ? 'values' : 'value'} ${gone.join(', ')}`
  return places.some((place, i) => i > 0 && place < places[i - 1]!)
    ? 'its values are in another order'
    : undefined
}

/** A value that is added cannot be used before its transaction has ended: so each is added before the others begin. */
export function enumAdditions(main: TypeDetail, standby: TypeDetail): Alteration {
  const there = new Set(standby.labels)
  const outside = main.labels.flatMap((label, i) => {
    if (there.has(label)) return []
    const previous = main.labels[i - 1]
    const next = main.labels.slice(i + 1).find(each => there.has(each))
    const place =
      previous !== undefined
        ? ` AFTER ${literal(previous)}`
        : next !== undefined
          ? ` BEFORE ${literal(next)}`
          : ''
    there.add(label)
    return [sql(`ALTER TYPE ${main.sql} ADD VALUE ${literal(label)}${place};`, 'not-transactional')]
  })
  return alteration({ outside })
}
