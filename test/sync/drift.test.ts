/** Every drift case through the proof: exact counts, a sync, no difference afterwards, and psql agrees. */
import { describe, expect, test } from 'vitest'
import { diff, sync, type Report } from '../../src/index.js'
import { databaseDigest } from '../support/digest.js'
import { createPair } from '../support/databases.js'
import { driftCases } from './cases.js'

const counts = (report: Report) =>
  Object.fromEntries(
    report.tables
      .filter(table => table.insert + table.update + table.delete > 0)
      .map(table => [table.table, [table.insert, table.update, table.delete]])
  )

/** The same, of what the maps of the tables show. */
const mapped = (report: Report) =>
  Object.fromEntries(
    report.tables
      .filter(table => table.drift)
      .map(table => [
        table.table,
        [1, 2, 3].map(i => table.drift!.cells.reduce((sum, cell) => sum + cell[i]!, 0))
      ])
  )

const reasons = (report: Report) =>
  report.tables
    .filter(table => table.status === 'failed')
    .map(table => `${table.table}: ${table.reason} ${table.hint}`)

describe.each(driftCases)('$name', ({ ddl, main = '', drift, expect: expected, options = {} }) => {
  test('is counted exactly, mended, and proved', async () => {
    const pair = await createPair({ ddl, main, standby: drift })
    try {
      const config = {
        main: pair.main.url,
        standby: pair.standby.url,
        env: { PATH: process.env.PATH },
        syncSchema: false,
        cleanExtra: { rows: true, objects: false },
        ...options
      }
      const before = await diff(config)
      expect(reasons(before)).toEqual([])
      expect(counts(before)).toEqual(expected)
      if (!options.useUpdatedAt) expect(mapped(before)).toEqual(expected)
      expect(before.identical).toBe(Object.keys(expected).length === 0)
      const done = await sync(config)
      expect(reasons(done)).toEqual([])
      expect(done.ok).toBe(true)
      expect(counts(done)).toEqual(expected)
      const after = await diff(config)
      expect(after.identical).toBe(true)
      if (options.where === undefined && !ddl.includes('PARTITION BY RANGE (id)')) {
        expect(await databaseDigest(pair.standby.url, ['public'])).toEqual(
          await databaseDigest(pair.main.url, ['public'])
        )
      }
      const again = await sync(config)
      expect(again.totals).toMatchObject({ insert: 0, update: 0, delete: 0 })
    } finally {
      await pair.drop()
    }
  })
})
