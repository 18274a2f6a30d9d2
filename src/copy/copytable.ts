/**
 * Copies one table, batch after batch in order of its ids, from one database to another. It knows them only by the interfaces
 * of types.ts. Whatever happens, each Database that was connected is closed exactly once.
 */
import { messageOf } from '../core/errors.js'
import { Calls } from './calls.js'
import { checkConfig } from './config.js'
import { idOf } from './ids.js'
import { Ranges } from './ranges.js'
import type {
  ConnectionPool,
  CopyConfig,
  CopyProgress,
  CopyResult,
  CopyTableOptions,
  Database,
  Row
} from './types.js'

/**
 * Copies every row whose id is not greater than the greatest when the copy begins; rows are saved at most `batchSize` at a time.
 * @throws ConfigError before any connection; CallTimeoutError for a call that took too long `maxRetries` + 1 times;
 *   FullCopyTimeoutError; AbortError for the caller's signal; any other error as it is, at once. Errors on closing join it in an
 *   AggregateError, whose first error it is; without it, one is thrown alone.
 */
export async function copyTable(
  config: CopyConfig,
  pool: ConnectionPool,
  fromName: string,
  toName: string,
  options: CopyTableOptions = {}
): Promise<CopyResult> {
  checkConfig(config)
  const progress: CopyProgress = {
    rows: 0n,
    batches: 0,
    retries: 0,
    lastId: 0n,
    firstId: undefined,
    maxId: 0n
  }
  const tell = () => options.onProgress?.({ ...progress })
  const calls = new Calls(config, options.signal, () => {
    progress.retries++
    tell()
  })
  const opened: { database: Database; name: string }[] = []
  const connect = async (name: string) => {
    const work = (signal: AbortSignal) => pool.connect(name, signal)
    const database = await calls.make({ name: 'connect', database: name }, work, closeLate)
    opened.push({ database, name })
    return database
  }

  const errors: unknown[] = []
  try {
    const from = await connect(fromName)
    const to = await connect(toName)
    await copyRows(config, calls, { from, fromName, to, toName }, progress, tell)
  } catch (error) {
    errors.push(error)
  }
  calls.stop()
  const closed = await Promise.allSettled(opened.map(({ database, name }) => calls.close(database, name)))
  for (const result of closed) if (result.status === 'rejected') errors.push(result.reason)
  if (errors.length > 1) throw new AggregateError(errors, messageOf(errors[0]))
  if (errors.length > 0) throw errors[0]
  const { rows, batches, retries, lastId } = progress
  return { rows, batches, retries, lastId }
}

interface Ends {
  from: Database
  fromName: string
  to: Database
  toName: string
}

async function copyRows(
  config: CopyConfig,
  calls: Calls,
  { from, fromName, to, toName }: Ends,
  progress: CopyProgress,
  tell: () => void
): Promise<void> {
  const size = BigInt(config.batchSize)
  progress.maxId = await calls.make({ name: 'getMaxId', database: fromName }, signal => from.getMaxId(signal))
  const ranges = new Ranges(size, progress.maxId)
  for (let range = ranges.next(); range !== undefined; range = ranges.next()) {
    const { minId, maxId } = range
    const rows = await calls.make({ name: 'loadRows', database: fromName, range }, signal =>
      from.loadRows(minId, maxId, signal)
    )
    const last = ranges.take(range, rows)
    if (last === undefined) continue
    progress.firstId ??= idOf(rows[0]!)
    for (const [at, batch] of batches(rows, size).entries()) {
      await calls.make({ name: 'saveRows', database: toName, range }, signal => to.saveRows(batch, signal))
      progress.batches++
      progress.rows += BigInt(batch.length)
      const whole = BigInt(at + 1) * size >= rows.length
      progress.lastId = whole ? last : (idOf(batch.at(-1)!) ?? progress.lastId)
      tell()
    }
  }
}

/** Most often the rows themselves: only a range that turned out to be denser than expected holds more. */
function batches(rows: readonly Row[], size: bigint): (readonly Row[])[] {
  if (BigInt(rows.length) <= size) return [rows]
  const step = Number(size)
  return Array.from({ length: Math.ceil(rows.length / step) }, (_, i) => rows.slice(i * step, (i + 1) * step))
}

/** What a call that was given up brings after all. */
function closeLate(database: Database): void {
  const close = async () => database.close()
  close().catch(() => {})
}
