/** The broker that tests start is a real one: what it has confirmed is there after kill -9. */
import { Kafka, logLevel } from 'kafkajs'
import { describe, expect, test } from 'vitest'
import { findKafka } from './kafka.js'

const kafka = await findKafka()

describe.skipIf(kafka.skipReason)(`${kafka.title}`, () => {
  test('keeps what it has confirmed when it is killed and started again', async () => {
    const server = await kafka.start()
    try {
      const client = new Kafka({ brokers: [server.address], logLevel: logLevel.NOTHING })
      const admin = client.admin()
      const producer = client.producer()
      await admin.connect()
      await admin.createTopics({ topics: [{ topic: 'kept', numPartitions: 1 }], waitForLeaders: true })
      await producer.connect()
      await producer.send({ topic: 'kept', messages: [{ value: 'still here' }] })
      await server.stop('kill')
      await server.start()
      expect(await admin.fetchTopicOffsets('kept')).toMatchObject([{ high: '1' }])
      await producer.disconnect()
      await admin.disconnect()
    } finally {
      await server.close()
    }
  })
})
