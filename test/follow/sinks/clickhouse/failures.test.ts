import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { ConfigError, ConnectionError, FollowError, TemporaryError } from '../../../../src/core/errors.js'
import { redact } from '../../../../src/core/redact.js'
import type { Sink, StreamState } from '../../../../src/follow/ports.js'
import { isTransient } from '../../../../src/postgres/failure.js'
import { Author, column, itemsTable, shape } from '../../../contracts/sink.js'
import { type ClickHouseServer, findClickHouse } from '../../../support/clickhouse.js'
import { linesOf, openSink } from './bench.js'

const never = new AbortController().signal
/** What the supervisor tries again. */
const isTemporary = (error: unknown) => error instanceof TemporaryError || isTransient(error)

const failureOf = async (work: Promise<unknown>): Promise<Error & { hint?: string }> =>
  work.then(
    () => expect.fail('nothing failed'),
    (error: unknown) => error as Error
  )

describe('a URL that cannot be used', () => {
  test.each([
    ['clickhouse://user:pass%@host/db', 'has a % that begins no %XX'],
    ['clickhouse://user:hidden-secret@ho st:port/db', 'cannot be read'],
    ['clickhouse://host/db/table', 'names more than a database behind the host']
  ])('%s', async (to, why) => {
    const error = await failureOf(openSink(to))
    expect(error).toBeInstanceOf(ConfigError)
    expect(error.message).toBe(`the sink's URL ${why}`)
    expect(`${error.message} ${error.hint}`).not.toContain('hidden-secret')
  })
})

test('a server that takes connections and says nothing is not waited for', async () => {
  const silent = createServer(socket => socket.on('error', () => {}).resume())
  silent.listen(0, '127.0.0.1')
  await once(silent, 'listening')
  const { port } = silent.address() as AddressInfo
  const error = await failureOf(openSink(`clickhouse://127.0.0.1:${port}/db`))
  expect(error).toBeInstanceOf(ConnectionError)
  expect(error.message).toBe(`ClickHouse at 127.0.0.1:${port} did not answer within 10 s`)
  expect(isTemporary(error)).toBe(true)
  silent.close()
})

