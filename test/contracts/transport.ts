/**
 * What every transport must do: batches arrive in their order, whole and as they were sent; `send` settles only when a receiver has
 * acknowledged, or the broker has it for good; what was not acknowledged is not gone.
 */
import { describe, expect, test } from 'vitest'
import type { Change, ChangeBatch, Delivery, Transport } from '../../src/follow/ports.js'
import type { FollowedTable } from '../../src/follow/table.js'

export interface TransportSetup {
  transport: Transport
  close(): Promise<void>
}

export interface TransportTraits {
  /** Batches arrive as they were sent, also those that only move the position; else changes do, in batches cut anyhow. */
  whole: boolean
}

const integer = { type: 'integer', base: 'integer', kind: 'b', builtin: true, array: false, notNull: true }
const text = { type: 'text', base: 'text', kind: 'b', builtin: true, array: false, notNull: false }
/** What the batches are of: a receiver must know it. */
export const table: FollowedTable = {
  schema: 'public',
  name: 'items',
  columns: [
    { name: 'id', ...integer },
    { name: 'name', ...text }
  ],
  keyLength: 1
}

/** A batch of one row of every operation. */
const batchOf = (n: number): ChangeBatch => ({
  changes: [
    { table, operation: 'insert', row: `${n}\ta\\tb ${n}`, version: BigInt(n), position: String(n) },
    { table, operation: 'update', row: `${n}\t\\N`, old: `${n}\tx`, version: BigInt(n), position: String(n) },
    { table, operation: 'delete', old: String(n), version: 2n ** 62n, position: String(n) }
  ],
  position: String(n),
  committedAt: 1000 + n
})

export function transportContract(
  name: string,
  { whole }: TransportTraits,
  setup: () => Promise<TransportSetup>
): void {
  const using = (work: (transport: Transport, signal: AbortSignal) => Promise<void>) => async () => {
    const { transport, close } = await setup()
    const over = new AbortController()
    try {
      await work(transport, over.signal)
    } finally {
      over.abort()
      await close()
    }
  }

  describe(`the transport ${name}`, () => {
    test(
      'brings batches in their order, as they were sent',
      using(async (transport, signal) => {
        const sent = Array.from({ length: 20 }, (_, at) => batchOf(at + 1))
        const got: ChangeBatch[] = []
        const sending = (async () => {
          // One that can be called ahead is called for all of them at once.
          const sends: Promise<void>[] = []
          for (const batch of sent) {
            sends.push(transport.send(batch, signal))
            if (!transport.pipelined) await sends.at(-1)
          }
          await Promise.all(sends)
          await transport.end()
        })()
        for await (const { batch, ack } of transport.receive(signal)) {
          got.push(batch)
          await ack()
        }
        await sending
        if (whole) expect(got).toEqual(sent)
        expect(got.flatMap(batch => batch.changes)).toEqual(sent.flatMap(batch => batch.changes))
        expect(got.at(-1)!.committedAt).toBe(sent.at(-1)!.committedAt)
      })
    )

    test(
      'takes a batch that only moves the position',
      using(async (transport, signal) => {
        const batch: ChangeBatch = { changes: [], position: '7', committedAt: undefined }
        const sending = transport.send(batch, signal)
        if (!whole) return sending
        const { delivery } = await first(transport, signal)
        expect(delivery.batch).toEqual(batch)
        await delivery.ack()
        await sending
      })
    )

    test(
      'brings again what was not acknowledged',
      using(async (transport, signal) => {
        const sending = transport.send(batchOf(1), signal)
        const { changes } = batchOf(1)
        expect(await taken(transport, changes.length, signal, false)).toEqual(changes)
        expect(await taken(transport, changes.length, signal, true)).toEqual(changes)
        await sending
      })
    )

    test(
      'ends what waits as soon as the signal is aborted',
      using(async transport => {
        const over = new AbortController()
        const receiving = (async () => {
          for await (const { ack } of transport.receive(over.signal)) await ack()
        })()
        over.abort(new Error('enough'))
        await expect(receiving).rejects.toThrow('enough')
      })
    )
  })
}

/** So many changes, acknowledged or left. */
async function taken(transport: Transport, count: number, signal: AbortSignal, acknowledge: boolean) {
  const changes: Change[] = []
  for await (const { batch, ack } of transport.receive(signal)) {
    changes.push(...batch.changes)
    if (acknowledge) await ack()
    if (changes.length >= count) break
  }
  return changes
}

async function first(transport: Transport, signal: AbortSignal): Promise<{ delivery: Delivery }> {
  for await (const delivery of transport.receive(signal)) return { delivery }
  throw new Error('nothing came')
}
