/** The transport without a broker: one batch is handed over at a time, and is safe when the receiver says so. */
import type { ChangeBatch, Delivery, Transport } from '../ports.js'

interface Handover {
  batch: ChangeBatch
  settle(): void
  fail(error: unknown): void
}

export class DirectTransport implements Transport {
  #handover: Handover | undefined
  #ended = false
  #wake: () => void = () => {}

  async send(batch: ChangeBatch, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    if (this.#handover) throw new Error('a batch is on its way already')
    let give = () => {}
    const settled = new Promise<void>((settle, fail) => {
      this.#handover = { batch, settle, fail }
      give = () => fail(signal.reason)
    })
    signal.addEventListener('abort', give, { once: true })
    this.#wake()
    await settled.finally(() => signal.removeEventListener('abort', give))
  }

  async *receive(signal: AbortSignal): AsyncGenerator<Delivery> {
    for (;;) {
      signal.throwIfAborted()
      const handover = this.#handover
      if (handover) {
        yield {
          batch: handover.batch,
          ack: async () => {
            this.#handover = undefined
            handover.settle()
          },
          nack: async error => {
            this.#handover = undefined
            handover.fail(error)
          }
        }
      } else if (this.#ended) return
      else await this.#news(signal)
    }
  }

  async end(): Promise<void> {
    this.#ended = true
    this.#wake()
  }

  #news(signal: AbortSignal): Promise<void> {
    return new Promise(resolve => {
      const wake = () => {
        signal.removeEventListener('abort', wake)
        resolve()
      }
      this.#wake = wake
      signal.addEventListener('abort', wake, { once: true })
    })
  }
}
