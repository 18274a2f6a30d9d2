/**
 * For sinks that take whole rows alone: what a change leaves out because it did not change is fetched from main by the row's key.
 * It may be newer than the change; then a later change brings the same again, so nothing is lost. A row that main has no more has
 * a later change as well, and is not written until that comes. It must never be older: main writes a commit to the WAL before it lets others
 * see what was committed, so that is waited for.
 */
import { setTimeout as delay } from 'node:timers/promises'
import type pg from 'pg'
import { FollowError, messageOf } from '../../core/errors.js'
import { keyIn, type KeyColumn } from '../../data/key.js'
import { lineOf, valuesOf, type TextRow } from '../../postgres/copytext.js'
import { codeOf } from '../../postgres/failure.js'
import { ident, literal, qualified } from '../../postgres/quote.js'
import type { Server } from '../../postgres/server.js'
import { copyOut } from '../../postgres/wire.js'
import type { Change, ChangeBatch } from '../ports.js'
import { keyOf, nameOf, type FollowedTable } from '../table.js'

/** Milliseconds between two looks whether a transaction is seen yet: at first, and at most. */
const [shortest, longest] = [1, 100]

export class Completer {
  #client: Promise<pg.Client> | undefined

  constructor(private readonly main: Server) {}

  async close(): Promise<void> {
    await this.#client?.then(client => client.end()).catch(() => {})
  }

  /** The batch with whole rows. */
  async complete(batch: ChangeBatch, signal: AbortSignal): Promise<ChangeBatch> {
    const partial = grouped(batch.changes.filter(isPartial))
    if (partial.size === 0) return batch
    await this.#seen(
      new Set([...partial.values()].flat().flatMap(({ transaction }) => transaction ?? [])),
      signal
    )
    const rows = new Map<FollowedTable, Map<string, TextRow>>()
    for (const [table, changes] of partial) rows.set(table, await this.#fetch(table, changes))
    const changes = batch.changes.flatMap(change =>
      isPartial(change) ? completed(change, rows.get(change.table)!) : [change]
    )
    return { ...batch, changes }
  }

  /** The rows that these changes are about, as main has them now: lines of all columns. Those that it does not have are left out. */
  async current(changes: readonly Change[]): Promise<Map<Change, string>> {
    const lines = new Map<Change, string>()
    for (const [table, those] of grouped(changes)) {
      const rows = await this.#fetch(table, those)
      for (const change of those) {
        const row = rows.get(keyNow(change))
        if (row) lines.set(change, lineOf(row))
      }
    }
    return lines
  }

  /** The rows of these changes as they are now, by key. */
  async #fetch(table: FollowedTable, changes: readonly Change[]): Promise<Map<string, TextRow>> {
    const keys = [...new Set(changes.map(keyNow))].map(valuesOf)
    const columns = table.columns.slice(0, table.keyLength).map(keyColumn)
    const condition = keyIn(
      columns,
      columns.map((_, at) => keys.map(key => key[at]!))
    )
    const client = await this.#connected()
    const there = await columnsOf(client, table)
    // What main has dropped is in none of its rows.
    const values = table.columns.map(({ name }) => (there.has(name) ? `t.${ident(name)}` : 'NULL'))
    const query = `SELECT ${values.join(', ')} FROM ${qualified(table.schema, table.name)} AS t WHERE ${condition}`
    const rows = new Map<string, TextRow>()
    const take = (text: string) => rows.set(keyOf(table, text), valuesOf(text))
    await copyOut(client, `COPY (${query}) TO STDOUT`, line => take(line.text()) !== undefined).catch(
      (error: unknown) => {
        throw refused(error, table, this.main.user)
      }
    )
    return rows
  }

  #connected(): Promise<pg.Client> {
    this.#client ??= this.main.connect()
    return this.#client
  }

  /** Settles when others on main see what these transactions did: with a synchronous standby that can take long. */
  async #seen(transactions: ReadonlySet<number>, signal: AbortSignal): Promise<void> {
    const client = await this.#connected()
    for (let pause = shortest; ; pause = Math.min(pause * 2, longest)) {
      const { rows } = await client.query<{ next: string; running: string[] }>(
        `SELECT txid_snapshot_xmax(now)::text AS next, ARRAY(SELECT id::text FROM txid_snapshot_xip(now) AS id) AS running
         FROM txid_current_snapshot() AS now`
      )
      const { next, running } = rows[0]!
      const low = (id: string) => Number(BigInt.asUintN(32, BigInt(id)))
      const open = new Set(running.map(low))
      // Numbers begin anew after 2^32.
      if (![...transactions].some(id => open.has(id) || ((id - low(next)) | 0) >= 0)) return
      await delay(pause, undefined, { signal }).catch(() => signal.throwIfAborted())
    }
  }
}

/** The names of the columns that main's table has now. */
async function columnsOf(client: pg.Client, { schema, name }: FollowedTable): Promise<ReadonlySet<string>> {
  const { rows } = await client.query<{ name: string }>(
    `SELECT attname AS name FROM pg_catalog.pg_attribute WHERE attrelid = pg_catalog.to_regclass(${literal(qualified(schema, name))})
       AND attnum > 0 AND NOT attisdropped`
  )
  return new Set(rows.map(row => row.name))
}

function refused(error: unknown, table: FollowedTable, user: string): unknown {
  const sqlstate = codeOf(error)
  if (!/^(42|22)/.test(sqlstate ?? '')) return error
  return new FollowError(
    `values of ${nameOf(table)} that did not change cannot be read from main, as the sink needs them: ${messageOf(error)}`,
    {
      table: nameOf(table),
      sqlstate: sqlstate!,
      cause: error,
      hint:
        sqlstate === '42501'
          ? `GRANT SELECT ON ${qualified(table.schema, table.name)} TO ${ident(user)}`
          : 'The table or its key is another one by now: leave it out, or copy it anew.'
    }
  )
}

function grouped(changes: readonly Change[]): Map<FollowedTable, Change[]> {
  const groups = new Map<FollowedTable, Change[]>()
  for (const change of changes) {
    const group = groups.get(change.table)
    if (group) group.push(change)
    else groups.set(change.table, [change])
  }
  return groups
}

/** The key that the row has, or had when it was deleted. */
const keyNow = ({ table, row, old }: Change): string => keyOf(table, row ?? old ?? '')

const isPartial = ({ absent }: Change): boolean => absent !== undefined && absent.length > 0

const keyColumn = ({ name, base }: FollowedTable['columns'][number]): KeyColumn => ({
  name,
  type: base === 'character' ? 'bpchar' : base,
  width: 0,
  encoded: ''
})

function completed(change: Change, rows: ReadonlyMap<string, TextRow>): Change[] {
  const { absent, row, old, ...rest } = change
  const now = rows.get(keyOf(change.table, row!))
  if (now) {
    const values = valuesOf(row!)
    for (const at of absent!) values[at] = now[at]!
    return [{ ...rest, row: lineOf(values), ...(old !== undefined && { old }) }]
  }
  // Its later change will say what became of the row; that it has left its old key is told now.
  return old === undefined || keyOf(change.table, old) === keyOf(change.table, row!)
    ? []
    : [{ ...rest, operation: 'delete', old }]
}
