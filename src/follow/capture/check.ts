/** Whether what a source needs is there, before it reads. */
import { FollowError } from '../../core/errors.js'
import { ident, literal, qualified } from '../../postgres/quote.js'
import type { Queryable, Server } from '../../postgres/server.js'
import type { FollowConfig } from '../config.js'
import { nameOf, type FollowedTable } from '../table.js'
import { installCommand } from './capture.js'
import { outboxNames, schema } from './outboxsql.js'
import { moments, readPresent, readRelations, type Moment } from './triggers.js'

/** @throws FollowError where a table has no enabled trigger of this stream. */
export async function checkTriggers(
  server: Pick<Server, 'can'> & { sql: Queryable },
  config: FollowConfig,
  prefix: string,
  moment: Moment,
  tables: readonly FollowedTable[]
): Promise<void> {
  const { triggers } = await readPresent(server.sql, server.can, prefix)
  const has = (table: FollowedTable) =>
    triggers.find(
      one => one.schema === table.schema && one.table === table.name && one.type === moments[moment].type
    )
  const lacking = tables.filter(table => !has(table)).map(nameOf)
  const disabled = tables.filter(table => has(table)?.enabled === false).map(nameOf)
  if (lacking.length === 0 && disabled.length === 0) return
  const what =
    lacking.length > 0
      ? `${lacking.join(', ')} ${lacking.length === 1 ? 'has' : 'have'} no trigger of the ${config.source} stream ${config.name}`
      : `the trigger of the ${config.source} stream ${config.name} is disabled on ${disabled.join(', ')}`
  throw new FollowError(what, { hint: `Run ${installCommand(config)}` })
}

/** @throws FollowError where the outbox is not there, or the role may not read and empty it. */
export async function checkOutbox(sql: Queryable, config: FollowConfig): Promise<void> {
  const { outbox, taken } = outboxNames(config.name)
  const { relations } = await readRelations(sql, [outbox, taken])
  const missing = [outbox, taken].filter(name => !relations.has(name))
  if (missing.length > 0) {
    throw new FollowError(`main has no table ${schema}.${missing[0]}: nothing captures changes`, {
      hint: `Run ${installCommand(config)}`
    })
  }
  const [table, record] = [outbox, taken].map(name => literal(qualified(schema, name)))
  const sequence = literal(qualified(schema, `${outbox}_id_seq`))
  const [row] = await sql.unsafe<{ may: boolean; role: string }[]>(
    `SELECT current_user AS role, CASE WHEN pg_catalog.has_schema_privilege('${schema}', 'USAGE') THEN
       pg_catalog.has_table_privilege(${table}, 'SELECT') AND pg_catalog.has_table_privilege(${table}, 'DELETE')
       AND pg_catalog.has_table_privilege(${record}, 'SELECT') AND pg_catalog.has_table_privilege(${record}, 'UPDATE')
       AND pg_catalog.has_sequence_privilege(${sequence}, 'SELECT') ELSE false END AS may`
  )
  if (row!.may) return
  const to = ident(row!.role)
  throw new FollowError(`the role ${row!.role} may not read and empty ${schema}.${outbox}`, {
    hint:
      `GRANT USAGE ON SCHEMA ${schema} TO ${to}; GRANT SELECT, DELETE ON ${qualified(schema, outbox)} TO ${to}; ` +
      `GRANT SELECT, UPDATE ON ${qualified(schema, taken)} TO ${to}; GRANT SELECT ON SEQUENCE ${qualified(schema, `${outbox}_id_seq`)} TO ${to}`
  })
}
