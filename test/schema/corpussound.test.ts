/**
 * The cases themselves, without the engine: both sides load, they differ, and main's dump comes out of a restored
 * database as it went in. Asked for by `CORPUS=sound npm test -- test/schema/corpussound.test.ts` after cases were added.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readCases } from './corpuscases.js'
import { unifiedDiff } from './corpusdiff.js'
import {
  type Cluster,
  createCasePair,
  createCluster,
  dumpBefore,
  restoredDump,
  resultOf
} from './corpuspair.js'

describe.runIf(process.env.CORPUS === 'sound')('a case is sound (asked for by CORPUS=sound)', () => {
  let cluster: Cluster
  beforeAll(async () => {
    cluster = await createCluster()
  })
  afterAll(() => cluster.drop())

  it.concurrent.each(readCases().map(each => [each.title, each] as const))('%s', async (_, each) => {
    const pair = await createCasePair(each, cluster)
    try {
      for (const keep of each.keeps) {
        if (keep.gives === undefined)
          expect([keep.query, await resultOf(pair.standby, keep)]).not.toContain('')
      }
      const text = await dumpBefore(each, pair)
      const again = await restoredDump(pair.main)
      if ((again === text) === !each.unstable) return
      expect.fail(
        `a restored dump is ${each.unstable ? 'the same' : `another:\n${unifiedDiff(text, again)}`}`
      )
    } finally {
      await pair.drop()
    }
  })
})
