/** Domains: default, NOT NULL and checks are altered; another base type or collation is another domain. */
import { ident } from '../../postgres/quote.js'
import type { TypeDetail } from '../details/details.js'
import type { Entry } from '../entry.js'
import type { Side } from '../side.js'
import { isContained } from './contained.js'
import { alteration, sql, type Alteration, type Pair, type Situation } from './handler.js'

/** Why it cannot be altered: it is another sort of value, or something that PostgreSQL does not look into holds it. */
export function domainBreak(
  main: TypeDetail,
  standby: TypeDetail,
  { standby: side }: Situation
): string | undefined {
  if (main.base !== standby.base) return `it is ${main.base} on main and ${standby.base} on the standby`
  if (main.collation !== standby.collation) return 'its collation differs'
  const asksMore =
    (main.notNull && !standby.notNull) ||
    main.checks.some(
      check =>
        !standby.checks.some(other => other.name === check.name && other.definition === check.definition)
    )
  return asksMore && isContained(standby.oid, side)
    ? 'values of it are within values of other types'
    : undefined
}

export function alterDomain(
  main: TypeDetail,
  standby: TypeDetail,
  pair: Pair,
  situation: Situation
): Alteration {
  const { structure, late, ...rest } = alteration()
  const { fate } = situation
  const alter = `ALTER DOMAIN ${main.sql}`
  /** A check that is not valid has an entry of its own. */
  const isSeparate = (entries: Side, domain: Entry, name: string) =>
    entries.byKey.has(['CHECK CONSTRAINT', domain.schema, domain.kind, domain.name, name].join('\0'))
  if (main.default !== standby.default || fate.domainDefaults.has(standby)) {
    structure.push(sql(`${alter} ${main.default === null ? 'DROP DEFAULT' : `SET DEFAULT ${main.default}`};`))
  }
  if (standby.notNull && !main.notNull) structure.push(sql(`${alter} DROP NOT NULL;`))
  if (main.notNull && !standby.notNull) late.push([sql(`${alter} SET NOT NULL;`, 'blocks-writes')])
  const stays = (name: string) => {
    const [ours, theirs] = [main, standby].map(type => type.checks.find(each => each.name === name))
    return ours && theirs && ours.definition === theirs.definition && !fate.domainChecks.has(theirs.oid)
  }
  for (const { name, oid } of standby.checks) {
    if (stays(name) || fate.domainChecks.has(oid) || isSeparate(situation.standby, pair.standby, name))
      continue
    structure.push(sql(`${alter} DROP CONSTRAINT ${ident(name)};`))
  }
  for (const { name, definition } of main.checks) {
    if (stays(name) || isSeparate(situation.main, pair.main, name)) continue
    late.push([sql(`${alter} ADD CONSTRAINT ${ident(name)} ${definition};`, 'blocks-writes')])
  }
  return { ...rest, structure, late }
}
