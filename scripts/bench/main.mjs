/**
 * Measures pgsyncer against the tools that people would use instead. Rule: a number counts only as the ratio to
 * what ran beside it in the same minute on the same servers, because machines and their loads differ.
 *
 *   --rows N      rows of each of the two tables (2000000)
 *   --only a,b    some of the parts: a diff, b sync into an empty database, c sync of 1%, d memory (all)
 *   --runs N      pairs of runs, of which the median is taken (3)
 *
 * Progress goes to stderr, the table to stdout. The exit code is 0 unless a run failed: a missed goal is a result.
 */
import { parseArgs } from 'node:util'
import { diffIdentical, syncEmpty, syncFew } from './contests.mjs'
import { Memory } from './memory.mjs'
import { say, stopChildren } from './measure.mjs'
import { openBench } from './servers.mjs'
import { heading, line } from './table.mjs'

const { values } = parseArgs({
  options: {
    rows: { type: 'string', default: '2000000' },
    only: { type: 'string', default: 'a,b,c,d' },
    runs: { type: 'string', default: '3' }
  }
})
const [rows, runs] = [values.rows, values.runs].map(Number)
const parts = values.only.split(',')
const wrong =
  (!(Number.isInteger(rows) && rows >= 1000) && '--rows must be a whole number, 1000 or more') ||
  (!(Number.isInteger(runs) && runs >= 1) && '--runs must be a whole number, 1 or more') ||
  (!parts.every(part => ['a', 'b', 'c', 'd'].includes(part)) &&
    '--only takes a, b, c and d, joined by commas')
if (wrong) {
  process.stderr.write(`${wrong}\n`)
  process.exit(2)
}

const bench = await openBench()
let stopped
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.on(signal, () => {
    stopped = signal
    stopChildren()
    void bench.close()
  })
}
const memory = new Memory(bench)
const results = []
try {
  const contests = [
    ['a', diffIdentical],
    ['b', syncEmpty],
    ['c', syncFew]
  ].filter(([part]) => parts.includes(part))
  if (contests.length > 0) {
    const data = await bench.fill(rows)
    for (const [, contest] of contests) results.push(...(await contest(bench, data, runs, memory)))
  }
  if (parts.includes('d'))
    results.push(...(await memory.measure([rows / 10, rows, rows * 2].map(Math.round))))
} catch (error) {
  process.exitCode = 1
  process.stderr.write(stopped ? `stopped by ${stopped}\n` : `FAILED: ${error.message}\n`)
} finally {
  await bench.close()
}
if (results.length > 0) {
  const size = new Intl.NumberFormat('en').format(rows)
  process.stdout.write(`${heading(`2 × ${size} rows, medians of ${runs}, ${bench.about}`)}\n`)
  for (const result of results) process.stdout.write(`${line(result)}\n`)
}
say('everything that was started is stopped and removed')
process.exit()
