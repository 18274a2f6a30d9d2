/** Each source into PostgreSQL, disturbed. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { sourceKinds } from '../../../src/follow/config.js'
import { chaos } from './chaos.js'
import { postgresSink, type SinkServer } from './sinks.js'

describe.each(sourceKinds)('%s to PostgreSQL', source => {
  let sink: SinkServer
  beforeAll(async () => {
    sink = await postgresSink()
  })
  afterAll(() => sink.close())

  test('loses nothing and brings nothing twice', async () => {
    // The longest of all tests: only one of them whole, unless all was asked for.
    expect(await chaos(source, sink, { short: source !== 'wal' })).toEqual({ missing: [], extra: [] })
  }, 300_000)
})

describe('id > last', () => {
  let sink: SinkServer
  beforeAll(async () => {
    sink = await postgresSink()
  })
  afterAll(() => sink.close())

  test('loses rows: this test can fail', async () => {
    const { missing } = await chaos('poll', sink, { program: 'test/follow/chaos/naive.mjs', short: true })
    expect(missing.length).toBeGreaterThan(0)
  }, 300_000)
})
