/** A throw-away ClickHouse of this machine, and what anybody would load it with by hand. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { measure } from '../measure.mjs'

const program = ['/usr/bin/clickhouse-server', '/usr/sbin/clickhouse-server'].find(existsSync)

/** Undefined where there is no clickhouse-server. */
export async function openClickHouse() {
  if (!program) return undefined
  const folder = await mkdtemp(join(tmpdir(), 'pgsyncer-bench-clickhouse-'))
  const [http, native] = await Promise.all([freePort(), freePort()])
  for (const name of ['data', 'tmp', 'formats']) await mkdir(join(folder, name))
  await writeFile(
    join(folder, 'config.xml'),
    `<yandex><logger><level>error</level><console>1</console></logger><http_port>${http}</http_port><tcp_port>${native}</tcp_port>
     <listen_host>127.0.0.1</listen_host><path>${folder}/data/</path><tmp_path>${folder}/tmp/</tmp_path>
     <format_schema_path>${folder}/formats/</format_schema_path><users_config>users.xml</users_config>
     <default_profile>default</default_profile><default_database>default</default_database>
     <mark_cache_size>5368709120</mark_cache_size><timezone>UTC</timezone></yandex>`
  )
  await writeFile(
    join(folder, 'users.xml'),
    `<yandex><profiles><default/></profiles><quotas><default/></quotas><users><default><password></password>
     <networks><ip>127.0.0.1</ip></networks><profile>default</profile><quota>default</quota></default></users></yandex>`
  )
  const child = spawn(program, [`--config-file=${join(folder, 'config.xml')}`], { stdio: 'ignore' })
  const base = `http://127.0.0.1:${http}/`
  const ask = async sql => {
    const answer = await fetch(base, { method: 'POST', body: sql })
    const text = await answer.text()
    if (!answer.ok) throw new Error(text)
    return text.trim()
  }
  for (let tries = 0; ; tries++) {
    const up = await fetch(`${base}ping`).then(
      answer => answer.ok,
      () => false
    )
    if (up) break
    if (tries > 200) throw new Error('clickhouse-server does not answer')
    await delay(50)
  }
  let made = 0
  return {
    version: await ask('SELECT version()'),
    /** A new database's name. */
    async fresh() {
      await ask(`CREATE DATABASE bench${++made}`)
      return `bench${made}`
    },
    url: database => `clickhouse://default@127.0.0.1:${http}/${database}`,
    /** psql's COPY into a table of the same columns as ours has, by the native client. */
    async load(main, table, env) {
      const [ours, theirs] = [`bench${made}.${table}`, `bench${made}.theirs`]
      await ask(`CREATE TABLE ${theirs} AS ${ours}`)
      const names = (
        await ask(
          `SELECT name FROM system.columns WHERE database = 'bench${made}' AND table = '${table}' AND name NOT LIKE '\\\\_%' FORMAT TabSeparated`
        )
      ).split('\n')
      const query = `COPY (SELECT ${names.map(name => (name === 'at' ? `"at" AT TIME ZONE 'UTC'` : name === 'flags' ? 'flags::int' : `"${name}"`)).join(', ')} FROM ${table}) TO STDOUT`
      const insert = `INSERT INTO ${theirs} (${names.join(', ')}) FORMAT TabSeparated`
      const client = `clickhouse-client --port ${native} --query "${insert}"`
      return measure([
        {
          command: 'bash',
          args: ['-o', 'pipefail', '-c', `psql "$1" -qc "$2" | ${client}`, 'bash', main, query],
          env
        }
      ])
    },
    async close() {
      child.kill('SIGTERM')
      if (child.exitCode === null) await once(child, 'close')
      await rm(folder, { recursive: true, force: true })
    }
  }
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address()
  server.close()
  await once(server, 'close')
  return port
}
