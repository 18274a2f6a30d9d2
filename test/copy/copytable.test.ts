import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import {
  AbortError,
  CallTimeoutError,
  ConfigError,
  copyTable,
  FullCopyTimeoutError,
  type CopyConfig,
  type Database
} from '../../src/index.js'
import type { CopyProgress, CopyTableOptions, Row } from '../../src/copy/types.js'
import { config, FakeDatabase, FakePool, hang, ids } from './fake.js'

const unhandled: unknown[] = []
const note = (error: unknown) => void unhandled.push(error)

beforeEach(() => {
  vi.useFakeTimers({ now: 0 })
  unhandled.length = 0
  process.on('unhandledRejection', note)
})
afterEach(async () => {
  // Whatever was abandoned may still come, and must disturb nobody.
  await vi.advanceTimersByTimeAsync(10_000_000)
  expect(vi.getTimerCount()).toBe(0)
  vi.useRealTimers()
  await new Promise(resolve => setImmediate(resolve))
  process.off('unhandledRejection', note)
  expect(unhandled).toEqual([])
})

/** Starts a copy; `outcome` settles with its result or error and the time at which it came. */
function start(pool: FakePool, change: Partial<CopyConfig> = {}, options: CopyTableOptions = {}) {
  const copying = copyTable({ ...config, ...change }, pool, 'oltp', 'stats', options)
  const outcome = copying.then(
    result => ({ result, error: undefined, at: Date.now() }),
    (error: unknown) => ({ result: undefined, error, at: Date.now() })
  )
  return outcome
}

/** Lets all time pass that the copy needs. */
async function finish(pool: FakePool, change: Partial<CopyConfig> = {}, options: CopyTableOptions = {}) {
  const outcome = start(pool, change, options)
  await vi.advanceTimersByTimeAsync(4_000_000)
  return outcome
}

const closes = (pool: FakePool) => [pool.from.made('close').length, pool.to.made('close').length]
const copied = (pool: FakePool) => [...pool.to.rows.keys()]

