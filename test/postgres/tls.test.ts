/** libpq's sslmodes: what is tried, in which order, and what of the certificate is checked. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { ConfigError } from '../../src/core/errors.js'
import { tlsAttempts } from '../../src/postgres/tls.js'

const empty = mkdtempSync(join(tmpdir(), 'pgsyncer-tls-'))
const home = mkdtempSync(join(tmpdir(), 'pgsyncer-tls-'))
mkdirSync(join(home, '.postgresql'))
for (const name of ['root.crt', 'postgresql.crt', 'postgresql.key'])
  writeFileSync(join(home, '.postgresql', name), name)
afterAll(() => [empty, home].forEach(folder => rmSync(folder, { recursive: true })))

const attempts = (sslmode: string | undefined, HOME = empty, more = {}) =>
  tlsAttempts('main', { ...(sslmode && { sslmode }), ...more }, 'db.example', { HOME })

describe('without a root certificate', () => {
  test('disable never, allow last, prefer first, require only', () => {
    expect(attempts('disable')).toEqual([false])
    expect(attempts('allow')).toEqual([false, expect.objectContaining({ rejectUnauthorized: false })])
    expect(attempts('prefer')).toEqual([expect.objectContaining({ rejectUnauthorized: false }), false])
    expect(attempts(undefined)).toEqual(
      attempts('prefer').map(one => one && expect.objectContaining({ rejectUnauthorized: false }))
    )
    expect(attempts('require')).toEqual([
      expect.objectContaining({ rejectUnauthorized: false, servername: 'db.example' })
    ])
  })

  test.each(['verify-ca', 'verify-full'])('%s says where to put one', mode => {
    expect(() => attempts(mode)).toThrow(ConfigError)
    expect(() => attempts(mode)).toThrow(/needs a root certificate/)
    expect(attempts(mode, empty, { sslrootcert: 'system' })).toEqual([
      expect.objectContaining({ rejectUnauthorized: true })
    ])
  })

  test('a file that is named must be there', () => {
    expect(() => attempts('require', empty, { sslcert: '/nowhere/c.crt' })).toThrow(
      /certificate file \/nowhere\/c\.crt of main is not there/
    )
  })
})

describe('with certificates in the home folder', () => {
  test('they are taken, and require checks as verify-ca does', () => {
    const [require] = attempts('require', home)
    expect(require).toMatchObject({
      rejectUnauthorized: true,
      ca: Buffer.from('root.crt'),
      cert: Buffer.from('postgresql.crt'),
      key: Buffer.from('postgresql.key')
    })
    const name = (options: unknown) => (options as { checkServerIdentity?: unknown }).checkServerIdentity
    expect(name(require)).toBeTypeOf('function')
    expect(name(attempts('verify-ca', home)[0])).toBeTypeOf('function')
    // Node's own check of the name is left in place.
    expect(name(attempts('verify-full', home)[0])).toBeUndefined()
  })

  test('prefer does not check', () => {
    expect(attempts('prefer', home)[0]).toMatchObject({ rejectUnauthorized: false })
  })
})

test('a socket has no TLS, an address no server name, an unknown mode is an error', () => {
  expect(tlsAttempts('main', { sslmode: 'require' }, '/var/run', { HOME: empty })).toEqual([false])
  for (const host of ['10.0.0.1', '::1']) {
    expect(tlsAttempts('main', { sslmode: 'require' }, host, { HOME: empty })[0]).not.toHaveProperty(
      'servername'
    )
  }
  expect(() => attempts('maybe')).toThrow(/sslmode "maybe" of main is not known/)
})
