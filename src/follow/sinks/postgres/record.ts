/**
 * What the standby remembers of streams: one row a stream, which is written in the transaction of the rows that it tells of. A stream's
 * record belongs to one process at a time: to the session that holds its lock, which is the session that writes.
 */
import type pg from 'pg'
import { ConfigError, GuardError } from '../../../core/errors.js'
import { codeOf } from '../../../postgres/failure.js'
import { literal } from '../../../postgres/quote.js'
import type { Server } from '../../../postgres/server.js'
import type { Position, StreamState } from '../../ports.js'

/** A table of ours on the standby. */
export interface OwnTable {
  /** In the schema pgsyncer. */
  readonly relation: string
  /** As SQL. */
  readonly columns: string
  readonly comment: string
}

export const streamTable: OwnTable = {
  relation: 'pgsyncer.stream',
  columns: `
    name text PRIMARY KEY,
    origin text NOT NULL,
    position text,
    tables jsonb NOT NULL,
    updated_at timestamptz NOT NULL DEFAULT pg_catalog.now()`,
  comment: 'pgsyncer: up to where each stream has been written here'
}
const { relation } = streamTable

/** 'pgfo', the first half of the advisory lock's key; the second stands for the stream's name. */
const lockSpace = 1885824623

/** Milliseconds that a session of ours which was just lost has to end, and its lock with it. */
const patience = 5000

/**
 * Makes the schema and the table where they are not there yet.
 * @throws ConfigError where the role may not.
 */
export async function makeTable(server: Server, { relation, columns, comment }: OwnTable): Promise<void> {
  const denied = (error: unknown): unknown =>
    codeOf(error) === '42501'
      ? new ConfigError(
          `user ${server.user} may not use the table ${relation} on the standby ${server.address}`,
          {
            hint: `GRANT CREATE ON DATABASE ${server.database} TO ${server.user}, or make schema pgsyncer for it once: CREATE SCHEMA pgsyncer AUTHORIZATION ${server.user}. Where another role made it: GRANT USAGE ON SCHEMA pgsyncer TO ${server.user}; GRANT SELECT, INSERT, UPDATE ON ${relation} TO ${server.user}.`,
            sqlstate: '42501',
            cause: error
          }
        )
      : error
  const look = server.sql<{ table: boolean; schema: boolean }[]>`
    SELECT pg_catalog.to_regclass(${relation}) IS NOT NULL AS table,
      pg_catalog.to_regnamespace('pgsyncer') IS NOT NULL AS schema`
  const [found] = await look.catch((error: unknown) => {
    throw denied(error)
  })
  if (found!.table) return
  // Even where it is there, making it would ask for the right to.
  const schema = found!.schema ? '' : 'CREATE SCHEMA IF NOT EXISTS pgsyncer;'
  try {
    // One message is one transaction. Two that find nothing there at the same time would both make it.
    await server.sql.unsafe(`SELECT pg_catalog.pg_advisory_xact_lock(${lockSpace}, 0);
      ${schema}
      CREATE TABLE IF NOT EXISTS ${relation} (${columns});
      COMMENT ON TABLE ${relation} IS ${literal(comment)}`)
  } catch (error) {
    throw denied(error)
  }
}

/**
 * Takes the stream's lock for the session's life.
 * @throws GuardError where another process has it.
 */
export async function holdRecord(
  client: pg.Client,
  server: Server,
  name: string,
  lockTimeout: number
): Promise<void> {
  const key = `pg_catalog.hashtext(${literal(name)})`
  const wait = Math.min(lockTimeout === 0 ? patience : lockTimeout, patience)
  try {
    await client.query(`BEGIN; SET LOCAL lock_timeout = ${wait}; SET LOCAL statement_timeout = 0;
      SELECT pg_catalog.pg_advisory_lock(${lockSpace}, ${key}); COMMIT`)
  } catch (error) {
    await client.query('ROLLBACK').catch(() => {})
    if (codeOf(error) !== '55P03') throw error
    const { rows } = await client.query<{ pid: number }>(
      `SELECT l.pid FROM pg_catalog.pg_locks l JOIN pg_catalog.pg_database d ON d.oid = l.database
       WHERE l.locktype = 'advisory' AND l.classid = ${lockSpace} AND l.objid = (${key} & 4294967295::bigint)::oid
         AND l.objsubid = 2 AND l.granted AND d.datname = pg_catalog.current_database()`
    )
    const holder = rows[0] ? `, PID ${rows[0].pid} of that server,` : ''
    throw new GuardError(`another process${holder} writes the stream ${name} to ${server.address}`, {
      hint: 'Wait until it has ended, or give this stream a --name of its own.',
      cause: error
    })
  }
}

export async function readRecord(client: pg.Client, name: string): Promise<StreamState | undefined> {
  const { rows } = await client.query<StreamState>({
    text: `SELECT origin, position, tables FROM ${relation} WHERE name = $1`,
    values: [name]
  })
  return rows[0]
}

export async function writeRecord(client: pg.Client, name: string, state: StreamState): Promise<void> {
  await client.query({
    text: `INSERT INTO ${relation} (name, origin, position, tables) VALUES ($1, $2, $3, $4)
      ON CONFLICT (name) DO UPDATE SET origin = EXCLUDED.origin, position = EXCLUDED.position, tables = EXCLUDED.tables,
        updated_at = pg_catalog.now()`,
    values: [name, state.origin, state.position, JSON.stringify(state.tables)]
  })
}

/** To be run in the transaction of the rows. */
export const positionStatement = (name: string, position: Position): string =>
  `UPDATE ${relation} SET position = ${literal(position)}, updated_at = pg_catalog.now() WHERE name = ${literal(name)}`
