/** A few differing rows in full, for the report: read by key from both sides, every value as PostgreSQL prints it. */
import type pg from 'pg'
import { ident } from '../postgres/quote.js'
import { keyIn, type KeyTexts } from './key.js'
import type { Pair } from './pairs.js'
import type { Unit } from './unit.js'
import type { ChunkDiff } from './vector.js'

type Text = string | null

export interface RowSample {
  key: Record<string, Text>
  kind: 'insert' | 'update' | 'delete'
  /** insert: main's values; delete: the standby's; update: the differing columns, both. */
  columns: Record<string, { main?: Text; standby?: Text }>
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
      samples.push({ key, kind, columns: sampleColumns(unit, kind, main.get(name), standby.get(name)) })
    })
  }
  return samples
}

/** One row's values side by side, as the kind of difference asks for. */
export function sampleColumns(
  unit: Unit,
  kind: RowSample['kind'],
  main: readonly Text[] | undefined,
  standby: readonly Text[] | undefined
): RowSample['columns'] {
  const columns: RowSample['columns'] = {}
  const shown = kind === 'insert' ? unit.written : unit.compared
  for (const { name } of shown) {
    const at = unit.compared.findIndex(column => column.name === name)
    const [a, b] = [main?.[at] ?? null, standby?.[at] ?? null]
    if (kind === 'insert') columns[name] = { main: a }
    else if (kind === 'delete') columns[name] = { standby: b }
    else if (a !== b) columns[name] = { main: a, standby: b }
  }
  return columns
}

/** The compared columns as SELECT items of text over `t`; NULL for a table without columns. */
export function textColumns(unit: Unit): string {
  return unit.compared.map(column => `t.${ident(column.name)}::text`).join(', ') || 'NULL'
}

async function rowsByKey(client: pg.Client, unit: Unit, keys: KeyTexts): Promise<Map<string, Text[]>> {
  if (keys[0]!.length === 0) return new Map()
  const { rows } = await client.query<Text[]>({
    text: `SELECT ${unit.key.map(column => `t.${ident(column.name)}::text`).join(', ')}, ${textColumns(unit)}
      FROM ${unit.source} WHERE ${unit.filter} AND ${keyIn(unit.key, keys)}`,
    rowMode: 'array'
  })
  const width = unit.key.length
  return new Map(rows.map(row => [row.slice(0, width).join('\0'), row.slice(width)]))
}
