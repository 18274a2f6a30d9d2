/** The programs that are measured, each as a user would call it. */
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { rowHash } from '../../dist/data/hash.js'
import { capabilitiesOf } from '../../dist/postgres/capabilities.js'
import { readTables } from '../../dist/postgres/tables.js'
import postgres from 'postgres'

const program = fileURLToPath(new URL('../../dist/main.js', import.meta.url))

/** pgsyncer's default number of workers, and so everybody's. */
const jobs = '4'

/** `pgsyncer diff` or `pgsyncer sync`, with every default. */
export function ours(bench, command, source, target) {
  const main = bench.url(bench.main, source)
  const standby = bench.url(bench.standby, target)
  return [
    {
      command: process.execPath,
      args: [program, command, '--maindsn', main, '--standindsn', standby],
      env: bench.env
    }
  ]
}

/**
 * One psql on each server that hashes every row with pgsyncer's own expression, both at the same time. One aggregate
 * over the hash, because the planner would compute the expression once for each of two; parallel workers as by default.
 */
export async function hashing(bench, source, target) {
  const urls = [bench.url(bench.main, source), bench.url(bench.standby, target)]
  const queries = await hashQueries(urls[0])
  return urls.map(url => ({
    command: 'psql',
    args: ['-X', '-q', '-A', '-t', ...queries.flatMap(query => ['-c', query]), url],
    env: bench.env
  }))
}

export function dumpAndLoad(bench, source, target) {
  const script = 'pg_dump "$1" | psql -X -q -v ON_ERROR_STOP=1 -o /dev/null "$2"'
  const urls = [bench.url(bench.main, source), bench.url(bench.standby, target)]
  return [{ command: 'bash', args: ['-o', 'pipefail', '-c', script, 'bash', ...urls], env: bench.env }]
}

export function pgcopydb(bench, source, target) {
  const urls = ['--source', bench.url(bench.main, source), '--target', bench.url(bench.standby, target)]
  const work = ['--dir', join(bench.folder, 'pgcopydb'), '--restart']
  const workers = ['--table-jobs', jobs, '--index-jobs', jobs]
  return [{ command: 'pgcopydb', args: ['clone', ...urls, ...workers, ...work], env: bench.env }]
}

async function hashQueries(url) {
  const sql = postgres(url, { max: 1, fetch_types: false })
  try {
    const [{ version }] = await sql`SELECT current_setting('server_version_num')::int AS version`
    const tables = await readTables(sql, capabilitiesOf(version), ['public'])
    return tables.map(table => {
      const hash = rowHash('record', table.columns, true)[0]
      return `SELECT '${table.name}', count(*), bit_xor(${hash}) FROM ${table.name} t`
    })
  } finally {
    await sql.end()
  }
}
