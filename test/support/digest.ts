/**
 * Whether two tables hold the same, as PostgreSQL's own psql sees it: none of the code under test takes part.
 */
import { spawn } from 'node:child_process'
import { text } from 'node:stream/consumers'
import pg from 'pg'

/** What the text of a value depends on, the same for every server and machine. */
const pins = [
  'search_path=',
  'TimeZone=UTC',
  'DateStyle=ISO,YMD',
  'IntervalStyle=postgres',
  'extra_float_digits=3',
  'bytea_output=hex'
]

/**
 * Row count and MD5 of all rows as text, in byte order, of `schema.table` (quoted where its name needs it), such as
 * `3 9a0364b9e99bb480dd25e1f0284c8555`. A parent's rows are those of its partitions or children too.
 */
export async function tableDigest(url: string, table: string): Promise<string> {
  return (await psql(url, `${digestOf(`${table} t`)};`)).trim()
}

/** The digests of all ordinary tables, partitions and populated materialized views of these schemas, by `schema.table`. */
export async function databaseDigest(
  url: string,
  schemas: readonly string[]
): Promise<Record<string, string>> {
  const names = schemas.map(schema => pg.escapeLiteral(schema)).join(', ')
  const list = `select format('select %L, (${digestOf('only %I.%I t').replaceAll("'", "''")})',
      n.nspname || '.' || c.relname, n.nspname, c.relname)
    from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
    where c.relkind in ('r', 'm') and c.relispopulated and n.nspname in (${names})
    order by n.nspname collate "C", c.relname collate "C" \\gexec`
  const lines = (await psql(url, `${list}\n`)).split('\n').filter(Boolean)
  return Object.fromEntries(lines.map(line => line.split('|') as [string, string]))
}

/** The query that digests what `from` calls `t`. */
function digestOf(from: string): string {
  // (t.*)::text, not t::text: the table may have a column named t.
  const rows = `string_agg((t.*)::text, E'\\n' order by (t.*)::text collate "C")`
  return `select count(*) || ' ' || md5(coalesce(${rows}, '')) from ${from}`
}

/** Runs a script in psql and gives its output, unaligned, without headers; fails at the script's first error. */
export async function psql(url: string, script: string): Promise<string> {
  const at = new URL(url)
  const env = {
    ...process.env,
    PGHOST: decodeURIComponent(at.hostname),
    PGPORT: at.port || '5432',
    PGUSER: decodeURIComponent(at.username),
    PGPASSWORD: decodeURIComponent(at.password),
    PGDATABASE: decodeURIComponent(at.pathname.slice(1)),
    PGCLIENTENCODING: 'UTF8',
    PGOPTIONS: pins.map(pin => `-c ${pin}`).join(' ')
  }
  const program = spawn('psql', ['-X', '-A', '-t', '-q', '-v', 'ON_ERROR_STOP=1', '-f', '-'], { env })
  const ended = new Promise<number | null>((resolve, reject) =>
    program.on('error', reject).on('close', resolve)
  )
  program.stdin.on('error', () => {})
  program.stdin.end(script)
  const [output, complaint, code] = await Promise.all([text(program.stdout), text(program.stderr), ended])
  if (code !== 0) throw new Error(`psql ended with ${code}: ${complaint}`)
  return output
}
