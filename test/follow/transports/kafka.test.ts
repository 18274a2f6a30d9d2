/** Kafka as a transport, on a real broker: nothing lost when it is killed, each row in order whoever receives, and each fault told in words. */
import { setTimeout as delay } from 'node:timers/promises'
import { Kafka, logLevel } from 'kafkajs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ConfigError, ConnectionError, FollowError, GuardError, messageOf } from '../../../src/core/errors.js'
import { freePort } from '../../../src/cli/demo/servers.js'
import type { Change } from '../../../src/follow/ports.js'
import { keyOf } from '../../../src/follow/table.js'
import type { BrokerTransport, DeadLetter } from '../../../src/follow/transports/broker.js'
import { openKafka, type KafkaOptions } from '../../../src/follow/transports/kafka/kafka.js'
import { table, transportContract } from '../../contracts/transport.js'
import { findKafka, type KafkaServer } from '../../support/kafka.js'
import { newStream, transportKit } from './kit.js'

const kafka = await findKafka()

describe.skipIf(kafka.skipReason)(`${kafka.title}`, () => {
  let server: KafkaServer

  beforeAll(async () => {
    server = await kafka.start()
  })
  afterAll(() => server?.close())

  const rows = 100
  const { signal, change, batchOf, ...kit } = transportKit(rows, openKafka)
  const urlOf = (address = server.address, login = '') => `kafka://${login}${address}`
  const open = (stream: string, more: Partial<KafkaOptions> = {}) =>
    kit.open({ url: urlOf(), stream, shapeOf: () => table, ...more })
  const drain = async (transport: BrokerTransport) =>
    (await kit.drain(transport)).map(one => Number(one.version))

  transportContract('kafka', { whole: false }, async () => {
    const transport = await openKafka({
      url: urlOf(),
      stream: newStream(),
      group: 'one',
      shapeOf: () => table
    })
    return { transport, close: () => transport.close() }
  })

  const numbers = (from: number, size: number) => Array.from({ length: size }, (_, at) => from + at)
  /** A row's changes go on where they were, or begin again before that, but never leave one out. */
  const inOrder = (got: readonly number[]) => {
    const last = new Map<number, number>()
    for (const version of got) {
      const before = last.get(version % rows)
      if (before !== undefined && version > before + rows) return false
      last.set(version % rows, version)
    }
    return true
  }

  test('brings everything to each group, and begins anywhere again', async () => {
    const stream = newStream()
    const sender = await open(stream, { partitions: 3 })
    await sender.send(batchOf(1, 3000), signal)
    const first = await open(stream, { group: 'a' })
    const sorted = (got: number[]) => got.sort((a, b) => a - b)
    expect(await first.waiting()).toBe(3000)
    const got = await drain(first)
    expect(inOrder(got)).toBe(true)
    expect(sorted(got)).toEqual(numbers(1, 3000))
    expect(await first.waiting()).toBe(0)

    const between = Date.now() + 1
    await delay(2)
    await sender.send(batchOf(3001, 500), signal)
    // A new group has all of it; a known one is moved.
    expect(sorted(await drain(await open(stream, { group: 'b' })))).toEqual(numbers(1, 3500))
    const again = await open(stream, { group: 'a' })
    await again.seek('earliest')
    expect(await again.waiting()).toBe(3500)
    await again.seek({ timestamp: between })
    expect(sorted(await drain(again))).toEqual(numbers(3001, 500))
    await again.seek('latest')
    expect(await again.waiting()).toBe(0)
  })

  test('a batch’s position is a place to begin at', async () => {
    const stream = newStream()
    const transport = await open(stream, { group: 'a', batchSize: 10 })
    await transport.send(batchOf(1, 100), signal)
    await transport.end()
    const positions: string[] = []
    for await (const { batch, ack } of transport.receive(signal)) {
      positions.push(batch.position)
      await ack()
    }
    expect(positions).toEqual(numbers(1, 10).map(n => `{"0":"${n * 10}"}`))
    await transport.seek({ position: positions[6]! })
    expect(await drain(transport)).toEqual(numbers(71, 30))
    await expect(transport.seek({ position: '{"7":"1"}' })).rejects.toThrow(/has no partition 7/)
    await expect(transport.seek({ position: 'x' })).rejects.toThrow(ConfigError)
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
    expect(got).toEqual(numbers(1, 100))
  })

  test('two receivers of a group share the rows, and no row is with both, also while they are shared out anew', async () => {
    const stream = newStream()
    const sender = await open(stream, { partitions: 6 })
    const total = 12_000
    await sender.send(batchOf(1, total), signal)
    const got: { by: string; version: number }[] = []
    const held = new Map<string, string>()
    const shared: string[] = []
    const countOf = (by: string) => got.filter(one => one.by === by).length
    const receive = async (by: string, until: () => boolean) => {
      const transport = await open(stream, { group: 'a', batchSize: 100 })
      for await (const { batch, ack } of transport.receive(signal)) {
        const keys = new Set(batch.changes.map(one => keyOf(table, one.row!)))
        for (const key of keys) {
          if (held.has(key)) shared.push(`${key}: ${held.get(key)} and ${by}`)
          held.set(key, by)
        }
        // It must not be done before the other one has come.
        await delay(by === 'one' && got.length > total / 3 && countOf('two') === 0 ? 500 : 20)
        got.push(...batch.changes.map(one => ({ by, version: Number(one.version) })))
        await ack()
        for (const key of keys) held.delete(key)
        if (until()) break
      }
      await transport.close()
    }
    const all = () => new Set(got.map(one => one.version)).size >= total
    const first = receive('one', () => countOf('two') > 1000)
    while (got.length < 1000) await delay(5)
    const second = receive('two', all)
    await Promise.all([first, second])
    expect(countOf('one')).toBeGreaterThan(0)
    expect(countOf('two')).toBeGreaterThan(1000)
    expect(shared).toEqual([])
    expect(inOrder(got.map(one => one.version))).toBe(true)
    expect(all()).toBe(true)
  })

  test('a partition goes to another receiver only when what was written of it is settled', async () => {
    const stream = newStream()
    const options = { group: 'a', partitions: 2, batchSize: 10_000 }
    const [first, second] = [await open(stream, options), await open(stream, options)]
    await first.send(batchOf(1, 1000), signal)
    const writing = first.receive(signal)[Symbol.asyncIterator]()
    const deliveries = []
    for (let count = 0; count < 1000;) {
      const { value } = await writing.next()
      deliveries.push(value!)
      count += value!.batch.changes.length
    }
    void writing.next().catch(() => {})
    const other = second.receive(signal)[Symbol.asyncIterator]().next()
    // Longer than the writer needs to hear of the other one.
    expect(await Promise.race([other, delay(3000)])).toBeUndefined()
    for (const { ack } of deliveries) await ack()
    await first.send(batchOf(1001, 1000), signal)
    const { value } = await other
    expect(value!.batch.changes.filter(({ version }: Change) => version <= 1000n)).toEqual([])
  })

  test('a key that changes is deleted under the old one and inserted under the new one', async () => {
    const transport = await open(newStream(), { group: 'a', partitions: 4 })
    const moved: Change = { ...change(1), old: '77\tx', row: '1\ty' }
    await transport.send({ changes: [moved], position: '1', committedAt: undefined }, signal)
    await transport.end()
    const got: Change[] = []
    for await (const { batch, ack } of transport.receive(signal)) {
      got.push(...batch.changes)
      await ack()
    }
    expect(got.map(({ operation, row, old }) => ({ operation, row, old }))).toEqual(
      expect.arrayContaining([
        { operation: 'delete', row: undefined, old: '77\tx' },
        { operation: 'insert', row: '1\ty', old: undefined }
      ])
    )
  })

  test('a truncated table has a place in one partition, and none among several', async () => {
    const emptied: Change = { table, operation: 'truncate', version: 1n, position: '1' }
    const batch = { changes: [emptied], position: '1', committedAt: undefined }
    const one = await open(newStream(), { group: 'a', partitions: 1 })
    await one.send(batch, signal)
    expect(await drain(one)).toEqual([1])
    const many = await open(newStream(), { partitions: 2 })
    await expect(many.send(batch, signal)).rejects.toThrow(/public\.items was truncated, .* 2 partitions/)
  })

  describe('a message that cannot be read', () => {
    const poisoned = async (more: Partial<KafkaOptions>) => {
      const stream = newStream()
      const transport = await open(stream, { group: 'a', ...more })
      await transport.send(batchOf(1, 5), signal)
      const producer = new Kafka({ brokers: [server.address], logLevel: logLevel.NOTHING }).producer()
      await producer.connect()
      await producer.send({ topic: `pgsyncer.${stream}`, messages: [{ key: 'k', value: '{"version":1' }] })
      await producer.disconnect()
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
      const error = await receiving.catch((error: unknown) => error)
      expect(error).toBeInstanceOf(FollowError)
      expect(messageOf(error)).toMatch(/a message is not JSON \(pgsyncer\.\w+ partition 0 offset 5\)/)
      expect(got).toHaveLength(5)
      expect(await transport.waiting()).toBe(6)
    })

    test('goes to the dead letters, and the rest goes on', async () => {
      const told: DeadLetter[] = []
      const transport = await poisoned({ onDeadLetter: letter => told.push(letter) })
      expect(await drain(transport)).toEqual([...numbers(1, 5), ...numbers(7, 5)])
      const [letter] = await transport.deadLetters()
      expect(letter).toMatchObject({
        content: '{"version":1',
        where: expect.stringMatching(/partition 0 offset 5$/) as string
      })
      expect(letter!.reason).toMatch(/is not JSON/)
      expect(letter!.at).toBeGreaterThan(Date.now() - 60_000)
      expect(told).toMatchObject([{ reason: letter!.reason }])
    })
  })

  test('what the writer refuses lies aside with its reason until it is replayed, to its own group alone', async () => {
    const stream = newStream()
    const [transport, other] = [await open(stream, { group: 'a' }), await open(stream, { group: 'b' })]
    await transport.send(batchOf(1, 3), signal)
    await transport.end()
    for await (const { messages, ack } of transport.receive(signal)) {
      for (const message of messages) await transport.deadLetter(message, 'the column is full')
      await ack()
    }
    const letters = await transport.deadLetters()
    expect(letters.map(letter => letter.reason)).toEqual(
      Array.from({ length: 3 }, () => 'the column is full')
    )
    expect(await transport.deadLetters(2)).toEqual(letters.slice(0, 2))
    expect(await transport.replay()).toBe(3)
    expect(await transport.deadLetters()).toEqual([])
    expect(await transport.replay()).toBe(0)
    expect(await drain(transport)).toEqual([1, 2, 3])
    expect(await drain(other)).toEqual([1, 2, 3])
  })

  describe('is told in words:', () => {
    test('a topic with another number of partitions', async () => {
      const stream = newStream()
      await open(stream, { partitions: 2 })
      const opening = open(stream, { partitions: 3 })
      await expect(opening).rejects.toThrow(ConfigError)
      await expect(opening).rejects.toThrow(/has 2 partitions, not 3/)
    })

    test('a group that receives while it is to begin elsewhere', async () => {
      const stream = newStream()
      const [first, second] = [await open(stream, { group: 'a' }), await open(stream, { group: 'a' })]
      await first.send(batchOf(1, 1), signal)
      await first.receive(signal)[Symbol.asyncIterator]().next()
      await expect(second.seek('earliest')).rejects.toThrow(GuardError)
    })

    test.each(['plain', 'scram-sha-256'])(
      'a wrong password by %s, which is nowhere in it',
      async mechanism => {
        const login = (secret: string) => ({
          url: `${urlOf(server.guarded, `tester:${secret}@`)}?mechanism=${mechanism}`
        })
        await open(newStream(), login(server.password))
        const error = await open(newStream(), login('wr%2Fong-secret')).catch((error: unknown) => error)
        expect(error).toBeInstanceOf(ConnectionError)
        expect(messageOf(error)).toMatch(/does not let user tester in/)
        expect(everythingIn(error)).not.toMatch(/wr(%2F|\/)ong/i)
      }
    )

    test('a broker that does not speak TLS', async () => {
      const opening = open(newStream(), { url: `kafkas://${server.address}` })
      await expect(opening).rejects.toThrow(/before TLS began/)
    })

    test('a broker that is not there', async () => {
      const opening = open(newStream(), { url: `kafka://127.0.0.1:${await freePort()}` })
      await expect(opening).rejects.toThrow(/Kafka at 127\.0\.0\.1:\d+ refused the connection/)
      await expect(opening).rejects.toMatchObject({ sqlstate: 'ECONNREFUSED', hint: /Is the broker running/ })
    })

    test.each([
      ['kafka://h:1?mechanism=plain', /but no user/],
      ['kafka://u:p@h:1?mechanism=gssapi', /mechanism=gssapi/],
      ['kafka://h:1?retries=1', /retries that is not known/],
      ['kafka://h:1/topic', /names topic behind the host/],
      ['kafka://', /has no host/],
      ['http://h:1', /cannot be read/]
    ])('the URL %s', async (url, reason) => {
      await expect(open(newStream(), { url })).rejects.toThrow(reason)
      await expect(open(newStream(), { url })).rejects.toThrow(ConfigError)
    })
  })

  test('loses nothing and keeps each row’s order when the broker is killed while it sends and receives', async () => {
    const options = { url: urlOf(), stream: newStream(), group: 'a', batchSize: 200, shapeOf: () => table }
    const total = 10_000
    const got: number[] = []
    /** As whoever supervises does: opens anew after each loss. */
    const again = async (work: (transport: BrokerTransport) => Promise<void>) => {
      for (;;) {
        let transport: BrokerTransport | undefined
        try {
          transport = await openKafka(options)
          return await work(transport)
        } catch (error) {
          if (!(error instanceof ConnectionError)) throw error
          await delay(100)
        } finally {
          await transport?.close()
        }
      }
    }
    await (await openKafka({ ...options, partitions: 2 })).close()
    let sent = 0
    const sending = again(async transport => {
      while (sent < total) {
        await transport.send(batchOf(sent + 1, 500), signal)
        sent += 500
      }
    })
    const seen = new Set<number>()
    const receiving = again(async transport => {
      for await (const { batch, ack } of transport.receive(signal)) {
        for (const { version } of batch.changes) {
          got.push(Number(version))
          seen.add(Number(version))
        }
        await ack()
        if (seen.size === total) return
      }
    })
    while (got.length < 3000) await delay(5)
    await server.stop('kill')
    await server.start()
    await Promise.all([sending, receiving])
    expect(seen.size).toBe(total)
    expect(inOrder(got)).toBe(true)
  })

  test.each(['waits', 'is being opened'])('close ends a receiver that %s', async state => {
    const stream = newStream()
    const transport = await open(stream, { group: 'a' })
    const deliveries = transport.receive(signal)[Symbol.asyncIterator]()
    if (state === 'waits') {
      await transport.send(batchOf(1, 1), signal)
      await (await deliveries.next()).value?.ack()
    }
    const failing = deliveries.next().catch(messageOf)
    await transport.close()
    expect(await failing).toMatch(/was closed/)
    await expect(transport.send(batchOf(1, 1), signal)).rejects.toThrow(/was closed/)
  })
})

/** Its message, stack, fields and causes. */
function everythingIn(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return [error.stack, JSON.stringify(error), everythingIn(error.cause)].join('\n')
}
