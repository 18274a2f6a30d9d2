/** One side waits until the other rings; a ring that nobody waits for is kept. */
export class Bell {
  #rung = false
  #answer = () => {}

  ring(): void {
    this.#rung = true
    this.#answer()
  }

  async wait(): Promise<void> {
    if (!this.#rung) await new Promise<void>(resolve => (this.#answer = resolve))
    this.#rung = false
  }
}
