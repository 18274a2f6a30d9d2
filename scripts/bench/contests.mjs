/**
 * The contests: pairs of runs, ours and theirs in turn, so that a change in the machine's load meets both. What
 * ours made is checked each time, outside the clock.
 */
import { execFileSync } from 'node:child_process'
import { dumpAndLoad, hashing, ours, pgcopydb } from './contestants.mjs'
import { measure, say } from './measure.mjs'
import { tables } from './tables.mjs'

const target = 'bench_target'

/** (a) */
export async function diffIdentical(bench, { database, rows }, runs, memory) {
  say('▸ (a) diff of identical databases : psql hashing the same rows on each server')
  const theirs = await hashing(bench, database, database)
  await sameOnBoth(theirs)
  const pairs = []
  for (let run = 0; run < runs; run++) {
    const a = await timed(bench, 'diff', ours(bench, 'diff', database, database))
    memory.saw(rows, 'diff', a.peak)
    pairs.push([a, await timed(bench, 'psql', theirs)])
  }
  return [{ what: '(a) `diff` of identical databases : two `psql` hashing', pairs, goal: 1.3 }]
}

/** (b) */
export async function syncEmpty(bench, { database, rows }, runs, memory) {
  say('▸ (b) sync into an empty database : pg_dump | psql : pgcopydb clone')
  const rivals = [
    { name: 'pg_dump | psql', what: '`pg_dump \\| psql`', make: dumpAndLoad, goal: 0.75, pairs: [] },
    { name: 'pgcopydb', what: '`pgcopydb clone`', make: pgcopydb, goal: 1, pairs: [] }
  ]
  const missing = hasPgcopydb(bench) ? undefined : rivals[1]
  for (let run = 0; run < runs; run++) {
    await bench.fresh(target)
    const a = await timed(bench, 'sync', ours(bench, 'sync', database, target))
    memory.saw(rows, 'load', a.peak)
    await sameOnBoth(await hashing(bench, database, target))
    for (const rival of rivals) {
      if (rival === missing) continue
      await bench.fresh(target)
      rival.pairs.push([a, await timed(bench, rival.name, rival.make(bench, database, target))])
    }
  }
  await bench.drop(target)
  return rivals.map(rival => ({
    what: `(b) \`sync\` into an empty database : ${rival.what}`,
    goal: rival.goal,
    ...(rival === missing ? { skipped: 'pgcopydb is not installed' } : { pairs: rival.pairs })
  }))
}

/** (c) */
export async function syncFew(bench, { database, rows }, runs, memory) {
  say('▸ (c) sync after 1% of the rows changed : diff of the same databases when identical')
  const pairs = []
  for (let run = 0; run < runs; run++) {
    await drift(bench, database)
    const a = await timed(bench, 'sync', ours(bench, 'sync', database, database))
    memory.saw(rows, 'mend', a.peak)
    // It fails where they are not identical.
    pairs.push([a, await timed(bench, 'diff', ours(bench, 'diff', database, database))])
  }
  return [{ what: '(c) `sync` of 1% changed, spread evenly : `diff`', pairs, goal: 2 }]
}

/** Changes 1% of the standby's rows, and leaves no dead ones behind. */
export async function drift(bench, database) {
  const statements = tables.map(table => table.drift)
  await bench.query(bench.standby, database, ...statements, 'VACUUM')
}

/** One run: what it took, on stderr. */
export async function timed(bench, name, commands) {
  await bench.calm()
  const result = await measure(commands, bench.servers)
  const [main, standby] = result.serverCpu.map(seconds => seconds.toFixed(1))
  const client = `${result.cpu.toFixed(1)} s, ${Math.round(result.peak / 1e6)} MB`
  say(
    `  ${name.padEnd(15)} ${result.seconds.toFixed(2)} s   (client ${client}; CPU main ${main} s, standby ${standby} s)`
  )
  return result
}

/** The same digests from psql on main and on the standby. */
async function sameOnBoth(commands) {
  const { output } = await measure(commands)
  if (output[0] !== output[1]) throw new Error(`main and standby differ:\n${output.join('\n')}`)
}

function hasPgcopydb(bench) {
  try {
    execFileSync('pgcopydb', ['--version'], { stdio: 'ignore', env: { ...process.env, ...bench.env } })
    return true
  } catch {
    return false
  }
}
