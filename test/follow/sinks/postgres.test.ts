/** The PostgreSQL sink: the contract, as a superuser and as a role that is nobody special, and what only PostgreSQL asks of it. */
import { randomBytes } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { FollowEvent } from '../../../src/core/events.js'
import { completeFollow, type FollowOptions } from '../../../src/follow/config.js'
import type { Sink } from '../../../src/follow/ports.js'
import { openPostgresSink } from '../../../src/follow/sinks/postgres/sink.js'
import { columnList, qualified } from '../../../src/postgres/quote.js'
import { keyNames, type FollowedTable } from '../../../src/follow/table.js'
import { lineOf } from '../../../src/postgres/copytext.js'
import { Author, column, itemsTable, shape, sinkContract, type SinkBench } from '../../contracts/sink.js'
import { createDatabase, type Db } from '../../support/databases.js'
import { createRole } from '../../support/roles.js'

const never = new AbortController().signal

interface Place {
  db: Db
  url: string
  /** Whoever owns the tables does this. */
  exec(sql: string): Promise<void>
  drop(): Promise<void>
}

/** A standby whose tables belong to a role without any right beyond. */
async function plain(): Promise<Place> {
  const db = await createDatabase('standby')
  const role = await createRole(db, 'owner')
  await db.exec(`GRANT CREATE ON DATABASE ${db.name} TO ${role.name}; GRANT ALL ON SCHEMA public TO ${role.name};
    SET ROLE ${role.name}`)
  return {
    db,
    url: role.url(db),
    exec: sql => db.exec(sql),
    async drop() {
      await db.drop()
      const admin = await createDatabase('admin')
      await admin.exec(`DROP ROLE ${role.name}`)
      await admin.drop()
    }
  }
}

async function superuser(): Promise<Place> {
  const db = await createDatabase('standby')
  return { db, url: db.url, exec: sql => db.exec(sql), drop: () => db.drop() }
}

const configOf = (url: string, options: Partial<FollowOptions> = {}) =>
  completeFollow({ main: 'postgres://nowhere/none', to: url, source: 'wal', tables: ['*'], ...options })

const createStatement = (table: FollowedTable) => {
  const columns = table.columns.map(({ name, type }) => `${columnList([name])} ${type}`)
  const key = table.keyLength > 0 ? [`PRIMARY KEY (${columnList(keyNames(table))})`] : []
  return `CREATE TABLE ${qualified(table.schema, table.name)} (${[...columns, ...key].join(', ')})`
}

async function linesOf(db: Db, table: FollowedTable): Promise<string[]> {
  const values = table.columns.map(({ name }) => `t.${columnList([name])}::text`)
  const rows = await db.query<{ values: (string | null)[] }>(
    `SELECT ARRAY[${values.join(', ')}] AS values FROM ${qualified(table.schema, table.name)} t`
  )
  return rows.map(({ values }) => lineOf(values))
}

const benchOf = (place: () => Promise<Place>) => async (): Promise<SinkBench> => {
  const { db, url, exec, drop } = await place()
  return {
    open: stream => openPostgresSink(configOf(url, { name: stream }), () => {}),
    create: table => exec(createStatement(table)),
    lines: table => linesOf(db, table),
    drop
  }
}

const traits = { atomic: true, everyValue: true }
sinkContract('PostgreSQL, as a superuser', benchOf(superuser), traits)
sinkContract('PostgreSQL, as an owner', benchOf(plain), traits)
