/**
 * Writes a plan. Rows go to a file beside it as they are found, for what the head says of them is known only then; both become one
 * in the end, under the name that was asked for. They are production data: nobody else may read them.
 */
import { createReadStream, createWriteStream } from 'node:fs'
import { open, rename, rm, type FileHandle } from 'node:fs/promises'
import { pipeline } from 'node:stream/promises'
import pLimit from 'p-limit'
import { ConfigError, messageOf } from '../../core/errors.js'
import { planVersion, type PlanHead, type PlanRow } from './document.js'

/** Bytes that are gathered before they are written. */
const piece = 256 * 1024

export class PlanWriter {
  readonly #turn = pLimit(1)
  /** One for all rows: what is allocated anew for each piece is collected late. */
  readonly #held = Buffer.allocUnsafe(piece)
  #size = 0
  #at = 0

  private constructor(
    private readonly path: string,
    private readonly rows: FileHandle
  ) {}

  /** @throws ConfigError where there can be no such file. */
  static async create(path: string): Promise<PlanWriter> {
    try {
      return new PlanWriter(path, await open(partOf(path), 'w', 0o600))
    } catch (cause) {
      throw new ConfigError(`${path} cannot be written: ${messageOf(cause)}`, {
        hint: 'Is there such a folder, and may you write there?',
        cause
      })
    }
  }

  /** What `work` puts is in the plan wholly or, where it fails, not at all; one works at a time. */
  async together<T>(work: (put: (row: PlanRow) => Promise<void>) => Promise<T>): Promise<T> {
    return this.#turn(async () => {
      await this.#flush()
      const start = this.#at
      try {
        const result = await work(row => this.#put(row))
        await this.#flush()
        return result
      } catch (error) {
        this.#size = 0
        await this.rows.truncate((this.#at = start))
        throw error
      }
    })
  }

  /** Makes the document of the head and all rows. */
  async finish(head: PlanHead): Promise<void> {
    await this.rows.close()
    const out = createWriteStream(`${partOf(this.path)}.whole`, { mode: 0o600, flush: true })
    const rows = createReadStream(partOf(this.path), 'utf8')
    await pipeline(documentOf(head, rows), out)
    await rename(`${partOf(this.path)}.whole`, this.path)
    await this.discard()
  }

  /** Takes away what is not the plan itself. */
  async discard(): Promise<void> {
    await this.rows.close().catch(() => {})
    for (const file of [partOf(this.path), `${partOf(this.path)}.whole`]) await rm(file, { force: true })
  }

  async #put(row: PlanRow): Promise<void> {
    const line = `${JSON.stringify(row)},\n`
    // What UTF-8 takes at most.
    const room = line.length * 3
    if (this.#size + room > piece) await this.#flush()
    if (room > piece) await this.#write(Buffer.from(line))
    else this.#size += this.#held.write(line, this.#size)
  }

  async #flush(): Promise<void> {
    if (this.#size > 0) await this.#write(this.#held.subarray(0, this.#size))
    this.#size = 0
  }

  async #write(bytes: Buffer): Promise<void> {
    await this.rows.write(bytes, 0, bytes.length, this.#at)
    this.#at += bytes.length
  }
}

const partOf = (path: string): string => `${path}.part`

/** The rows come with a comma after each: the last one's is left out. */
async function* documentOf(head: PlanHead, rows: AsyncIterable<string>): AsyncGenerator<string> {
  yield `{\n"pgsyncer": ${planVersion},\n"head": ${JSON.stringify(head, undefined, 2)},\n"rows": [\n`
  let end = ''
  for await (const part of rows) {
    const text = end + part
    end = text.slice(-2)
    yield text.slice(0, -2)
  }
  yield end === '' ? ']\n}\n' : '\n]\n}\n'
}
