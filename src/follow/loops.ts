/**
 * The two loops. The producer lets its source forget a batch only when the transport has it for good; the consumer lets the
 * transport forget it only when the sink has it for good.
 */
import type { EmitFollow, FollowEvent } from '../core/events.js'
import type { ChangeBatch, Sink, Source, Start, Transport } from './ports.js'
import { within } from './supervise.js'
import { nameOf, type FollowedTable } from './table.js'

/**
 * Sends what the source has until it ends or the signal is aborted; `sent` is told of each batch that is safe, in milliseconds. Where the
 * transport can, one batch is sent while the one before is confirmed.
 */
export async function produce(
  source: Pick<Source, 'stream' | 'ack'>,
  transport: Transport,
  start: Start,
  signal: AbortSignal,
  sent: (batch: ChangeBatch, duration: number) => void = () => {}
): Promise<void> {
  await within(signal, async over => {
    let safe = Promise.resolve()
    const settle = async (batch: ChangeBatch, before: Promise<void>) => {
      const began = performance.now()
      await Promise.all([before, transport.send(batch, over.signal)])
      await source.ack(batch.position)
      sent(batch, performance.now() - began)
    }
    for await (const batch of source.stream({ ...start, settled: () => safe }, over.signal)) {
      const before = safe
      safe = settle(batch, before)
      // The stream ends then, also while it waits for changes.
      safe.catch(error => over.abort(error))
      await (transport.pipelined ? before : safe)
    }
    await safe
  })
  await transport.end()
}

/** Writes what comes until there is no more. A batch that cannot be written goes back, and is the loop's error. */
export async function consume(
  transport: Transport,
  sink: Sink,
  emit: EmitFollow,
  signal: AbortSignal
): Promise<void> {
  const prepared = new Set<FollowedTable>()
  for await (const { batch, ack, nack } of transport.receive(signal)) {
    try {
      for (const { table } of batch.changes) {
        if (prepared.has(table)) continue
        const added = await sink.prepare(table)
        if (added.length > 0) emit({ type: 'schema', table: nameOf(table), added })
        prepared.add(table)
      }
      const began = performance.now()
      await sink.write(batch, signal)
      emit(told(batch, performance.now() - began))
    } catch (error) {
      await nack(error)
      throw error
    }
    await ack()
  }
}

/** A batch that is safe, as an event. @param duration in milliseconds */
export function told({ changes, position, committedAt }: ChangeBatch, duration: number): FollowEvent {
  const tables: Extract<FollowEvent, { type: 'batch' }>['tables'] = {}
  for (const { table, operation } of changes) {
    const counts = (tables[nameOf(table)] ??= {})
    counts[operation] = (counts[operation] ?? 0) + 1
  }
  return { type: 'batch', tables, changes: changes.length, position, committedAt, duration }
}
