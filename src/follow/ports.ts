/**
 * The three ports that following is made of. Nobody here knows what stands behind one; wiring.ts alone names the adapters.
 * A source's position moves only when a sink has made what lies before it durable, so nothing is lost; a sink takes the same
 * batch twice without harm, so nothing is there twice.
 */
import type { Lag } from '../core/events.js'
import type { FollowedTable } from './table.js'

/**
 * Where in its source a change lies. Opaque but to the source that made it; as texts, a later one of the same table is greater
 * than an earlier one.
 */
export type Position = string

export type Operation = 'insert' | 'update' | 'delete' | 'truncate'

/** What happened to one row, or, for `truncate`, to all rows of a table. */
export interface Change {
  readonly table: FollowedTable
  readonly operation: Operation
  /** The row as it is now, for insert and update: its line of COPY's text form, without the end, in the order of the table's columns. */
  readonly row?: string
  /**
   * The row as it was: such a line of all columns, or of the key's alone. Always there for a delete, and for an update that changed
   * the key; where else it is known.
   */
  readonly old?: string
  /** Columns (by index) whose value the source does not tell because it did not change; they are `\N` in `row`. */
  readonly absent?: readonly number[]
  /** Where values are absent: the number (32 bits) of main's transaction, which others may come to see a little later than its changes. */
  readonly transaction?: number
  /** Greater for each later change of the same row; above 0, below 2^63. */
  readonly version: bigint
  readonly position: Position
}

export interface ChangeBatch {
  /** In the order in which they were made; may be none, where only the position has moved. */
  readonly changes: readonly Change[]
  /** Everything before it is in this batch or an earlier one. */
  readonly position: Position
  /** Milliseconds since 1970 when the last of the changes was committed on main; undefined: not known. */
  readonly committedAt: number | undefined
  /** Where receivers share a stream: by what right this one writes the batch. Each is to hold until it is durable. */
  readonly turns?: readonly Turn[]
}

/** The right to write what lies in a queue or a partition, which a broker gives to one receiver of a group at a time. */
export interface Turn {
  /** The queue or partition: called the same by all who receive from it, and unlike any other broker's. */
  readonly lane: string
  /** No other turn's. */
  readonly id: string
  /**
   * Asks the broker.
   * @throws TemporaryError or ConnectionError where the lane is not this receiver's, or was not all the time since its messages came.
   */
  confirm(): Promise<void>
}

export interface SourceCapabilities {
  /** Which operations it sees. */
  readonly operations: ReadonlySet<Operation>
}

/** Where to begin. */
export interface Start {
  /** The sink's position; null: with the first change that the source still has. */
  readonly after: Position | null
  /** By `schema.table`: where a table was copied later than the others, its changes up to there are in that copy. */
  readonly since: Readonly<Record<string, Position>>
  /** End when all is delivered that was committed before the call. */
  readonly once: boolean
  /** A stream that ends waits for this before it lets main go: all that it gave is acked then. */
  readonly settled?: () => Promise<void>
}

export interface Source {
  readonly capabilities: SourceCapabilities
  /** What positions belong to: kind, server and slot or capture. Another one's positions mean nothing here. */
  readonly origin: string
  /** The shapes of the tables as they are now. */
  readonly tables: readonly FollowedTable[]
  /** One moment of main, to copy tables from; held until it is closed. */
  snapshot(tables: readonly FollowedTable[], signal: AbortSignal): Promise<Snapshot>
  /**
   * Changes as they come. A new shape of a table begins a new batch.
   * @throws FollowError where what lies after the position is no longer there: never a silent start from now.
   */
  stream(start: Start, signal: AbortSignal): AsyncIterable<ChangeBatch>
  /** Everything up to there is durable in the sink: main need not keep it. */
  ack(position: Position): Promise<void>
  lag(): Promise<Lag>
  close(): Promise<void>
}

export interface Snapshot {
  /** Where to go on behind the copy. */
  readonly position: Position
  /** Main's own estimate of a table's rows, −1 if it has none. */
  estimate(table: FollowedTable): number
  /**
   * A table's rows in COPY's text form, cut anywhere.
   * @param expressions SQL over the alias `t`, one a column, for a sink that wants values written otherwise.
   */
  copy(
    table: FollowedTable,
    expressions: readonly string[] | undefined,
    signal: AbortSignal
  ): AsyncIterable<Buffer>
  /** The copy is durable: changes that it holds need not be delivered. */
  done(): Promise<void>
  close(): Promise<void>
}

export interface Delivery {
  readonly batch: ChangeBatch
  ack(): Promise<void>
  nack(error: unknown): Promise<void>
}

export interface Transport {
  /** `send` may be called before the one before has settled: what is called first leaves first, and nothing leaves behind what failed. */
  readonly pipelined?: boolean
  /** Settles when the batch is safe for good; rejects with the receiver's or the broker's error. */
  send(batch: ChangeBatch, signal: AbortSignal): Promise<void>
  receive(signal: AbortSignal): AsyncIterable<Delivery>
  /** No more will be sent: `receive` ends when all is taken. */
  end(): Promise<void>
}

/** What a sink remembers of one stream. */
export interface StreamState {
  /** Source.origin */
  readonly origin: string
  readonly position: Position | null
  /** By `schema.table`: where its copy was taken (Start.since); null: the copy is not whole, and must be made anew. */
  readonly tables: Readonly<Record<string, Position | null>>
}

/** The same, as whoever looks at all streams of a sink finds it. */
export interface StoredStream extends StreamState {
  readonly name: string
  /** When it was last moved, as the sink's server has it; null where it does not say. */
  readonly updated: string | null
}

export interface SinkCapabilities {
  /** Takes changes with absent values. */
  readonly partial: boolean
  /** What is written replaces what is there, though that be newer. */
  readonly overwrites?: boolean
}

export interface Sink {
  readonly capabilities: SinkCapabilities
  /** What it remembers of this stream; undefined: nothing. */
  recall(): Promise<StreamState | undefined>
  /** Replaces what it remembers; settles when durable. */
  remember(state: StreamState): Promise<void>
  /**
   * Makes the table fit for rows of this shape, or finds it so. Called before the first load or write with a shape.
   * @returns names of the columns that were added.
   * @throws ConfigError or FollowError, with nothing changed, where it cannot be.
   */
  prepare(table: FollowedTable): Promise<readonly string[]>
  /** Whether the table has rows. */
  hasRows(table: FollowedTable): Promise<boolean>
  /** Takes all rows away. */
  clear(table: FollowedTable): Promise<void>
  /** The same tables in the order in which they are to be loaded. */
  loadOrder(tables: readonly FollowedTable[]): readonly FollowedTable[]
  /** What Snapshot.copy is to write instead of plain columns; undefined: nothing. */
  expressions(table: FollowedTable): readonly string[] | undefined
  /** Loads rows in COPY's text form into an empty table; settles when durable, with how many they were. */
  load(table: FollowedTable, text: AsyncIterable<Buffer>, signal: AbortSignal): Promise<number>
  /** Settles when the batch and its position are durable, both or neither in effect: the same batch again does no harm. */
  write(batch: ChangeBatch, signal: AbortSignal): Promise<void>
  close(): Promise<void>
}
