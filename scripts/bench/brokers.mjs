/**
 * Measures the way through a broker. Run by `npm run bench:brokers`:
 *
 *   npm run bench:brokers -- [--rows 400000] [--runs 3] [--only kafka,rabbitmq,clickhouse,scale]
 *
 * kafka, rabbitmq: a backlog of the outbox, until the broker has confirmed it; clickhouse: a topic into ClickHouse, by two appliers of a group;
 * scale: the same topic into PostgreSQL and ClickHouse by 1, 2 and 4 appliers. Start and end of our processes are in all figures, and
 * the servers run on the same machine. Progress goes to stderr, the table to stdout. A missed goal is a result; the exit code
 * is 1 only where a run failed.
 */
import { fileURLToPath } from 'node:url'
import { insert, table } from './follow/items.mjs'
import { openClickHouse } from './follow/clickhouse.mjs'
import { measure, say, stopChildren } from './measure.mjs'
import { openBench } from './servers.mjs'
import { settingsOf } from './settings.mjs'
import { heading, line } from './table.mjs'

const kinds = ['kafka', 'rabbitmq', 'clickhouse', 'scale']
const { rows, runs, only } = settingsOf(kinds, '400000')

// What starts the brokers for the tests, as brokers.sh has built it.
const support = new URL('../../node_modules/.cache/pgsyncer-bench/test/support/', import.meta.url)
const { findKafka } = await import(new URL('kafka.js', support).href)
const { findRabbitMq } = await import(new URL('rabbitmq.js', support).href)

const program = fileURLToPath(new URL('../../dist/main.js', import.meta.url))
const partitions = 4
const stream = 'bench'
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, stopChildren)

const closing = []
const results = []
const bench = await openBench({ synchronous_commit: 'on' })
closing.push(() => bench.close())

const command = (...args) => ({
  command: process.execPath,
  args: [program, ...args, '--quiet'],
  env: bench.env
})
const shown = n => Math.round(n).toLocaleString('en-US')
const median = list => list.toSorted((a, b) => a - b)[list.length >> 1]

/** Main with the table and its outbox. */
async function source() {
  await bench.query(
    bench.main,
    'postgres',
    `DROP DATABASE IF EXISTS brokers WITH (FORCE)`,
    'CREATE DATABASE brokers'
  )
  await bench.query(bench.main, 'brokers', table)
  const at = [
    '--maindsn',
    bench.url(bench.main, 'brokers'),
    '--source',
    'outbox',
    '-t',
    'items',
    '--name',
    stream
  ]
  await measure([command('capture', 'install', ...at)])
  return at
}

/** The standby's database, empty. */
async function replica() {
  await bench.fresh('brokers')
  await bench.query(bench.standby, 'brokers', table)
  return bench.url(bench.standby, 'brokers')
}

/** So many runs of publishing a backlog. */
async function publishing(what, at, via, goal) {
  const rates = []
  for (let run = 0; run < runs; run++) {
    await bench.query(bench.main, 'brokers', insert(rows))
    await bench.calm()
    const { seconds, cpu, peak } = await measure([
      command('publish', ...at, '--via', via, '--partitions', `${partitions}`, '--once')
    ])
    say(`  ${what}: ${seconds.toFixed(2)} s, ${cpu.toFixed(2)} s of our CPU, ${Math.round(peak / 1e6)} MB`)
    rates.push(rows / seconds)
  }
  const rate = median(rates)
  results.push({ what, figure: `${shown(rate)}/s`, limit: `≥ ${shown(goal)}/s`, met: rate >= goal })
}

async function rabbitmq() {
  const kind = await findRabbitMq()
  if (kind.skipReason) return say(`  skipped: ${kind.skipReason}`)
  const broker = await kind.start()
  try {
    const at = await source()
    const to = await replica()
    // The queue is there before anything is published.
    await measure([
      command('apply', '--via', broker.url, '--name', stream, '--group', 'g', '--to', to, '--once')
    ])
    await publishing('outbox → RabbitMQ, persistent, confirmed', at, broker.url, 15_000)
  } finally {
    await broker.close()
  }
}

/** Kafka with a topic of all the runs' changes. */
let topic
async function filled(judged) {
  if (topic) return topic
  const kind = await findKafka()
  if (kind.skipReason) throw new Error(kind.skipReason)
  const broker = await kind.start()
  closing.unshift(() => broker.close())
  const at = await source()
  const via = `kafka://${broker.address}`
  await publishing('outbox → Kafka, 4 partitions', at, via, 40_000)
  if (!judged) results.pop()
  return (topic = { via, main: bench.url(bench.main, 'brokers'), count: rows * runs })
}

const kafka = async () => void (await filled(true))

let groups = 0
/** Seconds that so many appliers of a new group take for the whole topic, and their CPU. */
async function applied({ via, main }, to, appliers) {
  await bench.calm()
  const group = `g${++groups}`
  const args = [
    'apply',
    '--via',
    via,
    '--name',
    stream,
    '--group',
    group,
    '--maindsn',
    main,
    '-t',
    'items',
    '--to',
    to,
    '--once'
  ]
  return measure(Array.from({ length: appliers }, () => command(...args)))
}

async function clickhouse() {
  const of = await filled(false)
  const server = await openClickHouse()
  if (!server) return say('  skipped: no clickhouse-server')
  try {
    const rates = []
    for (let run = 0; run < runs; run++) {
      const { seconds, cpu } = await applied(of, server.url(await server.fresh()), 2)
      say(`  ClickHouse: ${seconds.toFixed(2)} s, ${cpu.toFixed(2)} s of our CPU`)
      rates.push(of.count / seconds)
    }
    const rate = median(rates)
    const what = `Kafka → ClickHouse ${server.version}, 2 appliers`
    results.push({ what, figure: `${shown(rate)}/s`, limit: '≥ 100,000/s', met: rate >= 100_000 })
  } finally {
    await server.close()
  }
}

async function scale() {
  const of = await filled(false)
  for (const appliers of [1, 2, 4]) {
    const { seconds, cpu } = await applied(of, await replica(), appliers)
    say(`  PostgreSQL, ${appliers}: ${seconds.toFixed(2)} s, ${cpu.toFixed(2)} s of our CPU`)
    results.push({
      what: `Kafka → PostgreSQL, ${appliers} appliers`,
      figure: `${shown(of.count / seconds)}/s`,
      limit: '',
      met: true
    })
  }
}

try {
  for (const one of [kafka, rabbitmq, clickhouse, scale]) {
    if (!only.includes(one.name)) continue
    say(`▸ ${one.name}`)
    await one()
  }
} catch (error) {
  process.exitCode = 1
  process.stderr.write(`FAILED: ${error.message}\n`)
} finally {
  for (const close of closing) await close()
}
if (results.length > 0) {
  process.stdout.write(`${heading(`${rows} changes, medians of ${runs}, ${bench.about}`)}\n`)
  for (const result of results) process.stdout.write(`${line(result)}\n`)
}
