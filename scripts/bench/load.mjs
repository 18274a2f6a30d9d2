/**
 * Measures what main's clients lose while it is read: 16 clients of pgbench alone, and beside each of these, again and again: syncs into an
 * empty standby, `pg_dump | psql` into one, and a bare snapshot that is held as long as a sync takes (whoever reads one state of main pays
 * for that: rows that clients keep updating cannot be pruned meanwhile). The clients work without a pause first, and then at a part of
 * what they reached. Both servers share this machine, and so the standby's work and ours would count as main's loss: main and its clients
 * have one core, and the standby and who copies another. What two cores still share (memory, disk) is told by `psql` that fills the standby
 * from a file, and takes nothing of main. A scale below the number of clients would measure how these wait for each other's rows. After
 * `npm run build`:
 *
 *   node scripts/bench/load.mjs [--runs 3] [--seconds 30] [--scale 32] [--max-rate 20MB] [--part 70]
 *
 * Progress goes to stderr, the table to stdout. A missed goal is a result; the exit code is 1 only where a run failed.
 */
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { say } from './measure.mjs'
import { openBench } from './servers.mjs'

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '30' },
    scale: { type: 'string', default: '32' },
    'max-rate': { type: 'string', default: '20MB' },
    /** Percent of what the clients reach alone. */
    part: { type: 'string', default: '70' }
  }
})
const limit = values['max-rate']
const [runs, seconds, scale, part] = [values.runs, values.seconds, values.scale, values.part].map(Number)
if (![runs, seconds, scale, part].every(n => Number.isInteger(n) && n >= 1)) {
  process.stderr.write('--runs, --seconds, --scale and --part must be whole numbers, 1 or more\n')
  process.exit(2)
}

/** Of main's throughput, with the default settings. */
const goal = 0.15
const program = fileURLToPath(new URL('../../dist/main.js', import.meta.url))
const database = 'bench_load'
// A main that serves clients waits for its disk, and cleans up after them; a standby beside it has a disk of its own.
const bench = await openBench(
  { autovacuum: 'on', fsync: 'on', synchronous_commit: 'on', full_page_writes: 'on' },
  { fsync: 'off' }
)
const dumped = join(bench.folder, 'main.sql')
const on = core => ['taskset', '-c', String(core)]

const libpq = server => ({
  ...process.env,
  ...bench.env,
  PGHOST: server.host,
  PGPORT: String(server.port),
  PGUSER: server.user,
  PGPASSWORD: server.password,
  PGDATABASE: database
})

/**
 * Transactions a second of the clients, and their milliseconds each.
 * @param rate transactions a second that they try; undefined: as many as they can
 */
async function clients(rate) {
  const limited = rate === undefined ? [] : ['-R', String(rate)]
  const [command, ...args] = [
    ...on(0),
    'pgbench',
    '-n',
    '-c',
    '16',
    '-j',
    '2',
    '-T',
    String(seconds),
    ...limited
  ]
  const child = spawn(command, args, { env: libpq(bench.main), stdio: ['ignore', 'pipe', 'ignore'] })
  const [output, [code]] = await Promise.all([text(child.stdout), once(child, 'close')])
  const [tps, latency] = [/tps = ([\d.]+)/, /latency average = ([\d.]+)/].map(told => told.exec(output)?.[1])
  if (code !== 0 || !tps || !latency) throw new Error(`pgbench ended with ${code}`)
  return { tps: Number(tps), latency: Number(latency) }
}

/** The same work, one after the other, until told to stop. Returns how often it was completed. */
function again(work) {
  const stopped = new AbortController()
  let done = 0
  const works = (async () => {
    while (!stopped.signal.aborted) if (await work(stopped.signal)) done++
  })()
  works.catch(() => {})
  return async () => {
    stopped.abort()
    await works
    return done
  }
}

/** Whether the program came to its end before it was told to stop. */
async function toTheEnd([command, ...args], env, signal) {
  const child = spawn(command, args, { env, stdio: ['ignore', 'ignore', 'pipe'] })
  const stop = () => child.kill('SIGTERM')
  signal.addEventListener('abort', stop)
  const [said, [code]] = await Promise.all([text(child.stderr), once(child, 'close')])
  signal.removeEventListener('abort', stop)
  if (!signal.aborted && code !== 0) throw new Error(`${command} ended with ${code}: ${said}`)
  return code === 0
}

async function sync(signal, ...more) {
  await bench.fresh(database)
  const dsns = { MAIN_DSN: bench.url(bench.main, database), STANDIN_DSN: bench.url(bench.standby, database) }
  const command = [...on(1), process.execPath, program, 'sync', '--quiet', ...more]
  return toTheEnd(command, { ...bench.env, ...dsns }, signal)
}

