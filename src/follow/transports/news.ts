/** Where a receiver waits for something to happen, of which it is told only that there was something. */
export class News {
  #wake = () => {}

  /** Whoever waits looks again. */
  wake(): void {
    this.#wake()
  }

  /** Settles at the next `wake`, when the signal is aborted, or after so many milliseconds. One waits at a time. */
  wait(signal: AbortSignal, within: number | undefined): Promise<void> {
    return new Promise(resolve => {
      const timer = within === undefined ? undefined : setTimeout(() => this.#wake(), within)
      const wake = () => {
        clearTimeout(timer)
        signal.removeEventListener('abort', wake)
        this.#wake = () => {}
        resolve()
      }
      this.#wake = wake
      signal.addEventListener('abort', wake, { once: true })
    })
  }
}
