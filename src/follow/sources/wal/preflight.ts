/** What must be there before the WAL is read; each says what to do. */
import { FollowError } from '../../../core/errors.js'
import { ident, literal } from '../../../postgres/quote.js'
import type { Server } from '../../../postgres/server.js'
import { installCommand } from '../../capture/capture.js'
import type { Identified } from '../../capture/identity.js'
import { faultsOf, readPublication } from '../../capture/publication.js'
import { walName } from '../../capture/wal.js'
import type { FollowConfig } from '../../config.js'
import { lsnText, type Lsn } from './position.js'

/** @throws FollowError where the publication is not there, or does not tell of all. */
export async function refuseNoPublication(
  { sql, can }: Server,
  config: FollowConfig,
  followed: readonly Identified[]
): Promise<void> {
  const name = walName(config.name)
  const publication = await readPublication(sql, can, name)
  const hint = `Run ${installCommand(config)}`
  if (!publication) throw new FollowError(`main has no publication ${name}`, { hint })
  const shapes = followed.map(({ shape }) => shape)
  const faults = faultsOf(publication, can, shapes)
  if (faults.length > 0) {
    throw new FollowError(`main's publication ${name} does not tell of all changes: ${faults.join('; ')}`, {
      hint
    })
  }
}

/** @throws FollowError where the slot that is missing could not be made. */
export async function refuseNoSlotLeft({ sql }: Server): Promise<void> {
  const [row] = await sql<{ used: number; limit: number }[]>`
    SELECT pg_catalog.count(*)::int AS used, pg_catalog.current_setting('max_replication_slots')::int AS limit
    FROM pg_catalog.pg_replication_slots`
  const { used, limit } = row!
  if (used < limit) return
  throw new FollowError(`main has no replication slot left: max_replication_slots is ${limit}`, {
    hint: 'Drop slots that nobody uses (SELECT * FROM pg_replication_slots WHERE NOT active), or raise it and restart main.'
  })
}

/** What positions belong to. */
export async function readOrigin({ sql }: Server, { name }: FollowConfig): Promise<string> {
  const [row] = await sql<{ system: string; database: string }[]>`
    SELECT system_identifier::text AS system, (SELECT oid::text FROM pg_catalog.pg_database
      WHERE datname = pg_catalog.current_database()) AS database FROM pg_catalog.pg_control_system()`
  return `wal ${row!.system}/${row!.database} ${walName(name)}`
}

/** Names in the options are quoted twice: as a name, and as a text. */
export function startCommand(slot: string, begin: Lsn): string {
  return `START_REPLICATION SLOT ${ident(slot)} LOGICAL ${lsnText(begin)} (proto_version '1', publication_names ${literal(ident(slot))})`
}
