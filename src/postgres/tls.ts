/** libpq's six `sslmode`s as TLS options: what is tried, in which order, and what of the certificate is checked. */
import { existsSync, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import type { ConnectionOptions } from 'node:tls'
import { ConfigError } from '../core/errors.js'
import type { Env, Settings } from './dsn.js'

/** false: in the clear. */
export type Tls = ConnectionOptions | false

/**
 * The attempts that the mode allows, first one first.
 * @throws ConfigError for an unknown mode, or a certificate file that is named and missing.
 */
export function tlsAttempts(what: string, settings: Settings, host: string, env: Env): Tls[] {
  if (host.startsWith('/')) return [false]
  const mode = settings.sslmode ?? 'prefer'
  switch (mode) {
    case 'disable':
      return [false]
    case 'allow':
      return [false, tlsOptions(what, settings, host, env, 'require')]
    case 'prefer':
      return [tlsOptions(what, settings, host, env, 'require'), false]
    case 'require':
    case 'verify-ca':
    case 'verify-full':
      return [tlsOptions(what, settings, host, env, mode)]
    default:
      throw new ConfigError(`sslmode ${JSON.stringify(mode)} of ${what} is not known`, {
        hint: 'It is one of disable, allow, prefer, require, verify-ca, verify-full.'
      })
  }
}

function tlsOptions(
  what: string,
  settings: Settings,
  host: string,
  env: Env,
  mode: string
): ConnectionOptions {
  const folder = join(env.HOME ?? homedir(), '.postgresql')
  const read = (named: string | undefined, usual: string): Buffer | undefined => {
    const file = named ?? join(folder, usual)
    if (existsSync(file)) return readFileSync(file)
    if (named !== undefined) {
      throw new ConfigError(`the certificate file ${file} of ${what} is not there`, {
        hint: 'sslrootcert, sslcert and sslkey name files of this machine: correct the path, or leave it out.'
      })
    }
    return undefined
  }
  const system = settings.sslrootcert === 'system'
  const ca = system ? undefined : read(settings.sslrootcert, 'root.crt')
  const cert = read(settings.sslcert, 'postgresql.crt')
  const key = read(settings.sslkey, 'postgresql.key')
  if (mode !== 'require' && !system && ca === undefined) {
    throw new ConfigError(`sslmode ${mode} of ${what} needs a root certificate, and there is none`, {
      hint: `Name it with sslrootcert=FILE, put it at ${join(folder, 'root.crt')}, or use sslrootcert=system.`
    })
  }
  // As in libpq: a root certificate that is there is checked even by `require`.
  const verify = mode !== 'require' || (ca !== undefined && settings.sslmode === 'require')
  return {
    rejectUnauthorized: verify,
    ...(ca && { ca }),
    ...(cert && { cert }),
    ...(key && { key }),
    ...(settings.sslpassword && { passphrase: settings.sslpassword }),
    ...(/^[\d.]+$|:/.test(host) ? {} : { servername: host }),
    ...(mode === 'verify-full' ? {} : { checkServerIdentity: () => undefined })
  }
}
