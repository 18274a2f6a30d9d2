/**
 * COPY on the wire. The message in which a server sends a row is, byte for byte, the one in which another server takes it: rows go from
 * socket to socket as they came, and all that is looked at is where each of them ends.
 * (PostgreSQL's documentation of the protocol, "COPY Operations" and "Message Formats".)
 */
import { EventEmitter, once } from 'node:events'
import type { Duplex } from 'node:stream'
import type pg from 'pg'

type Listener = (chunk: Buffer) => void

/** A type's letter and the length of what follows, itself included. */
const header = 5
const [copyData, copyDone, copyFail, copyOutResponse, errorResponse] = Buffer.from('dcfHE')
/** Ends the rows of one COPY. */
export const copyEnd = Buffer.from([copyDone!, 0, 0, 0, 4])

/**
 * Bytes that are worth a turn of the event loop. A server sends 8 kB at a time; where less than this has come, the next look is a
 * millisecond later, which costs nothing (the socket goes on filling) and saves most of the turns.
 */
const large = 48 * 1024

/** One row as a server sent it. */
export class Line {
  /** @param bytes many messages; this one is from `from` up to but not including `to`. */
  constructor(
    readonly bytes: Buffer,
    readonly from: number,
    readonly to: number
  ) {}

  /** The first value, which must be digits. */
  id(): bigint {
    const start = this.from + header
    let end = start
    while (this.bytes[end]! > 0x20) end++
    return BigInt(this.bytes.toString('latin1', start, end))
  }

  /** COPY's text of the row, without the end of the line. */
  text(): string {
    return this.bytes.toString('utf8', this.from + header, this.to - 1)
  }
}

/** Lines as few buffers of whole messages: those that came together go on together. */
export function* joined(lines: Iterable<Line>): Generator<Buffer> {
  let bytes: Buffer | undefined
  let [from, to] = [0, 0]
  for (const line of lines) {
    if (line.bytes !== bytes || line.from !== to) {
      if (bytes) yield bytes.subarray(from, to)
      ;({ bytes, from } = line)
    }
    to = line.to
  }
  if (bytes) yield bytes.subarray(from, to)
}

/** COPY's text as messages. */
export function* framed(texts: Iterable<Buffer>): Generator<Buffer> {
  for (const text of texts) {
    const head = Buffer.allocUnsafe(header)
    head[0] = copyData!
    head.writeUInt32BE(header - 1 + text.length, 1)
    yield head
    yield text
  }
}

/**
 * Runs `COPY … TO STDOUT` and hands over its rows as they come.
 * @param take may say false: the promise then settles, and the session, which is in the middle of its answer, is good for nothing more.
 * @returns whether all rows were taken.
 */
export async function copyOut(
  client: pg.Client,
  text: string,
  take: (line: Line) => boolean
): Promise<boolean> {
  const [whole] = (await once(client.query(new CopyOut(text, take)), 'done')) as [boolean]
  return whole
}

/** What may be waited for while it is sent. */
type Messages = Iterable<Buffer> | AsyncIterable<Buffer>

/** Runs statements the last of which is `COPY … FROM STDIN`, and sends it whole messages; returns how many rows were stored. */
export async function copyIn(client: pg.Client, text: string, messages: Messages): Promise<number> {
  const whole = async function* () {
    yield* messages
    yield copyEnd
  }
  const tags = await runCopies(client, text, whole())
  return affected(tags.findLast(tag => tag.startsWith('COPY ')) ?? '')
}

/**
 * Runs statements, any of which may be `COPY … FROM STDIN`, in one round trip.
 * @param messages those of all the COPYs, with `copyEnd` behind each one's.
 * @param tags gets what the server says of each statement when that is done (`INSERT 0 5`), so that after an error it is known which failed.
 */
export async function runCopies(
  client: pg.Client,
  text: string,
  messages: Messages,
  tags: string[] = []
): Promise<string[]> {
  await once(client.query(new CopyIn(text, messages, tags)), 'done')
  return tags
}

/** How many rows a statement's tag tells of. */
export const affected = (tag: string): number => Number(/\d+$/.exec(tag)?.[0] ?? 0)

/** Of the message that begins there. */
const lengthAt = (bytes: Buffer, at: number) => 1 + bytes.readUInt32BE(at + 1)

