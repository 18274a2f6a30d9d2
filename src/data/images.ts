/** Whole rows of one side, each with its digest: what a plan is made of. Every value is the text that PostgreSQL itself prints. */
import type pg from 'pg'
import QueryStream from 'pg-query-stream'
import { ident } from '../postgres/quote.js'
import { keyIn, type KeyTexts } from './key.js'
import type { Unit } from './unit.js'

export type Text = string | null

export interface Image {
  /** Of the written columns, in their order. */
  values: readonly Text[]
  digest: string
}

/** The driver gives what the server printed: a cast to text would lose blanks of a `character`. */
const raw: pg.CustomTypesConfig = { getTypeParser: () => (text: string) => text }

/** SELECT items over `t`: the digest, then the written columns. */
function imageItems(unit: Unit, digest: string): string {
  return [digest, ...unit.written.map(column => `t.${ident(column.name)}`)].join(', ')
}

function imageOf(row: readonly Text[]): Image {
  const [digest, ...values] = row
  return { digest: digest!, values }
}

/** The rows of some keys by their key (`keyName`); a row that is not there any more is left out. */
export async function readImages(
  client: pg.Client,
  unit: Unit,
  digest: string,
  keys: KeyTexts
): Promise<Map<string, Image>> {
  if (keys[0]!.length === 0) return new Map()
  const names = unit.key.map(column => `t.${ident(column.name)}::text`)
  const { rows } = await client.query<Text[]>({
    text: `SELECT ${[...names, imageItems(unit, digest)].join(', ')} FROM ${unit.source}
      WHERE ${unit.filter} AND ${keyIn(unit.key, keys)}`,
    rowMode: 'array',
    types: raw
  })
  const width = unit.key.length
  return new Map(rows.map(row => [row.slice(0, width).join('\0'), imageOf(row.slice(width))]))
}

/** Rows asked for at a time. */
const few = 64

/** All rows that the unit's filter lets through. */
export async function* allImages(client: pg.Client, unit: Unit, digest: string): AsyncGenerator<Image> {
  const text = `SELECT ${imageItems(unit, digest)} FROM ${unit.source} WHERE ${unit.filter}`
  for await (const row of rawRows(client, text)) yield imageOf(row)
}

/** The rows of a query as the server prints them, a few at a time. */
export function rawRows(client: pg.Client, text: string): AsyncIterable<Text[]> {
  const options = { rowMode: 'array', types: raw, batchSize: few, highWaterMark: few } as const
  return client.query(new QueryStream(text, [], options)) as AsyncIterable<Text[]>
}

/** What a row's key is called among images. */
export function keyName(keys: KeyTexts, row: number): string {
  return keys.map(column => column[row]!).join('\0')
}