describe('which rows', () => {
  test('all, in order, the greatest too, in batches one after another', async () => {
    const pool = new FakePool(new FakeDatabase(ids(1n, 25n)))
    const { result } = await finish(pool)
    expect(result).toEqual({ rows: 25n, batches: 3, retries: 0, lastId: 25n })
    expect(pool.to.saved).toEqual([ids(1n, 10n), ids(11n, 20n), ids(21n, 25n)])
    expect(pool.to.rows).toEqual(pool.from.rows)
    expect(closes(pool)).toEqual([1, 1])
  })

  test('ranges are half open, without a gap, and no wider than a batch where the table is dense', async () => {
    const pool = new FakePool(new FakeDatabase(ids(1n, 25n)))
    await finish(pool)
    expect(pool.from.made('loadRows')).toEqual([
      'loadRows -9223372036854775808:1',
      'loadRows 1:11',
      'loadRows 11:21',
      'loadRows 21:26'
    ])
  })

  test('the next batch is loaded when the last is saved', async () => {
    const pool = new FakePool(new FakeDatabase(ids(1n, 25n)))
    const order: string[] = []
    pool.from.tricks.loadRows = () => void order.push('load')
    pool.to.tricks.saveRows = () => {
      order.push('save')
      return undefined
    }
    await finish(pool)
    expect(order).toEqual(['load', 'load', 'save', 'load', 'save', 'load', 'save'])
  })

  test.each([
    ['one row', [7n]],
    ['exactly a batch', ids(1n, 10n)],
    ['a batch and one', ids(1n, 11n)],
    ['the id 0', [0n]],
    ['negative ids only', ids(-35n, -5n)],
    ['the lowest and the greatest of all', [-(2n ** 63n), -1n, 0n, 1n, 2n ** 63n - 1n]],
    ['ids that begin where a double has no digits left', ids(9_007_199_254_740_990n, 9_007_199_254_741_030n)],
    ['the last 100 ids that there are', ids(2n ** 63n - 100n, 2n ** 63n - 1n)],
    ['one row in a million', ids(5n, 20_000_005n, 1_000_000n)],
    ['dense, a gap, dense', [...ids(1n, 35n), ...ids(10n ** 15n, 10n ** 15n + 35n)]],
    ['sparse, then dense', [...ids(1n, 3000n, 100n), ...ids(3001n, 3100n)]]
  ])('%s', async (_name, present) => {
    const pool = new FakePool(new FakeDatabase(present))
    const { result } = await finish(pool)
    expect(copied(pool)).toEqual(present)
    expect(result).toMatchObject({ rows: BigInt(present.length), lastId: present.at(-1) })
    expect(pool.to.saved.every(batch => batch.length <= 10 && batch.length > 0)).toBe(true)
    for (const call of pool.from.made('loadRows')) {
      const [low, high] = call.slice(9).split(':').map(BigInt)
      expect(low! >= -(2n ** 63n) && low! < high! && high! <= 2n ** 63n).toBe(true)
    }
  })

  test('ids that begin at 9·10^18 are found by few calls', async () => {
    const pool = new FakePool(new FakeDatabase(ids(9n * 10n ** 18n, 9n * 10n ** 18n + 24n)))
    const { result } = await finish(pool)
    expect(result).toMatchObject({ rows: 25n, batches: 3, lastId: 9n * 10n ** 18n + 24n })
    expect(pool.from.made('loadRows').length).toBeLessThan(70)
  })

  test('an empty source is a success without a batch', async () => {
    const pool = new FakePool(new FakeDatabase())
    const { result } = await finish(pool)
    expect(result).toEqual({ rows: 0n, batches: 0, retries: 0, lastId: 0n })
    expect(pool.to.made('saveRows')).toEqual([])
    expect(closes(pool)).toEqual([1, 1])
  })

  test('rows that came after the start are another copy’s', async () => {
    const pool = new FakePool(new FakeDatabase(ids(1n, 15n)))
    pool.from.tricks.loadRows = () => {
      for (const id of ids(16n, 40n)) pool.from.rows.set(id, [id])
      return undefined
    }
    expect((await finish(pool)).result).toMatchObject({ rows: 15n, lastId: 15n })
    expect(copied(pool)).toEqual(ids(1n, 15n))
  })

  test('a Database may stop its answers early', async () => {
    const pool = new FakePool(new FakeDatabase([...ids(1n, 40n), ...ids(5000n, 5040n)]))
    const whole = pool.from.loadRows.bind(pool.from)
    pool.from.loadRows = async (...range) => (await whole(...range)).slice(0, 3)
    expect((await finish(pool)).result).toMatchObject({ rows: 81n, lastId: 5040n })
    expect(copied(pool)).toEqual(copied({ to: pool.from } as FakePool))
  })

  test.each<[string, (id: bigint) => Row]>([
    ['text', (id: bigint) => [String(id)]],
    ['safe numbers', (id: bigint) => [Number(id)]],
    ['elsewhere', (id: bigint) => ['x', id]]
  ])('ids as %s', async (_name, row) => {
    const pool = new FakePool(new FakeDatabase(ids(1n, 25n)))
    for (const id of ids(1n, 25n)) pool.from.rows.set(id, row(id))
    const saved: unknown[] = []
    pool.to.saveRows = async rows => void saved.push(...rows)
    expect((await finish(pool)).result).toMatchObject({ rows: 25n, batches: 3, lastId: 25n })
    expect(saved).toEqual(ids(1n, 25n).map(id => row(id)))
  })

  test('batchSize as a bigint', async () => {
    const pool = new FakePool(new FakeDatabase(ids(1n, 25n)))
    expect((await finish(pool, { batchSize: 20n })).result).toMatchObject({ batches: 2 })
  })
})

