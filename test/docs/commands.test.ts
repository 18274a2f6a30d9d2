/**
 * Every command of the documents, as a reader would run it: each sh block by bash, in the order of its document and in one scene, with the exit
 * code that the document tells, and with the output that it shows. A block that cannot be run here is named below, with the reason; what it asks of pgsyncer must at least be
 * something that pgsyncer knows.
 */
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { findBinaries } from '../../src/cli/demo/binaries.js'
import { startServer, type ThrowawayServer } from '../../src/cli/demo/servers.js'
import { type ClickHouseServer, findClickHouse } from '../support/clickhouse.js'
import { findRabbitMq, type RabbitMqServer } from '../support/rabbitmq.js'
import { firstThere } from '../support/service.js'
import { type Block, blocksOf, exportsOf, inventedOf, scriptOf } from './blocks.js'
import { callsOf, faultsOf } from './calls.js'
import { openScene, type Scene } from './scene.js'

/** Blocks that are not run: the file, how the block begins, and why. */
const notRun: readonly [file: string, begin: string, why: string][] = [
  ['README.md', 'npm run demo', 'it is what tests run in themselves'],
  ['README.md', 'npx pgsyncer diff', 'its servers are examples'],
  ['README.md', 'pgsyncer copy --sections', 'its tables and its procedure are the reader’s'],
  ['README.md', 'pgsyncer capture install', 'its servers are examples'],
  ['docs/follow.md', 'npm install -g pgsyncer', 'it installs programs and units on the machine itself'],
  ['docs/brokers.md', 'pgsyncer clickhouse-ddl', 'its broker and its ClickHouse are examples'],
  ['docs/brokers.md', "clickhouse-client --query 'DETACH", 'its broker and its ClickHouse are examples']
]

/** Documents with a test of their own. */
const others = ['errors.md']
/** Whose standby has the tables, and no rows yet. */
const empty = ['docs/brokers.md', 'docs/follow.md']

const folder = fileURLToPath(new URL('../../docs', import.meta.url))
const names = (await readdir(folder)).filter(name => name.endsWith('.md') && !others.includes(name)).sort()
const files = ['README.md', ...names.map(name => `docs/${name}`)]
const all = await Promise.all(files.map(blocksOf)).then(lists => lists.flat())
const reasonOf = ({ file, code }: Block) =>
  notRun.find(([where, begin]) => where === file && code.startsWith(begin))?.[2]
const [run, read] = [all.filter(block => !reasonOf(block)), all.filter(reasonOf)]

const clickhouseServer = (await findClickHouse()).find(({ name }) => name === 'clickhouse-server')!
const rabbit = await findRabbitMq()
const jq = await firstThere((process.env.PATH ?? '').split(':').map(path => join(path, 'jq')))
/** What sections need besides PostgreSQL, and why it cannot be had. */
const needs = [
  { sign: /clickhouse/i, missing: clickhouseServer.skipReason },
  { sign: /\$BROKER/, missing: rabbit.skipReason },
  {
    sign: /\bjq\b/,
    missing: jq === undefined ? 'there is no jq; to get it: apt-get install jq' : undefined
  }
]
const missingOf = (blocks: readonly Block[]) =>
  needs.find(({ sign, missing }) => missing && blocks.some(({ code }) => sign.test(code)))?.missing

const titleOf = ({ line, code }: Block) => `line ${line}: ${code.slice(0, code.indexOf('\n'))}`

describe('run', () => {
  let server: ThrowawayServer
  let clickhouse: ClickHouseServer | undefined
  let broker: RabbitMqServer | undefined
  beforeAll(async () => {
    const binaries = await findBinaries(15)
    server = await startServer({ binaries, name: 'docs', settings: { wal_level: 'logical' } })
    if (!clickhouseServer.skipReason) clickhouse = await clickhouseServer.start()
    if (!rabbit.skipReason) broker = await rabbit.start()
  })
  afterAll(async () => {
    await broker?.close()
    await clickhouse?.close()
    await server.stop()
  })

  describe.each(files.filter(file => run.some(block => block.file === file)))('%s', file => {
    const blocks = run.filter(block => block.file === file)
    let scene: Scene
    beforeAll(async () => {
      scene = await openScene(server, {
        standby: empty.includes(file) ? 'empty' : 'drifted',
        clickhouse,
        broker
      })
    })
    afterAll(() => scene.close())

    async function runBlock(block: Block): Promise<void> {
      // What a reader sets for himself, the scene has set.
      expect(Object.keys(scene.env)).toEqual(expect.arrayContaining(exportsOf(block)))
      const { code, output } = await scene.run(scriptOf(block))
      if (code !== 0) throw new Error(`bash ended with ${code}:\n${output}`)
      expect(inventedOf(block, output, scene.folder)).toEqual([])
    }

    for (const section of new Set(blocks.map(block => block.section))) {
      const own = blocks.filter(block => block.section === section)
      const missing = missingOf(own)
      describe.skipIf(missing)(`${section}${missing ? ` (skipped: ${missing})` : ''}`, () => {
        for (const block of own) test(`${titleOf(block)}`, () => runBlock(block))
      })
    }
  })
})

describe('read alone', () => {
  test('each is there, once', () => {
    const wrong = notRun.filter(
      ([file, begin]) =>
        read.filter(block => block.file === file && block.code.startsWith(begin)).length !== 1
    )
    expect(wrong).toEqual([])
  })

  test.each(read.map(block => [`${block.file} ${titleOf(block)}`, block] as const))(
    '%s',
    async (_, block) => {
      for (const words of await callsOf(block)) {
        const faults = await faultsOf(words)
        expect({ words, faults }).toEqual({ words, faults: [] })
      }
    }
  )
})
