/** RabbitMQ as a transport, on a real broker: nothing lost when it is killed, order kept, and each fault told in words. */
import amqp from 'amqplib'
import { setTimeout as delay } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  ConfigError,
  ConnectionError,
  FollowError,
  messageOf,
  TemporaryError
} from '../../../src/core/errors.js'
import { freePort } from '../../../src/cli/demo/servers.js'
import type { Change } from '../../../src/follow/ports.js'
import type { BrokerTransport, DeadLetter } from '../../../src/follow/transports/broker.js'
import { openRabbitMq, type RabbitMqOptions } from '../../../src/follow/transports/rabbitmq/rabbitmq.js'
import { table, transportContract } from '../../contracts/transport.js'
import { findRabbitMq, type RabbitMqServer } from '../../support/rabbitmq.js'
import { newStream, transportKit } from './kit.js'

const rabbit = await findRabbitMq()

describe.skipIf(rabbit.skipReason)(`${rabbit.title}`, () => {
  let server: RabbitMqServer

  beforeAll(async () => {
    server = await rabbit.start()
  })
  afterAll(() => server?.close())

  const { signal, batchOf, drain, ...kit } = transportKit(10, openRabbitMq)
  const open = (stream: string, more: Partial<RabbitMqOptions> = {}) =>
    kit.open({ url: server.url, stream, shapeOf: () => table, ...more })

  transportContract('rabbitmq', { whole: false }, async () => {
    const transport = await openRabbitMq({
      url: server.url,
      stream: newStream(),
      group: 'one',
      shapeOf: () => table
    })
    return { transport, close: () => transport.close() }
  })

  test('brings everything to each group, and to each only once', async () => {
    const stream = newStream()
    const [first, second] = [await open(stream, { group: 'a' }), await open(stream, { group: 'b' })]
    const sender = await open(stream)
    for (let at = 1; at <= 5; at++) await sender.send(batchOf(at * 1000, 1000), signal)
    expect(await second.waiting()).toBe(5000)
    for (const group of [first, second]) {
      expect((await drain(group)).map(one => one.version)).toEqual(
        Array.from({ length: 5000 }, (_, at) => BigInt(1000 + at))
      )
      expect(await group.waiting()).toBe(0)
    }
  })

  test('batches are no larger than asked for', async () => {
    const transport = await open(newStream(), { group: 'a', batchSize: 64 })
    await transport.send(batchOf(1, 1000), signal)
    await transport.end()
    const sizes: number[] = []
    for await (const { batch, messages, ack } of transport.receive(signal)) {
      sizes.push(batch.changes.length)
      expect(messages).toHaveLength(batch.changes.length)
      await ack()
    }
    expect(Math.max(...sizes)).toBe(64)
    expect(sizes.reduce((sum, size) => sum + size)).toBe(1000)
  })

  test('what is given back comes again, before what follows it', async () => {
    const transport = await open(newStream(), { group: 'a', batchSize: 10 })
    await transport.send(batchOf(1, 100), signal)
    await transport.end()
    const got: number[] = []
    let refused = 0
    for await (const { batch, ack, nack } of transport.receive(signal)) {
      if (batch.changes.some(one => one.version === 35n) && refused++ < 3) {
        await nack(new Error('not now'))
        continue
      }
      got.push(...batch.changes.map(one => Number(one.version)))
      await ack()
    }
    expect(refused).toBe(4)
    expect(got).toEqual(Array.from({ length: 100 }, (_, at) => at + 1))
  })

  test('a second receiver of the group waits, and takes over in order', async () => {
    const stream = newStream()
    const [first, second] = [
      await open(stream, { group: 'a', batchSize: 5 }),
      await open(stream, { group: 'a' })
    ]
    await first.send(batchOf(1, 50), signal)
    const one = first.receive(signal)[Symbol.asyncIterator]()
    const { value } = await one.next()
    await value!.ack()
    const rest = drain(second)
    const connection = await amqp.connect(server.url)
    const channel = await connection.createChannel()
    while ((await channel.checkQueue(`pgsyncer.${stream}.a`)).consumerCount < 2) await delay(5)
    await connection.close()
    await first.close()
    const got = [...value!.batch.changes, ...(await rest)].map(change => Number(change.version))
    expect(got).toEqual(Array.from({ length: 50 }, (_, at) => at + 1))
  })

  test('a message that finds no queue is the sender’s error', async () => {
    const sender = await open(newStream())
    const sending = sender.send(batchOf(1, 10), signal)
    await expect(sending).rejects.toThrow(TemporaryError)
    await expect(sending).rejects.toThrow(/has no queue behind the exchange pgsyncer\./)
  })

  test('calls that overlap are sent one after the other', async () => {
    const transport = await open(newStream(), { group: 'a' })
    await Promise.all(
      Array.from({ length: 20 }, (_, at) => transport.send(batchOf(at * 500 + 1, 500), signal))
    )
    const got = (await drain(transport)).map(one => Number(one.version))
    expect(got).toEqual(Array.from({ length: 10_000 }, (_, at) => at + 1))
  })

  describe('a message that cannot be read', () => {
    const poisoned = async (more: Partial<RabbitMqOptions>) => {
      const stream = newStream()
      const transport = await open(stream, { group: 'a', ...more })
      await transport.send(batchOf(1, 5), signal)
      const connection = await amqp.connect(server.url)
      const channel = await connection.createConfirmChannel()
      channel.publish(`pgsyncer.${stream}`, 'public.items', Buffer.from('{"version":1'), { messageId: 'p6' })
      await channel.waitForConfirms()
      await connection.close()
      await transport.send(batchOf(7, 5), signal)
      return transport
    }

    test('ends the receiver, behind all that was before it', async () => {
      const transport = await poisoned({})
      const got: Change[] = []
      const receiving = (async () => {
        for await (const { batch, ack } of transport.receive(signal)) {
          got.push(...batch.changes)
          await ack()
        }
      })()
      await expect(receiving).rejects.toThrow(FollowError)
      await expect(receiving).rejects.toThrow('a message is not JSON (public.items at p6)')
      expect(got).toHaveLength(5)
      expect(await transport.waiting()).toBe(6)
    })

    test('goes to the dead letters, and the rest goes on', async () => {
      const told: DeadLetter[] = []
      const transport = await poisoned({ onDeadLetter: letter => told.push(letter) })
      expect(await drain(transport)).toHaveLength(10)
      const [letter] = await transport.deadLetters()
      expect(letter).toMatchObject({ content: '{"version":1', where: 'public.items at p6' })
      expect(letter!.reason).toMatch(/is not JSON/)
      expect(letter!.at).toBeGreaterThan(Date.now() - 60_000)
      expect(told).toMatchObject([{ reason: letter!.reason }])
    })
  })

  test('what the writer refuses lies aside with its reason until it is replayed', async () => {
    const transport = await open(newStream(), { group: 'a' })
    await transport.send(batchOf(1, 3), signal)
    await transport.end()
    for await (const { messages, ack } of transport.receive(signal)) {
      for (const message of messages) await transport.deadLetter(message, 'the column is full')
      await ack()
    }
    const letters = await transport.deadLetters()
    expect(letters.map(letter => [letter.where, letter.reason])).toEqual([
      ['public.items at 0000000001', 'the column is full'],
      ['public.items at 0000000002', 'the column is full'],
      ['public.items at 0000000003', 'the column is full']
    ])
    // Reading them does not move them.
    expect(await transport.deadLetters(2)).toEqual(letters.slice(0, 2))
    expect(await transport.replay()).toBe(3)
    expect(await transport.deadLetters()).toEqual([])
    expect(await drain(transport)).toEqual(batchOf(1, 3).changes)
  })

  describe('is told in words:', () => {
    test('a queue with other properties', async () => {
      const stream = newStream()
      const connection = await amqp.connect(server.url)
      await (await connection.createChannel()).assertQueue(`pgsyncer.${stream}.a`, { durable: false })
      await connection.close()
      const opening = open(stream, { group: 'a' })
      await expect(opening).rejects.toThrow(ConfigError)
      await expect(opening).rejects.toThrow(
        new RegExp(`the queue pgsyncer\\.${stream}\\.a .* other properties`)
      )
    })

    test('an exchange with other properties', async () => {
      const stream = newStream()
      const connection = await amqp.connect(server.url)
      await (await connection.createChannel()).assertExchange(`pgsyncer.${stream}`, 'fanout')
      await connection.close()
      await expect(open(stream)).rejects.toThrow(
        new RegExp(`the exchange pgsyncer\\.${stream} .* other properties`)
      )
    })

    test('a wrong password, which is nowhere in it', async () => {
      const url = server.url.replace(server.password, 'wr%2Fong-secret')
      const error = await open(newStream(), { url }).catch((error: unknown) => error as Error)
      expect(error).toBeInstanceOf(ConnectionError)
      expect((error as Error).message).toMatch(/does not let user tester in: wrong name or password/)
      expect(everythingIn(error)).not.toMatch(/wr(%2F|\/)ong/i)
    })

    test.each([
      ['amqp://a,b', /several hosts/],
      ['amqp://h:0', /has no host and port/],
      ['amqp://h/%', /begins no %XX/],
      ['amqp://h?heartbeat=x', /heartbeat=x/],
      ['kafka://h', /cannot be read/]
    ])('the URL %s', async (url, reason) => {
      await expect(open(newStream(), { url })).rejects.toThrow(reason)
      await expect(open(newStream(), { url })).rejects.toThrow(ConfigError)
    })

    test('a virtual host that is not there', async () => {
      await expect(open(newStream(), { url: `${server.url}/no%2Fwhere` })).rejects.toThrow(/no\/where/)
    })

    test('a broker that does not speak TLS', async () => {
      const opening = open(newStream(), { url: server.url.replace('amqp:', 'amqps:') })
      await expect(opening).rejects.toThrow(/does not speak TLS/)
    })

    test('a broker that is not there', async () => {
      const opening = open(newStream(), { url: `amqp://127.0.0.1:${await freePort()}` })
      await expect(opening).rejects.toThrow(/RabbitMQ at 127\.0\.0\.1:\d+\/ refused the connection/)
      await expect(opening).rejects.toMatchObject({ sqlstate: 'ECONNREFUSED', hint: /Is the broker running/ })
    })

    test('a queue that is deleted under the receiver', async () => {
      const stream = newStream()
      const transport = await open(stream, { group: 'a' })
      await transport.send(batchOf(1, 1), signal)
      const receiving = transport.receive(signal)[Symbol.asyncIterator]()
      await receiving.next()
      const failing = receiving.next().catch(messageOf)
      const connection = await amqp.connect(server.url)
      await (await connection.createChannel()).deleteQueue(`pgsyncer.${stream}.a`)
      await connection.close()
      expect(await failing).toMatch(/was deleted/)
    })

    test('a place to begin at, which RabbitMQ does not have', async () => {
      const transport = await open(newStream(), { group: 'a' })
      await expect(transport.seek('earliest')).rejects.toThrow(ConfigError)
    })
  })

  test('close ends a receiver and a sender that wait', async () => {
    const stream = newStream()
    const transport = await open(stream, { group: 'a' })
    const receiving = transport.receive(signal)[Symbol.asyncIterator]()
    const failing = receiving.next().catch(messageOf)
    await transport.waiting()
    await transport.close()
    expect(await failing).toMatch(/was closed/)
    await expect(transport.send(batchOf(1, 1), signal)).rejects.toThrow(/closed/)
  })

  test('loses nothing and keeps each row’s order when the broker is killed while it sends and receives', async () => {
    const stream = newStream()
    const options = { url: server.url, stream, group: 'a', batchSize: 200, shapeOf: () => table }
    const total = 10_000
    const got: number[] = []
    const lost: unknown[] = []
    /** As whoever supervises does: opens anew after each loss. */
    const again = async (work: (transport: BrokerTransport) => Promise<void>) => {
      for (;;) {
        let transport: BrokerTransport | undefined
        try {
          transport = await openRabbitMq(options)
          return await work(transport)
        } catch (error) {
          if (!(error instanceof ConnectionError)) throw error
          lost.push(error)
          await delay(100)
        } finally {
          await transport?.close()
        }
      }
    }
    await (await openRabbitMq(options)).close()
    let sent = 0
    const sending = again(async transport => {
      while (sent < total) {
        await transport.send(batchOf(sent + 1, 500), signal)
        sent += 500
      }
    })
    const receiving = again(async transport => {
      for await (const { batch, ack } of transport.receive(signal)) {
        got.push(...batch.changes.map(one => Number(one.version)))
        await ack()
        if (got.at(-1) === total) return
      }
    })
    for (const mark of [2000, 6000]) {
      while (got.length < mark) await delay(5)
      await server.stop('kill')
      await server.start()
    }
    await Promise.all([sending, receiving])
    expect(lost.length).toBeGreaterThan(1)
    expect(new Set(got).size).toBe(total)
    // What comes again begins anew somewhere, and then goes on without a gap.
    const states = new Map<number, number>()
    for (const [at, version] of got.entries()) {
      const before = got[at - 1] ?? 0
      expect(version <= before + 1).toBe(true)
      states.set(version % 10, version)
    }
    expect([...states.values()].sort((a, b) => a - b)).toEqual(
      Array.from({ length: 10 }, (_, at) => total - 9 + at)
    )
  }, 180_000)
})

/** Its message, stack, fields and causes. */
function everythingIn(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return [error.stack, JSON.stringify(error), everythingIn(error.cause)].join('\n')
}