describe('time-outs of a call', () => {
  const tricky = () => new FakePool(new FakeDatabase(ids(1n, 25n)))

  test.each(['getMaxId', 'loadRows', 'saveRows'] as const)('%s is tried again', async name => {
    const pool = tricky()
    const database = name === 'saveRows' ? pool.to : pool.from
    database.tricks[name] = nth => (nth <= 3 ? hang() : undefined)
    const { result } = await finish(pool)
    expect(result).toEqual({ rows: 25n, batches: 3, retries: 3, lastId: 25n })
    // 5 s until the time-out, then 1 s of delay.
    expect(database.times(name).slice(0, 4)).toEqual([0, 6000, 12_000, 18_000])
    expect(new Set(database.made(name).slice(0, 4)).size).toBe(1)
    expect(copied(pool)).toEqual(ids(1n, 25n))
  })

  test.each(['getMaxId', 'loadRows', 'saveRows'] as const)('%s, as often as it is tried', async name => {
    const pool = tricky()
    const database = name === 'saveRows' ? pool.to : pool.from
    database.tricks[name] = hang
    const { error, at } = await finish(pool)
    expect(error).toBeInstanceOf(CallTimeoutError)
    expect(error).toMatchObject({
      call: name,
      attempts: 4,
      database: name === 'saveRows' ? 'stats' : 'oltp',
      range:
        name === 'getMaxId'
          ? undefined
          : name === 'loadRows'
            ? { minId: -(2n ** 63n), maxId: 1n }
            : { minId: 1n, maxId: 11n }
    })
    expect(at).toBe(4 * 5000 + 3 * 1000)
    expect(closes(pool)).toEqual([1, 1])
  })

  test('connect is tried again, and its late connection is closed', async () => {
    const pool = tricky()
    const late = new FakeDatabase()
    pool.trick = (name, nth) =>
      name === 'stats' && nth === 1
        ? new Promise(resolve => setTimeout(() => resolve(late), 60_000))
        : undefined
    const outcome = start(pool)
    await vi.advanceTimersByTimeAsync(59_999)
    expect(await outcome).toMatchObject({ result: { rows: 25n, retries: 1 } })
    expect(pool.connected.filter(({ name }) => name === 'stats').map(({ at }) => at)).toEqual([0, 6000])
    expect(late.made('close')).toEqual([])
    await vi.advanceTimersByTimeAsync(1)
    expect(late.made('close')).toHaveLength(1)
    expect(closes(pool)).toEqual([1, 1])
  })

  test('a late connection that cannot be closed disturbs nobody', async () => {
    const pool = tricky()
    const late = new FakeDatabase()
    late.close = () => {
      throw new Error('no')
    }
    pool.trick = (_name, nth) =>
      nth === 1 ? new Promise(resolve => setTimeout(() => resolve(late), 7000)) : undefined
    expect((await finish(pool)).result).toMatchObject({ retries: 2 })
  })

  test('connect, as often as it is tried', async () => {
    const pool = tricky()
    pool.trick = name => (name === 'stats' ? hang() : undefined)
    const { error, at } = await finish(pool, { maxRetries: 1 })
    expect(error).toMatchObject({ name: 'CallTimeoutError', call: 'connect', database: 'stats', attempts: 2 })
    expect(error).toMatchObject({
      range: undefined,
      message: 'connect on stats took longer than 5000 ms, 2 times'
    })
    expect(at).toBe(11_000)
    expect(closes(pool)).toEqual([1, 0])
  })

  test('with maxRetries 0 there is one try', async () => {
    const pool = tricky()
    pool.from.tricks.loadRows = hang
    const { error, at } = await finish(pool, { maxRetries: 0 })
    expect(error).toMatchObject({ call: 'loadRows', attempts: 1 })
    expect(at).toBe(5000)
    expect(pool.from.made('loadRows')).toHaveLength(1)
  })

  test('retries are counted anew for each call', async () => {
    const pool = tricky()
    pool.from.tricks.loadRows = nth => (nth % 2 === 1 ? hang() : undefined)
    expect((await finish(pool, { maxRetries: 1 })).result).toMatchObject({ rows: 25n, retries: 4 })
  })

  test('the signal of the call is aborted, and of no other', async () => {
    const pool = tricky()
    pool.from.tricks.getMaxId = nth => (nth === 1 ? hang() : undefined)
    await finish(pool)
    expect(pool.from.signals.map(signal => signal.aborted)).toEqual([
      true,
      ...pool.from.signals.slice(1).map(() => false)
    ])
  })

  test('a call that heeds its signal ends as one that does not', async () => {
    const pool = tricky()
    pool.from.tricks.loadRows = (_nth, signal) =>
      new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('I heard'))))
    const { error } = await finish(pool)
    expect(error).toMatchObject({ call: 'loadRows', attempts: 4 })
  })

  test.each([
    ['result', () => new Promise(resolve => setTimeout(() => resolve([[3n, 'late']]), 5500))],
    ['error', () => new Promise((_, reject) => setTimeout(() => reject(new Error('late')), 5500))]
  ])('what an abandoned call brings is not heard: its %s', async (_name, late) => {
    const pool = tricky()
    pool.from.tricks.loadRows = nth => (nth === 2 ? late() : undefined)
    expect((await finish(pool)).result).toMatchObject({ rows: 25n, retries: 1 })
    expect(pool.to.rows).toEqual(pool.from.rows)
  })

  test('a call just in time is none too late', async () => {
    const pool = tricky()
    pool.from.tricks.getMaxId = () => new Promise(resolve => setTimeout(() => resolve(25n), 4999))
    expect((await finish(pool)).result).toMatchObject({ rows: 25n, retries: 0 })
  })

  test('a time-out longer than any timer of Node’s', async () => {
    const pool = tricky()
    const month = 31 * 86_400_000
    pool.from.tricks.getMaxId = () => new Promise(resolve => setTimeout(() => resolve(25n), 10_000))
    const { result } = await finish(pool, { callTimeout: month, fullCopyTimeout: Infinity })
    expect(result).toMatchObject({ rows: 25n, retries: 0 })
    const stuck = tricky()
    stuck.from.tricks.getMaxId = hang
    const outcome = start(stuck, { callTimeout: month, maxRetries: 0, fullCopyTimeout: Infinity })
    await vi.advanceTimersByTimeAsync(month)
    expect(await outcome).toMatchObject({ error: { name: 'CallTimeoutError' }, at: 4_000_000 + month })
  })
})

