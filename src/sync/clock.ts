/**
 * The clock of a row filter stands at the cut. `now()` is another moment in every transaction, and a row at the edge
 * of `created_at > now() - interval '1 year'` would be in the filter on one side and out of it on the other.
 */
import { literal } from '../postgres/quote.js'

/** What is no code (strings, quoted names, comments) first, so that nothing in it is taken for the clock. */
const tokens = new RegExp(
  [
    String.raw`\bE'(?:[^'\\]|''|\\.)*'`,
    `'(?:[^']|'')*'`,
    `"(?:[^"]|"")*"`,
    String.raw`\$(\w*)\$.*?\$\1\$`,
    String.raw`--[^\n]*`,
    String.raw`/\*.*?\*/`,
    String.raw`(?<![\w.])(?:pg_catalog\.)?(?<function>now|transaction_timestamp|statement_timestamp|clock_timestamp)\s*\(\s*\)`,
    String.raw`(?<![\w.])(?<word>current_timestamp|localtimestamp|current_date)\b(?!\s*\()`
  ].join('|'),
  'gis'
)

/** The condition with every mention of the present time replaced by this one. */
export function atMoment(condition: string, time: string): string {
  const moment = `${literal(time)}::timestamptz`
  return condition.replace(tokens, (found, ...rest: unknown[]) => {
    const groups = rest.at(-1) as { function?: string; word?: string }
    switch ((groups.function === undefined ? groups.word : 'now')?.toLowerCase()) {
      case 'now':
      case 'current_timestamp':
        return `(${moment})`
      // Sessions are pinned to UTC.
      case 'localtimestamp':
        return `(${moment} AT TIME ZONE 'UTC')`
      case 'current_date':
        return `((${moment} AT TIME ZONE 'UTC')::date)`
      default:
        return found
    }
  })
}
