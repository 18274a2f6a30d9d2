/**
 * Writes to ClickHouse. There are no transactions: the rows of a batch come first, then its position, so what a crash leaves between
 * the two comes again with the same versions and replaces itself. Nobody is kept from writing the same stream twice at once.
 */
import { createHash } from 'node:crypto'
import type { EmitFollow } from '../../../core/events.js'
import { ConfigError, FollowError } from '../../../core/errors.js'
import type { FollowConfig } from '../../config.js'
import type { ChangeBatch, Sink, StreamState } from '../../ports.js'
import { StateFile } from '../../statefile.js'
import { type FollowedTable, keyNames, keyOf, nameOf } from '../../table.js'
import { type Part, stepsOf } from './batch.js'
import { numberOf } from './failure.js'
import { type Link, openLink } from './link.js'
import { Passing } from './load.js'
import { ident } from './names.js'
import { type StateStore, TableStore } from './state.js'
import { deletedColumn, prepareTarget, type Target, targetName, versionColumn } from './target.js'

/** NO_DATA_TO_INSERT */
const noData = 108

/**
 * @param shared others write the same stream too: nothing is remembered of it.
 * @throws ConfigError for a URL that cannot be used; ConnectionError where nobody answers, not to this user, or without the database.
 */
export async function openClickHouseSink(
  config: FollowConfig,
  _emit: EmitFollow,
  shared = false
): Promise<Sink> {
  const link = await openLink(config.to, config.env)
  const store = config.stateFile
    ? new StateFile(config.stateFile, config.name)
    : new TableStore(link, config.name)
  return new ClickHouseSink(link, store, config, shared)
}

class ClickHouseSink implements Sink {
  readonly capabilities = { partial: false }
  readonly #targets = new Map<FollowedTable, Target>()
  /** By ClickHouse's name: whose it is. */
  readonly #owners = new Map<string, string>()
  #state: StreamState | undefined

  constructor(
    private readonly link: Link,
    private readonly store: StateStore,
    private readonly config: FollowConfig,
    private readonly shared: boolean
  ) {}

  async recall(): Promise<StreamState | undefined> {
    return (this.#state = await this.store.read())
  }

  async remember(state: StreamState): Promise<void> {
    await this.store.write(state)
    this.#state = state
  }

  async prepare(table: FollowedTable): Promise<readonly string[]> {
    const name = targetName(table, this.config)
    const owner = this.#owners.get(name) ?? nameOf(table)
    if (owner !== nameOf(table)) {
      throw new ConfigError(`${owner} and ${nameOf(table)} are both ${name} in ClickHouse`, {
        hint: 'Leave one of them out, or follow them one schema at a time.'
      })
    }
    const { target, added } = await prepareTarget(this.link, table, this.config)
    this.#owners.set(name, owner)
    this.#targets.set(table, target)
    return added
  }

  async hasRows(table: FollowedTable): Promise<boolean> {
    const query = `SELECT 1 FROM ${this.#relation(table)} FINAL WHERE ${ident(deletedColumn)} = 0 LIMIT 1`
    return (await this.link.rows(query)).length > 0
  }

  async clear(table: FollowedTable): Promise<void> {
    await this.link.run(this.#truncate(table))
  }

  loadOrder(tables: readonly FollowedTable[]): readonly FollowedTable[] {
    return tables
  }

  expressions(table: FollowedTable): readonly string[] | undefined {
    return this.#target(table).rows.expressions
  }

  async load(table: FollowedTable, text: AsyncIterable<Buffer>, signal: AbortSignal): Promise<number> {
    const { name, columns, rows } = this.#target(table)
    const passing = new Passing(rows.expressions !== undefined, rows.refusal)
    try {
      await this.link.insert(name, columns, passing.pass(text), signal)
    } catch (error) {
      // Some servers take an insert without rows for a mistake.
      const empty = passing.rows === 0 && error instanceof FollowError && numberOf(error.cause) === noData
      if (!empty) throw error
    }
    return passing.rows
  }

  async write({ changes, position }: ChangeBatch, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    const steps = stepsOf(changes)
    // Converted before anything is written: a value that does not fit leaves the batch undone as a whole.
    const works = steps.map(step =>
      'truncate' in step ? step : { inserts: step.parts.flatMap(part => this.#inserts(part)) }
    )
    // Rows that were inserted before a truncate come again after a crash: they are no duplicates then.
    const once = this.link.can.deduplicationToken && !steps.some(step => 'truncate' in step)
    for (const work of works) {
      if ('truncate' in work) await this.link.run(this.#truncate(work.truncate), signal)
      else await all(work.inserts.map(insert => this.#insert(insert, once ? position : undefined, signal)))
    }
    if (this.shared) return
    signal.throwIfAborted()
    const known = this.#state ?? (await this.recall()) ?? { origin: '', position: null, tables: {} }
    await this.remember({ ...known, position })
  }

  async close(): Promise<void> {
    await this.link.close()
  }

  #target(table: FollowedTable): Target {
    const target = this.#targets.get(table)
    if (!target) throw new Error(`${nameOf(table)} was not prepared`)
    return target
  }

  #truncate(table: FollowedTable): string {
    return `TRUNCATE TABLE ${this.#relation(table)}`
  }

  #relation(table: FollowedTable): string {
    return `${ident(this.link.database)}.${ident(targetName(table, this.config))}`
  }

  /** Rows, and keys that are gone: each an insert of its own columns. */
  #inserts({ table, rows }: Part): Insert[] {
    const target = this.#target(table)
    const [lines, keys]: [string[], string[]] = [[], []]
    for (const { change, gone } of rows.values()) {
      if (change.absent?.length) throw new Error(`a change of ${nameOf(table)} is not complete`)
      if (gone) keys.push(`${target.rows.key(keyOf(table, change.old!))}\t${change.version}\t1\n`)
      else lines.push(`${target.rows.line(change.row!)}\t${change.version}\t0\n`)
    }
    const insert = (columns: readonly string[], texts: string[]): Insert[] =>
      texts.length === 0
        ? []
        : [
            {
              name: target.name,
              columns: [...columns, versionColumn, deletedColumn],
              text: Buffer.from(texts.join(''))
            }
          ]
    return [...insert(target.columns, lines), ...insert(keyNames(table), keys)]
  }

  async #insert({ name, columns, text }: Insert, position: string | undefined, signal: AbortSignal) {
    const settings =
      position === undefined ? {} : { insert_deduplication_token: this.#token(name, position, text) }
    await this.link.insert(name, columns, text, signal, settings)
  }

  /** Of the very same bytes at the same place alone: a token that other rows have had would have them left out. */
  #token(name: string, position: string, text: Buffer): string {
    const hash = createHash('sha256')
    for (const part of [this.config.name, name, position]) hash.update(`${part}\0`)
    return hash.update(text).digest('hex')
  }
}

interface Insert {
  name: string
  columns: readonly string[]
  text: Buffer
}

/** Waits for all of them, whether or not one fails. */
async function all(works: Promise<void>[]): Promise<void> {
  const results = await Promise.allSettled(works)
  const failed = results.find(result => result.status === 'rejected')
  if (failed) throw failed.reason
}