describe('other errors', () => {
  test.each(['getMaxId', 'loadRows', 'saveRows'] as const)(
    'of %s come back at once, as they are',
    async name => {
      const pool = new FakePool(new FakeDatabase(ids(1n, 25n)))
      const broken = new Error('broken')
      const database = name === 'saveRows' ? pool.to : pool.from
      database.tricks[name] = () => Promise.reject(broken)
      const { error, at } = await finish(pool)
      expect(error).toBe(broken)
      expect(at).toBe(0)
      expect(database.made(name)).toHaveLength(1)
      expect(closes(pool)).toEqual([1, 1])
    }
  )

  test('thrown without a promise', async () => {
    const pool = new FakePool(new FakeDatabase([1n]))
    const broken = new Error('broken')
    pool.from.getMaxId = () => {
      throw broken
    }
    expect((await start(pool)).error).toBe(broken)
    expect(vi.getTimerCount()).toBe(0)
    expect(closes(pool)).toEqual([1, 1])
  })

  test('even one that calls itself a time-out', async () => {
    const pool = new FakePool(new FakeDatabase([1n]))
    const theirs = new DOMException('statement timeout', 'TimeoutError')
    pool.from.tricks.getMaxId = () => Promise.reject(theirs)
    expect((await finish(pool)).error).toBe(theirs)
    expect(pool.from.made('getMaxId')).toHaveLength(1)
  })

  test.each([
    ['first', 'oltp', [0, 0]],
    ['second', 'stats', [1, 0]]
  ] as const)('of the %s connect', async (_name, which, closed) => {
    const pool = new FakePool(new FakeDatabase([1n]))
    const refused = new Error('refused')
    pool.trick = name => (name === which ? Promise.reject(refused) : undefined)
    expect((await finish(pool)).error).toBe(refused)
    expect(closes(pool)).toEqual(closed)
    expect(pool.connected.filter(({ name }) => name === which)).toHaveLength(1)
  })
})

