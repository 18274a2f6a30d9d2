/**
 * The only file that names the adapters: from a config to a source, a sink and what lies between them. Each is loaded when it is asked
 * for: a driver takes longer to load than a server to answer.
 */
import { ConfigError, messageOf } from '../core/errors.js'
import type { EmitFollow } from '../core/events.js'
import { openServer } from '../postgres/connect.js'
import type { Server } from '../postgres/server.js'
import type { Capture } from './capture/capture.js'
import { isClickHouse, type FollowConfig, type SourceKind } from './config.js'
import { refuseItself } from './itself.js'
import type { Sink, Source, StoredStream } from './ports.js'
import type { TopicScript } from './sinks/clickhouse/topic/script.js'
import type { Completer } from './sources/complete.js'
import type { FollowedTable } from './table.js'
import type { BrokerOptions, BrokerTransport } from './transports/broker.js'

type OpenSource = (server: Server, config: FollowConfig, emit: EmitFollow) => Promise<Source>
type OpenCapture = (server: Server, config: FollowConfig) => Promise<Capture>

const sources: Record<SourceKind, OpenSource> = {
  poll: async (...given) => (await import('./sources/poll.js')).openPoll(...given),
  notify: async (...given) => (await import('./sources/notify.js')).openNotify(...given),
  outbox: async (...given) => (await import('./sources/outbox.js')).openOutbox(...given),
  wal: async (...given) => (await import('./sources/wal/source.js')).openWal(...given)
}

const captures: Partial<Record<SourceKind, OpenCapture>> = {
  notify: async (...given) => (await import('./capture/notify.js')).openNotifyCapture(...given),
  outbox: async (...given) => (await import('./capture/outbox.js')).openOutboxCapture(...given),
  wal: async (...given) => (await import('./capture/wal.js')).openWalCapture(...given)
}

export interface Line {
  readonly source: Source
  readonly sink: Sink
  close(): Promise<void>
}

/** Opens both ends; nothing stays open where one of them fails. */
export async function openLine(config: FollowConfig, emit: EmitFollow): Promise<Line> {
  const ends: { close(): Promise<void> }[] = []
  const close = async () => {
    // The last opened first; one that cannot be closed in good order is gone anyhow.
    for (const end of ends.reverse()) {
      await end.close().catch((error: unknown) => emit({ type: 'note', message: messageOf(error) }))
    }
  }
  try {
    const main = await openMain(config)
    ends.push(main)
    await refuseItself(main, config)
    const sink = await openSink(config, emit)
    ends.push(sink)
    const own = await openSource(main, config, emit)
    const source = sink.capabilities.partial ? own : await completing(own, main)
    ends.push(source)
    return { source, sink, close }
  } catch (error) {
    await close()
    throw error
  }
}

export const openMain = ({ main, env, lockTimeout, statementTimeout }: FollowConfig): Promise<Server> =>
  openServer('main', main, env, { lockTimeout, statementTimeout })

/** The sink's server as such: a PostgreSQL one. */
export const openStandby = ({ to, env, lockTimeout, statementTimeout }: FollowConfig): Promise<Server> =>
  openServer('standby', to, env, { lockTimeout, statementTimeout })

export const openSource: OpenSource = (main, config, emit) => sources[config.source](main, config, emit)

export async function openCompleter(main: Server): Promise<Completer> {
  const { Completer } = await import('./sources/complete.js')
  return new Completer(main)
}

export async function completing(source: Source, main: Server): Promise<Source> {
  const { Completing } = await import('./sources/completing.js')
  return new Completing(source, await openCompleter(main))
}

/** @param shared others write the same stream too: nothing is remembered of it, and nobody is kept out. */
export async function openSink(config: FollowConfig, emit: EmitFollow, shared = false): Promise<Sink> {
  if (!isClickHouse(config.to))
    return (await import('./sinks/postgres/sink.js')).openPostgresSink(config, emit, shared)
  return (await import('./sinks/clickhouse/sink.js')).openClickHouseSink(config, emit, shared)
}

/** What the sink remembers of all its streams. */
export async function readStreams(config: FollowConfig): Promise<StoredStream[]> {
  if (!isClickHouse(config.to))
    return (await import('./sinks/postgres/streams.js')).readPostgresStreams(config)
  return (await import('./sinks/clickhouse/streams.js')).readClickHouseStreams(config)
}

/**
 * How to open what the source needs on main.
 * @throws ConfigError for one that needs nothing.
 */
export function captureFor(source: SourceKind): OpenCapture {
  const open = captures[source]
  if (open) return open
  throw new ConfigError(`the source ${source} needs nothing on main`, {
    hint: 'It reads the table itself. notify, outbox and wal are the sources that capture is for.'
  })
}

/**
 * The statements by which ClickHouse reads Kafka's topic itself. Where `to` is given, its server is asked whether it can.
 * @throws ConfigError where it cannot, or for tables that it cannot take; FollowError for tables that are there otherwise.
 */
export async function openTopicScript(
  config: FollowConfig,
  tables: readonly FollowedTable[]
): Promise<TopicScript> {
  const { namesOf, readPlace } = await import('./transports/kafka/place.js')
  const { brokers, secure, username, sasl } = readPlace(config.via!)
  const { topic, group } = namesOf(config.name, config.group)
  const login = username === undefined ? undefined : { username, mechanism: sasl!.mechanism.toUpperCase() }
  const { openScript } = await import('./sinks/clickhouse/topic/open.js')
  return openScript(tables, { brokers, topic, group, secure, login }, config)
}

/** What the two ends of a broker differ in. */
export type BrokerEnd = Pick<BrokerOptions, 'group' | 'shapeOf' | 'onDeadLetter'>

/** @throws ConfigError for a URL that is no broker's; ConnectionError. */
export async function openBroker(config: FollowConfig, end: BrokerEnd = {}): Promise<BrokerTransport> {
  const { via: url = '', name: stream, payload, batchSize, queueType, partitions } = config
  const options = { url, stream, payload, batchSize, ...end }
  if (/^amqps?:\/\//i.test(url)) {
    const { openRabbitMq } = await import('./transports/rabbitmq/rabbitmq.js')
    return openRabbitMq({ ...options, queueKind: queueType })
  }
  if (/^kafkas?:\/\//i.test(url)) {
    const { openKafka } = await import('./transports/kafka/kafka.js')
    return openKafka({ ...options, ...(partitions !== undefined && { partitions }) })
  }
  throw new ConfigError("the broker's URL is of no broker that is known here", {
    hint: 'It is amqp://USER:PASSWORD@HOST:5672/VHOST, amqps://…, kafka://HOST:9092,HOST:9092 or kafkas://…'
  })
}
