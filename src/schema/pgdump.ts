/**
 * Asks pg_dump for the structure of one server, as entries. Names in the scope are exact: they are quoted, and
 * within quotes pg_dump takes every character of a pattern literally.
 */
import { ProgramError } from '../core/errors.js'
import { ident, qualified } from '../postgres/quote.js'
import type { Server } from '../postgres/server.js'
import { readArchive } from './archive.js'
import type { SchemaOptions, SchemaScope } from './change.js'
import { entriesOf, type Entry } from './entry.js'
import type { Program } from './programs.js'
import { runProgram } from './run.js'

export interface Dump {
  entries: Entry[]
  /** How string literals in the definitions are to be read. */
  standardStrings: boolean
}

/**
 * @param snapshot an exported snapshot of that server
 * @throws ProgramError where pg_dump fails; SchemaError where its output cannot be read.
 */
export async function dumpSchema(
  program: Program,
  server: Server,
  scope: SchemaScope,
  options: Pick<SchemaOptions, 'emit' | 'signal' | 'lockTimeout' | 'privileges'> & {
    env: NonNullable<SchemaOptions['env']>
  },
  snapshot?: string
): Promise<Dump> {
  const args = [
    '--format=custom',
    '--compress=0',
    '--schema-only',
    ...(options.privileges ? [] : ['--no-privileges']),
    '--no-password',
    '--encoding=UTF8',
    ...(scope.tables
      ? scope.tables.map(table => `--table=${qualified(table.schema, table.name)}`)
      : scope.all
        ? ['--exclude-schema=pgsyncer']
        : scope.schemas.map(schema => `--schema=${ident(schema)}`)),
    ...(snapshot === undefined ? [] : [`--snapshot=${snapshot}`]),
    ...(options.lockTimeout > 0 ? [`--lock-wait-timeout=${options.lockTimeout}`] : [])
  ]
  // Set for the database or the role, it would make of every name another one than main's.
  const settings = [server.libpqEnv.PGOPTIONS, '-c quote_all_identifiers=off'].filter(Boolean).join(' ')
  const libpqEnv = { ...server.libpqEnv, PGOPTIONS: settings }
  const signal = AbortSignal.any([options.signal, server.lost])
  const { code, stdout, stderr } = await runProgram(program.path, args, { ...options, signal, libpqEnv })
  if (code !== 0) {
    const lost = /closed the connection|connection to server|could not connect|no connection to/.test(stderr)
    throw new ProgramError(`pg_dump of ${server.role} (${server.address}) failed: ${sayings(stderr)}`, {
      ...(lost && { sqlstate: '08006' }),
      hint: hintFor(stderr, server, program)
    })
  }
  if (stderr) options.emit({ type: 'note', message: `pg_dump of ${server.role} said: ${sayings(stderr)}` })
  const archive = readArchive(stdout)
  const strings = archive.entries.find(entry => entry.kind === 'STDSTRINGS')
  return { entries: entriesOf(archive.entries), standardStrings: !strings?.definition.includes(`'off'`) }
}

function hintFor(stderr: string, { user }: Server, { path, version }: Program): string {
  if (/canceling statement due to (?:statement|lock) timeout/.test(stderr))
    return 'Another session holds a lock on it: wait until it has ended, or raise --lock-timeout.'
  if (/permission denied/.test(stderr))
    return `GRANT SELECT on it, and USAGE on its schema, to ${user}; or leave it out with -T, or read by --schema-method catalog.`
  return `It was ${path}, version ${version}. The role needs the right to read all that is in scope.`
}

/** Its lines without the program's name before each, and without the query that it sent. */
function sayings(stderr: string): string {
  const lines = stderr.split('\n').map(line => line.replace(/^pg_dump: (?:error: |\[.*?\] )?/, '').trim())
  return lines.filter(line => line && !/^(detail: )?Query was:|^Command was:/i.test(line)).join('; ')
}
