/**
 * Changes a database while the run under test stands still: a run's events are told, not awaited, so that what must
 * be done between two of its steps has to hold the whole process up.
 */
import { execFileSync } from 'node:child_process'
import { inject } from 'vitest'

/** Runs SQL by psql and gives its output; nothing else happens in this process meanwhile. */
export function execBlocking(url: string, sql: string): string {
  const at = new URL(url)
  const env = {
    PATH: process.env.PATH,
    PGHOST: at.hostname,
    PGPORT: at.port || new URL(inject('adminUrl')).port,
    PGUSER: decodeURIComponent(at.username),
    PGPASSWORD: decodeURIComponent(at.password),
    PGDATABASE: decodeURIComponent(at.pathname.slice(1))
  }
  return execFileSync('psql', ['-X', '-A', '-t', '-q', '-v', 'ON_ERROR_STOP=1', '-c', sql], {
    env,
    encoding: 'utf8'
  }).trim()
}
