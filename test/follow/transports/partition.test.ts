/** A key is in the same partition as with any other producer. */
import { Partitioners } from 'kafkajs'
import { expect, test } from 'vitest'
import { partitionOf } from '../../../src/follow/transports/kafka/partition.js'

test('partitions are those of Kafka’s own producers', () => {
  const partitioner = Partitioners.DefaultPartitioner()
  for (const partitions of [1, 3, 6, 100]) {
    const partitionMetadata = Array.from({ length: partitions }, (_, partitionId) => ({
      partitionErrorCode: 0,
      partitionId,
      leader: 1,
      replicas: [1],
      isr: [1]
    }))
    for (let n = 0; n < 500; n++) {
      const key = `public.täble\n${'x'.repeat(n % 9)}${n * 7919}`
      expect(partitionOf(key, partitions)).toBe(
        partitioner({ topic: 't', partitionMetadata, message: { key, value: '' } })
      )
    }
  }
})
