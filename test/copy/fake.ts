/** A hand-made database: a table in memory, every call written down, and any call made to hang, to fail, or to come late. */
import type { ConnectionPool, CopyConfig, Database, Row } from '../../src/copy/types.js'

export const config: CopyConfig = {
  batchSize: 10,
  maxRetries: 3,
  retriesDelay: 1000,
  callTimeout: 5000,
  fullCopyTimeout: 3_600_000
}

/** Never ends, whatever its signal says. */
export const hang = (): Promise<never> => new Promise(() => {})

type Name = keyof Database
/** What a call does instead of its work; `undefined`: its work. `nth` counts the calls of that name from 1. */
export type Trick = (nth: number, signal: AbortSignal) => Promise<unknown> | undefined

export class FakeDatabase implements Database {
  readonly rows = new Map<bigint, Row>()
  /** `getMaxId`, `loadRows 1-11`, `saveRows 10`, `close`, as they were begun, with the fake clock's time. */
  readonly calls: { at: number; call: string }[] = []
  /** The ids of each saveRows that was begun. */
  readonly saved: bigint[][] = []
  readonly signals: AbortSignal[] = []
  readonly tricks: Partial<Record<Name, Trick>> = {}
  readonly #begun = new Map<Name, number>()

  constructor(ids: Iterable<bigint> = []) {
    for (const id of ids) this.rows.set(id, [id, `row ${id}`])
  }

  /** The calls of one kind, without their times. */
  made(name: Name): string[] {
    return this.calls.map(({ call }) => call).filter(call => call.split(' ')[0] === name)
  }

  times(name: Name): number[] {
    return this.calls.filter(({ call }) => call.split(' ')[0] === name).map(({ at }) => at)
  }

  getMaxId(signal: AbortSignal) {
    return this.#call('getMaxId', '', signal, () => {
      const ids = [...this.rows.keys()]
      return ids.length === 0 ? 0n : ids.reduce((a, b) => (a > b ? a : b))
    })
  }

  loadRows(minId: bigint, maxId: bigint, signal: AbortSignal) {
    return this.#call('loadRows', ` ${minId}:${maxId}`, signal, () =>
      [...this.rows]
        .filter(([id]) => id >= minId && id < maxId)
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([, row]) => row)
    )
  }

  saveRows(rows: readonly Row[], signal: AbortSignal) {
    this.saved.push(rows.map(row => BigInt(row[0] as bigint)))
    return this.#call('saveRows', ` ${rows.length}`, signal, () => {
      for (const row of rows) this.rows.set(BigInt(row[0] as bigint), row)
    })
  }

  close() {
    return this.#call('close', '', new AbortController().signal, () => {})
  }

  async #call<T>(name: Name, details: string, signal: AbortSignal, work: () => T): Promise<T> {
    this.calls.push({ at: Date.now(), call: name + details })
    this.signals.push(signal)
    const nth = (this.#begun.get(name) ?? 0) + 1
    this.#begun.set(name, nth)
    const trick = this.tricks[name]?.(nth, signal)
    if (trick !== undefined) return trick as Promise<T>
    return work()
  }
}

export class FakePool implements ConnectionPool {
  readonly connected: { at: number; name: string }[] = []
  readonly signals: AbortSignal[] = []
  trick: ((name: string, nth: number, signal: AbortSignal) => Promise<Database> | undefined) | undefined

  constructor(
    readonly from: FakeDatabase,
    readonly to: FakeDatabase = new FakeDatabase()
  ) {}

  async connect(name: string, signal: AbortSignal): Promise<Database> {
    this.connected.push({ at: Date.now(), name })
    this.signals.push(signal)
    const nth = this.connected.filter(one => one.name === name).length
    return this.trick?.(name, nth, signal) ?? (name === 'oltp' ? this.from : this.to)
  }
}

/** 1n, 2n, …: `from` to `to`, both included. */
export function ids(from: bigint, to: bigint, step = 1n): bigint[] {
  const found: bigint[] = []
  for (let id = from; id <= to; id += step) found.push(id)
  return found
}
