/**
 * What the sink remembers of a stream: a row of a small table in the same database, replaced as a whole, and only after the rows that it
 * speaks of are stored. Nothing here keeps two processes from writing the same stream.
 */
import { lineOf } from '../../../postgres/copytext.js'
import type { StreamState } from '../../ports.js'
import type { Link } from './link.js'
import { ident, literal } from './names.js'

export interface StateStore {
  read(): Promise<StreamState | undefined>
  /** Settles when it is there for good. */
  write(state: StreamState): Promise<void>
}

export const stateTable = 'pgsyncer_stream'

export class TableStore implements StateStore {
  readonly #link: Link
  readonly #name: string
  readonly #relation: string
  /** Of the row that counts; undefined: not known. */
  #version: bigint | undefined

  constructor(link: Link, name: string) {
    this.#link = link
    this.#name = name
    this.#relation = `${ident(link.database)}.${ident(stateTable)}`
  }

  async read(): Promise<StreamState | undefined> {
    const [[there] = []] = await this.#link.rows(`EXISTS TABLE ${this.#relation}`)
    if (there !== '1') return undefined
    const [row] = await this.#link.rows(
      `SELECT version, origin, position, tables FROM ${this.#relation}
        WHERE name = ${literal(this.#name)} ORDER BY version DESC LIMIT 1`
    )
    this.#version = BigInt(row?.[0] ?? 0)
    if (!row) return undefined
    return { origin: row[1]!, position: row[2] ?? null, tables: JSON.parse(row[3]!) as StreamState['tables'] }
  }

  async write({ origin, position, tables }: StreamState): Promise<void> {
    if (this.#version === undefined) {
      await this.#link.run(
        `CREATE TABLE IF NOT EXISTS ${this.#relation} (
          name String, origin String, position Nullable(String), tables String, version UInt64
        ) ENGINE = ReplacingMergeTree(version) ORDER BY name`
      )
      await this.read()
    }
    const version = (this.#version ?? 0n) + 1n
    const row = lineOf([this.#name, origin, position, JSON.stringify(tables), String(version)])
    const columns = ['name', 'origin', 'position', 'tables', 'version']
    await this.#link.insert(stateTable, columns, Buffer.from(`${row}\n`))
    this.#version = version
  }
}
