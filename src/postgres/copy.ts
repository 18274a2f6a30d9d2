/** Rows of bytes by COPY in its binary form: what a driver would turn into hex, and hex into a string, stays bytes. */
import type pg from 'pg'
import { to as copyTo } from 'pg-copy-streams'

/** Signature, flags and an empty header extension. */
const headerLength = 19

/**
 * All rows of a query whose columns are text or bytea, in memory at once: for few, large rows.
 * Format: PostgreSQL's documentation of COPY, "Binary Format".
 */
export async function copyRows(client: pg.Client, query: string): Promise<(Buffer | null)[][]> {
  const chunks: Buffer[] = []
  const stream = client.query(copyTo(`COPY (${query}) TO STDOUT (FORMAT binary)`))
  for await (const chunk of stream as AsyncIterable<Buffer>) chunks.push(chunk)
  const bytes = Buffer.concat(chunks)
  const rows: (Buffer | null)[][] = []
  let at = headerLength
  for (;;) {
    const fields = bytes.readInt16BE(at)
    at += 2
    if (fields < 0) return rows
    const row: (Buffer | null)[] = []
    for (let i = 0; i < fields; i++) {
      const length = bytes.readInt32BE(at)
      at += 4
      row.push(length < 0 ? null : bytes.subarray(at, at + length))
      at += Math.max(0, length)
    }
    rows.push(row)
  }
}
