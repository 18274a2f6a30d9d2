/**
 * A source for sinks that take whole rows alone: what a change leaves out because it did not change is fetched from main by the row's key.
 * It may be newer than the change; then a later change brings the same again, so nothing is lost. A row that main has no more has
 * a later change as well, and is not written until that comes.
 */
import type pg from 'pg'
import type { Lag } from '../../core/events.js'
import { keyIn, type KeyColumn } from '../../data/key.js'
import { lineOf, valuesOf, type TextRow } from '../../postgres/copytext.js'
import { columnList, qualified } from '../../postgres/quote.js'
import type { Server } from '../../postgres/server.js'
import { copyOut } from '../../postgres/wire.js'
import type { Change, ChangeBatch, Position, Snapshot, Source, Start } from '../ports.js'
import { keyOf, type FollowedTable } from '../table.js'

export class Completing implements Source {
  #client: Promise<pg.Client> | undefined

  constructor(
    private readonly source: Source,
    private readonly main: Server
  ) {}

  get capabilities(): Source['capabilities'] {
    return this.source.capabilities
  }

  get origin(): string {
    return this.source.origin
  }

  get tables(): readonly FollowedTable[] {
    return this.source.tables
  }

  snapshot(tables: readonly FollowedTable[], signal: AbortSignal): Promise<Snapshot> {
    return this.source.snapshot(tables, signal)
  }

  async *stream(start: Start, signal: AbortSignal): AsyncGenerator<ChangeBatch> {
    for await (const batch of this.source.stream(start, signal)) yield await this.#completed(batch)
  }

  ack(position: Position): Promise<void> {
    return this.source.ack(position)
  }

  lag(): Promise<Lag> {
    return this.source.lag()
  }

  async close(): Promise<void> {
    await this.#client?.then(client => client.end()).catch(() => {})
    await this.source.close()
  }

  async #completed(batch: ChangeBatch): Promise<ChangeBatch> {
    const partial = grouped(batch.changes.filter(isPartial))
    if (partial.size === 0) return batch
    const rows = new Map<FollowedTable, Map<string, TextRow>>()
    for (const [table, changes] of partial) rows.set(table, await this.#fetch(table, changes))
    const changes = batch.changes.flatMap(change =>
      isPartial(change) ? completed(change, rows.get(change.table)!) : [change]
    )
    return { ...batch, changes }
  }

  /** The rows of these changes as they are now, by key. */
  async #fetch(table: FollowedTable, changes: readonly Change[]): Promise<Map<string, TextRow>> {
    const keys = [...new Set(changes.map(change => keyOf(table, change.row!)))].map(valuesOf)
    const columns = table.columns.slice(0, table.keyLength).map(keyColumn)
    const condition = keyIn(
      columns,
      columns.map((_, at) => keys.map(key => key[at]!))
    )
    const names = table.columns.map(column => column.name)
    const query = `SELECT ${columnList(names, 't.')} FROM ${qualified(table.schema, table.name)} AS t WHERE ${condition}`
    const rows = new Map<string, TextRow>()
    this.#client ??= this.main.connect()
    await copyOut(await this.#client, `COPY (${query}) TO STDOUT`, line => {
      const text = line.text()
      rows.set(keyOf(table, text), valuesOf(text))
      return true
    })
    return rows
  }
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
