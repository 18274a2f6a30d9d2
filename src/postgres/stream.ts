/** Rows of a query one by one, each asked for only when the one before it has been taken. */
import type pg from 'pg'
import QueryStream from 'pg-query-stream'

/**
 * The rows as arrays, every value as text or bytes. The client is good for nothing else meanwhile, and must be ended
 * where the rows are not read to their end.
 */
export async function* streamRows(client: pg.Client, text: string): AsyncGenerator<unknown[], undefined> {
  const options = { rowMode: 'array', batchSize: 1, highWaterMark: 1 } as const
  const stream = client.query(new QueryStream(text, [], options))
  stream.on('error', () => {})
  const rows = stream[Symbol.asyncIterator]() as AsyncIterator<unknown[], undefined>
  // The stream would wait for ever for the answer of a server that is gone.
  let failure: Error | undefined
  let lose = (_: Error): void => {}
  const lost = () => lose((failure = new Error('Connection terminated unexpectedly')))
  client.once('end', lost)
  try {
    for (;;) {
      const next = await new Promise<IteratorResult<unknown[], undefined>>((resolve, reject) => {
        lose = reject
        if (failure) reject(failure)
        rows.next().then(resolve, reject)
      })
      if (next.done) return undefined
      yield next.value
    }
  } finally {
    client.off('end', lost)
    stream.destroy()
  }
}

/** The same inside the client's open transaction, which can do other things between two rows. They are those of the beginning. */
export async function* cursorRows(client: pg.Client, text: string): AsyncGenerator<unknown[], undefined> {
  await client.query(`DECLARE pgsyncer_rows NO SCROLL CURSOR FOR ${text}`)
  for (;;) {
    const { rows } = await client.query<unknown[]>({ text: 'FETCH pgsyncer_rows', rowMode: 'array' })
    if (rows.length === 0) break
    yield rows[0]!
  }
  await client.query('CLOSE pgsyncer_rows')
  return undefined
}
