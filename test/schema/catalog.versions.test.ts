/** The oldest and the newest server: what is read can be made there again, and reads the same. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openServer } from '../../src/postgres/connect.js'
import { readCatalog } from '../../src/schema/catalog/read.js'
import { createDatabase } from '../support/databases.js'
import { startVersion } from '../support/versions.js'
import { tricky } from './catalog.ddl.js'

/** Left out for the oldest: what came later. */
const later = /ATOMIC|CREATE STATISTICS|pg_database_owner|SET LOGGED/

describe.each([12, 17] as const)('PostgreSQL %d', version => {
  let running: Awaited<ReturnType<typeof startVersion>>
  beforeAll(async () => {
    running = await startVersion(version)
  })
  afterAll(async () => running.stop())

  async function read(url: string) {
    const server = await openServer('main', url, {}, { lockTimeout: 0, statementTimeout: 0 })
    try {
      return await readCatalog(
        server,
        { schemas: [], all: true },
        {
          owners: true,
          privileges: true,
          signal: new AbortController().signal,
          emit: () => {},
          lockTimeout: 0
        }
      )
    } finally {
      await server.close()
    }
  }

  it('makes the same again', async () => {
    const main = await createDatabase('main', running.url)
    const copy = await createDatabase('copy', running.url)
    try {
      const ddl = tricky.split('\n').filter(line => version > 12 || !later.test(line))
      await main.exec(ddl.join('\n'))
      const { entries } = await read(main.url)
      expect(entries.length).toBeGreaterThan(90)
      await copy.exec(`set search_path = ''; set check_function_bodies = off`)
      for (const { definition } of entries) await copy.exec(definition)
      const again = await read(copy.url)
      const told = (list: typeof entries) => list.map(({ key, definition, drop }) => [key, definition, drop])
      expect(told(again.entries)).toEqual(told(entries))
    } finally {
      await main.drop()
      await copy.drop()
    }
  })
})
