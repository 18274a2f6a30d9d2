/**
 * How fast rows go into sections: node scripts/bench/sections.mjs [--rows 200000] [--runs 3], after npm run build.
 *
 * Three ways: a procedure that only inserts (the goal is 20,000 rows/s on 2 cores), one that looks for the section and
 * inserts by dynamic SQL, and the first again where all rows share one cursor, so that all are one chunk: its memory
 * must not be more. Medians; CPU seconds tell what the machine's other work does not.
 */
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { measure, say, stopChildren } from './measure.mjs'
import { openBench } from './servers.mjs'

const { values } = parseArgs({
  options: { rows: { type: 'string', default: '200000' }, runs: { type: 'string', default: '3' } }
})
const [rows, runs] = [Number(values.rows), Number(values.runs)]
const goal = 20_000
const database = 'bench_sections'

const columns = `created_id bigint, device_id int, object_id int, mes_id bigint, mes_time timestamptz, mes_code int,
  mes_status int, mes_data jsonb, event_value numeric, event_data text`

const source = (name, cursor) => [
  `CREATE TABLE device.${name} (${columns})`,
  `INSERT INTO device.${name} SELECT ${cursor}, n % 50, n % 100, n, now() + n * interval '1 s', n % 7, n % 3,
     '{"a": 1, "b": "some text"}', n / 3.0, repeat('x', 40) FROM generate_series(1, ${rows}) n`,
  `CREATE INDEX ON device.${name} (created_id)`
]

const procedures = [
  `CREATE TABLE message_all (${columns})`,
  `CREATE PROCEDURE only_insert(r json) LANGUAGE plpgsql AS $$ BEGIN
     INSERT INTO message_all SELECT * FROM json_populate_record(NULL::message_all, r); END $$`,
  `CREATE PROCEDURE check_section(r json) LANGUAGE plpgsql AS $$ DECLARE t text := 'section_' || (r->>'object_id'); BEGIN
     IF to_regclass(t) IS NULL THEN EXECUTE format('CREATE TABLE %I (LIKE message_all)', t); END IF;
     EXECUTE format('INSERT INTO %I SELECT * FROM json_populate_record(NULL::message_all, $1)', t) USING r; END $$`
]

const contests = [
  { what: 'only inserts', sourceTable: 'device.messages', procedure: 'only_insert', goal },
  {
    what: 'makes and finds sections, inserts by dynamic SQL',
    sourceTable: 'device.messages',
    procedure: 'check_section',
    sectionTables: 'section\\_%'
  },
  { what: 'only inserts, all rows of one cursor', sourceTable: 'device.ties', procedure: 'only_insert' }
]

const built = fileURLToPath(new URL('../../dist/copy/sections/sections.js', import.meta.url))
const program = `
  const { copySections } = await import(process.env.BUILT)
  console.log(JSON.stringify(await copySections(JSON.parse(process.env.OPTIONS))))`

for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, stopChildren)

const bench = await openBench()
try {
  say(`▸ filling 2 tables × ${rows} rows`)
  await bench.query(bench.main, 'postgres', `CREATE DATABASE ${database} TEMPLATE template0`)
  const fill = [...source('messages', 'n'), ...source('ties', '1')]
  await bench.query(bench.main, database, 'CREATE SCHEMA device', ...fill, 'VACUUM ANALYZE')
  process.stdout.write(
    `| ${rows} rows, medians of ${runs}, ${bench.about} | rows/s | peak | CPU of the program, main, standby |\n|---|---|---|---|\n`
  )
  for (const contest of contests) process.stdout.write(`${line(contest, await contestRuns(contest))}\n`)
} finally {
  await bench.close()
}

async function contestRuns({ what, ...options }) {
  say(`▸ ${what}`)
  const done = []
  for (let run = 0; run < runs; run++) {
    await bench.fresh(database)
    await bench.query(bench.standby, database, ...procedures)
    await bench.calm()
    const [main, standby] = bench.servers.map(server => bench.url(server, database))
    const env = { BUILT: built, OPTIONS: JSON.stringify({ main, standby, ...options }) }
    const command = { command: process.execPath, args: ['--input-type=module', '-e', program], env }
    const measured = await measure([command], bench.servers)
    const result = JSON.parse(measured.output[0])
    if (result.rows !== rows) throw new Error(`${result.rows} rows were sent, not ${rows}`)
    done.push({ ...measured, rate: rows / (result.durationMs / 1000) })
    say(`  ${Math.round(done.at(-1).rate)} rows/s`)
  }
  return done.sort((a, b) => a.rate - b.rate)[Math.floor(runs / 2)]
}

function line({ what, goal }, { rate, peak, cpu, serverCpu }) {
  const verdict = goal === undefined ? '' : rate >= goal ? ` (goal ${goal}: met)` : ` (goal ${goal}: MISSED)`
  const seconds = [cpu, ...serverCpu].map(one => one.toFixed(1)).join(', ')
  return `| ${what} | ${Math.round(rate)}${verdict} | ${Math.round(peak / 1e6)} MB | ${seconds} s |`
}
