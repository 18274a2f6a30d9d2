/**
 * What an error of RabbitMQ or of its client means, in words for a person. What another try may mend has Node's code as `sqlstate`, or is a
 * TemporaryError.
 */
import { ConfigError, ConnectionError, FollowError, messageOf, PgsyncerError } from '../../../core/errors.js'
import { redact } from '../../../core/redact.js'
import type { Place } from './place.js'

/** @param what was being done, for an error that says it: `the queue pgsyncer.a.b`. */
export function judge(
  error: unknown,
  { address, username }: Pick<Place, 'address' | 'username'>,
  what = ''
): Error {
  if (error instanceof PgsyncerError) return error
  const at = `RabbitMQ at ${address}`
  const said = saidBy(error)
  const code = (error as { code?: unknown } | null)?.code
  const lost = (text: string, hint?: string, sqlstate = 'ECONNRESET') =>
    new ConnectionError(text, { cause: error, sqlstate, ...(hint && { hint }) })
  if (code === 406) {
    return new ConfigError(`${what || 'something'} on ${at} is there with other properties: ${said}`, {
      cause: error,
      hint: 'Take the name of another stream or group, set the properties that it has, or delete it there if it is not needed.'
    })
  }
  if (/ACCESS_REFUSED - Login|ACCESS-REFUSED/.test(said)) {
    return new ConnectionError(`${at} does not let user ${username} in: wrong name or password`, {
      cause: error,
      hint: 'Give both in the URL, amqp://USER:PASSWORD@HOST:5672/VHOST. The user guest is let in only on the broker’s own machine.'
    })
  }
  if (code === 403 || /ACCESS_REFUSED/.test(said)) {
    return new ConnectionError(`${at} does not allow user ${username} to do that: ${said}`, {
      cause: error,
      hint: 'The user needs configure, write and read permissions on names that begin with pgsyncer.'
    })
  }
  if (code === 530 || /NOT_ALLOWED|vhost .* not found|access to vhost/.test(said)) {
    return new ConnectionError(`${at} does not open its virtual host to user ${username}: ${said}`, {
      cause: error,
      hint: 'Check the name behind the host in the URL (%2F stands for a slash), and the user’s permissions there.'
    })
  }
  if (code === 404) {
    return new FollowError(`${what || 'something'} on ${at} is gone: ${said}`, {
      cause: error,
      hint: 'It was deleted while it was in use; start again, and it is made anew, but messages that lay in it are lost.'
    })
  }
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN')
    return lost(
      `the host name of ${at} cannot be resolved`,
      'Check its spelling, and the name service.',
      code
    )
  if (code === 'ECONNREFUSED')
    return lost(
      `${at} refused the connection`,
      'Is the broker running there? The port is 5672 by default (5671 with TLS).',
      code
    )
  if (/closed abruptly|ETIMEDOUT|Unexpected data|Invalid frame/.test(said)) {
    return lost(
      `${at} did not answer as RabbitMQ does: ${said}`,
      'Is the port right, and is it amqps:// where the broker speaks TLS? A broker that is starting answers so too.'
    )
  }
  if (/wrong version number/.test(said)) {
    return new ConnectionError(`${at} does not speak TLS`, {
      cause: error,
      hint: 'Its port for TLS is 5671 by default; without TLS the URL begins with amqp://.'
    })
  }
  if (/certificate|TLS|SSL|self.signed/i.test(said) || /^ERR_(TLS|SSL)/.test(String(code))) {
    return new ConnectionError(`${at} could not prove who it is: ${said}`, {
      cause: error,
      hint: 'Is its certificate for this host, and by an authority that is known here (NODE_EXTRA_CA_CERTS)?'
    })
  }
  return lost(`the connection to ${at} was lost: ${said}`)
}

/** Its own words, without the frame that it stood in. */
function saidBy(error: unknown): string {
  const text = redact(messageOf(error))
  const quoted = /with message "(.*)"$/s.exec(text)
  return (quoted?.[1] ?? text).slice(0, 300)
}
