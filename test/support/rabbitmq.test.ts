/** The broker that tests start is a real one: what it has confirmed is there after kill -9. */
import amqp from 'amqplib'
import { describe, expect, test } from 'vitest'
import { findRabbitMq } from './rabbitmq.js'

const rabbit = await findRabbitMq()

describe.skipIf(rabbit.skipReason)(`${rabbit.title}`, () => {
  test('keeps what it has confirmed when it is killed and started again', async () => {
    const server = await rabbit.start()
    try {
      await declare(server.url)
      // A killed broker may lose a queue that it has only just confirmed: its definitions are written a moment later.
      await server.stop()
      await server.start()
      await send(server.url)
      const { pid } = server
      await server.stop('kill')
      expect(server.pid).toBe(0)
      await server.start()
      expect(server.pid).not.toBe(pid)
      expect(await received(server.url)).toBe('still here')
    } finally {
      await server.close()
    }
  })
})

async function declare(url: string): Promise<void> {
  const connection = await amqp.connect(url)
  const channel = await connection.createChannel()
  await channel.assertQueue('kept', { durable: true })
  await connection.close()
}

/** Leaves its connection open: the broker is killed under it. */
async function send(url: string): Promise<void> {
  const connection = await amqp.connect(url)
  connection.on('error', () => {})
  const channel = await connection.createConfirmChannel()
  channel.on('error', () => {})
  channel.sendToQueue('kept', Buffer.from('still here'), { persistent: true })
  await channel.waitForConfirms()
}

async function received(url: string): Promise<string> {
  const connection = await amqp.connect(url)
  const channel = await connection.createChannel()
  const message = await channel.get('kept', { noAck: true })
  await connection.close()
  return message ? message.content.toString() : ''
}
