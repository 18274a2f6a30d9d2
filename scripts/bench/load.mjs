/**
 * Measures what main's clients lose while it is read: 16 clients of pgbench alone, and beside syncs into an empty standby, one after the
 * other, in turns. Both servers share this machine, and so the standby's work and ours would count as main's loss: `apart` gives main and
 * its clients one core, and the standby and pgsyncer another; `shared` leaves all to the system. After `npm run build`:
 *
 *   node scripts/bench/load.mjs [--runs 3] [--seconds 20] [--scale 10] [--max-rate 20MB]
 *
 * Progress goes to stderr, the table to stdout. A missed goal is a result; the exit code is 1 only where a run failed.
 */
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { say } from './measure.mjs'
import { openBench } from './servers.mjs'

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '20' },
    scale: { type: 'string', default: '10' },
    'max-rate': { type: 'string', default: '20MB' }
  }
})
const [runs, seconds, scale] = [values.runs, values.seconds, values.scale].map(Number)
if (![runs, seconds, scale].every(n => Number.isInteger(n) && n >= 1)) {
  process.stderr.write('--runs, --seconds and --scale must be whole numbers, 1 or more\n')
  process.exit(2)
}

/** Of main's throughput, with the default settings. */
const goal = 0.15
const program = fileURLToPath(new URL('../../dist/main.js', import.meta.url))
const database = 'bench_load'
const bench = await openBench()
/** What it takes to run on one core; nothing where all is shared. */
const on = (core, apart) => (apart ? ['taskset', '-c', String(core)] : [])

const libpq = server => ({
  ...process.env,
  ...bench.env,
  PGHOST: server.host,
  PGPORT: String(server.port),
  PGUSER: server.user,
  PGPASSWORD: server.password,
  PGDATABASE: database
})

/** Sessions take over their postmaster's cores. */
function place(apart) {
  for (const [core, server] of [bench.main, bench.standby].entries()) {
    execFileSync('taskset', ['-cp', apart ? String(core) : '0,1', String(server.pid)], { stdio: 'ignore' })
  }
}

/** Transactions a second of the clients. */
async function clients(apart) {
  const [command, ...args] = [...on(0, apart), 'pgbench', '-n', '-c', '16', '-j', '2', '-T', String(seconds)]
  const child = spawn(command, args, { env: libpq(bench.main), stdio: ['ignore', 'pipe', 'ignore'] })
  const [output, [code]] = await Promise.all([text(child.stdout), once(child, 'close')])
  const tps = /tps = ([\d.]+)/.exec(output)
  if (code !== 0 || !tps) throw new Error(`pgbench ended with ${code}`)
  return Number(tps[1])
}

/** Syncs, one after the other, until told to stop. Returns how many were completed. */
function syncs(apart, more) {
  const state = { going: true, done: 0, child: undefined }
  const dsns = { MAIN_DSN: bench.url(bench.main, database), STANDIN_DSN: bench.url(bench.standby, database) }
  const work = (async () => {
    while (state.going) {
      await bench.fresh(database)
      const [command, ...args] = [...on(1, apart), process.execPath, program, 'sync', '--quiet', ...more]
      const child = spawn(command, args, {
        env: { ...bench.env, ...dsns },
        stdio: ['ignore', 'ignore', 'pipe']
      })
      state.child = child
      const [said, [code]] = await Promise.all([text(child.stderr), once(child, 'close')])
      if (state.going && code !== 0) throw new Error(`sync ended with ${code}: ${said}`)
      if (code === 0) state.done++
    }
  })()
  work.catch(() => {})
  return async () => {
    state.going = false
    state.child?.kill('SIGTERM')
    await work
    return state.done
  }
}

async function pair(apart, more, first) {
  const beside = async () => {
    const stop = syncs(apart, more)
    const tps = await clients(apart).finally(stop)
    return { tps, done: await stop() }
  }
  await bench.calm()
  const [a, b] = first ? [await clients(apart), await beside()] : [await beside(), await clients(apart)]
  return first ? { alone: a, ...b } : { alone: b, ...a }
}

const median = numbers => numbers.toSorted((a, b) => a - b)[numbers.length >> 1]
const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 })
const lines = []
try {
  await bench.both('postgres', `CREATE DATABASE ${database} TEMPLATE template0`)
  say(`▸ filling pgbench's tables, scale ${scale}`)
  execFileSync('pgbench', ['-i', '-q', '-s', String(scale)], { env: libpq(bench.main), stdio: 'ignore' })
  for (const [what, apart, more] of [
    ['apart, default settings', true, []],
    [`apart, --max-rate ${values['max-rate']}`, true, ['--max-rate', values['max-rate']]],
    ['shared, default settings', false, []],
    [`shared, --max-rate ${values['max-rate']}`, false, ['--max-rate', values['max-rate']]]
  ]) {
    place(apart)
    const pairs = []
    for (let run = 0; run < runs; run++) {
      pairs.push(await pair(apart, more, run % 2 === 0))
      const { alone, tps, done } = pairs.at(-1)
      say(`  ${what}: ${whole.format(alone)} alone, ${whole.format(tps)} beside ${done} syncs`)
    }
    const fall = median(pairs.map(({ alone, tps }) => 1 - tps / alone))
    const [alone, tps] = ['alone', 'tps'].map(key => whole.format(median(pairs.map(one => one[key]))))
    const judged =
      what === 'apart, default settings' ? [`≤ ${goal * 100}%`, fall <= goal ? 'ok' : 'MISSED'] : ['', '']
    lines.push(`| ${[what, alone, tps, `${(fall * 100).toFixed(1)}%`, ...judged].join(' | ')} |`)
  }
} catch (error) {
  process.exitCode = 1
  process.stderr.write(`FAILED: ${error.message}\n`)
} finally {
  await bench.close()
}
if (lines.length > 0) {
  process.stdout.write(
    `16 clients of pgbench, scale ${scale}, ${seconds} s, medians of ${runs} pairs, ${bench.about}\n\n`
  )
  process.stdout.write('| | tps alone | tps beside syncs | fall | goal | |\n|---|--:|--:|--:|--:|---|\n')
  for (const line of lines) process.stdout.write(`${line}\n`)
}
process.exit()
