/**
 * The cases themselves, without the engine: both sides load, they differ, and main's dump comes out of a restored
 * database as it went in. Asked for by `CORPUS=sound npm test -- test/schema/corpussound.test.ts` after cases were added.
 */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createDatabase, type Db } from '../support/databases.js'
import { readCases } from './corpuscases.js'
import { unifiedDiff } from './corpusdiff.js'
import { type Cluster, createCasePair, createCluster, dump, dumpBefore, resultOf } from './corpuspair.js'

const restore = 'pg_dump --schema-only "$0" | psql -qX -v ON_ERROR_STOP=1 "$1"'

describe.runIf(process.env.CORPUS === 'sound')('a case is sound', () => {
  let cluster: Cluster
  beforeAll(async () => {
    cluster = await createCluster()
  })
  afterAll(() => cluster.drop())

  for (const each of readCases()) {
    it.concurrent(each.title, async () => {
      const pair = await createCasePair(each, cluster)
      let restored: Db | undefined
      try {
        for (const keep of each.keeps) {
          if (keep.gives === undefined) expect(await resultOf(pair.standby, keep), keep.query).not.toBe('')
        }
        const text = await dumpBefore(each, pair)
        restored = await createDatabase('restored')
        await promisify(execFile)('bash', ['-c', restore, pair.main.url, restored.url])
        const again = await dump(restored)
        if (again !== text) expect.fail(`a restored dump is another:\n${unifiedDiff(text, again)}`)
      } finally {
        await restored?.drop()
        await pair.drop()
      }
    })
  }
})
