/**
 * What every transport must do: batches arrive in their order, whole and as they were sent; `send` settles only when a receiver has
 * acknowledged, or the broker has it for good; what was not acknowledged is not gone.
 */
import { describe, expect, test } from 'vitest'
import type { ChangeBatch, Delivery, Transport } from '../../src/follow/ports.js'
import type { FollowedTable } from '../../src/follow/table.js'

export interface TransportSetup {
  transport: Transport
  close(): Promise<void>
}

const integer = { type: 'integer', base: 'integer', kind: 'b', builtin: true, array: false, notNull: true }
const text = { type: 'text', base: 'text', kind: 'b', builtin: true, array: false, notNull: false }
const table: FollowedTable = {
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

export function transportContract(name: string, setup: () => Promise<TransportSetup>): void {
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
          for (const batch of sent) await transport.send(batch, signal)
          await transport.end()
        })()
        for await (const { batch, ack } of transport.receive(signal)) {
          got.push(batch)
          await ack()
        }
        await sending
        expect(got).toEqual(sent)
      })
    )

    test(
      'carries a batch that only moves the position',
      using(async (transport, signal) => {
        const batch: ChangeBatch = { changes: [], position: '7', committedAt: undefined }
        const sending = transport.send(batch, signal)
        const { delivery } = await first(transport, signal)
        expect(delivery.batch).toEqual(batch)
        await delivery.ack()
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

async function first(transport: Transport, signal: AbortSignal): Promise<{ delivery: Delivery }> {
  for await (const delivery of transport.receive(signal)) return { delivery }
  throw new Error('nothing came')
}
