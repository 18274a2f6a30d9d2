/**
 * Publishing: a source and a broker. Main may forget a change only when the broker has confirmed it, and where to go on is what main
 * remembers: the slot, or the outbox. For poll and notify main remembers nothing, and a state file does.
 */
import { ConfigError, GuardError } from '../core/errors.js'
import type { EmitFollow } from '../core/events.js'
import type { Server } from '../postgres/server.js'
import { installCommand } from './capture/capture.js'
import { completePublish, type FollowConfig, type FollowOptions } from './config.js'
import { watch } from './follow.js'
import { produce, told } from './loops.js'
import type { Position, Source, Transport } from './ports.js'
import type { FollowReport } from './report.js'
import { holding, running, type FollowContext } from './running.js'
import { publishRows } from './rows.js'
import { StateFile } from './statefile.js'
import { together, within } from './supervise.js'
import { nameOf } from './table.js'
import { captureFor, completing, openBroker, openMain, openSource } from './wiring.js'

/**
 * Publishes until the signal is aborted, or, with `once` or `snapshot: 'only'`, until all is with the broker.
 * @throws ConfigError for wrong options; the signal's reason; what a first connection, or anything that another try will not mend,
 *   ended with.
 */
export async function publish(
  options: Partial<FollowOptions>,
  context: FollowContext = {}
): Promise<FollowReport> {
  const config = completePublish(options)
  return running('publish', config, context, (...given) => session(config, ...given))
}

async function session(
  config: FollowConfig,
  emit: EmitFollow,
  signal: AbortSignal,
  opened: () => void
): Promise<void> {
  await holding(async kept => {
    const broker = await kept(openBroker(config))
    const main = await kept(openMain(config))
    await refuseUninstalled(main, config)
    const own = await kept(openSource(main, config, emit))
    const source = config.payload === 'key' ? own : await kept(completing(own, main))
    opened()
    await within(signal, over => run(source, broker, config, emit, over))
  })
}

/** A slot that follow would make would begin now; what was changed since the last time would be lost without a word. */
async function refuseUninstalled(main: Server, config: FollowConfig): Promise<void> {
  if (config.source === 'poll') return
  const capture = await captureFor(config.source)(main, config)
  const { installed } = await capture.status()
  if (installed) return
  throw new ConfigError(
    `the ${config.source} capture ${config.name} is not installed on main as it must be`,
    {
      hint: `${installCommand(config)} makes it; pgsyncer capture status shows what is there.`
    }
  )
}

async function run(
  source: Source,
  broker: Transport,
  config: FollowConfig,
  emit: EmitFollow,
  over: AbortController
): Promise<void> {
  const file = config.stateFile === undefined ? undefined : new StateFile(config.stateFile, config.name)
  const { origin } = source
  const known = await file?.read()
  if (known && known.origin !== origin) {
    throw new GuardError(
      `the state file ${config.stateFile} is of another source: ${known.origin}, not ${origin}`,
      {
        hint: 'Give this stream a --state-file of its own.'
      }
    )
  }
  const keep = async (position: Position) => file?.write({ origin, position, tables: {} })
  if (config.snapshot === 'only') return publishAll(source, broker, config, emit, keep, over.signal)
  emit({ type: 'state', state: 'following' })
  const start = { after: known?.position ?? null, since: {}, once: config.once }
  const works = [
    produce(keeping(source, keep), broker, start, over.signal, (batch, duration) =>
      emit(told(batch, duration))
    )
  ]
  await together(over, works, watch(source, emit, over.signal))
}

/** The source, but an acknowledgement is kept here before it goes to main. */
function keeping(
  source: Source,
  keep: (position: Position) => Promise<void>
): Pick<Source, 'stream' | 'ack'> {
  return {
    stream: (start, signal) => source.stream(start, signal),
    async ack(position) {
      await keep(position)
      await source.ack(position)
    }
  }
}

async function publishAll(
  source: Source,
  broker: Transport,
  { batchSize }: FollowConfig,
  emit: EmitFollow,
  keep: (position: Position) => Promise<void>,
  signal: AbortSignal
): Promise<void> {
  emit({ type: 'state', state: 'copying' })
  const snapshot = await source.snapshot(source.tables, signal)
  try {
    for (const table of source.tables) {
      emit({ type: 'copy-start', table: nameOf(table), rows: snapshot.estimate(table) })
      const rows = await publishRows(snapshot, broker, table, batchSize, signal)
      emit({ type: 'copy-end', table: nameOf(table), rows })
    }
    await keep(snapshot.position)
    await snapshot.done()
  } finally {
    await snapshot.close()
  }
}
