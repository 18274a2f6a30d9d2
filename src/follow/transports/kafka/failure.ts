/**
 * What an error of Kafka or of its client means, in words for a person. What another try may mend has Node's code as `sqlstate`, or is a
 * TemporaryError.
 */
import {
  ConfigError,
  ConnectionError,
  FollowError,
  messageOf,
  PgsyncerError,
  TemporaryError
} from '../../../core/errors.js'
import { redact } from '../../../core/redact.js'
import type { Place } from './place.js'

interface Failure {
  name?: string
  /** The protocol's own name of the error. */
  type?: string
  code?: unknown
  retriable?: boolean
  cause?: unknown
}

/** What lies under the client's tries. */
function rootOf(error: unknown): unknown {
  const { cause, name } = (error ?? {}) as Failure
  return cause !== undefined && name !== 'KafkaJSConnectionError' ? rootOf(cause) : error
}

/** The group is being shared out anew, or went on without us: what is not acknowledged goes to whoever has it now. */
export function isRebalance(error: unknown): boolean {
  const { type } = rootOf(error) as Failure
  return ['REBALANCE_IN_PROGRESS', 'ILLEGAL_GENERATION', 'UNKNOWN_MEMBER_ID', 'FENCED_INSTANCE_ID'].includes(
    type ?? ''
  )
}

/** The brokers are getting the group ready. */
export function isGettingReady(error: unknown): boolean {
  const { type } = rootOf(error) as Failure
  return /^(GROUP_LOAD_IN_PROGRESS|(GROUP_)?COORDINATOR_NOT_AVAILABLE|NOT_COORDINATOR(_FOR_GROUP)?)$/.test(
    type ?? ''
  )
}

export function judge(error: unknown, { address, username, secure }: Place): Error {
  if (error instanceof PgsyncerError) return error
  const root = rootOf(error) as Failure
  const at = `Kafka at ${address}`
  const said = redact(messageOf(root)).slice(0, 300)
  const details = (hint?: string) => ({ cause: error, ...(hint && { hint }) })
  if (root.name === 'KafkaJSSASLAuthenticationError' || /SASL/.test(root.type ?? '')) {
    return new ConnectionError(
      username === undefined
        ? `${at} lets nobody in without a user and a password`
        : `${at} does not let user ${username} in: wrong name, password or mechanism`,
      details(
        'Give them in the URL, kafka://USER:PASSWORD@HOST:9092?mechanism=plain, scram-sha-256 or scram-sha-512.'
      )
    )
  }
  if (/AUTHORIZATION_FAILED/.test(root.type ?? '')) {
    return new ConnectionError(
      `${at} does not allow user ${username ?? 'ANONYMOUS'} to do that: ${said}`,
      details(
        'The user needs to create, read and write topics, and to read groups, that begin with pgsyncer.'
      )
    )
  }
  switch (root.type) {
    case 'MESSAGE_TOO_LARGE':
    case 'RECORD_LIST_TOO_LARGE':
      return new FollowError(
        `a row is larger than a message of ${at} may be`,
        details('Raise the topic’s max.message.bytes, or publish keys alone (--payload key).')
      )
    case 'INCONSISTENT_GROUP_PROTOCOL':
      return new TemporaryError(
        `another program receives from ${at} as this group, as ClickHouse itself may`,
        details(
          'Stop it (in ClickHouse: DETACH TABLE), or take another --group; that it has gone Kafka notices after up to 45 s.'
        )
      )
    case 'INVALID_REPLICATION_FACTOR':
    case 'INVALID_PARTITIONS':
    case 'POLICY_VIOLATION':
      return new ConfigError(
        `${at} does not make such a topic: ${said}`,
        details('Give another number of --partitions, or let the broker’s administrator make the topic.')
      )
  }
  const lost = (text: string, sqlstate: string, hint?: string) =>
    new ConnectionError(text, { ...details(hint), sqlstate })
  if (/ENOTFOUND|EAI_AGAIN/.test(said))
    return lost(
      `the host name of ${at} cannot be resolved`,
      'ENOTFOUND',
      'Check its spelling, and the name service.'
    )
  if (/before secure TLS/.test(said)) {
    return lost(
      `${at} ended the connection before TLS began`,
      'ECONNRESET',
      'Does it speak TLS on that port? Without TLS the URL begins with kafka://.'
    )
  }
  if (/ECONNREFUSED/.test(said)) {
    return lost(
      `${at} refused the connection`,
      'ECONNREFUSED',
      'Is the broker running there? Its advertised.listeners must be reachable from here too.'
    )
  }
  if (/wrong version number/.test(said)) {
    return new ConnectionError(
      `${at} does not speak TLS`,
      details('Take the port of a listener that does; without TLS the URL begins with kafka://.')
    )
  }
  if (/certificate|self.signed|SSL routines/i.test(said)) {
    return new ConnectionError(
      `${at} could not prove who it is: ${said}`,
      details('Is its certificate for this host, by an authority that is known here (NODE_EXTRA_CA_CERTS)?')
    )
  }
  if (
    /Connection|Broker|Timeout|Closed|Coordinator|Metadata/.test(root.name ?? '') ||
    /timed? ?out|disconnected/i.test(said)
  ) {
    const hint = secure ? undefined : 'Where the broker speaks TLS, the URL begins with kafkas://.'
    return lost(`the connection to ${at} was lost: ${said}`, 'ECONNRESET', hint)
  }
  if (root.retriable) return new TemporaryError(`${at}: ${said}`, details())
  return new FollowError(`${at}: ${said}`, details())
}

export function isPermanent(error: unknown): boolean {
  return !(
    error instanceof TemporaryError ||
    (error instanceof ConnectionError && error.sqlstate !== undefined)
  )
}
