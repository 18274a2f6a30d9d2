/** What a person can do where the demo finds no pg_dump that fits its servers: said before anything is started. */
import { ProgramError } from '../../core/errors.js'
import { findPgDump } from '../../schema/programs.js'

/** Undefined where there is a pg_dump of that major version or a newer one; else advice, ready to be shown. */
export async function dumpAdvice(major: number): Promise<string | undefined> {
  try {
    await findPgDump(undefined, major * 10_000, `the demo’s PostgreSQL ${major}`, process.env)
    return undefined
  } catch (error) {
    if (!(error instanceof ProgramError)) throw error
    return `${error.message}. To get it:
  Debian, Ubuntu:   apt-get install postgresql-client
  Fedora, RHEL:     dnf install postgresql
  Alpine:           apk add postgresql-client
  macOS:            brew install libpq`
  }
}
