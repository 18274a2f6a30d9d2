/**
 * Random databases: fast-check makes up schemas, rows and what happened to the standby, and SQL judges diff and sync. `npm run
 * test:faults` runs 1,200 cases, `npm test` twenty of them; other ones with FAULTS_SEED=n or n-m. A failure says how to see it again.
 */
import { afterAll, describe, expect, test } from 'vitest'
import { createPair } from '../support/databases.js'
import { createRole } from '../support/roles.js'
import { attack } from './random/check.js'
import type { Roles } from './random/run.js'
import { builtins, leftOut } from './random/types.js'
import { seeds } from './seeds.js'

const { FAULTS, FAULTS_PATH } = process.env
const all = FAULTS === 'all'
/** Of each seed. */
const runs = all ? 20 : 5

const pair = await createPair()
const roles: Roles = {
  reader: await createRole(pair.main, 'reader'),
  owner: await createRole(pair.main, 'owner')
}
afterAll(async () => {
  await pair.main.exec(`DROP ROLE ${roles.reader.name}; DROP ROLE ${roles.owner.name}`)
  await pair.drop()
})
const [server] = await pair.main.query<{ old: boolean; fdw: boolean }>(
  `SELECT current_setting('server_version_num')::int < 150000 AS old,
     EXISTS (SELECT FROM pg_available_extensions WHERE name = 'postgres_fdw') AS fdw`
)
const { old, fdw } = server!
const because = old ? ' (skipped: the cases are made for PostgreSQL 15 and later)' : ''

describe.skipIf(old)(`random databases${because}`, () => {
  test('every built-in type is among those of the columns, or there is a reason', async () => {
    const missing = await pair.main.query<{ name: string }>(
      `SELECT typname AS name FROM pg_type WHERE typtype IN ('b', 'r', 'm') AND oid < 16384 AND typname !~ '^_'
         AND typnamespace = 'pg_catalog'::regnamespace AND NOT oid = ANY ($1::regtype[]::oid[]) ORDER BY 1`,
      [builtins.map(type => type.sql)]
    )
    expect(missing.map(type => type.name)).toEqual(Object.keys(leftOut).sort())
  })

  test.concurrent.each(seeds(4))(
    'are counted, mended and left as main: seed %d',
    async seed => {
      await attack({ seed, runs, server: { fdw }, roles, ...(FAULTS_PATH && { path: FAULTS_PATH }) })
    },
    all ? 7_200_000 : 300_000
  )
})
