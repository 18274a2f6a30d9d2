/** The databases of a case, and what is asked of them: nothing here knows the engine. */
import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { promisify } from 'node:util'
import { expect } from 'vitest'
import { createDatabase, createPair, type Db, type Pair } from '../support/databases.js'
import type { Case, Keep } from './corpuscases.js'

const run = promisify(execFile)
const restore = 'pg_dump --schema-only "$0" | psql -qX -v ON_ERROR_STOP=1 "$1"'

/** What a case's SQL calls by the names `corpus_…`, and which belongs to the server: made once, under its own names. */
export interface Cluster {
  name(sql: string): string
  drop(): Promise<void>
}

export async function createCluster(): Promise<Cluster> {
  const suffix = randomBytes(4).toString('hex')
  const roles = ['alice', 'bob', 'carol'].map(role => `r_${suffix}_${role}`)
  const space = `s_${suffix}`
  const pair = await createPair()
  for (const role of roles) await pair.main.exec(`CREATE ROLE ${role}`)
  await pair.main.exec('SET allow_in_place_tablespaces = on')
  await pair.main.exec(`CREATE TABLESPACE ${space} LOCATION ''`)
  await pair.drop()
  return {
    name: sql =>
      sql.replace(/\bcorpus_(alice|bob|carol)\b/g, `r_${suffix}_$1`).replaceAll('corpus_space', space),
    async drop() {
      const admin = await createPair()
      await admin.main.exec(`DROP TABLESPACE ${space}`)
      await admin.main.exec(`DROP ROLE ${roles.join(', ')}`)
      await admin.drop()
    }
  }
}

/** Both databases of a case, filled. */
export async function createCasePair(each: Case, cluster: Cluster): Promise<Pair> {
  const pair = await createPair()
  const drop = async () => {
    // A database that has a subscription cannot be dropped, and a subscription that names a slot wants its publisher.
    await Promise.all([pair.main, pair.standby].map(dropSubscriptions))
    await pair.drop()
  }
  try {
    const fill = async (db: Db, own: string) => {
      await db.exec(cluster.name(each.both))
      await db.exec(cluster.name(own))
      await db.exec('RESET ALL; RESET ROLE')
    }
    await Promise.all([fill(pair.main, each.main), fill(pair.standby, each.standby)])
    return { ...pair, drop }
  } catch (error) {
    await drop()
    throw error
  }
}

async function dropSubscriptions(db: Db): Promise<void> {
  const rows = await db.query<{ name: string }>(`SELECT quote_ident(subname) AS name FROM pg_subscription
    WHERE subdbid = (SELECT oid FROM pg_database WHERE datname = current_database())`)
  for (const { name } of rows) {
    await db.exec(`ALTER SUBSCRIPTION ${name} DISABLE`)
    await db.exec(`ALTER SUBSCRIPTION ${name} SET (slot_name = NONE)`)
    await db.exec(`DROP SUBSCRIPTION ${name}`)
  }
}

/** `pg_dump --schema-only` with owners and grants. */
export async function dump(db: Db): Promise<string> {
  const { stdout } = await run('pg_dump', ['--schema-only', db.url], { maxBuffer: 1 << 28 })
  // The key of `\restrict` is another each time.
  return stdout.replace(/^\\(un)?restrict .*$/gm, '')
}

/** The dump of a new database into which this one's dump was restored. */
export async function restoredDump(db: Db): Promise<string> {
  const restored = await createDatabase('restored')
  try {
    await run('bash', ['-c', restore, db.url, restored.url])
    return await dump(restored)
  } finally {
    await dropSubscriptions(restored)
    await restored.drop()
  }
}

/** `(1,a) (2,b)` */
export async function resultOf(db: Db, { query }: Keep): Promise<string> {
  const rows = await db.query<{ row: string }>(`SELECT q::text AS row FROM (${query}) q`)
  return rows.map(({ row }) => row).join(' ')
}

/** Fails where a case proves nothing: the dumps are the same beforehand. Gives main's dump. */
export async function dumpBefore(each: Case, pair: Pair): Promise<string> {
  const [main, standby] = await Promise.all([dump(pair.main), dump(pair.standby)])
  expect(main === standby, 'both dumps are the same beforehand').toBe(each.equal !== undefined)
  return main
}
