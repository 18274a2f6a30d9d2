/** The standby's tables: what they look like is read once and again when a shape changes, and kept with what writing them needs. */
import { ConfigError, FollowError, GuardError } from '../../../core/errors.js'
import type { EmitFollow } from '../../../core/events.js'
import type { Target } from '../../../data/upsert.js'
import { codeOf } from '../../../postgres/failure.js'
import { ident, literal, qualified } from '../../../postgres/quote.js'
import { readForeignKeys, type ForeignKey } from '../../../postgres/relations.js'
import type { Server } from '../../../postgres/server.js'
import { firing, readTables, type Table } from '../../../postgres/tables.js'
import type { FollowConfig } from '../../config.js'
import { nameOf, type FollowedColumn, type FollowedTable } from '../../table.js'
import { fitOf, targetOf } from './fit.js'

/** A table that is fit for rows of one shape. */
export interface Prepared {
  readonly table: FollowedTable
  readonly standby: Table
  readonly target: Target
  /** Others refer to it. */
  readonly referenced: boolean
  /** A delete of its rows does something to the rows that refer to them. */
  readonly acts: boolean
}

/** An ALWAYS identity beside the key cannot be set by an update: the row is deleted and inserted. */
export const replaces = ({ target, table }: Prepared): boolean =>
  target.columns.length - target.settable.length > table.keyLength

export class Tables {
  readonly #prepared = new Map<FollowedTable, Prepared>()
  /** By name: what was prepared last. */
  readonly #current = new Map<string, Prepared>()
  readonly #schemas = new Map<string, Table[]>()
  #keys: readonly ForeignKey[] = []
  /** Whom a table refers to. */
  readonly #parents = new Map<string, string[]>()
  #told = false

  /** @param replica triggers and foreign keys of the standby do not fire. */
  constructor(
    private readonly server: Server,
    private readonly config: Pick<FollowConfig, 'onSchemaChange'>,
    private readonly replica: boolean,
    private readonly emit: EmitFollow
  ) {}

  /** @throws Error where it was not prepared. */
  of(table: FollowedTable): Prepared {
    const prepared = this.#prepared.get(table)
    if (!prepared) throw new Error(`${nameOf(table)} was not prepared`)
    return prepared
  }

