/** The only file that names the adapters: from a config to a source, a sink and what lies between them. */
import { ConfigError, messageOf } from '../core/errors.js'
import type { EmitFollow } from '../core/events.js'
import { openServer } from '../postgres/connect.js'
import type { Server } from '../postgres/server.js'
import type { Capture } from './capture/capture.js'
import { openNotifyCapture } from './capture/notify.js'
import { openOutboxCapture } from './capture/outbox.js'
import { openWalCapture } from './capture/wal.js'
import { isClickHouse, type FollowConfig, type SourceKind } from './config.js'
import type { Sink, Source, StoredStream } from './ports.js'
import { openClickHouseSink } from './sinks/clickhouse/sink.js'
import { readClickHouseStreams } from './sinks/clickhouse/streams.js'
import { openPostgresSink } from './sinks/postgres/sink.js'
import { readPostgresStreams } from './sinks/postgres/streams.js'
import { Completing } from './sources/complete.js'
import { openNotify } from './sources/notify.js'
import { openOutbox } from './sources/outbox.js'
import { openPoll } from './sources/poll.js'
import { openWal } from './sources/wal/source.js'

const sources: Record<
  SourceKind,
  (server: Server, config: FollowConfig, emit: EmitFollow) => Promise<Source>
> = { poll: openPoll, notify: openNotify, outbox: openOutbox, wal: openWal }

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
    const sink = await openSink(config, emit)
    ends.push(sink)
    const own = await sources[config.source](main, config, emit)
    const source = sink.capabilities.partial ? own : new Completing(own, main)
    ends.push(source)
    return { source, sink, close }
  } catch (error) {
    await close()
    throw error
  }
}

export const openMain = ({ main, env, lockTimeout, statementTimeout }: FollowConfig): Promise<Server> =>
  openServer('main', main, env, { lockTimeout, statementTimeout })

export const openSink = (config: FollowConfig, emit: EmitFollow): Promise<Sink> =>
  isClickHouse(config.to) ? openClickHouseSink(config, emit) : openPostgresSink(config, emit)

/** What the sink remembers of all its streams. */
export const readStreams = (config: FollowConfig): Promise<StoredStream[]> =>
  isClickHouse(config.to) ? readClickHouseStreams(config) : readPostgresStreams(config)

const captures: Partial<Record<SourceKind, (server: Server, config: FollowConfig) => Promise<Capture>>> = {
  notify: openNotifyCapture,
  outbox: openOutboxCapture,
  wal: openWalCapture
}

/**
 * How to open what the source needs on main.
 * @throws ConfigError for one that needs nothing.
 */
export function captureFor(source: SourceKind): (server: Server, config: FollowConfig) => Promise<Capture> {
  const open = captures[source]
  if (open) return open
  throw new ConfigError(`the source ${source} needs nothing on main`, {
    hint: 'It reads the table itself. notify, outbox and wal are the sources that capture is for.'
  })
}
