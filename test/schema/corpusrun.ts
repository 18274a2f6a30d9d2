/** Runs the corpus by one of the two readers. */
import { afterAll, beforeAll, it } from 'vitest'
import type { SchemaMethod } from '../../src/schema/change.js'
import { prove } from './corpus.js'
import { readCases } from './corpuscases.js'
import { type Cluster, createCasePair, createCluster } from './corpuspair.js'

/** Declares a test for each case that this reader reads. */
export function proveCases(method: SchemaMethod): void {
  let cluster: Cluster
  beforeAll(async () => {
    cluster = await createCluster()
  })
  afterAll(() => cluster.drop())
  const those = readCases().filter(each => method === 'pgdump' || !each.pgdumpOnly)
  it.concurrent.each(those.map(each => [each.title, each] as const))('%s', async (_, each) => {
    const pair = await createCasePair(each, cluster)
    try {
      await prove(each, pair, method)
    } finally {
      await pair.drop()
    }
  })
}
