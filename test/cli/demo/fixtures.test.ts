/** The demo's tables are also what other tests stand on: the same at every load, and its drift reaches everything. */
import { readFile } from 'node:fs/promises'
import { expect, test } from 'vitest'
import { prove } from '../../../src/cli/demo/proof.js'
import { createPair } from '../../support/databases.js'
import { databaseDigest } from '../../support/digest.js'

const read = (name: string): Promise<string> =>
  readFile(new URL(`../../../fixtures/demo/${name}.sql`, import.meta.url), 'utf8')

test(
  'two loads are the same to the byte, and the drift changes nearly everything',
  { timeout: 180_000 },
  async () => {
    const ddl = await read('schema')
    const data = await read('data')
    const pair = await createPair({ ddl, main: data, standby: data })
    const before = await databaseDigest(pair.main.url, ['public'])
    expect(await databaseDigest(pair.standby.url, ['public'])).toEqual(before)
    expect((await prove(pair.main.url, pair.standby.url)).filter(line => !line.same)).toEqual([])
    const rows = Object.values(before).reduce((sum, digest) => sum + Number.parseInt(digest, 10), 0)
    expect(rows).toBeGreaterThan(150_000)

    await pair.standby.exec(await read('drift'))
    const after = await databaseDigest(pair.standby.url, ['public'])
    const changed = Object.keys(before).filter(table => before[table] !== after[table])
    const spared = Object.keys(before).filter(table => before[table] === after[table])
    expect(spared).toEqual(['public.staff'])
    const proof = await prove(pair.main.url, pair.standby.url)
    const differing = proof.filter(line => !line.same).map(line => line.name)
    expect(differing).toEqual(expect.arrayContaining(changed.map(table => table.replace('public.', ''))))
    expect(differing).toEqual(expect.arrayContaining(['rental_number', 'invoice_number']))
    await pair.drop()
  }
)