describe('the full time-out', () => {
  test.each(['getMaxId', 'loadRows', 'saveRows', 'close'] as const)('inside %s', async name => {
    const pool = new FakePool(new FakeDatabase(ids(1n, 25n)))
    const database = name === 'saveRows' ? pool.to : pool.from
    database.tricks[name] = hang
    const { error, at } = await finish(pool, { fullCopyTimeout: 1234 })
    if (name === 'close') {
      // Closing has its own time.
      expect(error).toMatchObject({ name: 'CallTimeoutError', call: 'close' })
      return
    }
    expect(error).toBeInstanceOf(FullCopyTimeoutError)
    expect(at).toBe(1234)
    expect(closes(pool)).toEqual([1, 1])
  })

  test('inside connect, whose late connection is closed', async () => {
    const pool = new FakePool(new FakeDatabase())
    const late = new FakeDatabase()
    pool.trick = () => new Promise<Database>(resolve => setTimeout(() => resolve(late), 3000))
    const { error, at } = await finish(pool, { fullCopyTimeout: 1234 })
    expect(error).toBeInstanceOf(FullCopyTimeoutError)
    expect(at).toBe(1234)
    expect(late.made('close')).toHaveLength(1)
    expect(pool.connected).toHaveLength(1)
  })

  test('inside a delay', async () => {
    const pool = new FakePool(new FakeDatabase([1n]))
    pool.from.tricks.getMaxId = hang
    const { error, at } = await finish(pool, { fullCopyTimeout: 5500 })
    expect(error).toBeInstanceOf(FullCopyTimeoutError)
    expect(at).toBe(5500)
    expect(pool.from.made('getMaxId')).toHaveLength(1)
    expect(closes(pool)).toEqual([1, 1])
  })

  test('over many calls, none of which is too long', async () => {
    const pool = new FakePool(new FakeDatabase(ids(1n, 1000n)))
    pool.from.tricks.loadRows = () => undefined
    pool.to.saveRows = () => new Promise(resolve => setTimeout(resolve, 4000))
    const { error, at } = await finish(pool, { fullCopyTimeout: 100_000 })
    expect(error).toBeInstanceOf(FullCopyTimeoutError)
    expect(at).toBe(100_000)
  })

  test('aborts the signal of the call', async () => {
    const pool = new FakePool(new FakeDatabase([1n]))
    pool.from.tricks.getMaxId = hang
    await finish(pool, { fullCopyTimeout: 100 })
    expect(pool.from.signals[0]!.aborted).toBe(true)
  })

  test('closing is not cut short by it', async () => {
    const pool = new FakePool(new FakeDatabase([1n]))
    pool.from.tricks.getMaxId = hang
    pool.from.tricks.close = () => new Promise(resolve => setTimeout(resolve, 4000))
    const { error, at } = await finish(pool, { fullCopyTimeout: 1000 })
    expect(error).toBeInstanceOf(FullCopyTimeoutError)
    expect(at).toBe(5000)
  })
})

