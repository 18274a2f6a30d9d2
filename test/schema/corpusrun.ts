/** Runs the corpus by one of the two readers. */
import { afterAll, beforeAll, it } from 'vitest'
import type { SchemaMethod } from '../../src/schema/change.js'
import { prove } from './corpus.js'
import { readCases } from './corpuscases.js'
import { type Cluster, createCasePair, createCluster } from './corpuspair.js'

/**
 * Declares a test for each case of this reader's part: the catalogs' is one of three that it reads, pg_dump's are all others, as both
 * give the same entries to the same engine. With `CORPUS=all` each reads all that it can.
 */
export function proveCases(method: SchemaMethod): void {
  let cluster: Cluster
  beforeAll(async () => {
    cluster = await createCluster()
  })
  afterAll(() => cluster.drop())
  const all = readCases()
  const readable = all.filter(each => !each.pgdumpOnly)
  const third = readable.filter((_, at) => process.env.CORPUS === 'all' || at % 3 === 0)
  const rest = all.filter(each => process.env.CORPUS === 'all' || !third.includes(each))
  const those = method === 'pgdump' ? rest : third
  it.concurrent.each(those.map(each => [each.title, each] as const))('%s', async (_, each) => {
    const pair = await createCasePair(each, cluster)
    try {
      await prove(each, pair, method)
    } finally {
      await pair.drop()
    }
  })
}
