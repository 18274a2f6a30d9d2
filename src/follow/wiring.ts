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
    const own = await sources[config.source](main, config, emit)
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

async function completing(source: Source, main: Server): Promise<Source> {
  const { Completing } = await import('./sources/complete.js')
  return new Completing(source, main)
}

async function openSink(config: FollowConfig, emit: EmitFollow): Promise<Sink> {
  if (!isClickHouse(config.to))
    return (await import('./sinks/postgres/sink.js')).openPostgresSink(config, emit)
  return (await import('./sinks/clickhouse/sink.js')).openClickHouseSink(config, emit)
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
