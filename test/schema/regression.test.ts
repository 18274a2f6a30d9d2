/** A database of more than 300 objects of all kinds, drifted in more than 60 places, mended in one run. */
import { readFile } from 'node:fs/promises'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { diff } from '../../src/sync/diff.js'
import { sync } from '../../src/sync/sync.js'
import type { Pair } from '../support/databases.js'
import { changesOf, corpusOptions, faultsOf } from './corpus.js'
import { unifiedDiff } from './corpusdiff.js'
import { type Cluster, createCasePair, createCluster, dump } from './corpuspair.js'

let cluster: Cluster
beforeAll(async () => {
  cluster = await createCluster()
})
afterAll(() => cluster.drop())

async function createDrifted(): Promise<Pair> {
  const read = (name: string) =>
    readFile(new URL(`../../fixtures/schema/${name}.sql`, import.meta.url), 'utf8')
  const [both, standby] = await Promise.all([read('regression'), read('regression-drift')])
  expect(standby.match(/^-- \d+ /gm)!.length).toBeGreaterThanOrEqual(60)
  return createCasePair(
    { title: 'regression', both, main: '', standby, keeps: [], cleanRows: false },
    cluster
  )
}

/** Objects, without the grants and comments that stand beside them. */
function objectsOf(text: string): { count: number; kinds: Set<string> } {
  const kinds = [...text.matchAll(/^-- Name: .*?; Type: ([A-Z ]+);/gm)]
    .map(([, kind]) => kind!)
    .filter(kind => !/^(ACL|COMMENT|DEFAULT|.* (ATTACH|OWNED BY|SET))$/.test(kind))
  return { count: kinds.length, kinds: new Set(kinds) }
}

it('has objects of all kinds', async () => {
  const pair = await createDrifted()
  try {
    const { count, kinds } = objectsOf(await dump(pair.main))
    expect(count).toBeGreaterThanOrEqual(300)
    expect([...kinds].sort()).toEqual(
      expect.arrayContaining(
        (
          'AGGREGATE CAST CHECK_CONSTRAINT COLLATION CONSTRAINT CONVERSION DOMAIN EVENT_TRIGGER EXTENSION FK_CONSTRAINT ' +
          'FOREIGN_DATA_WRAPPER FOREIGN_TABLE FUNCTION INDEX MATERIALIZED_VIEW OPERATOR OPERATOR_CLASS POLICY PROCEDURE ' +
          'PUBLICATION PUBLICATION_TABLE ROW_SECURITY RULE SCHEMA SEQUENCE SERVER STATISTICS TABLE ' +
          'TEXT_SEARCH_CONFIGURATION TEXT_SEARCH_DICTIONARY TRIGGER TYPE USER_MAPPING VIEW'
        )
          .split(' ')
          .map(kind => kind.replaceAll('_', ' '))
      )
    )
  } finally {
    await pair.drop()
  }
})

it('is mended in one run, structure and rows', async () => {
  const pair = await createDrifted()
  try {
    const options = corpusOptions(pair, 'pgdump', { cleanExtra: { rows: true, objects: true } })
    const main = await dump(pair.main)
    expect(await dump(pair.standby)).not.toBe(main)
    const report = await sync(options)
    expect(faultsOf(report)).toBe('')
    expect(report.ok).toBe(true)
    const standby = await dump(pair.standby)
    if (standby !== main) expect.fail(`the dumps differ (- main, + standby):\n${unifiedDiff(main, standby)}`)
    expect(changesOf(await sync(options))).toBe('')
    const seen = await diff(options)
    expect(seen.tables.filter(({ status }) => status !== 'identical' && status !== 'skipped')).toEqual([])
    expect(seen.identical).toBe(true)
  } finally {
    await pair.drop()
  }
})
