/** Runs the corpus by one of the two readers. */
import { afterAll, beforeAll, it } from 'vitest'
import type { SchemaMethod } from '../../src/schema/change.js'
import { prove } from './corpus.js'
import { readCases } from './corpuscases.js'
import { type Cluster, createCasePair, createCluster } from './corpuspair.js'

/** Declares a test for each case that this reader reads. */
/** By the catalogs one case of three, as both readers give the same entries to the same engine; all with `CORPUS=all`. */
export function proveCases(method: SchemaMethod): void {
  const every = method === 'pgdump' || process.env.CORPUS === 'all' ? 1 : 3
  let cluster: Cluster
  beforeAll(async () => {
    cluster = await createCluster()
  })
  afterAll(() => cluster.drop())
  const fit = readCases().filter(each => method === 'pgdump' || !each.pgdumpOnly)
  const those = fit.filter((_, at) => at % every === 0)
  it.concurrent.each(those.map(each => [each.title, each] as const))('%s', async (_, each) => {
    const pair = await createCasePair(each, cluster)
    try {
      await prove(each, pair, method)
    } finally {
      await pair.drop()
    }
  })
}
