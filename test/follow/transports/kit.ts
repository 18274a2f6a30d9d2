/** What the tests of each broker's transport begin with: changes of a few rows, and transports that are closed behind each test. */
import { randomBytes } from 'node:crypto'
import { setMaxListeners } from 'node:events'
import { afterAll, afterEach } from 'vitest'
import type { Change, ChangeBatch } from '../../../src/follow/ports.js'
import type { BrokerTransport } from '../../../src/follow/transports/broker.js'
import { table } from '../../contracts/transport.js'

export const newStream = () => `s${randomBytes(5).toString('hex')}`

/** For one describe(); what it opens is closed, and its signal aborted, before what was made ready before it ends. */
export function transportKit<Options extends { stream: string }>(
  rows: number,
  openOne: (options: Options) => Promise<BrokerTransport>
) {
  const opened: BrokerTransport[] = []
  const over = new AbortController()
  const { signal } = over
  setMaxListeners(0, signal)
  afterEach(async () => void (await Promise.all(opened.splice(0).map(one => one.close()))))
  afterAll(() => over.abort())

  /** Change number n is of one of so many rows. */
  const change = (n: number): Change => ({
    table,
    operation: 'update',
    row: `${n % rows}\t${n}`,
    version: BigInt(n),
    position: String(n).padStart(10, '0')
  })
  return {
    signal,
    async open(options: Options): Promise<BrokerTransport> {
      const transport = await openOne(options)
      opened.push(transport)
      return transport
    },
    change,
    batchOf(from: number, size: number): ChangeBatch {
      const changes = Array.from({ length: size }, (_, at) => change(from + at))
      return { changes, position: changes.at(-1)!.position, committedAt: undefined }
    },
    /** All that waits, acknowledged. */
    async drain(transport: BrokerTransport): Promise<Change[]> {
      const got: Change[] = []
      await transport.end()
      for await (const { batch, ack } of transport.receive(signal)) {
        got.push(...batch.changes)
        await ack()
      }
      return got
    }
  }
}
