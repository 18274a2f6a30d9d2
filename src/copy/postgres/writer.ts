/**
 * Saves rows, each call in one transaction, and so that a repetition changes nothing: ids behind all that the table holds are copied
 * straight into it, all others through the stage and the upsert of the data engine.
 */
import type pg from 'pg'
import { DataError } from '../../core/errors.js'
import { stageStatement, upsertStatements, type Target } from '../../data/upsert.js'
import { copyText } from '../../postgres/copytext.js'
import { codeOf } from '../../postgres/failure.js'
import type { Link } from '../../postgres/link.js'
import { columnList, ident } from '../../postgres/quote.js'
import { idOf, idsEnd, lowestId } from '../ids.js'
import type { Row } from '../types.js'
import type { Layout } from './layout.js'
import { copyIn, framed, joined, Line } from '../../postgres/wire.js'

const stage = 'pgsyncer_stage'

/** What is known of a session. */
interface Known {
  staged: boolean
  /** The table's greatest id; another session may have added greater ones, which is noticed. */
  greatest: bigint
}

export class Writer {
  readonly #known = new WeakMap<pg.Client, Known>()

  constructor(
    private readonly link: Link,
    private readonly layout: Layout
  ) {}

  /** @throws DataError where a trigger or rule kept the standby from storing every row; nothing of them is stored then. */
  async save(rows: readonly Row[], signal: AbortSignal): Promise<void> {
    const [first] = rows
    if (!first) return
    const target = this.layout.target(this.link.server)
    await this.link.use(signal, async client => {
      const known = this.#known.get(client) ?? (await this.#learn(client, target))
      if ((idOf(first) ?? lowestId) > known.greatest) {
        if (await append(client, target, rows)) {
          known.greatest = idOf(rows.at(-1)!) ?? idsEnd
          return
        }
        known.greatest = idsEnd
      }
      if (!known.staged) await client.query(stageStatement(target, stage))
      known.staged = true
      await upsert(client, target, rows)
    })
  }

  async #learn(client: pg.Client, target: Target): Promise<Known> {
    const known = { staged: false, greatest: (await greatestId(client, target)) ?? lowestId - 1n }
    this.#known.set(client, known)
    return known
  }
}

/** The greatest id of the table; undefined where it is empty. */
export async function greatestId(
  client: pg.Client,
  { source, key }: Pick<Target, 'source' | 'key'>
): Promise<bigint | undefined> {
  const query = `SELECT pg_catalog.max(t.${ident(key[0]!)})::text AS id FROM ${source}`
  const id = (await client.query<{ id: string | null }>(query)).rows[0]!.id
  return id === null ? undefined : BigInt(id)
}

/** Says whether it could: false where an id is there already. */
async function append(client: pg.Client, target: Target, rows: readonly Row[]): Promise<boolean> {
  try {
    await send(client, `${target.relation} (${columnList(target.columns)})`, target, rows)
    await client.query('COMMIT')
    return true
  } catch (error) {
    if (codeOf(error) !== '23505') throw error
    await client.query('ROLLBACK')
    return false
  }
}

async function upsert(client: pg.Client, target: Target, rows: readonly Row[]): Promise<void> {
  await send(client, `pg_temp.${stage}`, target, rows)
  let stored = 0
  for (const statement of upsertStatements(target, `pg_temp.${stage}`)) {
    stored += (await client.query(statement)).rowCount ?? 0
  }
  // Of rows that consist of their id, those that are there already are not stored again.
  if (stored !== rows.length && target.settable.length > 0) throw dropped(target, stored, rows.length)
  await client.query('COMMIT')
}

/** Begins a transaction with the rows' COPY. */
async function send(client: pg.Client, into: string, target: Target, rows: readonly Row[]): Promise<void> {
  const stored = await copyIn(client, `BEGIN; COPY ${into} FROM STDIN`, messages(target, rows))
  if (stored !== rows.length) throw dropped(target, stored, rows.length)
}

function messages({ columns }: Target, rows: readonly Row[]): Iterable<Buffer> {
  const lines = rows.map(row => row[1]).filter(value => value instanceof Line)
  if (lines.length === rows.length) return joined(lines)
  if (lines.length === 0 && rows.every(row => row.length === columns.length)) return framed(copyText(rows))
  throw new DataError(`a row to be saved has not the ${columns.length} values ${columns.join(', ')}`)
}

const dropped = ({ relation }: Target, stored: number, sent: number) =>
  new DataError(`${relation} stored ${stored} of ${sent} rows`, {
    hint: 'A trigger on the standby drops rows: disable it for the time of the copy.'
  })
