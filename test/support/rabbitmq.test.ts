/** The broker that tests start is a real one: what it has confirmed is there after kill -9. */
import amqp from 'amqplib'
import { describe, expect, test } from 'vitest'
import { findRabbitMq } from './rabbitmq.js'

const rabbit = await findRabbitMq()

describe.skipIf(rabbit.skipReason)(`${rabbit.title}`, () => {
  test('keeps what it has confirmed when it is killed and started again', async () => {
    const server = await rabbit.start()
    try {
      const first = await amqp.connect(server.url)
      first.on('error', () => {})
      const channel = await first.createConfirmChannel()
      channel.on('error', () => {})
      await channel.assertQueue('kept', { durable: true })
      channel.sendToQueue('kept', Buffer.from('still here'), { persistent: true })
      await channel.waitForConfirms()
      const { pid } = server
      await server.stop('kill')
      expect(server.pid).toBe(0)
      await server.start()
      expect(server.pid).not.toBe(pid)
      const second = await amqp.connect(server.url)
      const message = await (await second.createChannel()).get('kept', { noAck: true })
      expect(message && message.content.toString()).toBe('still here')
      await second.close()
    } finally {
      await server.close()
    }
  })
})
