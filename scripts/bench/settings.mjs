/** What the benches of following are told on the command line. */
import { parseArgs } from 'node:util'

/** Ends the process with a word on what is wrong. @param kinds what may be measured, all by default. */
export function settingsOf(kinds, standardRows) {
  const { values } = parseArgs({
    options: {
      rows: { type: 'string', default: standardRows },
      runs: { type: 'string', default: '3' },
      only: { type: 'string', default: kinds.join(',') }
    }
  })
  const [rows, runs] = [values.rows, values.runs].map(Number)
  const only = values.only.split(',')
  if (![rows, runs].every(n => Number.isInteger(n) && n >= 1) || !only.every(one => kinds.includes(one))) {
    process.stderr.write(`--rows and --runs must be whole numbers, --only some of ${kinds.join(', ')}\n`)
    process.exit(2)
  }
  return { rows, runs, only }
}