  /**
   * @returns names of the columns that were added.
   * @throws ConfigError or FollowError, with nothing changed.
   */
  async prepare(table: FollowedTable): Promise<string[]> {
    const known = this.#prepared.get(table)
    if (known && this.#current.get(nameOf(table)) === known) return []
    // Of a shape that changed the standby's may have changed too.
    if (this.#current.has(nameOf(table))) this.#schemas.delete(table.schema)
    let standby = await this.#find(table)
    const { missing, differing } = fitOf(table, standby, await this.#required(table, standby))
    if (missing.length > 0) {
      await this.#refuseRenamed(table, missing, standby)
      await this.#add(table, missing)
      this.#schemas.delete(table.schema)
      standby = await this.#find(table)
    }
    for (const one of differing)
      this.emit({
        type: 'note',
        message: `${one}: values are written as main prints them`,
        table: nameOf(table)
      })
    const keys = this.#keysTo(table)
    const prepared = {
      table,
      standby,
      target: targetOf(table, standby, this.server.can),
      referenced: keys.length > 0,
      acts: keys.some(key => key.deletes)
    }
    if (!this.replica && prepared.acts && !prepared.target.upsert) throw deletesOthers(table)
    if (
      !this.replica &&
      !this.#told &&
      (firing(standby.triggers, false).length > 0 || this.#keys.length > 0)
    ) {
      this.#told = true
      this.emit({
        type: 'note',
        message: `user ${this.server.user} may not set session_replication_role on the standby: its triggers and foreign keys fire`
      })
    }
    this.#prepared.set(table, prepared)
    this.#current.set(nameOf(table), prepared)
    return missing.map(({ name }) => name)
  }

  /** Parents before those that refer to them. */
  ordered<T extends Pick<FollowedTable, 'schema' | 'name'>>(tables: readonly T[]): T[] {
    const byName = new Map(tables.map(table => [nameOf(table), table]))
    const order = new Set<T>()
    const seen = new Set<T>()
    const visit = (table: T): void => {
      if (seen.has(table)) return
      seen.add(table)
      for (const name of this.#parents.get(nameOf(table)) ?? []) {
        const parent = byName.get(name)
        if (parent) visit(parent)
      }
      order.add(table)
    }
    for (const table of tables) visit(table)
    return [...order]
  }

  /**
   * Empties tables: together, where only they themselves refer to each other, else row by row. Never CASCADE, which would reach
   * tables that nobody named.
   */
  emptying(tables: readonly FollowedTable[]): string[] {
    const truncated = new Map(tables.map(table => [nameOf(table), table]))
    // One that cannot be truncated keeps those that it refers to from it.
    const inTheWay = () =>
      [...truncated].find(([, table]) => this.#referrers(table).some(child => !truncated.has(child)))
    for (let found = inTheWay(); found; found = inTheWay()) truncated.delete(found[0])
    const deleted = tables.filter(table => !truncated.has(nameOf(table)))
    const relations = [...truncated.values()].map(table => this.of(table).target.relation)
    return [
      ...(relations.length > 0 ? [`TRUNCATE ${relations.join(', ')}`] : []),
      ...this.ordered(deleted)
        .reverse()
        .map(table => `DELETE FROM ${this.of(table).target.source}`)
    ]
  }

  /** Other tables of the standby that refer to this one. */
  #referrers(table: FollowedTable): string[] {
    return this.#keysTo(table)
      .map(childOf)
      .filter(child => child !== nameOf(table))
  }

  #keysTo(table: FollowedTable): ForeignKey[] {
    return this.#keys.filter(key => parentOf(key) === nameOf(table))
  }

  /** @throws GuardError where emptying the table would take or change rows of a table that nobody named. */
  async refuseReach(table: FollowedTable): Promise<void> {
    if (this.replica) return
    for (const key of this.#keysTo(table)) {
      if (!key.deletes || childOf(key) === nameOf(table)) continue
      if (!(await this.hasRows(qualified(key.childSchema, key.childName)))) continue
      throw new GuardError(`emptying ${nameOf(table)} would reach rows of ${childOf(key)} by ${key.name}`, {
        table: nameOf(table),
        hint: `Empty ${childOf(key)} first, or give the standby's role the right to set session_replication_role.`
      })
    }
  }

  async #find(table: FollowedTable): Promise<Table> {
    const { schema } = table
    const read = async () => {
      const tables = await readTables(this.server.sql, this.server.can, [schema])
      this.#keys = await readForeignKeys(this.server.sql, this.server.can)
      this.#parents.clear()
      for (const key of this.#keys) {
        const parents = this.#parents.get(childOf(key)) ?? []
        this.#parents.set(childOf(key), [...parents, parentOf(key)])
      }
      this.#schemas.set(schema, tables)
      return tables
    }
    const found = (this.#schemas.get(schema) ?? (await read())).find(({ name }) => name === table.name)
    // It may have been made since.
    const standby = found ?? (await read()).find(({ name }) => name === table.name)
    if (standby) return standby
    throw new ConfigError(`the standby ${this.server.address} has no table ${nameOf(table)}`, {
      table: nameOf(table),
      hint: `Bring its structure over first: pgsyncer sync --sync-data=false -t '${nameOf(table)}'.`
    })
  }

  /** Columns that an INSERT must give a value. */
  async #required({ columns }: FollowedTable, standby: Table): Promise<string[]> {
    const extra = standby.columns.filter(({ name }) => !columns.some(column => column.name === name))
    const suspect = extra.filter(({ notNull, generated, identity }) => notNull && !generated && !identity)
    if (suspect.length === 0) return []
    const rows = await this.server.sql<{ name: string }[]>`
      SELECT attname AS name FROM pg_catalog.pg_attribute WHERE attrelid = ${standby.oid}::oid AND attnum > 0 AND NOT atthasdef`
    return suspect.map(({ name }) => name).filter(name => rows.some(row => row.name === name))
  }

  /**
   * A column that was renamed on main looks like a new one beside one that is gone: if it were added, older rows would not have its values.
   * Whether it was is known to nobody here, so that it is refused wherever it may be.
   */
  async #refuseRenamed(
    table: FollowedTable,
    missing: readonly FollowedColumn[],
    standby: Table
  ): Promise<void> {
    if (this.config.onSchemaChange === 'stop') return
    const before = this.#current.get(nameOf(table))?.table.columns
    const has = (columns: readonly { name: string }[], name: string) => columns.some(one => one.name === name)
    const relation = qualified(table.schema, table.name)
    for (const other of standby.columns) {
      // What was left behind by an earlier change than this one was not renamed by this one.
      if (other.generated !== '' || has(table.columns, other.name)) continue
      if (before && !has(before, other.name)) continue
      const column = missing.find(({ base }) => base === other.base)
      if (!column || !(await this.hasRows(`${relation} WHERE ${ident(other.name)} IS NOT NULL`))) continue
      const [old, now] = [ident(other.name), ident(column.name)]
      throw new FollowError(
        `main's ${nameOf(table)} has got column ${column.name}, which may be the standby's ${other.name} under another name`,
        {
          table: nameOf(table),
          hint: `If it was renamed, rename it on the standby too: ALTER TABLE ${relation} RENAME COLUMN ${old} TO ${now}. If it is a new one, drop ${old} there, or add ${now} with the values that older rows have on main.`
        }
      )
    }
  }

  /**
   * What rows hold that were there before the column was, those get here too, and so do rows from then that are still on their way:
   * the value stays the column's default.
   */
  async #add(table: FollowedTable, missing: readonly FollowedColumn[]): Promise<void> {
    const name = nameOf(table)
    const names = missing.map(column => column.name).join(', ')
    const refuse = (message: string, hint: string, cause?: unknown): never => {
      throw new FollowError(message, { table: name, hint, ...(cause !== undefined && { cause }) })
    }
    const bring = `Bring the structure over by pgsyncer sync --sync-data=false -t '${name}', and follow on.`
    if (this.config.onSchemaChange === 'stop')
      refuse(`main's ${name} has columns that the standby does not have: ${names}`, bring)
    const relation = qualified(table.schema, table.name)
    const unknown = missing.filter(column => column.missing === undefined).map(column => column.name)
    if (unknown.length > 0 && (await this.hasRows(relation))) {
      refuse(
        `main's ${name} has columns whose values in older rows are not known: ${unknown.join(', ')}`,
        `Bring the table over by pgsyncer sync -t '${name}', and follow on.`
      )
    }
    const added = missing.map(column => {
      const filled = typeof column.missing === 'string' ? ` DEFAULT ${literal(column.missing)}` : ''
      return `ADD COLUMN ${ident(column.name)} ${column.type}${filled}${filled && column.notNull ? ' NOT NULL' : ''}`
    })
    try {
      await this.server.sql.unsafe(`ALTER TABLE ${relation} ${added.join(', ')}`)
    } catch (error) {
      const code = codeOf(error)
      if (code === '42704' || code === '3F000')
        refuse(`the standby does not have the type of main's new columns of ${name}: ${names}`, bring, error)
      if (code === '42501')
        refuse(
          `user ${this.server.user} may not add main's new columns to ${name}: ${names}`,
          `Add them by hand, or make the user the table's owner.`,
          error
        )
      throw error
    }
  }

  async hasRows(relation: string): Promise<boolean> {
    const [found] = await this.server.sql.unsafe<{ has: boolean }[]>(
      `SELECT EXISTS (SELECT 1 FROM ${relation}) AS has`
    )
    return found!.has
  }
}

const deletesOthers = (table: FollowedTable): ConfigError =>
  new ConfigError(
    `rows of ${nameOf(table)} can be replaced on the standby only by a delete, which would reach rows of other tables`,
    {
      table: nameOf(table),
      hint: `Make its identity columns GENERATED BY DEFAULT, or give the standby's role the right to set session_replication_role.`
    }
  )

const parentOf = ({ parentSchema, parentName }: ForeignKey): string => `${parentSchema}.${parentName}`

/** The table that declares the key, not the partitions that have it from there. */
const childOf = ({ declared }: ForeignKey): string => `${declared.schema}.${declared.table}`
