/**
 * Databases that sort differently. A range of text keys means the same rows only where both sort alike; where they
 * do not, or may not, keys are compared by hash, and every count is still exact.
 */
import { randomBytes } from 'node:crypto'
import pg from 'pg'
import { describe, expect, inject, test } from 'vitest'
import { check, diff, sync, type SyncOptions } from '../../src/index.js'
import { createPair } from '../support/databases.js'
import { databaseDigest } from '../support/digest.js'
import { counts, failures } from './reports.js'

/** German takes ä for a kind of a, Swedish puts it after z. */
const table = `CREATE TABLE t (k text PRIMARY KEY, v int);
  INSERT INTO t SELECT chr(97 + n % 26) || n, n FROM generate_series(1, 1000) n; INSERT INTO t SELECT 'ä' || n, n FROM generate_series(1, 1000) n`
const drift = `UPDATE t SET v = -1 WHERE v % 100 = 0; DELETE FROM t WHERE k = 'ä5'; INSERT INTO t VALUES ('öl', 1)`

async function withDatabases(
  options: [main: string, standby: string],
  use: (config: SyncOptions) => Promise<void>
) {
  const admin = new pg.Client({ connectionString: inject('adminUrl') })
  await admin.connect()
  const names = options.map(() => `t_collation_${randomBytes(6).toString('hex')}`)
  const urls = names.map(name => {
    const url = new URL(inject('adminUrl'))
    url.pathname = `/${name}`
    return url.href
  })
  try {
    for (const [i, name] of names.entries()) {
      await admin.query(`CREATE DATABASE ${name} TEMPLATE template0 ${options[i]}`)
      const client = new pg.Client({ connectionString: urls[i] })
      await client.connect()
      await client.query(i === 0 ? table : `${table}; ${drift}`)
      await client.end()
    }
    await use({
      main: urls[0]!,
      standby: urls[1]!,
      env: {},
      syncSchema: false,
      chunkSize: 50,
      cleanExtra: { rows: true, objects: false }
    })
  } finally {
    for (const name of names) await admin.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`)
    await admin.end()
  }
}

const icu = (locale: string) => `LOCALE_PROVIDER icu ICU_LOCALE '${locale}'`

describe('text keys under the databases’ own collations', () => {
  test.each<[string, string, string, 'by hash' | 'by range']>([
    ['the same ICU locale', icu('de'), icu('de'), 'by range'],
    ['two ICU locales', icu('de'), icu('sv'), 'by hash'],
    ['two ICU locales that differ by an attribute (10 after 9)', icu('de'), icu('de-u-kn-true'), 'by hash'],
    ['ICU and C', icu('de'), `LOCALE 'C'`, 'by hash'],
    ['C and C', `LOCALE 'C'`, `LOCALE 'C'`, 'by range']
  ])('%s', async (_, main, standby, how) => {
    await withDatabases([main, standby], async config => {
      const found = (await check(config)).findings.filter(finding =>
        finding.message.includes('compared by hash')
      )
      expect(found).toHaveLength(how === 'by hash' ? 1 : 0)
      const before = await diff(config)
      expect(counts(before)).toEqual({ t: [1, 20, 1] })
      const done = await sync(config)
      expect(failures(done)).toEqual([])
      expect(counts(done)).toEqual({ t: [1, 20, 1] })
      expect(await databaseDigest(config.standby, ['public'])).toEqual(
        await databaseDigest(config.main, ['public'])
      )
    })
  })
})

test('collations of one name and another locale', async () => {
  const own = (locale: string) => `CREATE COLLATION mine (PROVIDER = icu, LOCALE = '${locale}');
    CREATE TABLE t (k text COLLATE mine PRIMARY KEY); INSERT INTO t SELECT 'n' || n FROM generate_series(1, 1000) n`
  const pair = await createPair({
    main: own('de'),
    standby: `${own('de-u-kn-true')}; DELETE FROM t WHERE k = 'n77'`
  })
  try {
    const found = await diff({
      main: pair.main.url,
      standby: pair.standby.url,
      env: {},
      syncSchema: false,
      chunkSize: 50
    })
    expect(counts(found)).toEqual({ t: [1, 0, 0] })
  } finally {
    await pair.drop()
  }
})
