/** One case from its databases to the proof. */
import { ident } from '../../../src/postgres/quote.js'
import type { SyncOptions } from '../../../src/index.js'
import { createPair, type Db, type Pair } from '../../support/databases.js'
import type { Role } from '../../support/roles.js'
import { judge } from './judge.js'
import { schemas } from './model.js'
import { pins } from './oracle.js'
import type { Scenario } from './scenario.js'

export interface Roles {
  /** Reads main, where a case is run without superusers. */
  reader: Role
  /** Owns what is on the standby. */
  owner: Role
}

/** @throws Error where the tool did not do what the oracle asks, or the server refused what the generator made. */
export async function runScenario(scenario: Scenario, roles: Roles): Promise<void> {
  const pair = await createPair()
  try {
    await fill(pair, scenario, roles)
    await judge(pair, scenario, configOf(pair, scenario, roles))
  } finally {
    await pair.drop()
  }
}

async function fill({ main, standby }: Pair, scenario: Scenario, { reader, owner }: Roles): Promise<void> {
  const { both, last, plain } = scenario
  // What an owner without superuser has made is its own.
  const asOwner = (use: Promise<unknown>) => (plain ? use.then(() => standby.exec('RESET ROLE')) : use)
  const become = plain ? [`SET ROLE ${owner.name}`] : []
  if (plain) {
    await standby.exec(
      `GRANT CREATE ON DATABASE ${standby.name} TO ${owner.name}; GRANT ALL ON SCHEMA public TO ${owner.name}`
    )
  }
  await Promise.all([execAll(main, both), asOwner(execAll(standby, [...become, ...both]))])
  await Promise.all([execAll(main, scenario.main), execAll(standby, scenario.standby)])
  await execAll(standby, [...become, ...scenario.altered])
  // A changed structure may no longer take it.
  const lenient = scenario.altered.length > 0
  await Promise.all([execAll(main, last), asOwner(execAll(standby, last, lenient))])
  if (plain) await grantReader(main, reader)
  await Promise.all([main.exec(pins), standby.exec(pins)])
}

async function grantReader(main: Db, reader: Role): Promise<void> {
  const names = schemas.map(ident).join(', ')
  await main.exec(`GRANT USAGE ON SCHEMA ${names} TO ${reader.name};
    GRANT SELECT ON ALL TABLES IN SCHEMA ${names} TO ${reader.name};
    GRANT SELECT ON ALL SEQUENCES IN SCHEMA ${names} TO ${reader.name}`)
}

async function execAll(db: Db, statements: readonly string[], lenient = false): Promise<void> {
  for (const statement of statements) {
    try {
      await db.exec(statement)
    } catch (error) {
      if (lenient) continue
      const message = `the generator made what the server refuses: ${(error as Error).message}\n${statement}`
      throw new Error(message, { cause: error })
    }
  }
}

function configOf(
  { main, standby }: Pair,
  { options, plain }: Scenario,
  { reader, owner }: Roles
): SyncOptions {
  return {
    main: plain ? reader.url(main) : main.url,
    standby: plain ? owner.url(standby) : standby.url,
    env: { PATH: process.env.PATH },
    maxDelete: {},
    ...options
  }
}
