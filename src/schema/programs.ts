/**
 * Finds pg_dump and psql, and judges whether they fit. What is not found or does not fit is an error that says where
 * one looked and what to do.
 */
import { execFile } from 'node:child_process'
import { constants } from 'node:fs'
import { access, readdir, realpath } from 'node:fs/promises'
import { basename, delimiter, dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { messageOf, ProgramError } from '../core/errors.js'
import { redact } from '../core/redact.js'
import { type Environment, ownEnvironment } from './run.js'

export interface Program {
  path: string
  /** Such as `15.18`. */
  version: string
  /** As servers count: 150018, or 90624 for 9.6.24. */
  versionNumber: number
}

/** Where packages put the programs; `*` stands for one version's folder. */
const usualFolders = [
  '/usr/bin',
  '/usr/local/bin',
  '/usr/lib/postgresql/*/bin',
  '/usr/pgsql-*/bin',
  '/usr/libexec/postgresql*',
  '/usr/local/pgsql/bin',
  '/opt/homebrew/opt/libpq/bin',
  '/opt/homebrew/opt/postgresql@*/bin',
  '/usr/local/opt/libpq/bin',
  '/usr/local/opt/postgresql@*/bin',
  '/Applications/Postgres.app/Contents/Versions/*/bin'
]

/** The part of a version that decides what pg_dump can read: 15 of 150018, 9.6 of 90624. */
export function majorOf(versionNumber: number): string {
  const first = Math.floor(versionNumber / 10000)
  return first >= 10 ? String(first) : `${first}.${Math.floor(versionNumber / 100) % 100}`
}

/** The named program, or PATH's and then every usual folder's, each once. */
async function candidates(
  program: string,
  named: string | undefined,
  env: Environment,
  folders: readonly string[]
) {
  if (named !== undefined) return [named]
  const inPath = (env.PATH ?? '').split(delimiter).filter(Boolean)
  const usual = (await Promise.all(folders.map(expand))).flat()
  const found = new Map<string, string>()
  for (const folder of [...inPath, ...usual]) {
    const path = join(folder, program)
    const real = await realpath(path).catch(() => undefined)
    // Debian's wrapper picks a version by rules of its own; the programs it picks from are in the usual folders.
    if (real === undefined || basename(real) === 'pg_wrapper') continue
    if (await isExecutable(real)) found.set(real, found.get(real) ?? path)
  }
  return [...found.values()]
}

/**
 * pg_dump, at least as new as the server: the named one, else PATH's, else the newest of the usual folders.
 * @param needed the server's version number
 * @param server said in messages: `main, which is PostgreSQL 15.20`
 * @throws ProgramError that says which version is needed and where one was looked for.
 */
export async function findPgDump(
  named: string | undefined,
  needed: number,
  server: string,
  env: Environment,
  folders: readonly string[] = usualFolders
): Promise<Program> {
  const major = majorOf(needed)
  const hint =
    `Install it (postgresql-client-${major} on Debian and Ubuntu), name another with --pgdump PATH, ` +
    'or leave the structure alone with --sync-schema=false.'
  const found: Program[] = []
  for (const path of await candidates('pg_dump', named, env, folders)) {
    const program = await versionOf(path, env).catch((error: unknown) => {
      if (named === undefined) return undefined
      throw new ProgramError(`${named} cannot be run as pg_dump: ${redact(messageOf(error))}`, {
        hint,
        cause: error
      })
    })
    if (program) found.push(program)
  }
  const first = found[0]
  if (first && fits(first, needed)) return first
  const newest = found.toSorted((a, b) => b.versionNumber - a.versionNumber)[0]
  if (newest && fits(newest, needed)) return newest
  const wanted = `pg_dump ${major} or newer is needed`
  if (newest) {
    const where = found.length > 1 ? `, the newest found,` : ''
    throw new ProgramError(
      `pg_dump ${newest.version} (${newest.path})${where} is older than ${server}: ${wanted}`,
      { hint: named === undefined ? `Looked in ${places(env, folders)}. ${hint}` : hint }
    )
  }
  throw new ProgramError(`pg_dump is not installed, and ${wanted} to read the structure of ${server}`, {
    hint: `Looked in ${places(env, folders)}. ${hint}`
  })
}

/**
 * psql: the named one, else the one beside pg_dump, else PATH's or a usual folder's.
 * @throws ProgramError if there is none.
 */
export async function findPsql(
  named: string | undefined,
  pgDump: string | undefined,
  env: Environment,
  folders: readonly string[] = usualFolders
): Promise<string> {
  if (named === undefined && pgDump !== undefined) {
    const beside = join(dirname(await realpath(pgDump).catch(() => pgDump)), 'psql')
    if (await isExecutable(beside)) return beside
  }
  const path = (await candidates('psql', named, env, folders))[0]
  if (path !== undefined && (await isExecutable(path))) return path
  throw new ProgramError(named === undefined ? 'psql is not installed' : `there is no program at ${named}`, {
    hint: 'Install it (postgresql-client on Debian and Ubuntu), name it with --psql PATH, or leave out --force-psql.'
  })
}

async function versionOf(path: string, env: Environment): Promise<Program> {
  const { stdout } = await promisify(execFile)(path, ['--version'], {
    env: ownEnvironment(env),
    timeout: 10_000
  })
  const match = /\(PostgreSQL\) (\d+)(?:\.(\d+))?(?:\.(\d+))?/.exec(stdout)
  if (!match)
    throw new Error(`it says ${JSON.stringify(stdout.trim().slice(0, 80))} when asked for its version`)
  const [first, second, third] = match.slice(1).map(part => Number(part ?? 0)) as [number, number, number]
  const versionNumber = first >= 10 ? first * 10000 + second : first * 10000 + second * 100 + third
  return { path, version: match[0].slice('(PostgreSQL) '.length), versionNumber }
}

function fits(program: Program, needed: number): boolean {
  return Number(majorOf(program.versionNumber)) >= Number(majorOf(needed))
}

function places(env: Environment, folders: readonly string[]): string {
  return [env.PATH ? 'PATH' : undefined, ...folders].filter(Boolean).join(', ')
}

async function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false
  )
}

async function expand(pattern: string): Promise<string[]> {
  const star = pattern.indexOf('*')
  if (star < 0) return [pattern]
  const parent = pattern.slice(0, pattern.lastIndexOf('/', star))
  const rest = pattern.slice(parent.length + 1)
  const slash = rest.indexOf('/')
  const prefix = rest.slice(0, rest.indexOf('*'))
  const tail = slash < 0 ? '' : rest.slice(slash + 1)
  const names = await readdir(parent).catch(() => [])
  return names.filter(name => name.startsWith(prefix)).map(name => join(parent, name, tail))
}
