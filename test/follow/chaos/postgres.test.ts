/** Each source into PostgreSQL, disturbed. */
import { afterAll, beforeAll, describe, test } from 'vitest'
import { sourceKinds } from '../../../src/follow/config.js'
import { chaos } from './chaos.js'
import { postgresSink, type SinkServer } from './sinks.js'

describe.each(sourceKinds)('%s to PostgreSQL', source => {
  let sink: SinkServer
  beforeAll(async () => {
    sink = await postgresSink()
  })
  afterAll(() => sink.close())

  test('loses nothing and brings nothing twice', () => chaos(source, sink), 300_000)
})
