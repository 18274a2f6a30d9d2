/** A stream whose sink is main itself would empty main's own tables before it copies them. */
import { openServer } from '../postgres/connect.js'
import { refuseSameDatabase } from '../postgres/guards.js'
import type { Server } from '../postgres/server.js'
import { isClickHouse, type FollowConfig } from './config.js'

/** @throws ConfigError where both DSNs lead to one database; what a connection ended with. */
export async function refuseItself(main: Server, config: FollowConfig): Promise<void> {
  if (isClickHouse(config.to)) return
  const { to, env, lockTimeout, statementTimeout } = config
  const standby = await openServer('standby', to, env, { lockTimeout, statementTimeout })
  try {
    await refuseSameDatabase(main, standby)
  } finally {
    await standby.close()
  }
}
