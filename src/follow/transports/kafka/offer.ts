/** What the brokers have sent of one partition, until the last of it is acknowledged, or it is given back. */
import type { KafkaMessage } from 'kafkajs'

/** A part of an offer, on its way to the writer. */
export interface Slice {
  readonly offer: Offer
  readonly messages: readonly KafkaMessage[]
}

export class Offer {
  #at = 0
  #pending = 0
  #withdrawn = false
  #wake = () => {}
  /** Offset of the last message that is acknowledged. */
  resolved: string | undefined

  constructor(
    readonly topic: string,
    readonly partition: number,
    /** During which of this receiver's turns they came. */
    readonly turn: string,
    private readonly messages: readonly KafkaMessage[]
  ) {}

  get left(): number {
    return this.#withdrawn ? 0 : this.messages.length - this.#at
  }

  /** Nothing of it is with the writer, and nothing more will be. */
  get over(): boolean {
    return this.#pending === 0 && this.left === 0
  }

  take(most: number): Slice {
    const messages = this.messages.slice(this.#at, this.#at + most)
    this.#at += messages.length
    this.#pending += messages.length
    return { offer: this, messages }
  }

  /** Takes back the end of what was taken last; returns the rest. */
  shorten(slice: Slice, to: number): Slice {
    const back = slice.messages.length - to
    this.#at -= back
    this.#pending -= back
    return { offer: this, messages: slice.messages.slice(0, to) }
  }

  settle({ messages }: Slice): void {
    this.#pending -= messages.length
    this.resolved = messages.at(-1)!.offset
    this.#wake()
  }

  /** Gives no more of it; what is with the writer may still be acknowledged. */
  withdraw(): void {
    this.#withdrawn = true
    this.#wake()
  }

  /** Forgets also what is with the writer. */
  abandon(): void {
    this.#pending = 0
    this.withdraw()
  }

  /** Waits for a change, but not longer than so many milliseconds. */
  news(within: number): Promise<void> {
    return new Promise(resolve => {
      const timer = setTimeout(() => this.#wake(), within)
      this.#wake = () => {
        clearTimeout(timer)
        this.#wake = () => {}
        resolve()
      }
      if (this.over) this.#wake()
    })
  }
}
