/**
 * PostgreSQL refuses to run as root. Where this process is root, its throw-away servers run as an account that can do
 * nothing else; everywhere else they run as the user who started them.
 */
import { readFile, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname } from 'node:path'
import { ProgramError } from '../../core/errors.js'

export interface Account {
  name: string
  uid: number
  gid: number
}

/**
 * The account that servers run as: undefined for the present user.
 * @throws ProgramError where this process is root and the machine has no account to use instead.
 */
export async function serverAccount(): Promise<Account | undefined> {
  if (process.getuid?.() !== 0) return undefined
  const lines = (await readFile('/etc/passwd', 'utf8')).split('\n').map(line => line.split(':'))
  for (const wanted of ['postgres', 'nobody']) {
    const [name, , uid, gid] = lines.find(([found]) => found === wanted) ?? []
    if (name && Number(uid) > 0) return { name, uid: Number(uid), gid: Number(gid) }
  }
  throw new ProgramError(
    'PostgreSQL does not run as root, and there is no user postgres or nobody to run it as',
    {
      hint: 'Start this as another user.'
    }
  )
}

/** The temporary folder, or `/tmp` where root's own one is closed to the account that servers run as. */
export async function openTemp(): Promise<string> {
  if (process.getuid?.() !== 0) return tmpdir()
  for (let folder = tmpdir(); ; folder = dirname(folder)) {
    if (!((await stat(folder)).mode & 0o001)) return '/tmp'
    if (folder === dirname(folder)) return tmpdir()
  }
}
