/**
 * Two throw-away servers and what is in them. Every contestant meets the same settings, the same rows, and dirty pages
 * of nobody else: `calm` is called before each timed run.
 */
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { findBinaries } from '../../dist/cli/demo/binaries.js'
import { startServer } from '../../dist/cli/demo/servers.js'
import { say } from './measure.mjs'
import { tables } from './tables.mjs'

const debian = '/usr/lib/postgresql/15/bin'

const settings = {
  shared_buffers: '512MB',
  maintenance_work_mem: '256MB',
  max_wal_size: '8GB',
  checkpoint_timeout: '1h',
  // Whoever loads last would be measured with the cleaning up after the others.
  autovacuum: 'off',
  // Compiling costs more than it gains for these queries.
  jit: 'off'
}

/**
 * @param extra settings beside those that every bench has
 * @param ofStandby the same, of the standby alone
 */
export async function openBench(extra = {}, ofStandby = {}) {
  const binaries = existsSync(join(debian, 'initdb')) ? debian : await findBinaries(15)
  const opened = await Promise.allSettled(
    Object.entries({ main: {}, standby: ofStandby }).map(([name, own]) =>
      startServer({ binaries, name: `bench-${name}`, settings: { ...settings, ...extra, ...own } })
    )
  )
  const folder = await mkdtemp(join(tmpdir(), 'pgsyncer-bench-'))
  const [main, standby] = opened.map(one => one.value)
  const bench = new Bench(main, standby, folder, binaries)
  const failed = opened.find(one => one.status === 'rejected')
  if (failed) {
    await bench.close()
    throw failed.reason
  }
  const [{ server_version: version }] = await bench.query(main, 'postgres', 'SHOW server_version')
  bench.about = `PostgreSQL ${version}, Node ${process.versions.node}, ${availableParallelism()} cores`
  return bench
}

class Bench {
  about = ''

  constructor(main, standby, folder, binaries) {
    Object.assign(this, { main, standby, folder, servers: [main, standby].filter(Boolean) })
    /** The servers' own psql and pg_dump before others. */
    this.env = { PATH: `${binaries}:${process.env.PATH}` }
  }

  url(server, database) {
    return server.url.replace(/[^/]*$/, database)
  }

  async query(server, database, ...statements) {
    const client = new pg.Client({ connectionString: this.url(server, database) })
    client.on('error', () => {})
    await client.connect()
    try {
      let rows
      for (const statement of statements) ({ rows } = await client.query(statement))
      return rows
    } finally {
      await client.end()
    }
  }

  async both(database, ...statements) {
    return Promise.all(this.servers.map(server => this.query(server, database, ...statements)))
  }

  /** The same database on both servers, with so many rows in each table; made where it is not there yet. */
  async fill(rows) {
    const database = `bench_${rows}`
    const made = "SELECT FROM pg_database WHERE datname = '" + database + "'"
    if ((await this.query(this.main, 'postgres', made)).length === 0) {
      say(`▸ filling 2 tables × ${rows} rows on both servers`)
      await this.both('postgres', `CREATE DATABASE ${database} TEMPLATE template0`)
      await Promise.all(tables.map(table => this.both(database, ...table.make(rows))))
      await this.both(database, 'VACUUM ANALYZE')
    }
    const [{ mb }] = await this.query(
      this.main,
      database,
      `SELECT round(sum(pg_table_size(oid)) / 1e6) AS mb FROM pg_class WHERE relname IN ('wide', 'narrow')`
    )
    say(`  ${database}: ${mb} MB in each`)
    return { rows, database }
  }

  /** An empty database on the standby, in place of what an earlier run made. */
  async fresh(database) {
    await this.query(
      this.standby,
      'postgres',
      `DROP DATABASE IF EXISTS ${database} WITH (FORCE)`,
      `CREATE DATABASE ${database} TEMPLATE template0`
    )
  }

  async drop(database) {
    await this.both('postgres', `DROP DATABASE IF EXISTS ${database} WITH (FORCE)`)
  }

  /** Nothing is left to be written for anybody's earlier work. */
  async calm() {
    await this.both('postgres', 'CHECKPOINT')
  }

  async close() {
    await Promise.allSettled(this.servers.map(server => server.stop()))
    await rm(this.folder, { recursive: true, force: true })
  }
}
