/**
 * What the two tables have in common, decided once: which columns a row has, in which order, and whether the id is fit to read and
 * write by. Rows are arrays, so that both sides must agree; the id comes first.
 */
import { ConfigError, DataError } from '../../core/errors.js'
import type { Target } from '../../data/upsert.js'
import { qualified } from '../../postgres/quote.js'
import { asQueryable, type Role, type Server } from '../../postgres/server.js'
import { readTables, type Table } from '../../postgres/tables.js'

export interface TableName {
  schema: string
  name: string
  idColumn: string
}

export class Layout {
  readonly #tables = new Map<Role, Table>()

  constructor(readonly names: TableName) {}

  /** `schema.table`, for people. */
  get table(): string {
    return `${this.names.schema}.${this.names.name}`
  }

  /**
   * Reads one side's table.
   * @throws ConfigError where there is no such table or column; DataError where it cannot be copied by that column.
   */
  async read(server: Server): Promise<void> {
    const { schema, name, idColumn } = this.names
    const client = await server.connect()
    try {
      const tables = await readTables(asQueryable(client), server.can, [schema])
      const table = tables.find(one => one.name === name)
      if (!table) {
        throw new ConfigError(`${server.role} has no table ${this.table}`, {
          hint: 'Check --table and --schema: a name without quotes is lower case.'
        })
      }
      this.#checkId(server.role, table, idColumn)
      this.#tables.set(server.role, table)
    } finally {
      await client.end().catch(() => {})
    }
    this.columns()
  }

  #checkId(role: Role, table: Table, idColumn: string): void {
    const id = table.columns.find(column => column.name === idColumn)
    if (!id) {
      const names = table.columns.map(column => column.name).join(', ')
      throw new ConfigError(`${role}'s ${this.table} has no column ${idColumn}`, {
        hint: `Name its id by --id-column: it has ${names}.`
      })
    }
    const refuse = (what: string, hint: string) => {
      throw new DataError(`${role}'s ${this.table} ${what}`, { table: this.table, hint })
    }
    const otherwise = 'pgsyncer sync copies tables with any key, or none.'
    if (table.inherited) refuse('has children by inheritance', `Copy them one by one, or: ${otherwise}`)
    if (!['smallint', 'integer', 'bigint'].includes(id.base))
      refuse(`has ${idColumn} as ${id.type}, which is no whole number`, otherwise)
    if (!table.keys.some(key => key.columns.length === 1 && key.columns[0] === idColumn))
      refuse(`has no primary key or unique, not-null index on ${idColumn} alone`, otherwise)
  }

  /**
   * The columns of a row, the id first: all that main has, but those that the standby computes itself.
   * @throws DataError where the standby lacks one.
   */
  columns(): string[] {
    const main = this.#tables.get('main')
    const standby = this.#tables.get('standby')
    const { idColumn } = this.names
    const theirs = new Map((standby ?? main)?.columns.map(column => [column.name, column]))
    const written = ((main ?? standby)?.columns ?? []).filter(({ name }) => {
      const other = theirs.get(name)
      if (other) return other.generated === ''
      throw new DataError(`the standby's ${this.table} has no column ${name}`, {
        table: this.table,
        hint: 'Add it there: pgsyncer copy changes no structure.'
      })
    })
    return [idColumn, ...written.map(column => column.name).filter(name => name !== idColumn)]
  }

  /** One side's table as a `FROM` item with the alias `t`. */
  source(role: Role): string {
    const only = this.#tables.get(role)!.kind === 'p' ? '' : 'ONLY '
    return `${only}${this.#relation()} AS t`
  }

  /** One side's table as rows are written to it. */
  target({ role, can }: Server): Target {
    const table = this.#tables.get(role)!
    const columns = this.columns()
    const always = (name: string) =>
      table.columns.some(column => column.name === name && column.identity === 'a')
    const { idColumn } = this.names
    const key = table.keys.find(one => one.columns.length === 1 && one.columns[0] === idColumn)
    return {
      relation: this.#relation(),
      source: this.source(role),
      columns,
      key: [idColumn],
      settable: columns.filter(name => name !== idColumn && !always(name)),
      overriding: columns.some(always),
      upsert: key?.immediate === true && (table.kind !== 'p' || can.upsertThroughParent)
    }
  }

  #relation(): string {
    return qualified(this.names.schema, this.names.name)
  }
}
