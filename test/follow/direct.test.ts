/** The transport without a broker. */
import { expect, test } from 'vitest'
import { DirectTransport } from '../../src/follow/transports/direct.js'
import { transportContract } from '../contracts/transport.js'

transportContract('direct', { whole: true }, async () => ({
  transport: new DirectTransport(),
  close: async () => {}
}))

const batch = { changes: [], position: '1', committedAt: undefined }

test('is not sent before the receiver has acknowledged', async () => {
  const transport = new DirectTransport()
  const { signal } = new AbortController()
  let sent = false
  const sending = transport.send(batch, signal).then(() => (sent = true))
  for await (const { ack } of transport.receive(signal)) {
    await new Promise(setImmediate)
    expect(sent).toBe(false)
    await ack()
    break
  }
  await sending
  expect(sent).toBe(true)
})

test('gives the receiver’s error to the sender', async () => {
  const transport = new DirectTransport()
  const { signal } = new AbortController()
  const sending = transport.send(batch, signal)
  const failed = sending.catch((error: unknown) => error)
  for await (const { nack } of transport.receive(signal)) {
    await nack(new Error('the sink is full'))
    break
  }
  expect(await failed).toEqual(new Error('the sink is full'))
})

test('a sender that waits ends with the signal', async () => {
  const over = new AbortController()
  const sending = new DirectTransport().send(batch, over.signal)
  over.abort(new Error('enough'))
  await expect(sending).rejects.toThrow('enough')
})
