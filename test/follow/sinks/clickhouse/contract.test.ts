import { describe } from 'vitest'
import { sinkContract } from '../../../contracts/sink.js'
import { findClickHouse } from '../../../support/clickhouse.js'
import { clickHouseBench } from './bench.js'

for (const kind of await findClickHouse()) {
  describe.skipIf(kind.skipReason)(`ClickHouse: ${kind.title}`, () => {
    sinkContract(kind.name, () => clickHouseBench(kind), { atomic: false, everyValue: false })
  })
}
