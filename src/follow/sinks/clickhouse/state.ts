/**
 * What the sink remembers of a stream: a row of a small table in the same database, or an entry of a file. Either is replaced as a whole,
 * and only after the rows that it speaks of are stored. Nothing here keeps two processes from writing the same stream,
 * or, at the very same moment, the same file: each process is to have its own.
 */
import { open, readFile, rename, rm } from 'node:fs/promises'
import { dirname } from 'node:path'
import { FollowError, messageOf } from '../../../core/errors.js'
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

export class FileStore implements StateStore {
  constructor(
    private readonly path: string,
    private readonly name: string
  ) {}

  async read(): Promise<StreamState | undefined> {
    return (await readStateFile(this.path))[this.name]
  }

  async write(state: StreamState): Promise<void> {
    const streams = await readStateFile(this.path)
    const text = `${JSON.stringify({ streams: { ...streams, [this.name]: state } }, null, 2)}\n`
    const next = `${this.path}.${this.name}.new`
    try {
      await durably(next, async file => file.writeFile(text))
      await rename(next, this.path)
      // The new name too is to outlive a crash of the machine.
      await durably(dirname(this.path), async () => {}, 'r')
    } catch (error) {
      await rm(next, { force: true }).catch(() => {})
      throw fileFailure(this.path, 'cannot be written', error)
    }
  }
}

/**
 * All streams of the file; none where it is not there.
 * @throws FollowError where it cannot be read, or is none of ours.
 */
export async function readStateFile(path: string): Promise<Record<string, StreamState>> {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (error) {
    if ((error as { code?: unknown }).code === 'ENOENT') return {}
    throw fileFailure(path, 'cannot be read', error)
  }
  try {
    const found = JSON.parse(text) as { streams?: Record<string, StreamState> } | null
    if (found?.streams && typeof found.streams === 'object') return found.streams
  } catch {
    // The same as any other text that is not ours.
  }
  throw new FollowError(`the state file ${path} is not one of pgsyncer's`, {
    hint: 'Name another file. Where positions are lost, begin anew: without the file, and with --clean-extra.'
  })
}

function fileFailure(path: string, what: string, cause: unknown): FollowError {
  return new FollowError(`the state file ${path} ${what}: ${messageOf(cause)}`, {
    cause,
    hint: 'Its folder must be there and be writable.'
  })
}

type File = Awaited<ReturnType<typeof open>>

async function durably(path: string, work: (file: File) => Promise<void>, flags = 'w'): Promise<void> {
  const file = await open(path, flags, 0o600)
  try {
    await work(file)
    await file.sync()
  } finally {
    await file.close()
  }
}
