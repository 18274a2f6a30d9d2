/** Whether two databases hold the same, by nothing but SQL that anyone can repeat: no code of the sync takes part. */
import pg from 'pg'

export interface ProofLine {
  name: string
  /** Row count and MD5 of all rows as text in byte order, or a sequence's place; undefined where it is missing. */
  main: string | undefined
  standby: string | undefined
  same: boolean
}

/** One line for each ordinary table, partition, materialized view and sequence of the schema public. */
export async function prove(mainUrl: string, standbyUrl: string): Promise<ProofLine[]> {
  const [main, standby] = await Promise.all([contents(mainUrl), contents(standbyUrl)])
  const names = [...new Set([...main.keys(), ...standby.keys()])].toSorted()
  return names.map(name => {
    const [here, there] = [main.get(name), standby.get(name)]
    return { name, main: here, standby: there, same: here === there }
  })
}

/** The lines as a table for people; digests are cut to 16 digits. */
export function proofLines(proof: readonly ProofLine[]): string[] {
  const cut = (text = 'missing'): string => text.replace(/\b([0-9a-f]{16})[0-9a-f]{16}\b/, '$1')
  const rows = proof.map(line => [line.name, cut(line.main), line.same ? '=' : '≠', cut(line.standby)])
  const widths = [0, 1, 2, 3].map(column => Math.max(...rows.map(row => row[column]?.length ?? 0)))
  return rows.map(row =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd()
  )
}

const setup = `set timezone = 'UTC'; set datestyle = 'ISO, YMD'; set intervalstyle = 'postgres';
  set extra_float_digits = 3; set bytea_output = 'hex'; set search_path = ''`

// By name, so that two tables whose columns stand in another order can still be the same.
const objects = `
  select c.relname as name, c.relkind as kind,
    (select pg_catalog.string_agg(pg_catalog.quote_ident(a.attname), ', ' order by a.attname collate "C")
     from pg_catalog.pg_attribute a where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped) as columns
  from pg_catalog.pg_class c
  where c.relnamespace = 'public'::pg_catalog.regnamespace and c.relkind in ('r', 'm', 'S')`

async function contents(url: string): Promise<Map<string, string>> {
  const client = new pg.Client({ connectionString: url })
  client.on('error', () => {})
  await client.connect()
  try {
    await client.query(setup)
    const { rows } = await client.query<{ name: string; kind: string; columns: string }>(objects)
    const found = new Map<string, string>()
    for (const { name, kind, columns } of rows) {
      const from = `public.${pg.escapeIdentifier(name)}`
      const text = `row(${columns})::text`
      const query =
        kind === 'S'
          ? `select case when is_called then 'after ' else 'at ' end || last_value as value from ${from}`
          : `select count(*) || ' rows  ' || md5(coalesce(string_agg(r, E'\\n' order by r collate "C"), '')) as value
             from (select ${text} as r from only ${from}) t`
      found.set(name, (await client.query<{ value: string }>(query)).rows[0]?.value ?? '')
    }
    return found
  } finally {
    await client.end().catch(() => {})
  }
}
