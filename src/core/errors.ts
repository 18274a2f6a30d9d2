/**
 * Every error that a user can cause is one of these classes. Its message is one sentence that names what
 * failed, its hint says what to do, and neither ever holds a password. The class, not the text, decides the
 * exit code (cli/exit.ts).
 */

export interface ErrorDetails {
  /** What the user can do about it, as a full sentence. */
  hint?: string
  /** `schema.table`, where one table is concerned. */
  table?: string
  /** The SQLSTATE that PostgreSQL gave. */
  sqlstate?: string
  cause?: unknown
}

export class PgsyncerError extends Error {
  readonly hint: string | undefined
  readonly table: string | undefined
  readonly sqlstate: string | undefined

  constructor(message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause })
    this.name = new.target.name
    this.hint = details.hint
    this.table = details.table
    this.sqlstate = details.sqlstate
  }
}

/** Wrong flags, variables, config keys or values: nothing was contacted or changed. Exit 2. */
export class ConfigError extends PgsyncerError {}

/** A server could not be reached, refused the login, or the connection was lost for good. Exit 1. */
export class ConnectionError extends PgsyncerError {}

/** A guard (`--max-delete`, a missing `--yes`, a run that holds the lock) refused before anything changed. Exit 4. */
export class GuardError extends PgsyncerError {}

/** A helper program (`pg_dump`, `psql`) is missing, too old, or failed. Exit 1. */
export class ProgramError extends PgsyncerError {}

/** Structure could not be read or applied. Exit 1. */
export class SchemaError extends PgsyncerError {}

/** Rows could not be compared or applied; names its table. Exit 1. */
export class DataError extends PgsyncerError {}

/** Changes could not be read or written; the position has not moved. Exit 1. */
export class FollowError extends PgsyncerError {}

/** The same work may succeed later: a server had too much to do, or was not there. */
export class TemporaryError extends FollowError {}

/** The text of any thrown value, for a message or a report. */
export function messageOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return messageOf(error.errors[0])
  return error instanceof Error ? error.message : String(error)
}
