/** An error of one table as a reason and a hint: what failed, on which server, and what to do about it. */
import { messageOf, PgsyncerError } from '../core/errors.js'
import { roleOf } from '../postgres/blame.js'
import { codeOf } from '../postgres/failure.js'

export interface Explanation {
  reason: string
  hint?: string
  sqlstate?: string
}

export function explain(error: unknown): Explanation {
  const code = codeOf(error)
  const sqlstate = code === undefined ? {} : { sqlstate: code }
  if (error instanceof PgsyncerError)
    return { reason: error.message, ...(error.hint !== undefined && { hint: error.hint }), ...sqlstate }
  const { detail } = error as { detail?: unknown }
  const role = roleOf(error)
  const message = `${role === undefined ? '' : `${role}: `}${messageOf(error)}`
  const reason = typeof detail === 'string' && detail !== '' ? `${message} (${detail})` : message
  const hint = code === '42501' ? rightsHint(role, message) : hints[code ?? '']
  return { reason, ...(hint !== undefined && { hint }), ...sqlstate }
}

/** The server's words are English only where it is set so: where they are not known, all that may be meant is named. */
function rightsHint(role: ReturnType<typeof roleOf>, message: string): string {
  if (/row-level security/.test(message))
    return 'A policy would hide rows from the role: use the table’s owner, or a role with BYPASSRLS.'
  if (/temporary tables/.test(message))
    return 'GRANT TEMPORARY ON DATABASE … TO the standby’s role: rows are staged in temporary tables.'
  if (/must be owner/.test(message))
    return 'Foreign keys in a circle, or that would cascade, are altered while rows are written: be the table’s owner, or a role that may set session_replication_role.'
  if (role === 'main') return 'GRANT SELECT on the table, and USAGE on its schema, to main’s role.'
  return 'GRANT SELECT, INSERT, UPDATE, DELETE on the table, and USAGE on its schema, to the standby’s role.'
}

const unqualified =
  'If a function on the standby names it without its schema: ALTER FUNCTION … SET search_path = …, on both sides.'

const hints: Record<string, string> = {
  '23505': 'A row that main does not have holds the value: --clean-extra removes it.',
  '23P01': 'A row that main does not have stands in the way: --clean-extra removes it.',
  '23503': 'Bring the table that it refers to up to date in the same run.',
  '23502': 'The standby forbids a NULL that main has: alter its column.',
  '23514': 'The standby has a CHECK that main’s rows break: alter it.',
  '55P03': 'Another session holds a lock on it: try again, or raise --lock-timeout.',
  '57014': 'Raise --statement-timeout, or lower --chunk-size.',
  '42P01': unqualified,
  '42883': unqualified,
  '22P05': 'The standby’s encoding has no such character: create its database with UTF8.'
}