for (const kind of await findClickHouse()) {
  describe.skipIf(kind.skipReason)(`failures of ClickHouse: ${kind.title}`, () => {
    let server: ClickHouseServer
    let database: string
    beforeAll(async () => {
      server = await kind.start()
      database = await server.createDatabase()
    })
    afterAll(() => server?.close())

    const url = (change: (url: URL) => void): string => {
      const at = new URL(server.url(database))
      change(at)
      return at.href
    }

    test('a wrong password is said, and neither is printed', async () => {
      const printed = [
        vi.spyOn(console, 'error'),
        vi.spyOn(console, 'warn'),
        vi.spyOn(console, 'log'),
        vi.spyOn(process.stderr, 'write'),
        vi.spyOn(process.stdout, 'write')
      ]
      const error = await failureOf(openSink(url(at => (at.password = 'wr%C3%B6ng%20secret'))))
      expect(error).toBeInstanceOf(ConnectionError)
      expect(error.message).toMatch(/does not let user default in/)
      expect(isTemporary(error)).toBe(false)
      for (const spy of printed) {
        expect(spy).not.toHaveBeenCalled()
        spy.mockRestore()
      }
      expect(JSON.stringify([error, error.message, error.hint])).not.toMatch(/ng secret|%20secret/)
      expect(redact('it was wröng secret, or wr%C3%B6ng%20secret')).toBe('it was ***, or ***')
    })

    test('the password may come from the environment', async () => {
      const to = url(at => (at.password = ''))
      await expect(openSink(to)).rejects.toThrow(ConnectionError)
      const sink = await openSink(to, { env: { CLICKHOUSE_PASSWORD: server.password } })
      expect(await sink.recall()).toBeUndefined()
      await sink.close()
    })

    test('a database that is not there', async () => {
      const error = await failureOf(openSink(server.url('nowhere')))
      expect(error).toBeInstanceOf(ConnectionError)
      expect(error.message).toBe(`ClickHouse at 127.0.0.1:${server.port} has no database nowhere`)
      expect(error.hint).toContain('CREATE DATABASE nowhere')
    })

    test('nobody answers', async () => {
      const error = await failureOf(openSink(url(at => (at.port = '1'))))
      expect(error).toBeInstanceOf(ConnectionError)
      expect(error.message).toBe('ClickHouse at 127.0.0.1:1 refused the connection')
      expect(isTemporary(error)).toBe(true)
    })

    test('too little memory is temporary, and the position stays', async () => {
      const table = shape('wide', column('id', 'integer'), column('v', 'text'))
      const sink = await openSink(url(at => at.searchParams.set('max_memory_usage', '5000000')))
      await sink.prepare(table)
      const author = new Author()
      const rows = Array.from({ length: 400 }, (_, i) => author.insert(table, `${i}`, 'x'.repeat(50_000)))
      const error = await failureOf(sink.write(author.batch(...rows), never))
      expect(error).toBeInstanceOf(TemporaryError)
      expect(error.message).toMatch(/Memory limit .*exceeded/i)
      expect(error.hint).toContain('max_memory_usage')
      expect(await sink.recall()).toBeUndefined()
      await sink.close()
    })

    test('a table that is gone is named', async () => {
      const table = itemsTable()
      const sink = await openSink(server.url(database))
      await sink.prepare(table)
      await server.query(`DROP TABLE ${table.name}`, database)
      const author = new Author()
      const error = await failureOf(
        sink.write(author.batch(author.insert(table, '1', 'a', null, null)), never)
      )
      expect(error).toBeInstanceOf(FollowError)
      expect(isTemporary(error)).toBe(false)
      expect(error.message).toContain(`${database}.${table.name}`)
      await sink.close()
    })

    test('after it was killed in the middle of a load, the load is made anew', async () => {
      const table = itemsTable()
      const sink = await openSink(server.url(database))
      await sink.prepare(table)
      let sent = 0
      const endless = async function* () {
        for (;;) {
          const lines = Array.from({ length: 10_000 }, () => `${sent++}\ta\t\\N\t1\n`)
          if (sent === 500_000) await server.stop('kill')
          yield Buffer.from(lines.join(''))
        }
      }
      const error = await failureOf(sink.load(table, endless(), never))
      expect(isTemporary(error), `${error}`).toBe(true)
      await sink.close()
      expect(isTemporary(await failureOf(openSink(server.url(database))))).toBe(true)
      await server.start()
      const again = await openSink(server.url(database))
      await again.prepare(table)
      await again.clear(table)
      const few = async function* () {
        yield Buffer.from('1\ta\t\\N\t1\n2\tb\t\\N\t1\n')
      }
      expect(await again.load(table, few(), never)).toBe(2)
      expect(await linesOf(server, database, table)).toHaveLength(2)
      await again.close()
    })

    test('killed again and again while it is written to, it has all that was confirmed and no more', async () => {
      const table = itemsTable()
      const stream = 'killed'
      const author = new Author()
      const count = 60
      const batches = Array.from({ length: count }, (_, i) =>
        author.batch(
          ...Array.from({ length: 50 }, (_, j) => author.insert(table, `${i * 50 + j}`, `n${i}`, null, '1')),
          ...(i === 0 ? [] : [author.remove(table, `${(i - 1) * 50}`)])
        )
      )
      const origin: StreamState = { origin: 'test', position: null, tables: {} }
      const killAt = new Set([7, 20, 41])
      let failures = 0
      let sink: Sink | undefined
      for (;;) {
        try {
          sink ??= await openSink(server.url(database), { name: stream })
          const state = await sink.recall()
          if (!state) await sink.remember(origin)
          await sink.prepare(table)
          const next = batches.findIndex(({ position }) => position > (state?.position ?? ''))
          if (next === -1) break
          for (let i = next; i < count; i++) {
            const killed = killAt.delete(i) ? server.stop('kill') : undefined
            try {
              await sink.write(batches[i]!, never)
            } finally {
              await killed
            }
          }
        } catch (error) {
          expect(isTemporary(error), `${error}`).toBe(true)
          failures++
          await sink?.close()
          sink = undefined
          await server.start()
        }
      }
      await sink.close()
      expect(failures).toBeGreaterThanOrEqual(3)
      const keys = (await linesOf(server, database, table)).map(line => Number(line.split('\t')[0]))
      const wanted = Array.from({ length: count * 50 }, (_, i) => i).filter(
        key => key % 50 !== 0 || key === (count - 1) * 50
      )
      expect(keys.sort((a, b) => a - b)).toEqual(wanted)
    })

    describe('with a state file', () => {
      let folder: string
      beforeAll(async () => {
        folder = await mkdtemp(join(tmpdir(), 'pgsyncer-state-'))
      })
      afterAll(() => rm(folder, { recursive: true, force: true }))

      test('positions are there, and nothing else is left', async () => {
        const stateFile = join(folder, 'state.json')
        const open = (name: string) => openSink(server.url(database), { name, stateFile })
        const one = await open('one')
        const table = itemsTable()
        await one.prepare(table)
        const state = { origin: 'o', position: null, tables: { 'public.a': null } }
        await one.remember(state)
        const author = new Author()
        const batch = author.batch(author.insert(table, '1', 'a', null, null))
        await one.write(batch, never)
        const again = await open('one')
        expect(await again.recall()).toEqual({ ...state, position: batch.position })
        expect(await readdir(folder)).toEqual(['state.json'])
        const other = await open('two')
        await expect(other.recall()).rejects.toThrow('is of the stream one, not two')
        await expect(other.remember(state)).rejects.toThrow('is of the stream one, not two')
        for (const sink of [one, again, other]) await sink.close()
      })

      test('a file that was never whole is never seen', async () => {
        const stateFile = join(folder, 'whole.json')
        const sink = await openSink(server.url(database), { stateFile })
        const tables = Object.fromEntries(Array.from({ length: 2000 }, (_, i) => [`public.t${i}`, `${i}`]))
        await sink.remember({ origin: 'o', position: '0', tables })
        let done = false
        const looked = (async () => {
          let looks = 0
          while (!done) {
            const found = JSON.parse(await readFile(stateFile, 'utf8')) as { tables: object }
            expect(Object.keys(found.tables)).toHaveLength(2000)
            looks++
          }
          return looks
        })()
        for (let i = 1; i <= 50; i++) await sink.remember({ origin: 'o', position: `${i}`, tables })
        done = true
        expect(await looked).toBeGreaterThan(0)
        await sink.close()
      })

      test('a file that is not ours is left alone', async () => {
        const stateFile = join(folder, 'other.json')
        await writeFile(stateFile, '{"half": ')
        const sink = await openSink(server.url(database), { stateFile })
        await expect(sink.recall()).rejects.toThrow(`the state file ${stateFile} is not one of pgsyncer's`)
        await expect(sink.remember({ origin: 'o', position: null, tables: {} })).rejects.toThrow(FollowError)
        expect(await readFile(stateFile, 'utf8')).toBe('{"half": ')
        for (const other of ['{"name": "x"}', '[]', '{"streams": null}', 'null']) {
          await writeFile(stateFile, other)
          await expect(sink.recall()).rejects.toThrow("is not one of pgsyncer's")
        }
        await sink.close()
        const nowhere = await openSink(server.url(database), { stateFile: join(folder, 'no/where.json') })
        expect(await nowhere.recall()).toBeUndefined()
        await expect(nowhere.remember({ origin: 'o', position: null, tables: {} })).rejects.toThrow(
          'cannot be written'
        )
        await nowhere.close()
      })
    })
  })
}
