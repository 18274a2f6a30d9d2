/** Every stream that a standby remembers, for whoever asks from outside. */
import { openServer } from '../../../postgres/connect.js'
import type { FollowConfig } from '../../config.js'
import type { StoredStream } from '../../ports.js'

/** @throws ConfigError for a DSN that cannot be used; ConnectionError. */
export async function readPostgresStreams(config: FollowConfig): Promise<StoredStream[]> {
  const { lockTimeout, statementTimeout } = config
  const server = await openServer('standby', config.to, config.env, { lockTimeout, statementTimeout })
  try {
    const [there] = await server.sql<{ found: boolean }[]>`
      SELECT pg_catalog.to_regclass('pgsyncer.stream') IS NOT NULL AS found`
    if (!there!.found) return []
    const rows = await server.sql<(Omit<StoredStream, 'tables'> & { tables: string })[]>`
      SELECT name, origin, position, tables::text AS tables, updated_at::text AS updated FROM pgsyncer.stream ORDER BY name`
    return rows.map(row => ({ ...row, tables: JSON.parse(row.tables) as StoredStream['tables'] }))
  } finally {
    await server.close()
  }
}
