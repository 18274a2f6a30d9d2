/** A run that ends in the middle, in whatever way: the next one goes on there, and no row is lost or sent twice. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import type { SectionsOptions } from '../../../src/copy/sections/config.js'
import { copySections } from '../../../src/copy/sections/sections.js'
import { ConnectionError, GuardError } from '../../../src/core/errors.js'
import type { Db } from '../../support/databases.js'
import {
  checkSection,
  expectSame,
  failure,
  isWaiting,
  messages,
  sectionRows,
  sourceRows,
  until,
  withFlow
} from './messages.js'

const built = fileURLToPath(new URL('../../../dist/copy/sections/sections.js', import.meta.url))
const program = `
  const { copySections } = await import(process.env.BUILT)
  await copySections(JSON.parse(process.env.OPTIONS), { emit: event => console.log(event.type) })`

/** The built library in a process of its own, one line of output for each event. */
function start(options: SectionsOptions) {
  const env = { PATH: process.env.PATH, BUILT: built, OPTIONS: JSON.stringify(options) }
  const stdio: ['ignore', 'pipe', 'inherit'] = ['ignore', 'pipe', 'inherit']
  return spawn(process.execPath, ['--input-type=module', '-e', program], { env, stdio })
}

/** The server ends what a killed client began only when it notices that it is gone. */
async function clientGone(standby: Db): Promise<void> {
  await until(async () => {
    const rows = await standby.query(
      `SELECT FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'pgsyncer'`
    )
    return rows.length === 0
  })
}

/** The rows that are there are exactly those up to the recorded cursor. */
async function expectWhole(main: Db, standby: Db): Promise<number> {
  const [record] = await standby.query<{ last_cursor: string | null; rows_sent: string }>(
    'SELECT last_cursor, rows_sent FROM pgsyncer.sections'
  )
  const there = await sectionRows(standby)
  const upTo = `(SELECT * FROM device.messages WHERE created_id <= ${record!.last_cursor ?? 0})`
  expect(there).toEqual(await sourceRows(main, upTo))
  expect(record!.rows_sent).toBe(String(there.length))
  return there.length
}

test('killed at ten random moments', async () => {
  const rows = 2000
  await withFlow({ main: messages(1, rows) }, async flow => {
    const options = { ...flow.options, chunkSize: 20 }
    await copySections(options, stopAfterBootstrap()).catch(() => {})
    for (let kill = 0; kill < 10; kill++) {
      // The first three lines are the connection, the phase and the table; each further one is a chunk.
      const line = 3 + Math.floor(Math.random() * 8)
      const child = start(options)
      const exit = once(child, 'exit')
      let seen = 0
      for await (const _ of createInterface({ input: child.stdout }))
        if (++seen === line) child.kill('SIGKILL')
      expect(await exit).toEqual([null, 'SIGKILL'])
      await clientGone(flow.standby)
      await expectWhole(flow.main, flow.standby)
    }
    expect(await copySections(options)).toMatchObject({ mode: 'increment' })
    expect(await expectSame(flow)).toBe(rows)
  })
}, 180_000)

function stopAfterBootstrap() {
  const stop = new AbortController()
  return {
    signal: stop.signal,
    emit: (event: { type: string }) => {
      if (event.type === 'table-end') stop.abort()
    }
  }
}

/** Waits in the procedure for a lock of the test's, at the rows of object 3. */
const waits = checkSection().replace(
  'BEGIN',
  `BEGIN IF (r->>'created_id')::int = 33 THEN PERFORM pg_advisory_xact_lock_shared(7); END IF;`
)

test('killed in the middle of a chunk', async () => {
  await withFlow({ main: messages(1, 100), standby: waits }, async flow => {
    const options = { ...flow.options, chunkSize: 20 }
    await flow.standby.exec('SELECT pg_advisory_lock(7)')
    const child = start(options)
    await until(() => isWaiting(flow.standby))
    child.kill('SIGKILL')
    await once(child, 'exit')
    await flow.standby.exec('SELECT pg_advisory_unlock(7)')
    await clientGone(flow.standby)
    expect(await expectWhole(flow.main, flow.standby)).toBe(20)
    expect(await copySections(options)).toMatchObject({ mode: 'increment', rows: 80 })
    expect(await expectSame(flow)).toBe(100)
  })
})

test('killed between the rows and their cursor', async () => {
  await withFlow({ main: messages(1, 100) }, async flow => {
    const options = { ...flow.options, chunkSize: 20 }
    await copySections(options, stopAfterBootstrap()).catch(() => {})
    await flow.standby.exec(`CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN PERFORM pg_advisory_xact_lock_shared(7); RETURN NEW; END $$;
      CREATE TRIGGER wait BEFORE UPDATE ON pgsyncer.sections FOR EACH ROW EXECUTE FUNCTION wait();
      SELECT pg_advisory_lock(7)`)
    const child = start(options)
    await until(() => isWaiting(flow.standby))
    child.kill('SIGKILL')
    await once(child, 'exit')
    await flow.standby.exec('SELECT pg_advisory_unlock(7)')
    await clientGone(flow.standby)
    expect(await expectWhole(flow.main, flow.standby)).toBe(0)
    expect(await copySections(options)).toMatchObject({ rows: 100 })
    expect(await expectSame(flow)).toBe(100)
  })
})

test('stopped by its signal in the middle of a chunk, while another run is refused', async () => {
  await withFlow({ main: messages(1, 100), standby: waits }, async flow => {
    const options = { ...flow.options, chunkSize: 20 }
    await flow.standby.exec('SELECT pg_advisory_lock(7)')
    const stop = new AbortController()
    const run = copySections(options, { signal: stop.signal })
    const ended = run.catch((error: unknown) => error)
    await until(() => isWaiting(flow.standby))
    const refused = await failure(options)
    expect(refused).toBeInstanceOf(GuardError)
    expect(refused.message).toMatch(/^another run is copying device.messages into sections of /)
    stop.abort(new Error('stop now'))
    expect(await ended).toMatchObject({ message: 'stop now' })
    await flow.standby.exec('SELECT pg_advisory_unlock(7)')
    expect(await expectWhole(flow.main, flow.standby)).toBe(20)
    expect(await copySections(options)).toMatchObject({ rows: 80 })
    expect(await expectSame(flow)).toBe(100)
  })
})

test('stopped before it begins, it contacts nobody', async () => {
  const nowhere = { main: 'postgres://nowhere.invalid/x', standby: 'postgres://nowhere.invalid/y' }
  const events: unknown[] = []
  const signal = AbortSignal.abort(new Error('never'))
  await expect(copySections(nowhere, { signal, emit: event => events.push(event) })).rejects.toThrow('never')
  expect(events).toEqual([])
})

test('whose connection is cut ends with an error, and the next one goes on', async () => {
  // Far more chunks than one statement of another session takes time.
  await withFlow({ main: messages(1, 5000) }, async flow => {
    const options = { ...flow.options, chunkSize: 20 }
    let cut: Promise<void> | undefined
    const run = copySections(options, {
      emit: event => {
        if (event.type === 'rows')
          cut ??= flow.standby.exec(
            `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'pgsyncer' AND datname = current_database()`
          )
      }
    })
    const error: unknown = await run.catch((error: unknown) => error)
    expect(error).toBeInstanceOf(ConnectionError)
    expect(error).toMatchObject({
      message: expect.stringMatching(/^the connection to standby was lost: /) as string
    })
    await cut
    await clientGone(flow.standby)
    await copySections(options)
    expect(await expectSame(flow)).toBe(5000)
  })
})
