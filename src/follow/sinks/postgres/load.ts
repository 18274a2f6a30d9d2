/** The first copy of a table: main's bytes go into it as they came, in one transaction. */
import type pg from 'pg'
import { FollowError } from '../../../core/errors.js'
import { columnList } from '../../../postgres/quote.js'
import { affected, copyEnd, framed, runCopies } from '../../../postgres/wire.js'
import { nameOf } from '../../table.js'
import { refusal } from './refusal.js'
import type { Prepared } from './tables.js'

const lineEnd = 0x0a

/** @throws FollowError where the standby refuses a row; the error of `text`. Nothing is stored then. */
export async function loadTable(
  client: pg.Client,
  { table, target }: Prepared,
  text: AsyncIterable<Buffer>,
  replica: boolean
): Promise<number> {
  let lines = 0
  const messages = async function* () {
    for await (const part of text) {
      if (!replica) lines += linesOf(part)
      yield* framed([part])
    }
    yield copyEnd
  }
  const begin = replica ? 'BEGIN' : 'BEGIN; SET CONSTRAINTS ALL DEFERRED'
  try {
    const copy = `COPY ${target.relation} (${columnList(target.columns)}) FROM STDIN`
    const tags = await runCopies(client, `${begin}; ${copy}`, messages())
    const rows = affected(tags.at(-1)!)
    if (!replica && rows !== lines) {
      throw new FollowError(`${nameOf(table)} stored ${rows} of ${lines} rows`, {
        table: nameOf(table),
        hint: 'A trigger on the standby drops rows: disable it, or give the role the right to set session_replication_role.'
      })
    }
    await client.query('COMMIT')
    return rows
  } catch (error) {
    throw refusal(error, table)
  }
}

function linesOf(part: Buffer): number {
  let count = 0
  for (let at = part.indexOf(lineEnd); at !== -1; at = part.indexOf(lineEnd, at + 1)) count++
  return count
}
