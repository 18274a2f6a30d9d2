/**
 * Where the documents' commands run: two databases of the same small shop, of which the standby has drifted, named by the services `main`
 * and `standby` as a user's `~/.pg_service.conf` would name them; a working folder; `pgsyncer` on PATH. Two things are other than a user's: a
 * command that follows for ever ends when it has caught up (PGSYNCER_ONCE), and the live page is at a free port.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { freePort, type ThrowawayServer } from '../../src/cli/demo/servers.js'
import type { ClickHouseServer } from '../support/clickhouse.js'
import { createPair, type Pair } from '../support/databases.js'
import type { RabbitMqServer } from '../support/rabbitmq.js'

export interface Ended {
  code: number | null
  /** Of both streams. */
  output: string
}

export interface Scene {
  /** Where commands run. */
  readonly folder: string
  /** Of every command. */
  readonly env: Readonly<Record<string, string>>
  /** Runs a script by `bash -euo pipefail` in the working folder. */
  run(script: string): Promise<Ended>
  close(): Promise<void>
}

export interface SceneOptions {
  /** The standby's rows: those of main with a drift, or none. */
  standby: 'drifted' | 'empty'
  clickhouse: ClickHouseServer | undefined
  broker: RabbitMqServer | undefined
}

const program = fileURLToPath(new URL('../../dist/main.js', import.meta.url))
const sql = (name: string) => readFile(new URL(`${name}.sql`, import.meta.url), 'utf8')

/** @param server the documents' own: they name slots, roles and streams as they like. */
export async function openScene(
  server: ThrowawayServer,
  { standby, clickhouse, broker }: SceneOptions
): Promise<Scene> {
  const pair = await createPair({
    ddl: await sql('shop'),
    standby: standby === 'empty' ? 'TRUNCATE customers, orders, events' : await sql('drift'),
    servers: { main: server.url, standby: server.url }
  })
  const folder = await mkdtemp(join(tmpdir(), 'pgsyncer-docs-'))
  const [bin, home, work] = ['bin', 'home', 'work'].map(name => join(folder, name)) as [
    string,
    string,
    string
  ]
  for (const one of [bin, home, work]) await mkdir(one)
  await writeFile(join(bin, 'pgsyncer'), `#!/bin/sh\nexec '${process.execPath}' '${program}' "$@"\n`)
  await chmod(join(bin, 'pgsyncer'), 0o755)
  await writeFile(join(home, '.pg_service.conf'), service(server, pair))
  const entry = `${server.host}:${server.port}:*:${server.user}:${server.password}\n`
  await writeFile(join(home, '.pgpass'), entry, { mode: 0o600 })
  if (clickhouse) await nameClickHouse(home, clickhouse)
  const port = await freePort()
  const env = {
    PATH: `${bin}:${process.env.PATH}`,
    HOME: home,
    TMPDIR: folder,
    MAIN_DSN: 'service=main',
    STANDIN_DSN: 'service=standby',
    PGSYNCER_ONCE: 'true',
    ...(clickhouse && { CLICKHOUSE: clickhouse.url('shop') }),
    ...(broker && { BROKER: broker.url })
  }
  return {
    folder: work,
    env,
    run: script => runBash(script.replaceAll('--http 9187', `--http ${port}`), work, env),
    async close() {
      for (const db of [pair.main, pair.standby])
        await db.exec(
          `SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE database = current_database()`
        )
      await pair.drop()
      await rm(folder, { recursive: true })
    }
  }
}

function service({ host, port, user }: ThrowawayServer, pair: Pair): string {
  const names = { main: pair.main.name, standby: pair.standby.name }
  return Object.entries(names)
    .map(([name, database]) => `[${name}]\nhost=${host}\nport=${port}\nuser=${user}\ndbname=${database}\n`)
    .join('\n')
}

/** For clickhouse-client, as its own file of settings has it. */
async function nameClickHouse(home: string, { host, nativePort, password }: ClickHouseServer): Promise<void> {
  await mkdir(join(home, '.clickhouse-client'))
  await writeFile(
    join(home, '.clickhouse-client', 'config.xml'),
    `<config><host>${host}</host><port>${nativePort}</port><user>default</user><password>${password}</password></config>\n`
  )
}

async function runBash(script: string, cwd: string, env: Record<string, string>): Promise<Ended> {
  const child = spawn('bash', ['-euo', 'pipefail', '-c', script], {
    cwd,
    env,
    stdio: ['ignore', 'pipe', 'pipe']
  })
  const [[code], out, err] = await Promise.all([
    once(child, 'close') as Promise<[number | null]>,
    text(child.stdout),
    text(child.stderr)
  ])
  return { code, output: `${out}${err}` }
}
