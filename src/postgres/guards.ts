/** What must be true of two servers before one is written from the other; each guard says what to do. */
import { ConfigError } from '../core/errors.js'
import type { Server } from './server.js'

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
    hint: 'Name a primary: a physical replica follows its own.'
  })
}
