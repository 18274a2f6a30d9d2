/**
 * Lines at the bottom of a terminal that are drawn again and again in their place. Each time they are written at once, and only where they
 * have changed: nothing flickers. The cursor rests behind the last of them, and is never hidden: however the process ends, it is there.
 */
import stringWidth from 'string-width'
import type { Output } from '../io.js'
import { fit } from './words.js'

const clearLine = '\u001b[K'
const clearBelow = '\u001b[J'

export class Screen {
  #drawn: readonly string[] = []
  #columns = 0

  constructor(private readonly stream: Output) {}

  /** Columns that a line may take: the last one is left free, where terminals begin a new line or not as they like. */
  get width(): number {
    return this.#size - 1
  }

  /** Lines that there is room for. */
  get height(): number {
    return (this.stream.rows || 24) - 1
  }

  /** These lines instead of those before, each cut to the width; what is to stay above them ends with a line feed. */
  show(lines: readonly string[], above = ''): void {
    const next = lines.map(line => fit(line, this.width))
    const same =
      this.#columns === this.#size &&
      next.length === this.#drawn.length &&
      next.every((line, at) => line === this.#drawn[at])
    if (same && above === '') return
    const before = this.#home() + (above === '' ? '' : clearBelow + above)
    this.stream.write(before + next.map(line => line + clearLine).join('\n') + clearBelow)
    this.#drawn = next
    this.#columns = this.#size
  }

  /** Nothing instead of the lines. */
  clear(): void {
    if (this.#drawn.length > 0) this.stream.write(this.#home() + clearBelow)
    this.#drawn = []
  }

  get #size(): number {
    return Math.max(2, this.stream.columns || 80)
  }

  /** To where the first line begins. A terminal that has become narrower has parted lines that were longer. */
  #home(): string {
    if (this.#drawn.length === 0) return ''
    const rows = this.#drawn.reduce(
      (sum, line) => sum + Math.max(1, Math.ceil(stringWidth(line) / this.#size)),
      0
    )
    return rows > 1 ? `\u001b[${rows - 1}A\r` : '\r'
  }
}
