/** What a plan needs of the standby's cluster, which is not ours to make: asked for before anything is changed. */
import { SchemaError } from '../core/errors.js'
import { arrayText } from '../postgres/quote.js'
import type { Server } from '../postgres/server.js'
import { labelOf, type SchemaOptions } from './change.js'
import type { Decision } from './decide.js'
import type { Entry } from './entry.js'
import { granteesOf } from './grants.js'

interface Need {
  readonly what: 'role' | 'tablespace' | 'extension' | 'language'
  readonly name: string
  readonly of: Entry
}

const questions: Record<Need['what'], string> = {
  role: 'SELECT rolname::text AS name FROM pg_catalog.pg_roles WHERE rolname = ANY ($1::text[])',
  tablespace: 'SELECT spcname::text AS name FROM pg_catalog.pg_tablespace WHERE spcname = ANY ($1::text[])',
  extension:
    'SELECT name::text AS name FROM pg_catalog.pg_available_extensions WHERE name = ANY ($1::text[])',
  language: 'SELECT lanname::text AS name FROM pg_catalog.pg_language WHERE lanname = ANY ($1::text[])'
}

const hints: Record<Need['what'], string> = {
  role: 'Roles belong to the whole cluster: create it there (CREATE ROLE), or leave out --with-owner and --with-privileges.',
  tablespace: 'Tablespaces belong to the whole cluster: create it there (CREATE TABLESPACE).',
  extension: "Install its package on the standby's server.",
  language:
    "Install its package on the standby's server and create it there (CREATE LANGUAGE or CREATE EXTENSION)."
}

/**
 * @param entries what is made or altered
 * @throws SchemaError that names every role, tablespace, extension and language the standby lacks, and who needs it.
 */
export async function requireAll(
  standby: Server,
  entries: readonly Entry[],
  { main }: Pick<Decision, 'main'>,
  options: Pick<SchemaOptions, 'owners' | 'privileges'>
): Promise<void> {
  const made = new Set(
    main.entries
      .filter(entry => entry.kind === 'EXTENSION' || entry.kind === 'PROCEDURAL LANGUAGE')
      .map(entry => entry.name)
  )
  const needs = entries.flatMap(entry => needsOf(entry, options))
  const lacking: Need[] = []
  for (const what of ['role', 'tablespace', 'extension', 'language'] as const) {
    const wanted = needs.filter(need => need.what === what && !(what === 'language' && made.has(need.name)))
    if (wanted.length === 0) continue
    const names = arrayText([...new Set(wanted.map(need => need.name))])
    const rows = await standby.sql.unsafe<{ name: string }[]>(questions[what], [names])
    const there = new Set(rows.map(row => row.name))
    lacking.push(...wanted.filter(need => !there.has(need.name)))
  }
  if (lacking.length === 0) return
  const first = new Map(
    lacking.map(need => [`${need.what} ${need.name}`, need]).toReversed() as [string, Need][]
  )
  const list = [...first].toReversed().map(([label, need]) => `${label}, which ${labelOf(need.of)} needs`)
  throw new SchemaError(`the standby lacks ${list.join('; ')}`, { hint: hints[lacking[0]!.what] })
}

function needsOf(entry: Entry, { owners, privileges }: Pick<SchemaOptions, 'owners' | 'privileges'>): Need[] {
  const needs: Need[] = []
  if (owners && entry.owner) needs.push({ what: 'role', name: entry.owner, of: entry })
  if (privileges && (entry.kind === 'ACL' || entry.kind === 'DEFAULT ACL')) {
    needs.push(...granteesOf(entry).map(name => ({ what: 'role' as const, name, of: entry })))
  }
  if (entry.tablespace) needs.push({ what: 'tablespace', name: entry.tablespace, of: entry })
  if (entry.kind === 'EXTENSION') needs.push({ what: 'extension', name: entry.name, of: entry })
  const language = ['FUNCTION', 'PROCEDURE'].includes(entry.kind)
    ? /\n +LANGUAGE ("(?:[^"]|"")+"|\S+)/.exec(entry.definition)?.[1]
    : undefined
  if (language) needs.push({ what: 'language', name: bare(language), of: entry })
  return needs
}

function bare(name: string): string {
  return name.startsWith('"') ? name.slice(1, -1).replaceAll('""', '"') : name
}
