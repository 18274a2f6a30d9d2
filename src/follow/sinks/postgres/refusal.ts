/** What the standby said about a row, as an error that names the row and says what to do. */
import { FollowError, messageOf, PgsyncerError, TemporaryError } from '../../../core/errors.js'
import { roleOf } from '../../../postgres/blame.js'
import { codeOf, isTransient } from '../../../postgres/failure.js'
import { valuesOf } from '../../../postgres/copytext.js'
import type { Change } from '../../ports.js'
import { keyNames, keyOf, nameOf, type FollowedTable } from '../../table.js'

/** The server refused what was sent: with other rows it would have gone on. */
export function isRefusal(error: unknown): boolean {
  // Ours have no severity, nor has a driver's own; 57: cancelled or shutting down, 53: no room, 58 and XX: the server's own trouble.
  const { severity } = error as { severity?: unknown }
  return typeof severity === 'string' && !isTransient(error) && !/^(5[378]|XX)/.test(codeOf(error) ?? '')
}

const hints: Record<string, string> = {
  '57014': 'Raise --statement-timeout, or lower --batch-size.',
  '22001': 'Its column is shorter on the standby than on main: alter it.',
  '22P05': 'The standby’s encoding has no such character: create its database with UTF8.',
  '23502': 'The standby forbids a NULL that main has: alter its column.',
  '23503':
    'The row that it refers to is not on the standby: follow that table too, or drop the foreign key there.',
  '23505': 'A row that main does not have holds the value: compare the tables with pgsyncer sync --dry-run.',
  '23P01':
    'A row that main does not have stands in the way: compare the tables with pgsyncer sync --dry-run.',
  '23514': 'The standby has a CHECK that main’s rows break: alter it.',
  '428C9': 'A column is GENERATED ALWAYS on the standby: alter it to BY DEFAULT.',
  '42501':
    'GRANT SELECT, INSERT, UPDATE, DELETE, TRUNCATE on the table, USAGE on its schema and TEMPORARY on the database to the standby’s role.'
}
const otherHint = 'Compare the tables’ structure with pgsyncer diff, and alter the standby.'

/**
 * A server's error as one of ours; other errors, and those of a lost connection, as they are.
 * @param change what was refused, where that is known.
 */
export function refusal(error: unknown, change: Change | FollowedTable | undefined): unknown {
  const code = codeOf(error)
  if (error instanceof PgsyncerError || isTransient(error) || !/^[0-9A-Z]{5}$/.test(code ?? '')) return error
  if (code?.startsWith('53'))
    return new TemporaryError(`the standby has too much to do: ${messageOf(error)}`, {
      sqlstate: code,
      hint: 'It is tried again. Give the server more connections, memory or room on its disk if it stays so.',
      cause: error
    })
  const { detail, where } = error as { detail?: string; where?: string }
  const more = detail ?? (where?.startsWith('COPY') ? where.split('\n')[0] : undefined)
  const said = more ? `${messageOf(error)} (${more})` : messageOf(error)
  const table = change && ('table' in change ? nameOf(change.table) : nameOf(change))
  // A first copy's rows come from main while they go to the standby.
  if (roleOf(error) === 'main') {
    return new FollowError(`main did not give the rows${table ? ` of ${table}` : ''}: ${said}`, {
      hint:
        code === '42501' ? 'GRANT SELECT on the table, and USAGE on its schema, to main’s role.' : otherHint,
      ...(table && { table }),
      sqlstate: code!,
      cause: error
    })
  }
  const what = change && 'table' in change ? describe(change) : table ? `rows of ${table}` : 'a batch'
  return new FollowError(`the standby refused ${what}: ${said}`, {
    hint: hints[code ?? ''] ?? otherHint,
    ...(table && { table }),
    ...(code !== undefined && { sqlstate: code }),
    cause: error
  })
}

/** `an update of public.items (id) = (5)`, whose key is the one that the row had before. */
export function describe({ table, operation, row, old }: Change): string {
  const line = old ?? row
  const key =
    line === undefined || table.keyLength === 0
      ? ''
      : ` (${keyNames(table).join(', ')}) = (${valuesOf(keyOf(table, line)).join(', ')})`
  return `${/^[aeiou]/.test(operation) ? 'an' : 'a'} ${operation} of ${nameOf(table)}${key}`
}
