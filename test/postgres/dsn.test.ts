/** DSNs, read as libpq reads them. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { ConfigError } from '../../src/core/errors.js'
import { redact } from '../../src/core/redact.js'
import { readDsn, type Env } from '../../src/postgres/dsn.js'

const home = mkdtempSync(join(tmpdir(), 'pgsyncer-dsn-'))
afterAll(() => rmSync(home, { recursive: true, force: true }))
const read = (dsn: string, env: Env = {}) => readDsn('main', dsn, { HOME: home, ...env })

describe('a URI', () => {
  test.each<[string, object]>([
    ['postgres://u:p@h:5433/d', { user: 'u', password: 'p', host: 'h', port: '5433', dbname: 'd' }],
    ['postgresql://u@h/d', { user: 'u', host: 'h', port: '5432', dbname: 'd' }],
    ['postgres://h', { host: 'h' }],
    ['postgres://u:p%40%2F%3A%23%20%25%2B@h/d', { password: 'p@/:# %+' }],
    ['postgres://u:p+q@h/d', { password: 'p+q' }],
    ['postgres://us%40er@h/d%2F%23%3F%20b', { user: 'us@er', dbname: 'd/#? b' }],
    ['postgres://u:%C3%A9@h/%E6%97%A5', { password: 'é', dbname: '日' }],
    ['postgres://u@[::1]:5433/d', { host: '::1', port: '5433' }],
    ['postgres://%2Fvar%2Frun%2Fpg/d', { host: '/var/run/pg', dbname: 'd' }],
    ['postgres:///d?host=/tmp&port=5433&user=u', { host: '/tmp', port: '5433', user: 'u', dbname: 'd' }],
    [
      'postgres://a:1,b,c:3/d?target_session_attrs=primary',
      { host: 'a,b,c', port: '1,5432,3', target_session_attrs: 'primary' }
    ],
    [
      'postgres://u@h/d?password=p+q%26r&application_name=a%20b',
      { password: 'p+q&r', application_name: 'a b' }
    ],
    [
      'postgres://u@h/d?options=-c%20geqo%3Doff&sslmode=verify-full',
      { options: '-c geqo=off', sslmode: 'verify-full' }
    ],
    ['postgres://u@h/d?ssl=true', { sslmode: 'require' }],
    ['  postgres://u@h/d  ', { user: 'u' }],
    ['POSTGRES://u@h/d', { user: 'u', dbname: 'd' }],
    ['postgres://u@h/d?keepalives=1&client_encoding=UTF8', { user: 'u' }]
  ])('%s', (dsn, expected) => expect(read(dsn)).toMatchObject(expected))
})

describe('key=value words', () => {
  test.each<[string, object]>([
    ['host=h dbname=d user=u', { host: 'h', dbname: 'd', user: 'u', port: '5432' }],
    [`host = h  dbname= 'my db'`, { host: 'h', dbname: 'my db' }],
    [String.raw`password='it\'s \\ "q"' host=h`, { password: `it's \\ "q"`, host: 'h' }],
    [String.raw`password=a\ b\'c host=h`, { password: "a b'c", host: 'h' }],
    [`password='' host=h port=''`, { host: 'h', port: '5432' }],
    ['host=/tmp port=5433', { host: '/tmp', port: '5433' }],
    ['hostaddr=127.0.0.1 dbname=d', { host: '127.0.0.1' }],
    ['host=a,b port=1,2', { host: 'a,b', port: '1,2' }]
  ])('%s', (dsn, expected) => expect(read(dsn)).toMatchObject(expected))

  test('one word alone is a database', () =>
    expect(read('mydb', { PGHOST: 'h' })).toMatchObject({ dbname: 'mydb', host: 'h' }))
})

describe('what is left out', () => {
  test('comes from the PG* variables', () => {
    const env = {
      PGHOST: 'eh',
      PGPORT: '1',
      PGUSER: 'eu',
      PGPASSWORD: 'epw',
      PGDATABASE: 'ed',
      PGSSLMODE: 'disable',
      PGAPPNAME: 'a',
      PGCONNECT_TIMEOUT: '3'
    }
    expect(read('postgres://', env)).toMatchObject({
      host: 'eh',
      port: '1',
      user: 'eu',
      password: 'epw',
      dbname: 'ed',
      sslmode: 'disable',
      connect_timeout: '3'
    })
    expect(read('host=h user=u', env)).toMatchObject({ host: 'h', user: 'u', dbname: 'ed' })
  })

  test('an empty variable is none', () =>
    expect(read('host=h', { PGPORT: '', PGUSER: '' })).toMatchObject({
      port: '5432',
      user: userInfo().username
    }))

  test('else the user is the system’s, and the database is named as the user', () => {
    expect(read('host=h')).toMatchObject({
      user: userInfo().username,
      dbname: userInfo().username,
      port: '5432'
    })
    expect(read('host=h user=me')).toMatchObject({ dbname: 'me' })
  })
})

describe('a service', () => {
  const file = join(home, 'services.conf')
  writeFileSync(
    file,
    '# a comment\n[one]\nhost=sh\nport=7\nuser=su\npassword=s p#w\n\n[two]\n dbname = sd \nhost=th\n'
  )
  const env = { PGSERVICEFILE: file }

  test('is under the DSN and over the variables', () => {
    expect(read('service=one user=mine', { ...env, PGHOST: 'eh', PGDATABASE: 'ed' })).toMatchObject({
      host: 'sh',
      port: '7',
      user: 'mine',
      password: 's p#w',
      dbname: 'ed'
    })
    expect(read('postgres:///?service=two', env)).toMatchObject({ host: 'th', dbname: 'sd' })
    expect(read('dbname=x', { ...env, PGSERVICE: 'two' })).toMatchObject({ host: 'th', dbname: 'x' })
  })

  test('is found in ~/.pg_service.conf', () => {
    writeFileSync(join(home, '.pg_service.conf'), '[home]\nhost=hh\n')
    expect(read('service=home')).toMatchObject({ host: 'hh' })
  })

  test('that is nowhere is an error which names the files', () => {
    expect(() => read('service=three', env)).toThrow(/service "three" of main is in none of .*services\.conf/)
  })

  test('with an unknown parameter is an error', () => {
    const odd = join(home, 'odd.conf')
    writeFileSync(odd, '[odd]\nhots=h\n')
    expect(() => read('service=odd', { PGSERVICEFILE: odd })).toThrow(/unknown parameter "hots"/)
  })
})

describe('what cannot be read', () => {
  test.each([
    'postgres://u:s3cretWord@h:port/d',
    'postgres://u:s3cretWord#x@h/d',
    'postgres://u:s3cretWord%zz@h/d',
    'postgres://u:s3cretWord@h/d%zz',
    'postgres://u:s3cretWord@h/d?nonsense=1',
    'mysql://u:s3cretWord@h/d',
    'host=h password=s3cretWord colour=blue',
    `host=h password='s3cretWord`,
    'u:s3cretWord@h'
  ])('%s: an error that never holds it', dsn => {
    let error: unknown
    try {
      read(dsn)
    } catch (caught) {
      error = caught
    }
    expect(error).toBeInstanceOf(ConfigError)
    const { message, hint } = error as ConfigError
    expect(message).toMatch(/^the DSN of main cannot be used: /)
    expect(hint).toMatch(/postgres:\/\/user:password@host/)
    expect(`${message} ${(error as Error).stack} ${String((error as Error).cause)}`).not.toContain(
      's3cretWord'
    )
  })
})

test('every password that was read is known to redact', () => {
  read('postgres://u:pw%20in%20uri@h/d')
  read('host=h password=pwInWords')
  read('host=h', { PGPASSWORD: 'pwInEnv' })
  expect(redact('pw in uri, pw%20in%20uri, pwInWords, pwInEnv')).toBe('***, ***, ***, ***')
})