describe('the caller’s signal', () => {
  const stopAt = (milliseconds: number) => {
    const stop = new AbortController()
    setTimeout(() => stop.abort('enough'), milliseconds)
    return stop.signal
  }

  test('before the start: nothing is connected', async () => {
    const pool = new FakePool(new FakeDatabase([1n]))
    const { error } = await finish(pool, {}, { signal: AbortSignal.abort('enough') })
    expect(error).toBeInstanceOf(AbortError)
    expect(error).toMatchObject({ name: 'AbortError', cause: 'enough' })
    expect(pool.connected).toEqual([])
  })

  test.each(['getMaxId', 'loadRows', 'saveRows'] as const)('inside %s', async name => {
    const pool = new FakePool(new FakeDatabase(ids(1n, 25n)))
    const database = name === 'saveRows' ? pool.to : pool.from
    database.tricks[name] = hang
    const { error, at } = await finish(pool, {}, { signal: stopAt(321) })
    expect(error).toBeInstanceOf(AbortError)
    expect(at).toBe(321)
    expect(closes(pool)).toEqual([1, 1])
  })

  test('inside connect', async () => {
    const pool = new FakePool(new FakeDatabase([1n]))
    pool.trick = name => (name === 'stats' ? hang() : undefined)
    const { error, at } = await finish(pool, {}, { signal: stopAt(321) })
    expect([(error as Error).name, at]).toEqual(['AbortError', 321])
    expect(pool.signals[1]!.aborted).toBe(true)
    expect(closes(pool)).toEqual([1, 0])
  })

  test('inside a delay', async () => {
    const pool = new FakePool(new FakeDatabase([1n]))
    pool.from.tricks.getMaxId = hang
    const outcome = start(pool, {}, { signal: stopAt(5001) })
    await vi.advanceTimersByTimeAsync(5001)
    const { error, at } = await outcome
    expect([(error as Error).name, at]).toEqual(['AbortError', 5001])
    expect(vi.getTimerCount()).toBe(0)
    expect(pool.from.made('getMaxId')).toHaveLength(1)
  })

  test('a call that knows the signal itself does not name the error', async () => {
    const pool = new FakePool(new FakeDatabase([1n]))
    const signal = stopAt(100)
    // Listens before copyTable does.
    const heard = new Promise<never>((_, reject) =>
      signal.addEventListener('abort', () => reject(new Error('I heard')))
    )
    heard.catch(() => {})
    pool.from.tricks.getMaxId = () => heard
    expect((await finish(pool, {}, { signal })).error).toBeInstanceOf(AbortError)
  })

  test('after the end it changes nothing', async () => {
    const pool = new FakePool(new FakeDatabase([1n]))
    pool.from.tricks.close = () => new Promise(resolve => setTimeout(resolve, 3000))
    const { result } = await finish(pool, {}, { signal: stopAt(1000) })
    expect(result).toMatchObject({ rows: 1n })
  })
})

describe('closing', () => {
  const [a, b, c] = ['a', 'b', 'c'].map(text => new Error(text))

  test('one error is thrown alone', async () => {
    const pool = new FakePool(new FakeDatabase([1n]))
    pool.to.tricks.close = () => Promise.reject(b)
    expect((await finish(pool)).error).toBe(b)
    expect(closes(pool)).toEqual([1, 1])
  })

  test('two errors come together', async () => {
    const pool = new FakePool(new FakeDatabase([1n]))
    pool.from.tricks.close = () => Promise.reject(b)
    pool.to.tricks.close = () => Promise.reject(c)
    const { error } = await finish(pool)
    expect(error).toBeInstanceOf(AggregateError)
    expect((error as AggregateError).errors).toEqual([b, c])
  })

  test('they join the first error, which stays the first', async () => {
    const pool = new FakePool(new FakeDatabase([1n]))
    pool.from.tricks.loadRows = () => Promise.reject(a)
    pool.from.tricks.close = () => Promise.reject(b)
    pool.to.tricks.close = () => Promise.reject(c)
    const { error } = await finish(pool)
    expect(error).toBeInstanceOf(AggregateError)
    expect((error as AggregateError).errors).toEqual([a, b, c])
    expect((error as AggregateError).message).toBe('a')
  })

  test('also that of the second connect', async () => {
    const pool = new FakePool(new FakeDatabase([1n]))
    pool.trick = name => (name === 'stats' ? Promise.reject(a) : undefined)
    pool.from.tricks.close = () => Promise.reject(b)
    expect(((await finish(pool)).error as AggregateError).errors).toEqual([a, b])
  })

  test('each takes at most callTimeout, both together no longer, and neither is tried again', async () => {
    const pool = new FakePool(new FakeDatabase([1n]))
    pool.from.tricks.close = hang
    pool.to.tricks.close = hang
    const { error, at } = await finish(pool)
    const { errors } = error as AggregateError
    expect(errors.map(one => [one.name, one.call, one.database, one.attempts])).toEqual([
      ['CallTimeoutError', 'close', 'oltp', 1],
      ['CallTimeoutError', 'close', 'stats', 1]
    ])
    expect(at).toBe(5000)
    expect(closes(pool)).toEqual([1, 1])
  })

  test('thrown without a promise', async () => {
    const pool = new FakePool(new FakeDatabase([1n]))
    pool.from.close = () => {
      throw b
    }
    expect((await finish(pool)).error).toBe(b)
    expect(pool.to.made('close')).toHaveLength(1)
  })
})

