/**
 * Roles that are nobody special: a superuser hides what a role without rights would meet. Roles belong to a whole
 * server, so that each has a name of its own, and is dropped after the databases in which it owns anything.
 */
import { randomBytes } from 'node:crypto'
import type { SyncOptions } from '../../src/index.js'
import { createPair, type Db, type Pair } from './databases.js'

export interface Role {
  readonly name: string
  /** The database's URL with this role's login. */
  url(db: Db): string
}

export interface PlainPair {
  readonly pair: Pair
  /** Reads main: SELECT on its tables and sequences, nothing else. */
  readonly reader: Role
  /** Owns what is on the standby, and is no superuser. */
  readonly owner: Role
  /** Both URLs, as these two roles. */
  readonly config: SyncOptions
  drop(): Promise<void>
}

export interface PlainPairOptions {
  /** Run on both; on the standby as its owner. */
  ddl: string
  main?: string
  standby?: string
}

/** Makes a role that may log in. */
export async function createRole(db: Db, label: string, attributes = ''): Promise<Role> {
  const name = `r_${label}_${randomBytes(6).toString('hex')}`
  const password = randomBytes(9).toString('hex')
  await db.exec(`CREATE ROLE ${name} LOGIN PASSWORD '${password}' ${attributes}`)
  return {
    name,
    url(at) {
      const url = new URL(at.url)
      url.username = name
      url.password = password
      return url.href
    }
  }
}

/** A pair whose main is read by one role and whose standby is owned by another, neither a superuser. */
export async function createPlainPair({
  ddl,
  main = '',
  standby = ''
}: PlainPairOptions): Promise<PlainPair> {
  const pair = await createPair()
  const reader = await createRole(pair.main, 'reader')
  const owner = await createRole(pair.standby, 'owner')
  const drop = async () => {
    // The session that drops the roles must be in neither database.
    const admin = await createPair()
    await pair.drop()
    await admin.main.exec(`DROP ROLE ${reader.name}; DROP ROLE ${owner.name}`)
    await admin.drop()
  }
  try {
    await pair.main.exec(`${ddl};\n${main};
      GRANT USAGE ON SCHEMA public TO ${reader.name};
      GRANT SELECT ON ALL TABLES IN SCHEMA public TO ${reader.name};
      GRANT SELECT ON ALL SEQUENCES IN SCHEMA public TO ${reader.name}`)
    await pair.standby.exec(`GRANT CREATE ON DATABASE ${pair.standby.name} TO ${owner.name};
      GRANT ALL ON SCHEMA public TO ${owner.name}; SET ROLE ${owner.name};
      ${ddl};\n${standby}`)
    await pair.standby.exec('RESET ROLE')
  } catch (error) {
    await drop()
    throw error
  }
  const config = {
    main: reader.url(pair.main),
    standby: owner.url(pair.standby),
    env: { PATH: process.env.PATH },
    syncSchema: false
  }
  return { pair, reader, owner, config, drop }
}
