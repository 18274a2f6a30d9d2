/**
 * Who is writing to a table right now. Numbers are taken when a row is inserted and seen when it is committed, so that a later one can be
 * seen earlier. Rule: whoever wants all rows up to a number reads that number first, then waits for every transaction that is
 * writing at that moment, and only then reads rows; what is inserted meanwhile has later numbers.
 */
import { setTimeout as delay } from 'node:timers/promises'
import type { Queryable } from './server.js'

export interface Writer {
  /** pg_locks.virtualtransaction: it stays the same where the transaction is prepared. */
  readonly id: string
  /** null: prepared, in no session any more. */
  readonly pid: number | null
}

/** Transactions that hold the lock of those who write rows, on the table or on one that it is made of. */
async function readWriters(sql: Queryable, oid: number | string): Promise<Writer[]> {
  return sql.unsafe<Writer[]>(
    `WITH RECURSIVE tree AS (
      SELECT $1::oid AS oid
      UNION
      SELECT i.inhrelid FROM pg_catalog.pg_inherits i JOIN tree ON i.inhparent = tree.oid
    )
    SELECT DISTINCT l.virtualtransaction AS id, l.pid FROM pg_catalog.pg_locks l JOIN tree ON l.relation = tree.oid
    WHERE l.locktype = 'relation' AND l.mode = 'RowExclusiveLock' AND l.granted
      AND l.database = (SELECT d.oid FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database())`,
    [String(oid)]
  )
}

export interface Patience {
  /** Milliseconds between two looks: at first, and at most. */
  shortest: number
  longest: number
  signal: AbortSignal
  /** Is told before each pause who is still writing, and since how many milliseconds; may throw. */
  waiting?(writers: readonly Writer[], waited: number): void
}

/** Waits until every transaction that is writing to the table now has ended; not for those that begin meanwhile. */
export async function awaitWriters(
  sql: Queryable,
  oid: number | string,
  { shortest, longest, signal, waiting }: Patience
): Promise<void> {
  const started = performance.now()
  let left = await readWriters(sql, oid)
  for (let pause = shortest; left.length > 0; pause = Math.min(pause * 2, longest)) {
    waiting?.(left, performance.now() - started)
    await delay(pause, undefined, { signal })
    const now = await readWriters(sql, oid)
    left = left.filter(({ id }) => now.some(one => one.id === id))
  }
}