describe('settings', () => {
  test.each([
    ['batchSize', 0],
    ['batchSize', 0n],
    ['batchSize', -1],
    ['batchSize', -1n],
    ['batchSize', NaN],
    ['batchSize', 1.5],
    ['batchSize', Infinity],
    ['maxRetries', -1],
    ['maxRetries', NaN],
    ['maxRetries', 0.5],
    ['retriesDelay', -1],
    ['retriesDelay', NaN],
    ['callTimeout', 0],
    ['callTimeout', -5],
    ['callTimeout', NaN],
    ['fullCopyTimeout', 0],
    ['fullCopyTimeout', -5],
    ['fullCopyTimeout', NaN],
    ['callTimeout', undefined],
    ['callTimeout', '5s']
  ])('%s %s is a fault, found before any connection', async (name, value) => {
    const pool = new FakePool(new FakeDatabase([1n]))
    const { error } = await finish(pool, { [name]: value } as Partial<CopyConfig>)
    expect(error).toBeInstanceOf(ConfigError)
    expect((error as Error).message).toMatch(new RegExp(`^${name} must be .*, not ${value}$`))
    expect(pool.connected).toEqual([])
  })

  test('all faults at once', async () => {
    const { error } = await finish(new FakePool(new FakeDatabase()), {
      batchSize: 0,
      maxRetries: -1,
      retriesDelay: NaN,
      callTimeout: 0,
      fullCopyTimeout: 0
    })
    expect((error as Error).message.split('\n').map(line => line.split(' ')[0])).toEqual([
      'batchSize',
      'maxRetries',
      'retriesDelay',
      'callTimeout',
      'fullCopyTimeout'
    ])
  })

  test('a delay of 0 and endless retries are settings', async () => {
    const pool = new FakePool(new FakeDatabase([1n]))
    pool.from.tricks.getMaxId = nth => (nth <= 50 ? hang() : undefined)
    const { result, at } = await finish(pool, { retriesDelay: 0, maxRetries: Infinity })
    expect(result).toMatchObject({ retries: 50 })
    expect(at).toBe(250_000)
  })
})

describe('progress', () => {
  test('after each batch, and before each further try', async () => {
    const pool = new FakePool(new FakeDatabase(ids(5n, 28n)))
    pool.to.tricks.saveRows = nth => (nth === 2 ? hang() : undefined)
    const told: [number, CopyProgress][] = []
    await finish(pool, {}, { onProgress: progress => void told.push([Date.now(), progress]) })
    const common = { firstId: 5n, maxId: 28n }
    expect(told).toEqual([
      [0, { rows: 6n, batches: 1, retries: 0, lastId: 10n, ...common }],
      [5000, { rows: 6n, batches: 1, retries: 1, lastId: 10n, ...common }],
      [6000, { rows: 16n, batches: 2, retries: 1, lastId: 20n, ...common }],
      [6000, { rows: 24n, batches: 3, retries: 1, lastId: 28n, ...common }]
    ])
  })

  test('what a listener throws ends the copy', async () => {
    const pool = new FakePool(new FakeDatabase(ids(1n, 25n)))
    const broken = new Error('broken')
    const onProgress = () => {
      throw broken
    }
    expect((await finish(pool, {}, { onProgress })).error).toBe(broken)
    expect(pool.to.saved).toHaveLength(1)
    expect(closes(pool)).toEqual([1, 1])
  })
})
