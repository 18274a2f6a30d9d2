/**
 * Grants as pg_dump prints them: said relative to what an object of that sort has by default. So where they differ,
 * the object is given its default again, and main's statements follow.
 */
import { ident } from '../postgres/quote.js'
import type { Entry } from './entry.js'

const name = '"(?:[^"]|"")*"|[^\\s;"]+'

/**
 * Of what initdb or an extension made, grants are said relative to those that it came with, and these no dump tells: so
 * each statement that only the standby has is taken back, and each that only main has is made.
 */
export function grantsTurned(there: Entry | undefined, wanted: Entry | undefined): string[] {
  const lines = (entry: Entry | undefined) => entry?.definition.trim().split(/(?<=;)\n/) ?? []
  const [ours, theirs] = [lines(wanted), lines(there)]
  return [
    ...theirs
      .filter(line => !ours.includes(line))
      .toReversed()
      .map(opposite),
    ...ours.filter(line => !theirs.includes(line))
  ]
}

function opposite(statement: string): string {
  const role = `(${name})( WITH GRANT OPTION)?;$`
  return statement.startsWith('GRANT ')
    ? statement.replace(/^GRANT/, 'REVOKE').replace(new RegExp(` TO ${role}`), ' FROM $1;')
    : statement
        .replace(/^REVOKE (GRANT OPTION FOR )?/, 'GRANT ')
        .replace(new RegExp(` FROM ${role}`), ' TO $1;')
}

/** Whether somebody has a right that main does not give. */
export function losesGrants(there: Entry, wanted: Entry | undefined): boolean {
  const grants = (entry: Entry) => entry.definition.split('\n').filter(line => line.includes('GRANT '))
  const kept = new Set(wanted ? grants(wanted) : [])
  return grants(there).some(grant => !kept.has(grant))
}

/** Statements that give the object of a grant, or a default privilege, its initial state again. */
export function grantsReset(there: Entry, wanted: Entry | undefined): string[] {
  const grantees = new Set(rolesOf(there))
  return there.kind === 'DEFAULT ACL'
    ? defaultsReset(there, grantees)
    : objectReset(there, wanted?.owner || there.owner, grantees)
}

/** As SQL, PUBLIC among them. */
function rolesOf({ definition }: Entry): string[] {
  const found = definition.matchAll(new RegExp(`(?: TO | FROM )(${name})(?= WITH GRANT OPTION;|;)`, 'g'))
  return [...found].map(match => match[1]!)
}

/** The names of the roles that the statements name, PUBLIC left out. */
export function granteesOf(entry: Entry): string[] {
  return rolesOf(entry)
    .filter(role => role !== 'PUBLIC')
    .map(role => (role.startsWith('"') ? role.slice(1, -1).replaceAll('""', '"') : role))
}

function objectReset({ definition }: Entry, owner: string, grantees: ReadonlySet<string>): string[] {
  const object = / ON ([\s\S]*?) (?:TO|FROM) (?:"(?:[^"]|"")*"|[^\s;"]+)(?: WITH GRANT OPTION)?;/.exec(
    definition
  )?.[1]
  if (object === undefined) return []
  const columns = new Set(
    [...definition.matchAll(/(?:GRANT|REVOKE) [A-Z, ]*?\(([^)]*)\)/g)].map(match => match[1]!)
  )
  if (columns.size > 0) {
    return [...grantees].flatMap(role =>
      [...columns].map(column => `REVOKE ALL (${column}) ON ${object} FROM ${role} CASCADE;`)
    )
  }
  return [
    ...[...grantees].map(role => `REVOKE ALL ON ${object} FROM ${role} CASCADE;`),
    ...(owner ? [`GRANT ALL ON ${object} TO ${ident(owner)};`] : []),
    ...(/^(FUNCTION|PROCEDURE|ROUTINE) /.test(object) ? [`GRANT EXECUTE ON ${object} TO PUBLIC;`] : []),
    ...(/^(TYPE|LANGUAGE|DOMAIN) /.test(object) ? [`GRANT USAGE ON ${object} TO PUBLIC;`] : [])
  ]
}

function defaultsReset({ definition }: Entry, grantees: ReadonlySet<string>): string[] {
  const found = new RegExp(
    `^(ALTER DEFAULT PRIVILEGES FOR ROLE (${name})(?: IN SCHEMA (?:${name}))?) (?:GRANT|REVOKE) [\\s\\S]*? ON ([A-Z]+) +(?:TO|FROM) `
  ).exec(definition)
  if (!found) return []
  const [, alter, role, kind] = found
  const revokes = [...grantees].map(grantee => `${alter} REVOKE ALL ON ${kind} FROM ${grantee};`)
  if (alter!.includes(' IN SCHEMA ')) return revokes
  return [
    ...revokes,
    `${alter} GRANT ALL ON ${kind} TO ${role};`,
    ...(kind === 'FUNCTIONS' ? [`${alter} GRANT EXECUTE ON ${kind} TO PUBLIC;`] : []),
    ...(kind === 'TYPES' ? [`${alter} GRANT USAGE ON ${kind} TO PUBLIC;`] : [])
  ]
}
