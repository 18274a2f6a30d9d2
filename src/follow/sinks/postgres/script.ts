/**
 * Statements that go to the server as one message, with the rows of those that are COPYs behind them: one round trip, however many
 * tables a batch touches.
 */
import type pg from 'pg'
import { copyEnd, framed, runCopies } from '../../../postgres/wire.js'

/** Characters of rows that are sent as one message. */
const piece = 256 * 1024

export class Script<About> {
  readonly #statements: string[] = []
  readonly #about: (About | undefined)[] = []
  readonly #rows: (readonly string[])[] = []

  /** How many statements there are. */
  get size(): number {
    return this.#statements.length
  }

  /** @param about what is known of a statement that fails. */
  add(statement: string, about?: About): void {
    this.#statements.push(statement)
    this.#about.push(about)
  }

  /** @param into as SQL, with its columns; @param lines in COPY's text form. */
  copy(into: string, lines: readonly string[], about?: About): void {
    this.add(`COPY ${into} FROM STDIN`, about)
    this.#rows.push(lines)
  }

  /**
   * @returns what the server said of each statement, such as `UPDATE 5`.
   * @throws the server's error; `failed` is told which statement it is of.
   */
  async run(client: pg.Client, failed: (about: About | undefined) => void = () => {}): Promise<string[]> {
    const tags: string[] = []
    try {
      return await runCopies(client, this.#statements.join(';\n'), this.#messages(), tags)
    } catch (error) {
      failed(this.#about[tags.length])
      throw error
    }
  }

  *#messages(): Generator<Buffer> {
    for (const lines of this.#rows) {
      yield* framed(texts(lines))
      yield copyEnd
    }
  }
}

function* texts(lines: readonly string[]): Generator<Buffer> {
  let text = ''
  for (const line of lines) {
    text += `${line}\n`
    if (text.length < piece) continue
    yield Buffer.from(text)
    text = ''
  }
  if (text !== '') yield Buffer.from(text)
}