/** What `pg` calls a query, with the events `done` and `error`; as long as rows come, it reads the socket in the place of pg's own parser. */
class CopyOut extends EventEmitter implements pg.Submittable {
  #stream: Duplex | undefined
  #pass: Listener = () => {}
  /** The beginning of a message whose end has not come yet. */
  #begun: Buffer[] = []
  #size = 0
  /** Its length, or, as long as not even that is known, that of what tells it. */
  #length = header

  constructor(
    private readonly text: string,
    private readonly take: (line: Line) => boolean
  ) {
    super()
  }

  submit(connection: pg.Connection): void {
    const { stream } = connection
    this.#stream = stream
    this.#pass = stream.listeners('data')[0] as Listener
    stream.off('data', this.#pass)
    stream.on('data', this.#read)
    connection.query(this.text)
  }

  readonly #read = (chunk: Buffer): void => {
    this.#parse(chunk)
    const stream = this.#stream
    if (!stream || chunk.length >= large) return
    stream.pause()
    setTimeout(() => stream.resume(), 1)
  }

  #parse(chunk: Buffer): void {
    let at = 0
    // Never all of it put together: only a message that came in parts is.
    while (this.#size > 0) {
      const part = chunk.subarray(at, at + this.#length - this.#size)
      this.#begun.push(part)
      this.#size += part.length
      at += part.length
      if (this.#size < this.#length) return
      const bytes = Buffer.concat(this.#begun)
      this.#length = lengthAt(bytes, 0)
      if (this.#length > bytes.length) this.#begun = [bytes]
      else {
        this.#begun = []
        this.#size = 0
        if (!this.#message(bytes, 0, bytes.length)) return this.#leave(chunk.subarray(at))
      }
    }
    while (at + header <= chunk.length) {
      const next = at + lengthAt(chunk, at)
      if (next > chunk.length) break
      if (!this.#message(chunk, at, next)) return this.#leave(chunk.subarray(next))
      at = next
    }
    this.#length = at + header <= chunk.length ? lengthAt(chunk, at) : header
    this.#size = chunk.length - at
    if (this.#size > 0) this.#begun = [chunk.subarray(at)]
  }

  /** Says whether more is to be read here. */
  #message(bytes: Buffer, from: number, to: number): boolean {
    const kind = bytes[from]
    if (kind === copyData) {
      if (this.take(new Line(bytes, from, to))) return true
      this.#pass = () => {}
      this.emit('done', false)
      return false
    }
    // Also notices and changed parameters.
    if (kind !== copyOutResponse) this.#pass(bytes.subarray(from, to))
    return kind !== copyDone && kind !== errorResponse
  }

  /** The rest of the answer is pg's. */
  #leave(rest: Buffer): void {
    this.#detach()
    if (rest.length > 0) this.#pass(rest)
  }

  #detach(): void {
    this.#stream?.off('data', this.#read)
    this.#stream?.on('data', this.#pass)
    this.#stream = undefined
  }

  handleCommandComplete(): void {}

  handleReadyForQuery(): void {
    this.emit('done', true)
  }

  handleError(error: Error): void {
    this.#detach()
    this.emit('error', error)
  }
}

/**
 * Rows are sent at once, not only when the server asks for them: that would cost a round trip a batch. Those of a statement that it
 * refuses, the server drops.
 */
class CopyIn extends EventEmitter implements pg.Submittable {
  /** Why no more is sent. */
  #failure: unknown
  #over = false

  constructor(
    private readonly text: string,
    private readonly messages: Messages,
    private readonly tags: string[]
  ) {
    super()
  }

  submit(connection: pg.Connection): void {
    const { stream } = connection
    connection.query(this.text)
    this.#send(stream).catch((error: unknown) => {
      this.#failure = error
      if (!this.#over) stream.write(Buffer.from([copyFail!, 0, 0, 0, 5, 0]))
    })
  }

  async #send(stream: Duplex): Promise<void> {
    for await (const message of this.messages) {
      if (!stream.write(message)) await once(stream, 'drain')
      // A server that has refused the rows reads no more of them.
      if (this.#over) return
    }
  }

  handleCopyInResponse(): void {}

  handleCommandComplete({ text }: { text: string }): void {
    this.tags.push(text)
  }

  handleReadyForQuery(): void {
    this.#over = true
    this.emit('done')
  }

  handleError(error: Error): void {
    this.#over = true
    this.emit('error', this.#failure ?? error)
  }
}
