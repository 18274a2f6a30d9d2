/** Which tables a capture by triggers is for, and what it cannot be made for. */
import { ConfigError, FollowError } from '../../core/errors.js'
import type { Capabilities } from '../../postgres/capabilities.js'
import type { Queryable, Server } from '../../postgres/server.js'
import type { FollowConfig } from '../config.js'
import { readFollowed, type Followed } from '../shapes.js'
import { nameOf } from '../table.js'

/** @throws ConfigError where a pattern names no table, or a table cannot have the triggers. */
export async function readCapturable(server: Server, config: FollowConfig): Promise<Followed[]> {
  const followed = await readFollowed(server.sql, server.can, config)
  for (const { table, shape } of followed) {
    if (table.kind === 'p' && !server.can.indexInclude) {
      throw new ConfigError(
        `${nameOf(shape)} is partitioned, and PostgreSQL ${server.version} has no triggers for its rows`,
        { table: nameOf(shape), hint: 'Follow its partitions one by one, or by --source wal.' }
      )
    }
  }
  return followed
}

/** @throws ConfigError where a table has no primary key, by which alone a row that was changed can be found again. */
export function refuseKeyless(followed: readonly Followed[]): void {
  const keyless = followed.filter(({ shape }) => shape.keyLength === 0).map(({ shape }) => nameOf(shape))
  if (keyless.length === 0) return
  throw new ConfigError(
    `${keyless.join(', ')} ${keyless.length === 1 ? 'has' : 'have'} no primary key: changes of rows cannot be followed`,
    {
      ...(keyless.length === 1 && { table: keyless[0]! }),
      hint: 'Give it one, leave it out (--exclude-table), or follow what is inserted alone by --source poll --id-column.'
    }
  )
}

/** @throws FollowError where main cannot have triggers or take signals. */
export async function refuseRecovery({ sql, address }: Server): Promise<void> {
  const [row] = await sql<{ recovery: boolean }[]>`SELECT pg_catalog.pg_is_in_recovery() AS recovery`
  if (!row!.recovery) return
  throw new FollowError(`main (${address}) is a hot standby, where no trigger can write or signal`, {
    hint: 'Name the primary as --maindsn, or use --source poll, which reads a standby too.'
  })
}

/** Every partition of a partitioned table, of every depth. */
export async function readPartitions(
  sql: Queryable,
  can: Capabilities,
  oid: number
): Promise<{ schema: string; name: string }[]> {
  if (!can.partitions) return []
  return sql.unsafe<{ schema: string; name: string }[]>(
    `WITH RECURSIVE tree AS (
       SELECT i.inhrelid AS oid FROM pg_catalog.pg_inherits i WHERE i.inhparent = ${oid}
       UNION ALL SELECT i.inhrelid FROM pg_catalog.pg_inherits i JOIN tree ON i.inhparent = tree.oid
     )
     SELECT n.nspname::text AS schema, c.relname::text AS name FROM tree JOIN pg_catalog.pg_class c ON c.oid = tree.oid
     JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind = 'r' ORDER BY 1, 2`
  )
}
