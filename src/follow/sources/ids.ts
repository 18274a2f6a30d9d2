/** By which column a table's rows are read, and how far: found out once for each shape. */
import { ConfigError } from '../../core/errors.js'
import type { Capabilities } from '../../postgres/capabilities.js'
import { ident, literal, qualified } from '../../postgres/quote.js'
import type { Queryable } from '../../postgres/server.js'
import type { FollowConfig } from '../config.js'
import type { Followed } from '../shapes.js'
import { keyNames, nameOf, type FollowedColumn, type FollowedTable } from '../table.js'
import { sequenceOf, type Ids } from './horizon.js'

/**
 * locks: up to the horizon; overlap: what was read lately is read again; naive: neither, which loses rows, and is there for tests to
 * show that.
 */
export type Reach = 'locks' | 'overlap' | 'naive'

export interface IdTable {
  readonly shape: FollowedTable
  /** `schema.table` */
  readonly name: string
  readonly id: string
  readonly reach: Reach
  /** Where the reach is locks. */
  readonly ids: Ids | undefined
  /** Why it is not; undefined: it is. */
  readonly reason: string | undefined
}

/** @throws ConfigError where a table has no column to go by, may not be read, or would be doubled. */
export async function readIds(
  sql: Queryable,
  can: Capabilities,
  followed: readonly Followed[],
  config: FollowConfig,
  reach?: Reach
): Promise<IdTable[]> {
  const [server] = await sql.unsafe<{ recovery: boolean }[]>(
    'SELECT pg_catalog.pg_is_in_recovery() AS recovery'
  )
  const result: IdTable[] = []
  for (const { table, shape } of followed) {
    const { name: id, notNull } = idOf(shape, config.idColumn)
    await checkRight(sql, shape, config)
    if (!notNull) await refuseNulls(sql, shape, id)
    const sequence = server!.recovery ? undefined : await sequenceOf(sql, can, table.oid, id)
    const reason = server!.recovery
      ? 'main is a hot standby, whose writers cannot be seen'
      : sequence === undefined
        ? `${id} of ${nameOf(shape)} is not given by a sequence one by one (its default is nextval, CACHE 1)`
        : undefined
    if (sequence !== undefined) await checkSequence(sql, shape, sequence)
    const how = reach ?? (reason === undefined ? 'locks' : 'overlap')
    if (how === 'overlap' && shape.keyLength === 0) throw doubled(shape, reason)
    result.push({
      shape,
      name: nameOf(shape),
      id,
      reach: how,
      ids: sequence === undefined ? undefined : { oid: table.oid, sequence },
      reason
    })
  }
  return result
}

function idOf(shape: FollowedTable, wanted: string | undefined): FollowedColumn {
  const table = nameOf(shape)
  const key = keyNames(shape)
  const name = wanted ?? (key.length === 1 ? key[0] : undefined)
  const column = shape.columns.find(column => column.name === name)
  const whole = column && ['smallint', 'integer', 'bigint'].includes(column.base)
  if (whole) return column
  const what =
    wanted === undefined
      ? 'has no primary key of one whole number'
      : column
        ? `cannot be read by ${wanted}, which is ${column.type} and no whole number`
        : `has no column ${wanted}`
  throw new ConfigError(`${table} ${what}`, {
    table,
    hint: 'Name a whole number that only grows: --id-column NAME; or follow the table with --source outbox or wal.'
  })
}

/** Rows that are read again replace themselves only where a key tells that they are the same. */
function doubled(shape: FollowedTable, reason: string | undefined): ConfigError {
  const table = nameOf(shape)
  return new ConfigError(
    `${table} has no primary key, and would have to be read again and again: ${reason}`,
    {
      table,
      hint: 'Give it a primary key, or ids of a sequence (bigserial, CACHE 1); else its rows would be doubled.'
    }
  )
}

async function checkRight(sql: Queryable, shape: FollowedTable, { source }: FollowConfig): Promise<void> {
  const relation = qualified(shape.schema, shape.name)
  const [row] = await sql.unsafe<{ may: boolean; role: string }[]>(
    `SELECT pg_catalog.has_any_column_privilege(${literal(relation)}, 'SELECT') AS may,
       pg_catalog.quote_ident(current_user) AS role`
  )
  if (row!.may) return
  throw new ConfigError(
    `the role ${row!.role} may not read ${nameOf(shape)}, which --source ${source} needs`,
    {
      table: nameOf(shape),
      hint: `GRANT SELECT ON ${relation} TO ${row!.role}`
    }
  )
}

/** How far ids were given is the sequence's to say. */
async function checkSequence(sql: Queryable, shape: FollowedTable, sequence: string): Promise<void> {
  const [row] = await sql.unsafe<{ may: boolean; role: string }[]>(
    `SELECT pg_catalog.has_sequence_privilege(${literal(sequence)}, 'SELECT') AS may, pg_catalog.quote_ident(current_user) AS role`
  )
  if (row!.may) return
  throw new ConfigError(
    `the role ${row!.role} may not read ${sequence}, which gives ${nameOf(shape)} its ids`,
    {
      table: nameOf(shape),
      hint: `GRANT SELECT ON SEQUENCE ${sequence} TO ${row!.role}`
    }
  )
}

async function refuseNulls(sql: Queryable, shape: FollowedTable, id: string): Promise<void> {
  const { schema, name } = shape
  const rows = await sql.unsafe(
    `SELECT 1 AS one FROM ${qualified(schema, name)} t WHERE t.${ident(id)} IS NULL LIMIT 1`
  )
  if (rows.length === 0) return
  throw new ConfigError(`rows of ${nameOf(shape)} have no ${id}: they would never be read`, {
    table: nameOf(shape),
    hint: `Give them one and make the column NOT NULL, or follow the table with --source outbox or wal.`
  })
}
