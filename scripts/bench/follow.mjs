/**
 * Measures following changes. After `npm run build`, or by `npm run bench:follow`:
 *
 *   node scripts/bench/follow.mjs [--rows 200000] [--runs 3] [--only wal,outbox,clickhouse,latency,memory]
 *
 * wal: a backlog of inserts against a native subscription that takes the same; outbox: a backlog of its events; clickhouse: the
 * first copy against psql | clickhouse-client; latency: from COMMIT to visible in the sink at 500 changes a second; memory: one
 * transaction of 1,000,000 rows. Progress goes to stderr, the table to stdout. A missed goal is a result; the exit code is
 * 1 only where a run failed.
 */
import { fileURLToPath } from 'node:url'
import { openClickHouse } from './follow/clickhouse.mjs'
import { insert, table } from './follow/items.mjs'
import { latencies } from './follow/latency.mjs'
import { measure, say, stopChildren } from './measure.mjs'
import { openBench } from './servers.mjs'
import { settingsOf } from './settings.mjs'
import { heading, line } from './table.mjs'

const kinds = ['wal', 'outbox', 'clickhouse', 'latency', 'memory']
const { rows, runs, only } = settingsOf(kinds, '200000')

const program = fileURLToPath(new URL('../../dist/main.js', import.meta.url))
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, stopChildren)

const bench = await openBench({
  wal_level: 'logical',
  max_wal_senders: '20',
  max_replication_slots: '20',
  // A subscription that was off begins at once when it is enabled.
  wal_retrieve_retry_interval: '10ms',
  // What is committed asynchronously reaches the WAL's readers up to wal_writer_delay later.
  synchronous_commit: 'on'
})
const results = []

/** Runs our program to its end. */
const ours = (...args) =>
  measure([{ command: process.execPath, args: [program, ...args, '--quiet'], env: bench.env }])

/** A database with the table on both servers, and how our program is told of it. */
async function pair(name, source, setUp = []) {
  await bench.both(
    'postgres',
    `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`,
    `CREATE DATABASE ${name} TEMPLATE template0`
  )
  await bench.both(name, table)
  const [main, standby] = [bench.url(bench.main, name), bench.url(bench.standby, name)]
  for (const statement of setUp) await bench.query(bench.main, name, statement)
  const at = ['--maindsn', main, '--source', source, '-t', 'items', '--name', name]
  if (source !== 'poll') await ours('capture', 'install', ...at)
  return {
    main,
    standby,
    follow: ['follow', ...at, '--to', standby],
    remove: () => ours('capture', 'remove', ...at)
  }
}

const shown = n => Math.round(n).toLocaleString('en-US')

/** The median's rate, as one line. */
function rate(what, count, list, goal) {
  const rates = list.map(({ seconds }) => count / seconds).sort((a, b) => a - b)
  const median = rates[rates.length >> 1]
  return { what, figure: `${shown(median)}/s`, limit: `≥ ${shown(goal)}/s`, met: median >= goal }
}

/** Seconds until a subscription has taken what its slot holds. */
async function native(database, count) {
  const started = performance.now()
  await bench.query(bench.standby, database, 'ALTER SUBSCRIPTION theirs ENABLE')
  for (;;) {
    const [{ n }] = await bench.query(bench.standby, database, 'SELECT count(*)::int AS n FROM items')
    if (n >= count) break
  }
  const seconds = (performance.now() - started) / 1000
  await bench.query(bench.standby, database, 'ALTER SUBSCRIPTION theirs DISABLE', 'TRUNCATE items')
  return { seconds, peak: 0 }
}

async function wal() {
  const own = await pair('bench_wal', 'wal')
  await bench.query(
    bench.standby,
    'postgres',
    'DROP DATABASE IF EXISTS bench_native WITH (FORCE)',
    'CREATE DATABASE bench_native'
  )
  await bench.query(bench.standby, 'bench_native', table)
  await bench.query(
    bench.main,
    'bench_wal',
    'CREATE PUBLICATION theirs FOR TABLE items',
    `SELECT pg_create_logical_replication_slot('theirs', 'pgoutput')`
  )
  const connection = new URL(own.main)
  const words = `host=${connection.hostname} port=${connection.port} dbname=bench_wal user=${connection.username} password=${connection.password}`
  await bench.query(
    bench.standby,
    'bench_native',
    `CREATE SUBSCRIPTION theirs CONNECTION '${words}' PUBLICATION theirs WITH (create_slot = false, slot_name = 'theirs', enabled = false, copy_data = false)`
  )
  await ours(...own.follow, '--once')
  const pairs = []
  for (let run = 0; run < runs; run++) {
    await bench.query(bench.main, 'bench_wal', insert(rows))
    await bench.calm()
    const a = await ours(...own.follow, '--once')
    const b = await native('bench_native', rows)
    say(`  wal: ${a.seconds.toFixed(2)} s, native ${b.seconds.toFixed(2)} s, ${Math.round(a.peak / 1e6)} MB`)
    pairs.push([a, b])
  }
  results.push({
    what: `WAL → PostgreSQL, ${rows} inserts in transactions of 10 : native subscription`,
    pairs,
    goal: 1.43
  })
  await bench.query(
    bench.standby,
    'bench_native',
    'ALTER SUBSCRIPTION theirs SET (slot_name = NONE)',
    'DROP SUBSCRIPTION theirs'
  )
  await bench.query(bench.main, 'bench_wal', `SELECT pg_drop_replication_slot('theirs')`)
  await own.remove()
}

