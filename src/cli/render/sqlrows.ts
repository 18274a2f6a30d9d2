/** One statement for each sampled row. Keys find rows as values of their types; where there is no key, the printed row does. */
import { columnList, ident, literal, qualified } from '../../postgres/quote.js'
import type { RowSample } from '../../data/samples.js'
import type { TableReport } from '../../sync/report.js'

export interface RowTexts {
  insert: string[]
  update: string[]
  delete: string[]
  /** How many of the table's rows are in them. */
  total: number
}

/** The first `limit` samples of a table as SQL, without those that are not whole. */
export function rowStatements(table: TableReport, limit: number): RowTexts {
  const texts: RowTexts = { insert: [], update: [], delete: [], total: 0 }
  const relation = qualified(table.schema, table.table)
  const computed = new Set(table.generated)
  for (const sample of table.samples.slice(0, limit)) {
    if (sample.cut) continue
    texts.total++
    const columns = Object.entries(sample.columns).filter(([name]) => !computed.has(name))
    if (sample.kind === 'insert') {
      texts.insert.push(insert(relation, columns, table.overriding === true))
    } else if (sample.kind === 'delete') {
      texts.delete.push(
        table.key.length > 0 ? `DELETE FROM ${relation} WHERE ${byKey(sample)};` : deleteOne(relation, sample)
      )
    } else if (columns.length > 0) {
      const set = columns.map(([name, { main }]) => `${ident(name)} = ${sqlValue(main)}`)
      texts.update.push(`UPDATE ${relation} SET ${set.join(', ')} WHERE ${byKey(sample)};`)
    }
  }
  return texts
}

type Columns = [string, RowSample['columns'][string]][]

function insert(relation: string, columns: Columns, overriding: boolean): string {
  if (columns.length === 0) return `INSERT INTO ${relation} DEFAULT VALUES;`
  const names = columnList(columns.map(([name]) => name))
  const values = columns.map(([, { main }]) => sqlValue(main)).join(', ')
  return `INSERT INTO ${relation} (${names})${overriding ? ' OVERRIDING SYSTEM VALUE' : ''} VALUES (${values});`
}

function byKey({ key }: RowSample): string {
  return Object.entries(key)
    .map(([name, text]) => `${ident(name)} = ${sqlValue(text)}`)
    .join(' AND ')
}

/** One copy of a row without key, found by how it prints: its place may be another by the time this runs. */
function deleteOne(relation: string, { columns }: RowSample): string {
  const same = Object.entries(columns).map(
    ([name, { standby }]) => `${ident(name)}::text IS NOT DISTINCT FROM ${sqlValue(standby)}`
  )
  const where = same.length > 0 ? ` WHERE ${same.join(' AND ')}` : ''
  return `DELETE FROM ${relation} WHERE ctid = (SELECT ctid FROM ${relation}${where} LIMIT 1);`
}

/** A quoted value without a type: PostgreSQL gives it that of its column. */
function sqlValue(text: string | null | undefined): string {
  return text === null || text === undefined ? 'NULL' : literal(text).trim()
}
