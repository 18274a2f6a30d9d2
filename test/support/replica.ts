/** A hot standby of a throw-away server: a copy of its data taken while it runs, that then follows it by streaming. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chown, cp, mkdtemp, open, readdir, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import pg from 'pg'
import { openTemp, serverAccount } from '../../src/cli/demo/account.js'
import { runnableBinaries } from '../../src/cli/demo/binaries.js'
import { end, watch } from '../../src/cli/demo/lifetime.js'
import type { ThrowawayServer } from '../../src/cli/demo/servers.js'

export interface Replica {
  /** Like the primary's, with the replica's port. */
  readonly url: string
  /** Waits until it has replayed all that the primary has written so far. */
  catchUp(): Promise<void>
  /** Makes it a server of its own; waits until it can be written. */
  promote(): Promise<void>
  stop(): Promise<void>
}

/** @param binaries of a PostgreSQL from 15, the primary's own. */
export async function startReplica(primary: ThrowawayServer, binaries: string): Promise<Replica> {
  const account = await serverAccount()
  const folder = await mkdtemp(join(await openTemp(), 'pgsyncer-replica-'))
  const dataDir = join(folder, 'data')
  const admin = new pg.Client({ connectionString: primary.url })
  await admin.connect()
  try {
    await admin.query(`SELECT pg_backup_start('replica', true)`)
    await cp(primary.dataDir, dataDir, {
      recursive: true,
      filter: path => !/postmaster\.(pid|opts)$/.test(path)
    })
    const { rows } = await admin.query<{ labelfile: string }>('SELECT labelfile FROM pg_backup_stop(false)')
    await writeFile(join(dataDir, 'backup_label'), rows[0]!.labelfile)
  } finally {
    await admin.end()
  }
  const { host, port: primaryPort, user, password } = primary
  const source = `host=${host} port=${primaryPort} user=${user} password=${password}`
  await writeFile(join(dataDir, 'postgresql.auto.conf'), `primary_conninfo = '${source}'\n`)
  await writeFile(join(dataDir, 'standby.signal'), '')
  if (account) {
    const inside = await readdir(folder, { recursive: true })
    for (const path of [folder, ...inside.map(name => join(folder, name))])
      await chown(path, account.uid, account.gid)
  }
  const port = await freePort()
  const settings = {
    port,
    listen_addresses: host,
    unix_socket_directories: '',
    max_connections: 200,
    fsync: 'off',
    max_prepared_transactions: 10
  }
  const args = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])
  const log = await open(join(folder, 'server.log'), 'w')
  const as = { cwd: folder, ...(account && { uid: account.uid, gid: account.gid }) }
  const child = spawn(join(await runnableBinaries(binaries, account), 'postgres'), ['-D', dataDir, ...args], {
    ...as,
    stdio: ['ignore', log.fd, log.fd],
    detached: true
  })
  const running = watch(child, folder, as)
  await log.close()
  const url = new URL(primary.url)
  url.port = String(port)
  const stop = async () => {
    await end(running, 'immediate')
    await rm(folder, { recursive: true, force: true })
  }
  try {
    await until(url.href, 'SELECT pg_is_in_recovery() AS yes')
  } catch (error) {
    await stop()
    throw error
  }
  return {
    url: url.href,
    stop,
    async catchUp() {
      const [row] = await ask<{ lsn: string }>(primary.url, 'SELECT pg_current_wal_lsn()::text AS lsn')
      await until(url.href, `SELECT pg_last_wal_replay_lsn() >= '${row!.lsn}'::pg_lsn AS yes`)
    },
    async promote() {
      await ask(url.href, 'SELECT pg_promote()')
      await until(url.href, 'SELECT NOT pg_is_in_recovery() AS yes')
    }
  }
}

/** Waits until the query says yes, for a minute at most. */
async function until(url: string, query: string): Promise<void> {
  const deadline = Date.now() + 60_000
  for (;;) {
    const rows = await ask<{ yes: boolean }>(url, query).catch((error: unknown) => {
      if (Date.now() > deadline) throw error
      return []
    })
    if (rows[0]?.yes) return
    if (Date.now() > deadline) throw new Error(`never true: ${query}`)
    await delay(50)
  }
}

async function ask<T extends pg.QueryResultRow>(url: string, query: string): Promise<T[]> {
  const client = new pg.Client({ connectionString: url })
  client.on('error', () => {})
  await client.connect()
  try {
    return (await client.query<T>(query)).rows
  } finally {
    await client.end()
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  if (address === null || typeof address === 'string') throw new Error('no TCP port could be had')
  return address.port
}
