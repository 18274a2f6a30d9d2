/**
 * The session pins: every session prints each value the same way, whatever the role, the database or the server
 * file would have set (data.md, "One cut"). Two servers compare only because both are pinned here.
 */
import { literal } from './quote.js'

export interface SessionLimits {
  /** Milliseconds; 0 waits for ever. */
  lockTimeout: number
  statementTimeout: number
}

/** What a query's own result depends on, besides how it is printed. */
const ofValues = {
  TimeZone: 'UTC',
  DateStyle: 'ISO, YMD',
  IntervalStyle: 'postgres',
  extra_float_digits: '3',
  bytea_output: 'hex',
  xmloption: 'content',
  lc_monetary: 'C',
  // The same as empty, which postgres.js would not send.
  search_path: 'pg_catalog',
  row_security: 'off',
  array_nulls: 'on',
  quote_all_identifiers: 'off'
}

/** Gives a session back what its database and role set of that: what a user's own query is to run under. */
export const unpinned = Object.keys(ofValues)
  .map(name => `RESET ${name}`)
  .join('; ')

/** Name → value of what is pinned on a server of this version. */
export function sessionPins(versionNumber: number, limits: SessionLimits): Record<string, string> {
  return {
    ...ofValues,
    client_encoding: 'UTF8',
    standard_conforming_strings: 'on',
    default_transaction_isolation: 'read committed',
    client_min_messages: 'warning',
    default_transaction_read_only: 'off',
    lock_timeout: String(limits.lockTimeout),
    statement_timeout: String(limits.statementTimeout),
    // Compiling costs more than any of our short statements.
    ...(versionNumber >= 110000 && { jit: 'off' }),
    ...(versionNumber >= 90600 && { idle_in_transaction_session_timeout: '0' }),
    ...(versionNumber >= 140000 && { idle_session_timeout: '0' }),
    ...(versionNumber >= 170000 && { transaction_timeout: '0' })
  }
}

/** The pins as one SQL text. */
export function pinStatements(pins: Record<string, string>): string {
  return Object.entries(pins)
    .map(([name, value]) => `SET ${name} = ${literal(value)}`)
    .join('; ')
}
