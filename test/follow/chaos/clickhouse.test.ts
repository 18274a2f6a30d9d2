/** Each source into ClickHouse, disturbed. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { sourceKinds } from '../../../src/follow/config.js'
import { findClickHouse } from '../../support/clickhouse.js'
import { chaos } from './chaos.js'
import { clickHouseSink, type SinkServer } from './sinks.js'

const [server] = await findClickHouse()

describe.skipIf(server!.skipReason !== undefined).each(sourceKinds)(`%s to ${server!.title}`, source => {
  let sink: SinkServer
  beforeAll(async () => {
    sink = await clickHouseSink(server!)
  })
  afterAll(() => sink.close())

  test('loses nothing and brings nothing twice', async () => {
    expect(await chaos(source, sink, { short: true })).toEqual({ missing: [], extra: [] })
  }, 300_000)
})
