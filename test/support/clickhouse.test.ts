import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type ClickHouseServer, findClickHouse } from './clickhouse.js'

for (const kind of await findClickHouse()) {
  describe.skipIf(kind.skipReason)(`a ClickHouse server for tests: ${kind.title}`, () => {
    let server: ClickHouseServer
    beforeAll(async () => {
      server = await kind.start()
    })
    afterAll(() => server?.close())

    it('takes rows in the body, and settings and the database in the URL', async () => {
      const database = await server.createDatabase()
      await server.query(
        'CREATE TABLE t (a UInt8, b Nullable(String)) ENGINE = MergeTree ORDER BY a',
        database
      )
      await server.query(
        String.raw`INSERT INTO t (a, b) FORMAT TabSeparated
1	x\ty
2	\N
`,
        database
      )
      expect(await server.query('SELECT a, b FROM t ORDER BY a', database)).toEqual([
        ['1', String.raw`x\ty`],
        ['2', String.raw`\N`]
      ])
    })

    it('says what is wrong as ClickHouse does', async () => {
      await expect(server.query('SELECT * FROM missing')).rejects.toThrow(/^Code: 60[,.] .*DB::Exception/)
      const answer = await fetch(`http://${server.host}:${server.port}/`, {
        method: 'POST',
        body: 'SELECT 1',
        headers: { 'X-ClickHouse-User': 'default', 'X-ClickHouse-Key': 'wrong' }
      })
      expect(answer.ok).toBe(false)
      expect(await answer.text()).toMatch(/^Code: (193|516)/)
    })

    it('has its data after it was killed', async () => {
      const database = await server.createDatabase()
      await server.query('CREATE TABLE t (a UInt8) ENGINE = MergeTree ORDER BY a', database)
      await server.query('INSERT INTO t (a) VALUES (7)', database)
      await server.stop('kill')
      await expect(server.query('SELECT 1')).rejects.toThrow('fetch failed')
      await server.start()
      expect(await server.query('SELECT a FROM t', database)).toEqual([['7']])
    })
  })
}
