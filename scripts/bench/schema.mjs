/**
 * Measures `pgsyncer diff --sync-data=false` of two identical schemas against pg_dump of both, one after the other. After
 * `npm run build`:
 *
 *   node scripts/bench/schema.mjs [--tables 2000] [--runs 3]
 *
 * Every table has ten columns and two indexes beside its key; there is a view to every fourth. Progress goes to stderr,
 * the table to stdout. A missed goal is a result; the exit code is 1 only where a run failed.
 */
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { timed } from './contests.mjs'
import { say, stopChildren } from './measure.mjs'
import { openBench } from './servers.mjs'
import { heading, line } from './table.mjs'

const { values } = parseArgs({
  options: { tables: { type: 'string', default: '2000' }, runs: { type: 'string', default: '3' } }
})
const [tables, runs] = [values.tables, values.runs].map(Number)
if (![tables, runs].every(n => Number.isInteger(n) && n >= 1)) {
  process.stderr.write('--tables and --runs must be whole numbers, 1 or more\n')
  process.exit(2)
}

const program = fileURLToPath(new URL('../../dist/main.js', import.meta.url))
const database = 'bench_schema'
const fill = `DO $$ BEGIN
  FOR i IN 1..${tables} LOOP
    EXECUTE format('CREATE TABLE t%s (id bigint PRIMARY KEY, a integer NOT NULL, b text DEFAULT ''x'', c numeric(12,2), d timestamptz,
      e jsonb, f uuid, g boolean, h text[], i double precision CHECK (i > 0))', i);
    EXECUTE format('CREATE INDEX ON t%s (a); CREATE INDEX ON t%s (b, d)', i, i);
    IF i % 4 = 0 THEN EXECUTE format('CREATE VIEW v%s AS SELECT t.id, t.a, u.b FROM t%s t JOIN t%s u USING (id)', i, i, i - 1); END IF;
    IF i % 100 = 0 THEN COMMIT; END IF;
  END LOOP; END $$`

for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, stopChildren)

const bench = await openBench()
const results = []
try {
  say(`▸ making ${tables} tables`)
  await bench.both('postgres', `CREATE DATABASE ${database} TEMPLATE template0`)
  await bench.both(database, fill)
  await bench.both(database, 'ANALYZE')
  const urls = [bench.url(bench.main, database), bench.url(bench.standby, database)]
  const diff = method => [
    {
      command: process.execPath,
      args: [
        program,
        'diff',
        '--maindsn',
        urls[0],
        '--standindsn',
        urls[1],
        '--sync-data=false',
        '--schema-method',
        method
      ],
      env: bench.env
    }
  ]
  const dumps = [
    {
      command: 'bash',
      args: [
        '-o',
        'pipefail',
        '-c',
        'pg_dump -s "$1" >/dev/null && pg_dump -s "$2" >/dev/null',
        'bash',
        ...urls
      ],
      env: bench.env
    }
  ]
  const pairs = { pgdump: [], catalog: [] }
  for (let run = 0; run < runs; run++) {
    for (const [method, list] of Object.entries(pairs)) {
      const a = await timed(bench, `diff, ${method}`, diff(method))
      list.push([a, await timed(bench, 'pg_dump, pg_dump', dumps)])
    }
  }
  const peak = Math.max(...[...pairs.pgdump, ...pairs.catalog].map(([a]) => a.peak))
  results.push(
    { what: 'diff of identical schemas by pg_dump : both pg_dumps', pairs: pairs.pgdump, goal: 1.3 },
    { what: 'diff of identical schemas by the catalogs : both pg_dumps', pairs: pairs.catalog },
    { what: 'peak memory', peaks: { diff: peak }, limit: 150e6 }
  )
} catch (error) {
  process.exitCode = 1
  process.stderr.write(`FAILED: ${error.message}\n`)
} finally {
  await bench.close()
}
if (results.length > 0) {
  process.stdout.write(`${heading(`${tables} tables, medians of ${runs}, ${bench.about}`)}\n`)
  for (const result of results) process.stdout.write(`${line(result)}\n`)
}
