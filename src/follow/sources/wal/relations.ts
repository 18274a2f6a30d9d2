/**
 * What the WAL calls a relation, and the followed table that it is. The WAL tells of a table as it was when the change was made; the catalog, as it
 * is now. Where they differ, names and order are the WAL's, and what the catalog still knows of a column is the catalog's.
 */
import { PgoutputPlugin, type Pgoutput } from 'pg-logical-replication'
import { ConfigError, FollowError } from '../../../core/errors.js'
import { ident } from '../../../postgres/quote.js'
import type { Server } from '../../../postgres/server.js'
import { readIdentified, withKey, type Identified } from '../../capture/identity.js'
import { keyNames, nameOf, type FollowedColumn, type FollowedTable } from '../../table.js'

export interface Relation {
  readonly table: FollowedTable
  /** By a column's place in the WAL: its index in the shape. */
  readonly order: readonly number[]
  /** The message has all columns of the shape, and in its order. */
  readonly inOrder: boolean
}

type RelationMessage = Pgoutput.MessageRelation

const unsigned = (oid: number): number => oid >>> 0
const typeOf = ({ typeOid, typeMod }: Pgoutput.RelationColumn): string => `${unsigned(typeOid)}:${typeMod}`

export class Relations {
  readonly #parser = new PgoutputPlugin({ protoVersion: 1, publicationNames: [] })
  readonly #followed = new Map<string, Identified>()
  /** By OID; undefined: none of ours. */
  readonly #known = new Map<number, { told: string; relation: Relation | undefined }>()

  constructor(
    private readonly server: Server,
    followed: readonly Identified[]
  ) {
    for (const one of followed) this.#followed.set(nameOf(one.shape), one)
  }

  get(oid: number): Relation | undefined {
    return this.#known.get(oid)?.relation
  }

  /** The relations of a Truncate message. */
  truncated(message: Buffer): (Relation | undefined)[] {
    const { relations } = this.#parser.parse(message) as Pgoutput.MessageTruncate
    return relations.map(({ relationOid }) => this.get(unsigned(relationOid)))
  }

  /** Takes a Relation message: what follows is of that shape. Says whether it is a new one. */
  async learn(message: Buffer): Promise<boolean> {
    const told = message.toString('latin1')
    const said = this.#parser.parse(message) as RelationMessage
    const oid = unsigned(said.relationOid)
    const known = this.#known.get(oid)
    if (known?.told === told) return false
    const relation = await this.#relationOf(oid, said)
    this.#known.set(oid, { told, relation })
    return known?.relation !== undefined && known.relation.table !== relation?.table
  }

  async #relationOf(oid: number, said: RelationMessage): Promise<Relation | undefined> {
    const name = nameOf(said)
    const before = [...this.#followed.values()].find(({ table }) => table.oid === oid)
    if (before && nameOf(before.shape) !== name) {
      throw new FollowError(`${nameOf(before.shape)} has become ${name} on main`, {
        table: nameOf(before.shape),
        hint: 'Follow it by its new name, under which it is copied anew.'
      })
    }
    let followed = before ?? this.#followed.get(name)
    if (!followed) return undefined
    let isNow = false
    if (!isSame(said, followed)) {
      const now = await this.#readAgain(said)
      isNow = now !== undefined
      followed = now ?? followed
      this.#followed.set(name, followed)
    }
    const table = isSame(said, followed) ? followed.shape : await this.#formerShape(said, followed, isNow)
    const names = table.columns.map(column => column.name)
    const order = said.columns.map(column => names.indexOf(column.name))
    const inOrder = order.length === names.length && order.every((at, i) => at === i)
    return { table, order, inOrder }
  }

  /** The table as the catalog has it now, if it still can be followed. */
  async #readAgain({ schema, name }: RelationMessage): Promise<Identified | undefined> {
    const selection = { schemas: [schema], tables: [ident(name)], excludeTables: [] }
    return readIdentified(this.server.sql, this.server.can, selection).then(
      ([one]) => one,
      (error: unknown) => {
        if (error instanceof ConfigError) return undefined
        throw error
      }
    )
  }

  /** @param isNow the shape is what main has now: a column that it lacks is in no row of main any more. */
  async #formerShape(
    said: RelationMessage,
    { shape, types }: Identified,
    isNow: boolean
  ): Promise<FollowedTable> {
    const columns: FollowedColumn[] = []
    for (const column of said.columns) {
      const known = shape.columns.find(({ name }) => name === column.name)
      const isKnown = known && types.get(column.name) === typeOf(column)
      const gone = isNow && !known && { missing: null }
      columns.push(
        isKnown ? known : { name: column.name, notNull: false, ...(await this.#describe(column)), ...gone }
      )
    }
    const key = keyOfRelation(said, shape)
    if (key.length === 0) {
      throw new FollowError(`${nameOf(shape)} has lost its primary key on main`, {
        table: nameOf(shape),
        hint: 'Without one the WAL does not tell which rows are changed: give it back, and copy the table anew.'
      })
    }
    return withKey({ schema: shape.schema, name: shape.name, columns, keyLength: 0 }, key)
  }

  async #describe({ typeOid, typeMod }: Pgoutput.RelationColumn) {
    type Type = Pick<FollowedColumn, 'type' | 'base' | 'kind' | 'builtin' | 'array'>
    const [row] = await this.server.sql.unsafe<Type[]>(
      `WITH RECURSIVE up AS (
         SELECT t.* FROM pg_catalog.pg_type t WHERE t.oid = ${unsigned(typeOid)}
         UNION ALL
         SELECT t.* FROM up JOIN pg_catalog.pg_type t ON t.oid = up.typbasetype WHERE up.typtype = 'd'
       )
       SELECT pg_catalog.format_type(${unsigned(typeOid)}, ${typeMod}) AS type, pg_catalog.format_type(oid, NULL) AS base,
         typtype::text AS kind, oid < 16384 AS builtin, typelem <> 0 AND typlen = -1 AND typcategory = 'A' AS array
       FROM up WHERE typtype <> 'd'`
    )
    // A type that is no more: its values are text all the same.
    return row ?? { type: 'text', base: 'text', kind: 'b', builtin: true, array: false }
  }
}

function isSame(said: RelationMessage, { shape, types }: Identified): boolean {
  const names = new Set(shape.columns.map(column => column.name))
  return (
    said.columns.length === names.size &&
    said.columns.every(column => names.has(column.name) && types.get(column.name) === typeOf(column)) &&
    keyOfRelation(said, shape).join('\n') === keyNames(shape).join('\n')
  )
}

/** The columns that tell a row, in the catalog's order where it has the same. */
function keyOfRelation(said: RelationMessage, shape: FollowedTable): string[] {
  const key = keyNames(shape)
  const names = new Set(
    said.replicaIdentity === 'full' ? said.columns.map(({ name }) => name) : said.keyColumns
  )
  if (said.replicaIdentity === 'full') return key.every(name => names.has(name)) ? key : []
  return names.size === key.length && key.every(name => names.has(name)) ? key : said.keyColumns
}
