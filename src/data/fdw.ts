/**
 * `--fdw-mode`: rows go from server to server through postgres_fdw. Extension, server, user mapping and foreign
 * tables are made and dropped inside each writing transaction, so that no other session ever sees them and a killed
 * run leaves nothing. The password travels as COPY data, which no server log shows.
 */
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { from as copyFrom } from 'pg-copy-streams'
import { DataError, messageOf } from '../core/errors.js'
import { backendOf } from '../postgres/backend.js'
import { columnList, ident, literal, qualified } from '../postgres/quote.js'
import type { Server } from '../postgres/server.js'
import { copyMover, type Mover } from './move.js'
import type { Pair } from './pairs.js'
import { writtenColumns, type Unit } from './unit.js'

export interface FdwAddress {
  /** Where the standby's server finds main. */
  host: string | undefined
  port: number | undefined
}

/** Key of the advisory lock that keeps two transactions from making the extension at the same time. */
const extensionLock = 7_016_995_811_214

export function fdwMover(main: Server, address: FdwAddress): Mover {
  const env = main.libpqEnv
  const options: [kind: string, name: string, value: string | undefined][] = [
    ['server', 'host', address.host ?? env.PGHOSTADDR ?? env.PGHOST],
    ['server', 'port', String(address.port ?? env.PGPORT)],
    ['server', 'dbname', env.PGDATABASE],
    ['server', 'sslmode', env.PGSSLMODE],
    // A policy that would hide rows must be an error there too.
    ['server', 'options', [env.PGOPTIONS, '-c row_security=off'].filter(Boolean).join(' ')],
    ['server', 'fetch_size', '10000'],
    ['user', 'user', env.PGUSER],
    ['user', 'password', env.PGPASSWORD]
  ]
  const names = (pair: Pair) => `pgsyncer_fdw_${backendOf(pair.standby)}`
  const made = new WeakMap<Pair, boolean>()
  return {
    byPlace: false,
    ofCut: false,
    async begin(pair, units) {
      const name = names(pair)
      made.set(pair, await ensureExtension(pair, name))
      await sendOptions(pair, options)
      await makeServer(pair, name)
      for (const unit of units) await importTable(pair, unit, name)
    },
    async move(pair, unit, condition, into, pace) {
      // A foreign table cannot leave out the rows of main's heirs.
      if (unit.main.inherited) return copyMover.move(pair, unit, condition, into, pace)
      const overriding = into === unit.relation && unit.overriding ? ' OVERRIDING SYSTEM VALUE' : ''
      // A list of no column cannot be written; without one the columns have their defaults.
      const columns = unit.written.length > 0 ? ` (${writtenColumns(unit)})` : ''
      const { rowCount } = await pair.standby.query(
        `INSERT INTO ${into}${columns}${overriding} SELECT ${writtenColumns(unit, 't.')}
         FROM ${qualified(importSchema(unit, names(pair)), unit.main.name)} t WHERE ${unit.filter} AND ${condition}`
      )
      await pace.rows(pair.main, unit, rowCount ?? 0)
      return rowCount ?? 0
    },
    async end(pair, units) {
      const name = names(pair)
      const schemas = [name, ...units.map(unit => importSchema(unit, name))]
      await pair.standby.query(`DROP SERVER ${ident(name)} CASCADE`)
      if (made.get(pair)) await pair.standby.query('DROP EXTENSION postgres_fdw')
      await pair.standby.query(`DROP SCHEMA ${columnList(schemas)} CASCADE; DROP TABLE pg_temp.pgsyncer_link`)
    }
  }
}

/** Whether this transaction made the extension, and so must drop it. */
async function ensureExtension(pair: Pair, schema: string): Promise<boolean> {
  await pair.standby.query(`CREATE SCHEMA ${ident(schema)}`)
  const exists = async () => {
    const found = await pair.standby.query(
      `SELECT 1 FROM pg_catalog.pg_extension WHERE extname = 'postgres_fdw'`
    )
    return found.rows.length > 0
  }
  if (await exists()) return false
  await pair.standby.query(`SELECT pg_catalog.pg_advisory_xact_lock(${extensionLock})`)
  try {
    await pair.standby.query(`CREATE EXTENSION postgres_fdw WITH SCHEMA ${ident(schema)}`)
  } catch (error) {
    throw new DataError(`--fdw-mode needs the extension postgres_fdw on the standby: ${messageOf(error)}`, {
      hint: 'Install PostgreSQL’s contrib package there and run CREATE EXTENSION postgres_fdw as a superuser, or leave --fdw-mode out.',
      cause: error
    })
  }
  return true
}

async function sendOptions(
  pair: Pair,
  options: readonly (readonly [string, string, string | undefined])[]
): Promise<void> {
  await pair.standby.query('CREATE TEMPORARY TABLE pgsyncer_link (kind text, name text, value text)')
  const escape = (text: string) =>
    text.replace(/[\\\t\n\r]/g, found => ({ '\t': '\\t', '\n': '\\n', '\r': '\\r' })[found] ?? '\\\\')
  const lines = options
    .filter(([, , value]) => value !== undefined && value !== '')
    .map(([kind, name, value]) => `${kind}\t${name}\t${escape(value!)}\n`)
  await pipeline(Readable.from(lines), pair.standby.query(copyFrom('COPY pg_temp.pgsyncer_link FROM STDIN')))
}

/** Inside a DO block, whose statements no log shows; a failure is told again without the statement that it met. */
async function makeServer(pair: Pair, name: string): Promise<void> {
  const list = (kind: string) =>
    `(SELECT pg_catalog.string_agg(pg_catalog.format('%I %L', name, value), ', ') FROM pg_temp.pgsyncer_link WHERE kind = '${kind}')`
  await pair.standby.query(`DO $pgsyncer$ BEGIN
    EXECUTE pg_catalog.format('CREATE SERVER %I FOREIGN DATA WRAPPER postgres_fdw OPTIONS (%s)', ${literal(name)}, ${list('server')});
    EXECUTE pg_catalog.format('CREATE USER MAPPING FOR CURRENT_USER SERVER %I OPTIONS (%s)', ${literal(name)}, ${list('user')});
  EXCEPTION WHEN OTHERS THEN RAISE EXCEPTION '--fdw-mode cannot reach main from the standby: %', SQLERRM USING ERRCODE = SQLSTATE;
  END $pgsyncer$`)
  await pair.standby.query(`DELETE FROM pg_temp.pgsyncer_link`)
}

async function importTable(pair: Pair, unit: Unit, name: string): Promise<void> {
  const { schema, name: table } = unit.main
  const local = importSchema(unit, name)
  await pair.standby.query(`CREATE SCHEMA ${ident(local)}`)
  await pair.standby.query(
    `IMPORT FOREIGN SCHEMA ${ident(schema)} LIMIT TO (${ident(table)}) FROM SERVER ${ident(name)} INTO ${ident(local)}`
  )
  const { rows } = await pair.standby.query(
    `SELECT pg_catalog.to_regclass(${literal(qualified(local, table))}) AS found`
  )
  if (rows[0].found !== null) return
  // Below 14, IMPORT leaves partitions out.
  const columns = unit.written.map(column => `${ident(column.name)} ${column.type}`).join(', ')
  await pair.standby.query(
    `CREATE FOREIGN TABLE ${qualified(local, table)} (${columns}) SERVER ${ident(name)}
     OPTIONS (schema_name ${literal(schema)}, table_name ${literal(table)})`
  )
}

/** A schema for each table: two of main's schemas may have tables of one name. */
const importSchema = (unit: Unit, name: string): string => `${name}_${unit.main.oid}`