async function dump(signal) {
  await bench.fresh(database)
  const target = bench.url(bench.standby, database)
  const pipe = 'set -o pipefail; pg_dump | psql -q -v ON_ERROR_STOP=1 -d "$TARGET"'
  return toTheEnd([...on(1), 'bash', '-c', pipe], { ...libpq(bench.main), TARGET: target }, signal)
}

async function file(signal) {
  await bench.fresh(database)
  const command = ['psql', '-q', '-v', 'ON_ERROR_STOP=1', '-f', dumped, bench.url(bench.standby, database)]
  return toTheEnd([...on(1), ...command], { ...process.env, ...bench.env }, signal)
}

async function snapshot(held) {
  const hold = ['BEGIN ISOLATION LEVEL REPEATABLE READ', 'SELECT 1', `SELECT pg_sleep(${held})`, 'COMMIT']
  await bench.query(bench.main, database, ...hold)
  return true
}

const median = numbers => numbers.toSorted((a, b) => a - b)[numbers.length >> 1]
const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 })

/** All take turns, so that what one leaves behind is not always the same one's burden. */
async function measure(rate) {
  // Until a sync was seen, a guess.
  let took = 6
  const contestants = [
    ['alone'],
    ['a snapshot', () => snapshot(took)],
    ['`psql` of a file', signal => file(signal)],
    ['`pg_dump \\| psql`', signal => dump(signal)],
    ['`sync`', signal => sync(signal)],
    [`\`sync --max-rate ${limit}\``, signal => sync(signal, '--max-rate', limit)]
  ].map(([name, work]) => ({ name, work, tps: [], latency: [], done: 0 }))
  for (let run = 0; run < runs; run++) {
    for (let i = 0; i < contestants.length; i++) {
      const one = contestants[(run + i) % contestants.length]
      await bench.calm()
      const stop = one.work && again(one.work)
      const { tps, latency } = await clients(rate).finally(stop)
      const done = (await stop?.()) ?? 0
      one.tps.push(tps)
      one.latency.push(latency)
      one.done += done
      if (one.name === '`sync`') took = seconds / Math.max(done, 1)
      say(`  ${one.name}: ${whole.format(tps)} tps, ${latency} ms, ${done} done`)
    }
  }
  return contestants
}

/** Lines of the table. */
function judge(clients, contestants) {
  const [alone] = contestants
  return contestants.map(({ name, tps, latency, done }) => {
    const fall = median(tps.map((each, run) => 1 - each / alone.tps[run]))
    const judged = name === '`sync`' ? [`≤ ${goal * 100}%`, fall <= goal ? 'ok' : 'MISSED'] : ['', '']
    const cells = [
      clients,
      name,
      whole.format(median(tps)),
      `${(fall * 100).toFixed(1)}%`,
      median(latency).toFixed(1)
    ]
    return `| ${[...cells, done === 0 ? '' : (done / runs).toFixed(1), ...judged].join(' | ')} |`
  })
}

const lines = []
try {
  await bench.both('postgres', `CREATE DATABASE ${database} TEMPLATE template0`)
  say(`▸ filling pgbench's tables, scale ${scale}`)
  execFileSync('pgbench', ['-i', '-q', '-s', String(scale)], { env: libpq(bench.main), stdio: 'ignore' })
  execFileSync('pg_dump', ['-f', dumped], { env: libpq(bench.main) })
  for (const [core, server] of [bench.main, bench.standby].entries()) {
    // Sessions take over their postmaster's core.
    execFileSync('taskset', ['-cp', String(core), String(server.pid)], { stdio: 'ignore' })
  }
  const saturated = await measure()
  lines.push(...judge('no pause', saturated))
  const rate = Math.round((median(saturated[0].tps) * part) / 100)
  say(`▸ the same, where the clients try ${rate} transactions a second`)
  lines.push(...judge(`${part}%`, await measure(rate)))
} catch (error) {
  process.exitCode = 1
  process.stderr.write(`FAILED: ${error.message}\n`)
} finally {
  await bench.close()
}
if (lines.length > 0) {
  process.stdout.write(
    `16 clients of pgbench, scale ${scale}, ${seconds} s, medians of ${runs} rounds, ${bench.about}\n\n`
  )
  process.stdout.write(
    '| clients | beside | tps | fall | ms | done | goal | |\n|---|---|--:|--:|--:|--:|---|---|\n'
  )
  for (const line of lines) process.stdout.write(`${line}\n`)
}
process.exit()
