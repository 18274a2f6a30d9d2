/** What a table says of itself beside its columns: storage, options, row security, what replication sees. */
import { ident, literal } from '../../../postgres/quote.js'
import type { Relation } from '../../details/details.js'
import type { Entry } from '../../entry.js'
import { sql, type Sql } from '../handler.js'

const identities: Record<string, string> = { d: 'DEFAULT', f: 'FULL', n: 'NOTHING' }

/** Before the columns. */
export function storageChanges(main: Entry, standby: Entry, wanted: Relation, there: Relation): Sql[] {
  const alter = `ALTER TABLE ${wanted.sql}`
  const changes: Sql[] = []
  if (there.persistence !== wanted.persistence) {
    changes.push(
      sql(
        `${alter} SET ${wanted.persistence === 'u' ? 'UNLOGGED' : 'LOGGED'};`,
        'rewrites-table',
        'blocks-reads'
      )
    )
  }
  if (main.accessMethod !== standby.accessMethod && main.accessMethod && wanted.kind === 'r') {
    changes.push(
      sql(`${alter} SET ACCESS METHOD ${ident(main.accessMethod)};`, 'rewrites-table', 'blocks-reads')
    )
  }
  return [
    ...changes,
    ...optionChanges(alter, there.options, wanted.options),
    ...optionChanges(alter, there.toastOptions, wanted.toastOptions, 'toast.')
  ]
}

export function optionChanges(
  alter: string,
  there: readonly string[] | null,
  wanted: readonly string[] | null,
  prefix = ''
): Sql[] {
  const gone = (there ?? []).filter(option => !wanted?.some(other => nameOf(other) === nameOf(option)))
  const set = (wanted ?? []).filter(option => !there?.includes(option))
  const assignment = (option: string) =>
    `${prefix}${ident(nameOf(option))} = ${literal(option.slice(option.indexOf('=') + 1))}`
  return [
    ...(gone.length > 0
      ? [sql(`${alter} RESET (${gone.map(option => prefix + ident(nameOf(option))).join(', ')});`)]
      : []),
    ...(set.length > 0 ? [sql(`${alter} SET (${set.map(assignment).join(', ')});`)] : [])
  ]
}

function nameOf(option: string): string {
  return option.slice(0, option.indexOf('='))
}

/** After the columns. An identity by an index comes with the index. */
export function identityChanges(wanted: Relation, there: Relation): Sql[] {
  const alter = `ALTER TABLE ONLY ${wanted.sql}`
  const changes: Sql[] = []
  if (there.replicaIdentity !== wanted.replicaIdentity && wanted.replicaIdentity !== 'i') {
    changes.push(sql(`${alter} REPLICA IDENTITY ${identities[wanted.replicaIdentity]};`))
  }
  if (there.forceRowSecurity !== wanted.forceRowSecurity) {
    changes.push(
      sql(`${alter} ${wanted.forceRowSecurity ? '' : 'NO '}FORCE ROW LEVEL SECURITY;`, 'authorization')
    )
  }
  return changes
}
