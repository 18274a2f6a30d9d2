/** Reads a group's dead letters. Where it would go on is kept as the offset of a group of their own, and moves when they are replayed. */
import { setTimeout as delay } from 'node:timers/promises'
import type { KafkaMessage } from 'kafkajs'
import { TemporaryError } from '../../../core/errors.js'
import { judge } from './failure.js'
import { goodbye, type Link } from './link.js'

/** Milliseconds. */
const patience = 30_000

/**
 * Hands over the letters that were not replayed yet, at most so many.
 * @param done whether they count as replayed then.
 */
export async function readLetters(
  link: Link,
  dead: string,
  limit: number,
  use: (letters: readonly KafkaMessage[]) => Promise<void>,
  done: boolean
): Promise<void> {
  const high = await link.ask(async admin => (await admin.fetchTopicOffsets(dead))[0]!.high)
  const [at] = await link.ask(
    async admin => (await admin.fetchOffsets({ groupId: dead, topics: [dead] }))[0]!.partitions
  )
  if (BigInt(at?.offset ?? -1) >= BigInt(high) || high === '0') return
  const consumer = link
    .client(3)
    .consumer({ groupId: dead, maxWaitTimeInMs: 250, allowAutoTopicCreation: false })
  try {
    const letters: KafkaMessage[] = []
    const over = new AbortController()
    const whole = new Promise<void>((resolve, reject) => {
      consumer.on('consumer.crash', ({ payload: { error } }) => reject(error))
      void delay(patience, undefined, { signal: over.signal }).then(
        () =>
          reject(
            new TemporaryError(`the dead letters in ${dead} cannot be read: somebody else may be doing it`)
          ),
        () => {}
      )
      const run = async () => {
        await consumer.connect()
        await consumer.subscribe({ topics: [dead], fromBeginning: true })
        await consumer.run({
          autoCommit: false,
          eachBatch: async ({ batch }) => {
            letters.push(...batch.messages)
            if (letters.length >= limit || BigInt(batch.lastOffset()) + 1n >= BigInt(high)) resolve()
          }
        })
      }
      run().catch(reject)
    })
    await whole.finally(() => over.abort())
    const taken = letters.slice(0, limit)
    await use(taken)
    const last = taken.at(-1)
    if (done && last)
      await consumer.commitOffsets([{ topic: dead, partition: 0, offset: String(BigInt(last.offset) + 1n) }])
  } catch (error) {
    throw judge(error, link.place)
  } finally {
    await goodbye(() => consumer.disconnect())
  }
}
