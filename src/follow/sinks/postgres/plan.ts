/**
 * The statements that write what is left of a batch: new rows by COPY straight into their table, few rows as literals, many through a
 * stage and the upsert of the data engine; deletes before rows, children's before their parents', and parents' rows first.
 */
import {
  insertStatement,
  sameKey,
  updateStatement,
  upsertRows,
  upsertStatements
} from '../../../data/upsert.js'
import { columnList } from '../../../postgres/quote.js'
import { nameOf } from '../../table.js'
import type { Outcome, Segment } from './collapse.js'
import { Script } from './script.js'
import type { Stages } from './stages.js'
import { replaces, type Prepared, type Tables } from './tables.js'
import { assignments, hasKey, hasOneOf, rowOf } from './values.js'

/** Rows, and characters of them, up to which literals are faster than a stage. */
const few = 200
const short = 64 * 1024
/** The same for keys of one column, which make a list, and of several, which do not. */
const fewKeys = 10_000
const fewWideKeys = 50

/** What a statement is about. */
export interface About {
  readonly prepared: Prepared
  /** New rows go straight into the table. */
  readonly straight?: boolean
}

export class Plan {
  readonly script = new Script<About>()
  /** By a statement's place: how many rows it must store or find. */
  readonly expected = new Map<number, number>()
  readonly #used = new Set<string>()

  /**
   * @param replica no trigger of the standby keeps a row from being stored.
   * @param wary says whether the table's new rows may be there already.
   */
  constructor(
    private readonly tables: Tables,
    private readonly stages: Stages,
    private readonly replica: boolean,
    private readonly wary: (prepared: Prepared) => boolean
  ) {}

  async add({ truncated, outcomes }: Segment): Promise<void> {
    for (const statement of this.tables.emptying(truncated)) this.script.add(statement)
    const byName = new Map(outcomes.map(outcome => [nameOf(outcome.table), outcome]))
    const ordered = this.tables.ordered(outcomes.map(({ table }) => table))
    const parentsFirst = ordered.map(table => byName.get(nameOf(table))!)
    for (const outcome of parentsFirst.toReversed()) await this.#delete(outcome)
    for (const outcome of parentsFirst) await this.#put(outcome)
  }

  #statement(statement: string, about: About, rows?: number): void {
    if (rows !== undefined) this.expected.set(this.script.size, rows)
    this.script.add(statement, about)
  }

  /** Rows into a stage, which the server empties at each commit. */
  #fill(stage: string, lines: readonly string[], about: About): void {
    if (this.#used.has(stage)) this.script.add(`TRUNCATE ${stage}`)
    this.#used.add(stage)
    this.script.copy(stage, lines, about)
  }

  async #delete({ table, gone }: Outcome): Promise<void> {
    if (gone.length === 0) return
    const prepared = this.tables.of(table)
    const { target } = prepared
    const about = { prepared }
    if (gone.length <= (target.key.length === 1 ? fewKeys : fewWideKeys)) {
      this.#statement(`DELETE FROM ${target.source} WHERE ${hasOneOf(target.key, gone)}`, about)
      return
    }
    const stage = await this.stages.keys(prepared)
    this.#fill(stage, gone, about)
    this.#statement(`DELETE FROM ${target.source} USING ${stage} s WHERE ${sameKey(target)}`, about)
  }

  async #put(outcome: Outcome): Promise<void> {
    const prepared = this.tables.of(outcome.table)
    const { target } = prepared
    await this.#partial(prepared, outcome)
    const { fresh } = outcome
    const keyless = target.key.length === 0
    const straight = keyless || !this.wary(prepared)
    if (straight && fresh.length > 0) {
      if (!this.replica) this.expected.set(this.script.size, fresh.length)
      // Of rows without a key none can be told to be there already.
      const about = { prepared, straight: !keyless }
      this.script.copy(`${target.relation} (${columnList(target.columns)})`, fresh, about)
    }
    const rows = straight ? outcome.rows : [...fresh, ...outcome.rows]
    if (rows.length === 0) return
    // Rows that are nothing but their key are left as they are.
    const stored = this.replica || target.settable.length === 0 ? undefined : rows.length
    if (target.upsert && areFew(rows)) {
      this.#statement(upsertRows(target, rows.map(rowOf)), { prepared }, stored)
      return
    }
    const stage = await this.stages.rows(prepared)
    this.#fill(stage, rows, { prepared })
    const statements = replaces(prepared)
      ? [
          `DELETE FROM ${target.source} USING ${stage} s WHERE ${sameKey(target)}`,
          insertStatement(target, stage)
        ]
      : upsertStatements(target, stage)
    for (const statement of statements)
      this.#statement(statement, { prepared }, target.upsert ? stored : undefined)
  }

  async #partial(prepared: Prepared, { partial }: Outcome): Promise<void> {
    const { target } = prepared
    for (const { absent, rows } of partial) {
      const set = target.settable.filter(name => !absent.includes(target.columns.indexOf(name)))
      if (set.length === 0) continue
      if (areFew(rows)) {
        for (const line of rows) {
          const values = assignments(target.columns, line, i => set.includes(target.columns[i]!))
          this.#statement(
            `UPDATE ${target.source} SET ${values} WHERE ${hasKey(target.key, line)}`,
            { prepared },
            1
          )
        }
        continue
      }
      const stage = await this.stages.rows(prepared)
      this.#fill(stage, rows, { prepared })
      this.#statement(updateStatement({ ...target, settable: set }, stage), { prepared }, rows.length)
    }
  }
}

function areFew(rows: readonly string[]): boolean {
  if (rows.length > few) return false
  let length = 0
  for (const row of rows) length += row.length
  return length <= short
}
