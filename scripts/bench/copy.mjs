/**
 * Measures `pgsyncer copy` against what people would type instead: psql's COPY piped into psql's COPY, which can neither be stopped
 * and resumed nor run twice. Both fill the same empty table in turn; what counts is the ratio. After `npm run build`:
 *
 *   node scripts/bench/copy.mjs [--rows 1000000] [--runs 3]
 *
 * Progress goes to stderr, the table to stdout. A missed goal is a result; the exit code is 1 only where a run failed.
 */
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { timed } from './contests.mjs'
import { say, stopChildren } from './measure.mjs'
import { openBench } from './servers.mjs'
import { heading, line } from './table.mjs'

const { values } = parseArgs({
  options: { rows: { type: 'string', default: '1000000' }, runs: { type: 'string', default: '3' } }
})
const [rows, runs] = [values.rows, values.runs].map(Number)
if (![rows, runs].every(n => Number.isInteger(n) && n >= 1)) {
  process.stderr.write('--rows and --runs must be whole numbers, 1 or more\n')
  process.exit(2)
}

const program = fileURLToPath(new URL('../../dist/main.js', import.meta.url))
const database = 'bench_copy'
const table = 'CREATE TABLE profiles (id bigserial PRIMARY KEY, data jsonb)'
/** About 200 bytes a row as text. */
const fill = `INSERT INTO profiles (data) SELECT jsonb_build_object('name', 'user ' || i, 'email', md5(i::text) || '@example.org',
  'tags', jsonb_build_array('a', 'b' || i % 7), 'note', repeat('words ', 11), 'rate', i % 11 / 10.0)
  FROM generate_series(1, ${rows}) i`

for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, stopChildren)

const bench = await openBench()
const results = []
try {
  say(`▸ filling profiles with ${rows} rows`)
  await bench.both('postgres', `CREATE DATABASE ${database} TEMPLATE template0`)
  await bench.both(database, table)
  await bench.query(bench.main, database, fill, 'VACUUM ANALYZE profiles')
  const [{ bytes }] = await bench.query(
    bench.main,
    database,
    'SELECT round(avg(length(data::text)))::int AS bytes FROM profiles'
  )
  say(`  data jsonb of ${bytes} bytes on average`)
  const urls = [bench.url(bench.main, database), bench.url(bench.standby, database)]
  const ours = (...more) => {
    const args = ['copy', '--maindsn', urls[0], '--standindsn', urls[1], '--table', 'profiles', ...more]
    return [
      { command: process.execPath, args: [program, ...args, '--full-copy-timeout', '24h'], env: bench.env }
    ]
  }
  const script =
    'psql -X -q -c "COPY profiles TO STDOUT" "$1" | psql -X -q -v ON_ERROR_STOP=1 -c "COPY profiles FROM STDIN" "$2"'
  const theirs = [
    { command: 'bash', args: ['-o', 'pipefail', '-c', script, 'bash', ...urls], env: bench.env }
  ]

  // Whoever comes first makes the standby's files of WAL and touches its buffers for the first time: for nobody's account.
  await timed(bench, 'psql, not counted', theirs)
  const pairs = []
  const again = []
  for (let run = 0; run < runs; run++) {
    await bench.query(bench.standby, database, 'TRUNCATE profiles')
    const a = await timed(bench, 'copy', ours())
    await same()
    const second = await timed(bench, 'copy again', ours())
    await same()
    await bench.query(bench.standby, database, 'TRUNCATE profiles')
    const b = await timed(bench, 'psql | psql', theirs)
    await same()
    pairs.push([a, b])
    again.push([second, b])
  }
  const peak = Math.max(...[...pairs, ...again].map(([a]) => a.peak))
  results.push(
    { what: '`copy` into an empty table : `psql COPY \\| psql COPY`', pairs, goal: 1.5 },
    { what: '`copy` over the same rows once more (upsert) : the same psql', pairs: again },
    { what: 'peak memory', peaks: { copy: peak }, limit: 150e6 }
  )
} catch (error) {
  process.exitCode = 1
  process.stderr.write(`FAILED: ${error.message}\n`)
} finally {
  await bench.close()
}
if (results.length > 0) {
  const size = new Intl.NumberFormat('en').format(rows)
  process.stdout.write(`${heading(`${size} rows, medians of ${runs}, ${bench.about}`)}\n`)
  for (const result of results) process.stdout.write(`${line(result)}\n`)
}

/** Every row is there, and the same. */
async function same() {
  const sums = await bench.both(
    database,
    'SELECT count(*) AS n, sum(hashtextextended(p::text, 0)) AS h FROM profiles p'
  )
  const [a, b] = sums.map(([row]) => `${row.n} ${row.h}`)
  if (a !== b) throw new Error(`main and standby differ: ${a}, ${b}`)
}
