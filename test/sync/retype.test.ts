/** A column whose type changes while the standby holds what the new one cannot take: main's rows bring its values. */
import { expect, test } from 'vitest'
import { diff, sync } from '../../src/index.js'
import { withPair } from '../faults/pairs.js'
import { failures } from './reports.js'

const main = `CREATE TABLE t (id int PRIMARY KEY, v int NOT NULL); INSERT INTO t VALUES (1, 10), (2, 20)`
const standby = `CREATE TABLE t (id int PRIMARY KEY, v text NOT NULL); INSERT INTO t VALUES (1, 'ten'), (2, '20'), (3, '30')`
const clean = { cleanExtra: { rows: true, objects: true } }

test('is emptied and filled where values may be deleted', async () => {
  await withPair({ main, standby }, async (pair, config) => {
    const options = { ...config, ...clean, allow: ['deletes-data' as const] }
    expect(failures(await sync(options))).toEqual([])
    expect(await pair.standby.query('SELECT id, v FROM t ORDER BY id')).toEqual([
      { id: 1, v: 10 },
      { id: 2, v: 20 }
    ])
    expect((await diff(options)).identical).toBe(true)
  })
})

test('is left as it is where they may not', async () => {
  await withPair({ main, standby }, async (pair, config) => {
    await expect(sync({ ...config, ...clean })).rejects.toThrow('deletes-data')
    expect(await pair.standby.query('SELECT v FROM t WHERE id = 1')).toEqual([{ v: 'ten' }])
  })
})
