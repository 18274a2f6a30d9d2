/**
 * `pgsyncer follow --source poll`, but with the poller that everybody writes first: it asks for `id > last`. It shows that the test that
 * the others pass can fail. Takes what the test gives to `follow`.
 */
import { openServer } from '../../../dist/postgres/connect.js'
import { completeFollow } from '../../../dist/follow/config.js'
import { beginStream } from '../../../dist/follow/first.js'
import { consume, produce } from '../../../dist/follow/loops.js'
import { openPostgresSink } from '../../../dist/follow/sinks/postgres/sink.js'
import { openPoll } from '../../../dist/follow/sources/poll.js'
import { DirectTransport } from '../../../dist/follow/transports/direct.js'

const args = process.argv.slice(2)
const flag = name => args[args.indexOf(name) + 1]
const config = completeFollow({
  main: flag('--maindsn'),
  to: flag('--to'),
  name: flag('--name'),
  source: 'poll',
  tables: [flag('-t')],
  interval: 20,
  once: args.includes('--once')
})
const over = new AbortController()
process.on('SIGTERM', () => process.exit(143))
const main = await openServer('main', config.main, {}, config)
const sink = await openPostgresSink(config, () => {})
const source = await openPoll(main, config, () => {}, 'naive')
const { position, tables } = await beginStream(source, sink, config, () => {}, over.signal)
const transport = new DirectTransport()
const start = { after: position, since: tables, once: config.once }
await Promise.all([
  produce(source, transport, start, over.signal),
  consume(transport, sink, () => {}, over.signal)
])
process.exit(0)
