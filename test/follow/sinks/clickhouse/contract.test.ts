import { describe, vi } from 'vitest'
import { sinkContract } from '../../../contracts/sink.js'
import { findClickHouse } from '../../../support/clickhouse.js'
import { clickHouseBench } from './bench.js'

// Thousands of inserts, each a part of its own on the disk.
vi.setConfig({ testTimeout: 180_000 })

for (const kind of await findClickHouse()) {
  describe.skipIf(kind.skipReason)(`ClickHouse: ${kind.title}`, () => {
    sinkContract(kind.name, () => clickHouseBench(kind), { atomic: false, everyValue: false })
  })
}
