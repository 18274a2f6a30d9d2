/**
 * What `copyTable` is written against: two interfaces that anyone can implement, its settings and its result. Ids are
 * bigints everywhere, from −2^63 to 2^63−1; none is ever a JavaScript number.
 */

/**
 * A row: its column values, in the same order on both sides, and first among them the id (a bigint, its digits as text, or a safe
 * integer). A Database that gives its ids elsewhere works too, as long as its answers are always whole (see `loadRows`).
 */
export type Row = readonly unknown[]

/**
 * One table of one database. Every call may take as long as it likes: copyTable stops waiting by itself, aborts the signal, and
 * ignores what comes later.
 */
export interface Database {
  /** The greatest id; 0n for an empty table. */
  getMaxId(signal: AbortSignal): Promise<bigint>
  /**
   * The rows of the half-open range [minId, maxId), in order of id. `minId` is −2^63 or more, `maxId` 2^63 or less. Where ids are
   * sparse a range is wider than `batchSize` and may turn out to be full of rows: an answer may stop after any number of rows but
   * none, and copyTable goes on behind its last id. An empty answer means that the whole range is empty.
   */
  loadRows(minId: bigint, maxId: bigint, signal: AbortSignal): Promise<Row[]>
  /** Stores at most `batchSize` rows. Idempotent: it is called again with the same rows after a time-out. */
  saveRows(rows: readonly Row[], signal: AbortSignal): Promise<void>
  /** Called exactly once. */
  close(): Promise<void>
}

export interface ConnectionPool {
  /** A Database that comes after the signal was aborted is closed. */
  connect(dbname: string, signal: AbortSignal): Promise<Database>
}

/** Times are milliseconds. */
export interface CopyConfig {
  /** Rows saved by one call, and ids asked for by one call where the table is dense: 1 or more. */
  batchSize: bigint | number
  /** Further tries of a call that took too long, each: 0 or more. */
  maxRetries: number
  /** From the time-out of a call to its next try: 0 or more. */
  retriesDelay: number
  /** Of each call, `connect` and `close` too: more than 0. */
  callTimeout: number
  /** Of everything but the closing: more than 0. */
  fullCopyTimeout: number
}

export interface CopyResult {
  /** Rows saved. */
  rows: bigint
  /** Calls of `saveRows` that succeeded. */
  batches: number
  /** Further tries of all calls together. */
  retries: number
  /** The greatest id copied; 0n where there was no row. */
  lastId: bigint
}

/** Told after each batch, and before each further try of a call. */
export interface CopyProgress extends CopyResult {
  /** The id of the first row; undefined as long as none was found. */
  firstId: bigint | undefined
  /** The greatest id when the copy began: where it will end. */
  maxId: bigint
}

export interface CopyTableOptions {
  /** Ends the copy with an AbortError, also inside a call or a delay. */
  signal?: AbortSignal
  /** What it throws ends the copy. */
  onProgress?(progress: CopyProgress): void
}
