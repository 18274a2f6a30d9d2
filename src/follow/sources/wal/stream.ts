/**
 * Batches as a sink takes them. While it writes one, the next are made, a few at most; then the receiver fills, and then main waits. A sink that
 * waits gets what there is: nothing is held back for the sake of a fuller batch.
 */
import type { ChangeBatch, Position, Start } from '../../ports.js'
import { Assembly } from './assembly.js'
import { Bell } from './bell.js'
import { Decoder } from './decoder.js'
import { bytesBetween, partsOf, positionOf, type Lsn } from './position.js'
import type { Receiver } from './receiver.js'
import type { Relations } from './relations.js'

/** Batches that wait for the sink at most. */
const ahead = 2
/** An idle stream moves after so many bytes of WAL, or milliseconds. */
const idleBytes = 16 * 1024 * 1024
const idleTime = 10_000

export interface StreamOptions {
  readonly relations: Relations
  /** Where main itself would begin. */
  readonly confirmed: Lsn
  readonly batchSize: number
  readonly start: Start
  /** Where a stream that is to end ends. */
  readonly target: Lsn | undefined
}

export class WalStream {
  readonly #queue: ChangeBatch[] = []
  readonly #news = new Bell()
  readonly #room = new Bell()
  readonly #assembly: Assembly
  readonly #decoder: Decoder
  /** Of the last batch that was handed out. */
  #told: Lsn
  #toldAt = performance.now()
  #failure: unknown
  #failed = false

  constructor(private readonly options: StreamOptions) {
    const { relations, confirmed, batchSize, start } = options
    this.#assembly = new Assembly(batchSize)
    this.#told = start.after === null ? confirmed : partsOf(start.after).lsn
    this.#decoder = new Decoder(relations, this.#assembly, start.after, this.#told, start.since)
  }

  /** Something may be due: time has passed. */
  tick(): void {
    this.#news.ring()
  }

  /** @throws the signal's reason, or why there is no more. */
  async *read(receiver: Receiver, signal: AbortSignal): AsyncGenerator<ChangeBatch> {
    const wake = () => this.#news.ring()
    signal.addEventListener('abort', wake, { once: true })
    const pumping = this.#pump(receiver).catch((error: unknown) => {
      this.#failure = error
      this.#failed = true
      this.#news.ring()
    })
    try {
      for (;;) {
        signal.throwIfAborted()
        const batch = this.#next()
        if (batch) {
          this.#room.ring()
          yield batch
        } else if (this.#isOver()) return await this.options.start.settled?.()
        else if (this.#failed) throw this.#failure
        else await this.#news.wait()
      }
    } finally {
      signal.removeEventListener('abort', wake)
      this.#queue.length = 0
      await receiver.close()
      this.#room.ring()
      await pumping
    }
  }

  /** Takes what comes, until the receiver fails. */
  async #pump(receiver: Receiver): Promise<never> {
    const renewed = () => {
      for (const batch of [this.#assembly.takeWhole(), this.#assembly.takeAll()])
        if (batch) this.#queue.push(batch)
    }
    for (;;) {
      const message = receiver.take()
      if (!message) {
        this.#news.ring()
        await receiver.arrival()
        continue
      }
      const learning = this.#decoder.take(message, renewed)
      if (learning) await learning
      const full = this.#assembly.takeFull()
      if (full) this.#queue.push(full)
      if (this.#queue.length < ahead) continue
      this.#news.ring()
      while (this.#queue.length >= ahead) await this.#room.wait()
    }
  }

  #next(): ChangeBatch | undefined {
    const batch = this.#queue.shift() ?? this.#assembly.takeWhole() ?? this.#moved()
    if (!batch) return undefined
    this.#told = partsOf(batch.position).lsn
    this.#toldAt = performance.now()
    return batch
  }

  /** No change of ours, but main has moved on, far enough that it is worth telling. */
  #moved(): ChangeBatch | undefined {
    const { seen } = this.#decoder
    if (this.#isBusy() || seen <= this.#told) return undefined
    const isDue =
      this.#decoder.asked ||
      this.#isReached() ||
      performance.now() - this.#toldAt >= idleTime ||
      bytesBetween(this.#told, seen) >= idleBytes
    if (!isDue) return undefined
    this.#decoder.asked = false
    const position: Position = positionOf(seen)
    return { changes: [], position, committedAt: undefined }
  }

  #isBusy(): boolean {
    return this.#decoder.isWithin || !this.#assembly.isEmpty || this.#queue.length > 0
  }

  #isReached(): boolean {
    const { target } = this.options
    return target !== undefined && this.#decoder.seen >= target
  }

  #isOver(): boolean {
    return this.#isReached() && !this.#isBusy()
  }
}
