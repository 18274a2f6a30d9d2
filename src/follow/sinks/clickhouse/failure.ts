/**
 * What an error of ClickHouse or of its client means, in words for a person. An old server's has its number in the text alone. What
 * another try may mend is a TemporaryError; who cannot be reached or does not let us in, a ConnectionError with Node's code as `sqlstate`.
 */
import {
  ConnectionError,
  FollowError,
  messageOf,
  PgsyncerError,
  TemporaryError
} from '../../../core/errors.js'

export interface Place {
  /** `host:port`: safe to show. */
  readonly address: string
  readonly database: string
  readonly user: string
}

/** The server is busy, full for now, or going down: name and what to do. (ClickHouse's ErrorCodes.cpp.) */
const temporary: Readonly<Record<number, string | undefined>> = {
  159: undefined,
  202: undefined,
  203: undefined,
  209: undefined,
  210: undefined,
  225: undefined,
  236: undefined,
  241: 'Give the server or the user more memory (max_memory_usage), or make --batch-size smaller.',
  242: undefined,
  243: 'Its disk is full: make room.',
  252: 'Its merges are behind: make --batch-size or --interval larger, so that fewer and larger parts are written.',
  319: undefined,
  394: undefined,
  439: undefined,
  745: undefined,
  999: undefined
}

/** The number that ClickHouse gives its error. */
export function numberOf(error: unknown): number | undefined {
  const code = (error as { code?: unknown } | null)?.code
  if (typeof code === 'string' && /^\d+$/.test(code)) return Number(code)
  const found = /^(?:Code|Error): (\d+)/.exec(messageOf(error))
  return found ? Number(found[1]) : undefined
}

/** What it says, without the stack and the copies of rows that it adds. */
export function saidBy(error: unknown): string {
  const text = messageOf(error)
    .replace(/^(Code|Error): \d+[.,]\s*/, '')
    .replace(/^e\.displayText\(\) = /, '')
    .replace(/^DB::Exception: /, '')
    .replace(/,? e\.what\(\) = [\s\S]*$/, '')
    .replace(/ \(version [^)]*\)+$/, '')
  const [first = ''] = text.split('\n')
  return first
    .trim()
    .slice(0, 300)
    .replace(/[.:\s]+$/, '')
}

/** @param table which one it was about. */
export function judge(error: unknown, { address, database, user }: Place, table?: string): Error {
  if (error instanceof PgsyncerError) return error
  const at = `ClickHouse at ${address}${table === undefined ? '' : `, table ${database}.${table}`}`
  const said = saidBy(error)
  const number = numberOf(error)
  const code = (error as { code?: unknown } | null)?.code
  switch (number) {
    case undefined:
      break
    case 81:
      return new ConnectionError(`${at} has no database ${database}`, {
        cause: error,
        hint: `Check the name in the URL, or create it: CREATE DATABASE ${database}`
      })
    case 192:
    case 193:
    case 194:
    case 195:
    case 516:
      return new ConnectionError(`${at} does not let user ${user} in: wrong name or password`, {
        cause: error,
        hint: 'Give both in the URL, clickhouse://USER:PASSWORD@HOST:8123/DATABASE, or the password in CLICKHOUSE_PASSWORD.'
      })
    case 497:
      return new FollowError(`${at} does not allow user ${user} to do that: ${said}`, {
        cause: error,
        hint: 'The user needs SELECT, INSERT, CREATE TABLE, ALTER ADD COLUMN, and TRUNCATE on the database.'
      })
    default:
      if (number in temporary) {
        const hint = temporary[number]
        return new TemporaryError(`${at}: ${said} (error ${number})`, { cause: error, ...(hint && { hint }) })
      }
      return new FollowError(`${at}: ${said} (error ${number})`, { cause: error })
  }
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') {
    return new ConnectionError(`the host name of ${at} cannot be resolved`, {
      cause: error,
      sqlstate: code,
      hint: 'Check its spelling, and the name service.'
    })
  }
  if (code === 'ECONNREFUSED') {
    return new ConnectionError(`${at} refused the connection`, {
      cause: error,
      sqlstate: code,
      hint: 'Is the server running there? The port is that of HTTP, 8123 by default (8443 with TLS).'
    })
  }
  if (typeof code === 'string' && /CERT|^UNABLE_TO_|^EPROTO$/.test(code)) {
    return new ConnectionError(`${at} and we do not agree about TLS: ${said}`, {
      cause: error,
      hint: 'Is it the port of HTTPS, 8443 by default? ?sslrootcert=FILE in the URL names the authority that signed its certificate.'
    })
  }
  if (typeof code === 'string' && /^(ECONN|EPIPE|ETIMEDOUT|EHOST|ENET|UND_)/.test(code))
    return new ConnectionError(`the connection to ${at} was lost: ${said}`, { cause: error, sqlstate: code })
  if (/timeout error|socket hang up|aborted/i.test(said))
    return new TemporaryError(`${at} did not answer: ${said}`, { cause: error })
  return new FollowError(`${at}: ${said}`, { cause: error })
}
