/** Events of a follower, for tests. */
import type { FollowEvent } from '../../../src/core/events.js'
import type { About } from '../../../src/cli/serve/metrics.js'

type Batch = Extract<FollowEvent, { type: 'batch' }>

export const about: About = {
  main: 'db1.example.org:5432/shop',
  to: 'clickhouse://default@stats:8123/shop',
  stream: 'shop',
  source: 'wal',
  version: '1.2.3'
}

export function batch(tables: Batch['tables'], more: Partial<Batch> = {}): Batch {
  const changes = Object.values(tables)
    .flatMap(counts => Object.values(counts))
    .reduce((sum, n) => sum + n, 0)
  return {
    type: 'batch',
    tables,
    changes,
    position: '0000000001A2B3C4:00000000',
    committedAt: undefined,
    duration: 10,
    ...more
  }
}
