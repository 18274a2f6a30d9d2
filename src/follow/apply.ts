/**
 * Applying: a broker and a sink. A message is acknowledged when the sink has it for good, so that what a crash leaves between the two
 * comes again. What the sink will not take, however often it is tried, goes to the dead letters, and the rest goes on.
 */
import { messageOf } from '../core/errors.js'
import type { EmitFollow } from '../core/events.js'
import type { Server } from '../postgres/server.js'
import { completeApply, fromOf, type FollowConfig, type FollowOptions } from './config.js'
import { told } from './loops.js'
import type { ShapeOf } from './message/message.js'
import type { Change, ChangeBatch, Sink } from './ports.js'
import type { FollowReport } from './report.js'
import { holding, running, type FollowContext } from './running.js'
import { asMainHasThem } from './replayed.js'
import { readFollowed } from './shapes.js'
import type { Completer } from './sources/complete.js'
import { isTemporary, within } from './supervise.js'
import { nameOf, type FollowedTable } from './table.js'
import type { BrokerDelivery, BrokerTransport } from './transports/broker.js'
import { openBroker, openCompleter, openMain, openSink, openStandby } from './wiring.js'

/**
 * Applies until the signal is aborted, or, with `once`, until the group has all that is there.
 * @throws ConfigError for wrong options; the signal's reason; what a first connection, or anything that another try will not mend,
 *   ended with.
 */
export async function apply(
  options: Partial<FollowOptions>,
  context: FollowContext = {}
): Promise<FollowReport> {
  const config = completeApply(options)
  const begun = { sought: config.from === undefined }
  return running('apply', config, context, (...given) => session(config, ...given, begun))
}

async function session(
  config: FollowConfig,
  emit: EmitFollow,
  signal: AbortSignal,
  opened: () => void,
  begun: { sought: boolean }
): Promise<void> {
  await holding(async kept => {
    // Without main, the standby's own tables say what messages are about.
    const catalog = await kept<Server>(config.main ? openMain(config) : openStandby(config))
    const completer = config.main ? await kept(openCompleter(catalog)) : undefined
    const sink = await kept(openSink(config, emit, true))
    const broker = await kept(
      openBroker(config, {
        group: config.group,
        shapeOf: await shapesOf(catalog, config),
        ...(config.deadLetterAfter > 0 && {
          onDeadLetter: ({ where, reason }) =>
            emit({ type: 'note', message: `put aside, ${where}: ${reason}` })
        })
      })
    )
    opened()
    if (!begun.sought) await broker.seek(fromOf(config.from!)!)
    begun.sought = true
    if (config.once) await broker.end()
    emit({ type: 'state', state: 'following' })
    const applier = new Applier(broker, sink, completer, config, emit)
    await within(signal, async over => {
      for await (const delivery of broker.receive(over.signal)) await applier.take(delivery, over.signal)
    })
  })
}

async function shapesOf(server: Server, config: FollowConfig): Promise<ShapeOf> {
  const { tables } = config
  const named = tables.length > 0
  const followed = await readFollowed(
    server.sql,
    server.can,
    { ...config, tables: named ? tables : ['*'] },
    !named
  )
  const shapes = new Map(followed.map(({ shape }) => [nameOf(shape), shape]))
  return (schema, name) => shapes.get(nameOf({ schema, name }))
}

class Applier {
  readonly #prepared = new Set<FollowedTable>()

  constructor(
    private readonly broker: BrokerTransport,
    private readonly sink: Sink,
    private readonly completer: Completer | undefined,
    private readonly config: FollowConfig,
    private readonly emit: EmitFollow
  ) {}

  /** Writes and acknowledges, or gives all of it back. */
  async take(delivery: BrokerDelivery, signal: AbortSignal): Promise<void> {
    const { batch, messages } = delivery
    const replayed = new Set(batch.changes.filter((_, at) => messages[at]!.replayed))
    try {
      await this.#write(batch, replayed, signal)
    } catch (error) {
      try {
        if (signal.aborted || isTemporary(error) || this.config.deadLetterAfter === 0) throw error
        await this.#singly(delivery, replayed, signal)
      } catch (last) {
        await delivery.nack(last)
        throw last
      }
    }
    await delivery.ack()
  }

  async #write(batch: ChangeBatch, replayed: ReadonlySet<Change>, signal: AbortSignal): Promise<void> {
    const began = performance.now()
    const { completer, sink } = this
    const right = sink.capabilities.overwrites ? await asMainHasThem(batch, replayed, completer) : batch
    const whole = completer ? await completer.complete(right, signal) : right
    for (const { table } of whole.changes) {
      if (this.#prepared.has(table)) continue
      const added = await this.sink.prepare(table)
      if (added.length > 0) this.emit({ type: 'schema', table: nameOf(table), added })
      this.#prepared.add(table)
    }
    await this.sink.write(whole, signal)
    this.emit(told(whole, performance.now() - began))
  }

  /** One change after the other; what is refused as often as that is allowed goes to the dead letters. */
  async #singly(
    { batch, messages }: BrokerDelivery,
    replayed: ReadonlySet<Change>,
    signal: AbortSignal
  ): Promise<void> {
    for (const [at, change] of batch.changes.entries()) {
      const position = `${batch.position}#${at}`
      const refusal = await this.#tried({ ...batch, changes: [change], position }, replayed, signal)
      if (refusal === undefined) continue
      const { where } = messages[at]!
      await this.broker.deadLetter(messages[at]!, refusal)
      this.emit({ type: 'note', message: `put aside, ${where}: ${refusal}` })
    }
  }

  /** @returns why the last of the tries failed; undefined: one did not. */
  async #tried(
    batch: ChangeBatch,
    replayed: ReadonlySet<Change>,
    signal: AbortSignal
  ): Promise<string | undefined> {
    let refusal: string | undefined
    for (let tries = 0; tries < this.config.deadLetterAfter; tries++) {
      try {
        await this.#write(batch, replayed, signal)
        return undefined
      } catch (error) {
        if (signal.aborted || isTemporary(error)) throw error
        refusal = messageOf(error)
      }
    }
    return refusal
  }
}
