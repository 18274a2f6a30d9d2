/** What an error of a driver means: which are worth another try, and how a failed login reads to a person. */
import { ConfigError, ConnectionError, messageOf, PgsyncerError } from '../core/errors.js'
import { redact } from '../core/redact.js'

/** The SQLSTATE of a driver's error, or Node's code (`ECONNREFUSED`), if it has one. */
export function codeOf(error: unknown): string | undefined {
  if (error instanceof PgsyncerError) return error.sqlstate
  if (error instanceof AggregateError && error.errors.length > 0) return codeOf(error.errors[0])
  const code = (error as { code?: unknown } | null)?.code
  return typeof code === 'string' ? code : undefined
}

/** The connection is gone: cut, refused, shut down, or the server is starting. */
export function isConnectionLoss(error: unknown): boolean {
  const code = codeOf(error) ?? ''
  if (/^(ECONN|EPIPE|ETIMEDOUT|ENOTCONN|EHOST|ENET|EAI_AGAIN|CONNECT_TIMEOUT|CONNECTION_)/.test(code))
    return true
  if (/^(08...|57P0[123])$/.test(code)) return true
  return /connection (terminated|ended|closed|error)|closed the connection|not queryable|socket hang up|timeout expired/i.test(
    messageOf(error)
  )
}

/** A server does not let us in for now: it refuses, does not answer, is starting or shutting down. */
export function isAway(error: unknown): boolean {
  if (/^(ECONNREFUSED|EHOST|ENET|EAI_AGAIN|CONNECT_TIMEOUT|57P03)/.test(codeOf(error) ?? '')) return true
  return error instanceof ConnectionError && isConnectionLoss(error)
}

/** Serialization failure, deadlock, lock time-out or lost connection: the same work may succeed the next time. */
export function isTransient(error: unknown): boolean {
  return (
    isConnectionLoss(error) || ['40001', '40P01', '55P03', '53300', '25P02'].includes(codeOf(error) ?? '')
  )
}

/** Why a login failed, in words that say what to do. */
export function loginFailure(what: string, address: string, user: string, error: unknown): PgsyncerError {
  const code = codeOf(error)
  const details = { cause: error, ...(code && { sqlstate: code }) }
  const said = redact(messageOf(error))
  switch (code) {
    case 'ECONNREFUSED':
    case 'ENOENT':
      return new ConnectionError(`${what} at ${address} refused the connection`, {
        ...details,
        hint: 'Is the server running there? Check host and port, listen_addresses, and any firewall.'
      })
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return new ConnectionError(`the host name of ${what} (${address}) cannot be resolved`, {
        ...details,
        hint: 'Check its spelling, and the name service.'
      })
    case '28P01':
      return new ConnectionError(`${what} at ${address} did not take the password of user ${user}`, {
        ...details,
        hint: 'Give it in the DSN, in PGPASSWORD, or in ~/.pgpass.'
      })
    case '28000':
      return new ConnectionError(`${what} at ${address} does not let user ${user} in: ${said}`, {
        ...details,
        hint: 'Check the user, and a line for it in pg_hba.conf.'
      })
    case '42501':
      return new ConnectionError(`${what} at ${address} does not let user ${user} in: ${said}`, {
        ...details,
        hint: `GRANT CONNECT ON DATABASE … TO ${user}.`
      })
    case '3D000':
      return new ConnectionError(`${what} at ${address}: ${said}`, {
        ...details,
        hint: 'Check the name in the DSN, or create it: createdb NAME.'
      })
    default:
      if (error instanceof ConfigError) return error
      if (/password must be a string|no password/i.test(said)) {
        return new ConnectionError(
          `${what} at ${address} asks for a password of user ${user}, and there is none`,
          {
            ...details,
            hint: 'Give it in the DSN, in PGPASSWORD, or in ~/.pgpass.'
          }
        )
      }
      const hint = unreachableHint(code, said)
      return new ConnectionError(`${what} at ${address} cannot be reached: ${said}`, {
        ...details,
        ...(hint && { hint })
      })
  }
}

/** The servers' words are English only where that is set: they are asked last. */
function unreachableHint(code: string | undefined, said: string): string | undefined {
  switch (code) {
    case '53300':
      return 'Its connections are used up: end some, use fewer --workers, or raise max_connections.'
    case '57P03':
      return 'It is starting or stopping: try again, or let the run wait for it (--connect-wait).'
    case 'ETIMEDOUT':
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
      return noAnswer
  }
  if (/timeout expired|timed? ?out/i.test(said)) return noAnswer
  if (/does not support SSL/.test(said)) return 'It has no TLS: turn ssl on there, or take sslmode=prefer.'
  if (/certificate|self.signed|altnames/i.test(said))
    return 'Is the certificate for this host, by an authority that sslrootcert=FILE names?'
  return undefined
}

const noAnswer =
  'Nobody answers there: check host and port, and any firewall between; connect_timeout in the DSN is the seconds to wait.'