async function outbox() {
  const own = await pair('bench_outbox', 'outbox')
  await ours(...own.follow, '--once')
  const list = []
  for (let run = 0; run < runs; run++) {
    await bench.query(bench.main, 'bench_outbox', insert(rows))
    await bench.calm()
    list.push(await ours(...own.follow, '--once'))
    say(`  outbox: ${list.at(-1).seconds.toFixed(2)} s, ${Math.round(list.at(-1).peak / 1e6)} MB`)
  }
  results.push(rate('outbox → PostgreSQL', rows, list, 20_000))
  await own.remove()
}

async function clickhouse() {
  const server = await openClickHouse()
  if (!server)
    return results.push({
      what: 'poll → ClickHouse, first copy',
      goal: 1.25,
      skipped: 'no clickhouse-server'
    })
  try {
    const count = rows * 10
    const own = await pair('bench_clickhouse', 'poll', [
      `INSERT INTO items (customer, state, price, note, weight) SELECT g, 'open', g * 1.25, md5(g::text), g / 3.0 FROM generate_series(1, ${count}) g`,
      'VACUUM ANALYZE items'
    ])
    const args = own.follow.slice(0, -2)
    const pairs = []
    for (let run = 0; run < runs; run++) {
      const a = await ours(...args, '--to', server.url(await server.fresh()), '--snapshot', 'only')
      const b = await server.load(own.main, 'items', bench.env)
      say(
        `  clickhouse: ${a.seconds.toFixed(2)} s, psql | clickhouse-client ${b.seconds.toFixed(2)} s, ${Math.round(a.peak / 1e6)} MB`
      )
      pairs.push([a, b])
    }
    results.push({
      what: `poll → ClickHouse ${server.version}, first copy of ${count} rows : psql | clickhouse-client`,
      pairs,
      goal: 1.25
    })
  } finally {
    await server.close()
  }
}

async function latency() {
  for (const source of ['wal', 'outbox']) {
    const own = await pair(`bench_latency_${source}`, source)
    const { median, p99, count } = await latencies(program, own, bench.env)
    say(`  latency, ${source}: median ${median} ms, p99 ${p99} ms of ${count}`)
    results.push({
      what: `from COMMIT to visible at 500 changes/s, ${source} → PostgreSQL`,
      figure: `median ${median} ms, p99 ${p99} ms`,
      limit: '≤ 50 ms, ≤ 250 ms',
      met: median <= 50 && p99 <= 250
    })
    await own.remove()
  }
}

async function memory() {
  const own = await pair('bench_memory', 'wal')
  await ours(...own.follow, '--once')
  await bench.query(
    bench.main,
    'bench_memory',
    `INSERT INTO items (customer, state, price, note, weight) SELECT g, 'open', g * 1.25, md5(g::text), g / 3.0 FROM generate_series(1, 1000000) g`
  )
  const { peak, seconds } = await ours(...own.follow, '--once')
  say(`  memory: ${Math.round(peak / 1e6)} MB, ${seconds.toFixed(1)} s`)
  results.push({
    what: 'one transaction of 1,000,000 rows, WAL → PostgreSQL',
    peaks: { follow: peak },
    limit: 200e6
  })
  await own.remove()
}

try {
  for (const one of [wal, outbox, clickhouse, latency, memory]) {
    if (!only.includes(one.name)) continue
    say(`▸ ${one.name}`)
    await one()
  }
} catch (error) {
  process.exitCode = 1
  process.stderr.write(`FAILED: ${error.message}\n`)
} finally {
  await bench.close()
}
if (results.length > 0) {
  process.stdout.write(`${heading(`${rows} rows, medians of ${runs}, ${bench.about}`)}\n`)
  for (const result of results) process.stdout.write(`${line(result)}\n`)
}
