/** A few differing rows, for the report: read by key from both sides, every value as PostgreSQL prints it. */
import type pg from 'pg'
import { ident } from '../postgres/quote.js'
import { keyIn, type KeyTexts } from './key.js'
import type { Pair } from './pairs.js'
import { printed, printing, type Printed } from './printed.js'
import type { Unit } from './unit.js'
import type { ChunkDiff } from './vector.js'

type Text = string | null

export interface RowSample {
  key: Record<string, Text>
  kind: 'insert' | 'update' | 'delete'
  /** insert: main's values; delete: the standby's; update: the differing columns, both. */
  columns: Record<string, { main?: Text; standby?: Text }>
  /** A value among them is too long to be shown: its beginning, its size and its MD5 stand for it. */
  cut?: true
}

/** At most `limit` rows of a chunk that differ. */
export async function sampleRows(
  pair: Pair,
  unit: Unit,
  diff: ChunkDiff,
  limit: number
): Promise<RowSample[]> {
  if (limit <= 0) return []
  const some = (keys: KeyTexts, count: number) => keys.map(column => column.slice(0, Math.max(0, count)))
  const insert = some(diff.insert, limit)
  const update = some(diff.update, limit - insert[0]!.length)
  const remove = some(diff.delete, limit - insert[0]!.length - update[0]!.length)
  const join = (a: KeyTexts, b: KeyTexts) => a.map((column, i) => [...column, ...b[i]!])
  const [main, standby] = await Promise.all([
    rowsByKey(pair.main, unit, join(insert, update)),
    rowsByKey(pair.standby, unit, join(remove, update))
  ])
  const samples: RowSample[] = []
  for (const [kind, keys] of [
    ['insert', insert],
    ['update', update],
    ['delete', remove]
  ] as const) {
    keys[0]!.forEach((_, row) => {
      const texts = keys.map(column => column[row]!)
      const name = texts.join('\0')
      const key = Object.fromEntries(unit.key.map((column, i) => [column.name, texts[i]!]))
      samples.push({ key, kind, ...sampleColumns(unit, kind, main.get(name), standby.get(name)) })
    })
  }
  return samples
}

/** One row's values side by side, as the kind of difference asks for. */
export function sampleColumns(
  unit: Unit,
  kind: RowSample['kind'],
  main: readonly Printed[] | undefined,
  standby: readonly Printed[] | undefined
): Pick<RowSample, 'columns' | 'cut'> {
  const columns: RowSample['columns'] = {}
  let cut = false
  const shown = kind === 'insert' ? unit.written : unit.compared
  for (const { name } of shown) {
    const at = unit.compared.findIndex(column => column.name === name)
    const [a, b] = [main?.[at] ?? absent, standby?.[at] ?? absent]
    if (kind === 'update' && a.text === b.text) continue
    if (kind === 'insert') columns[name] = { main: a.text }
    else if (kind === 'delete') columns[name] = { standby: b.text }
    else columns[name] = { main: a.text, standby: b.text }
    cut ||= a.cut || b.cut
  }
  return { columns, ...(cut && { cut }) }
}

const absent: Printed = { text: null, cut: false }

/** The compared columns as SELECT items over `t`, to be read by `printedRow`; NULL for a table without columns. */
export function textColumns(unit: Unit): string {
  return unit.compared.map(printing).join(', ') || 'NULL'
}

export function printedRow(unit: Unit, row: readonly Text[]): Printed[] {
  return unit.compared.map((column, i) => printed(column, row[i]!))
}

async function rowsByKey(client: pg.Client, unit: Unit, keys: KeyTexts): Promise<Map<string, Printed[]>> {
  if (keys[0]!.length === 0) return new Map()
  const { rows } = await client.query<Text[]>({
    text: `SELECT ${unit.key.map(column => `t.${ident(column.name)}::text`).join(', ')}, ${textColumns(unit)}
      FROM ${unit.source} WHERE ${unit.filter} AND ${keyIn(unit.key, keys)}`,
    rowMode: 'array'
  })
  const width = unit.key.length
  return new Map(rows.map(row => [row.slice(0, width).join('\0'), printedRow(unit, row.slice(width))]))
}
