/** Rows that are there already, published as INSERTs: they lie before every change that the stream brings. */
import type { Change, Snapshot, Transport } from './ports.js'
import type { FollowedTable } from './table.js'

/** Digits of a row's place in its copy: rows of one moment have positions of their own. */
const digits = 12

/** @returns how many rows they were, once all of them are safe. */
export async function publishRows(
  snapshot: Snapshot,
  transport: Transport,
  table: FollowedTable,
  batchSize: number,
  signal: AbortSignal
): Promise<number> {
  const { position: moment } = snapshot
  let rows = 0
  let changes: Change[] = []
  const send = async () => {
    if (changes.length === 0) return
    await transport.send({ changes, position: moment, committedAt: undefined }, signal)
    changes = []
  }
  for await (const row of linesOf(snapshot.copy(table, undefined, signal))) {
    const position = `${moment}!${String(++rows).padStart(digits, '0')}`
    changes.push({ table, operation: 'insert', row, version: 1n, position })
    if (changes.length >= batchSize) await send()
  }
  await send()
  return rows
}

/** COPY's lines, without their ends, of text that is cut anywhere. */
async function* linesOf(text: AsyncIterable<Buffer>): AsyncGenerator<string> {
  let begun: Buffer[] = []
  for await (const part of text) {
    let from = 0
    for (let end = part.indexOf(0x0a); end !== -1; end = part.indexOf(0x0a, from)) {
      const last = part.subarray(from, end)
      yield (begun.length > 0 ? Buffer.concat([...begun, last]) : last).toString()
      begun = []
      from = end + 1
    }
    if (from < part.length) begun.push(part.subarray(from))
  }
}
