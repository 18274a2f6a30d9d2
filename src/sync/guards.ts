/** What must be true before a run writes anything; each guard says what to do. */
import { ConfigError, GuardError } from '../core/errors.js'
import type { UnitResult } from '../data/rows.js'
import { qualified } from '../postgres/quote.js'
import type { Server } from '../postgres/server.js'
import type { DeleteGuard } from './config.js'

/** 'pgsy', 'ncer': the two halves of the advisory lock's key. */
const lockKey = '1885827449, 1852007794'

/**
 * A physical copy has the identifier of the server that it was made from: once it runs by itself it is another
 * database, and as long as it follows it is the same one.
 * @throws ConfigError where both DSNs lead to one and the same database, or main follows the standby.
 */
export async function refuseSameDatabase(main: Server, standby: Server): Promise<void> {
  const [a, b] = await Promise.all([identity(main), identity(standby)])
  const hint = 'Check both DSNs: the standby is the one that is changed.'
  const both = `(${main.address} and ${standby.address})`
  if (a.cluster !== b.cluster || a.database !== b.database) return
  if (a.started === b.started)
    throw new ConfigError(`main and standby are the same database ${both}`, { hint })
  if (a.follows)
    throw new ConfigError(`main is a physical replica of the standby, or of a copy of it ${both}`, { hint })
}

interface Identity {
  cluster: string
  database: string
  /** When the server was started: what no two running servers share. */
  started: string
  follows: boolean
}

async function identity(server: Server): Promise<Identity> {
  const ask = (cluster: string) =>
    server.sql.unsafe<Identity[]>(
      `SELECT ${cluster} AS cluster, oid::text AS database, pg_catalog.pg_postmaster_start_time()::text AS started,
         pg_catalog.pg_is_in_recovery() AS follows
       FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database()`
    )
  const unknown = () => ask('pg_catalog.pg_postmaster_start_time()::text')
  if (!server.can.controlSystem) return (await unknown())[0]!
  const own = '(SELECT system_identifier::text FROM pg_catalog.pg_control_system())'
  return (await ask(own).catch(unknown))[0]!
}

/** @throws ConfigError where the standby cannot be written. */
export async function refuseReadOnly(standby: Server): Promise<void> {
  const [row] = await standby.sql<{ recovery: boolean }[]>`SELECT pg_catalog.pg_is_in_recovery() AS recovery`
  if (!row!.recovery) return
  throw new ConfigError(`the standby ${standby.address} is a hot standby and cannot be written`, {
    hint: 'Name a primary as --standindsn; a physical replica follows its own primary.'
  })
}

/**
 * Holds the standby for this run: a session lock, which ends with the session whatever happens to the program.
 * @throws GuardError where another run holds it.
 */
export async function lockStandby(standby: Server): Promise<{ release(): Promise<void> }> {
  const client = await standby.connect()
  const release = () => client.end().catch(() => {})
  const { rows } = await client.query<{ got: boolean }>(
    `SELECT pg_catalog.pg_try_advisory_lock(${lockKey}) AS got`
  )
  if (rows[0]!.got) return { release }
  await release()
  throw new GuardError(`another run is writing to the standby ${standby.address}`, {
    hint: 'Wait until it has ended: its lock ends with it.'
  })
}

/** Rows of a table that a share lets go without asking. */
const spared = 1000

/** @throws GuardError naming every table that would lose more rows than the guard allows. */
export function guardDeletes(results: readonly UnitResult[], guard: DeleteGuard): void {
  const refused = results.filter(({ tally }) => tally.delete > allowed(guard, tally.standby))
  if (refused.length === 0) return
  const list = refused.map(({ unit, tally }) => `${unit.name} (${tally.delete} of ${tally.standby} rows)`)
  throw new GuardError(`--clean-extra would delete too much: ${list.join(', ')}`, {
    hint: 'If that is meant, raise --max-delete (a number of rows, or a percentage such as 100%).'
  })
}

/** How many of a table's rows may go. */
export function allowed(guard: DeleteGuard, rows: number): number {
  if (guard.rows !== undefined) return guard.rows
  return Math.max(spared, Math.floor((rows * (guard.percent ?? 100)) / 100))
}

/** @throws GuardError where dropping extra tables would lose more rows than the guard allows. */
export async function guardDrops(
  standby: Server,
  tables: readonly { schema: string; name: string }[],
  guard: DeleteGuard
): Promise<void> {
  const refused: string[] = []
  for (const { schema, name } of tables) {
    const [row] = await standby.sql.unsafe<{ n: string }[]>(
      `SELECT pg_catalog.count(*)::text AS n FROM ${qualified(schema, name)}`
    )
    const rows = Number(row!.n)
    if (rows > allowed(guard, rows)) refused.push(`${schema}.${name} (${rows} rows)`)
  }
  if (refused.length === 0) return
  throw new GuardError(`--clean-extra would drop tables that hold rows: ${refused.join(', ')}`, {
    hint: 'If that is meant, raise --max-delete (a number of rows, or a percentage such as 100%).'
  })
}
