/** A pair of databases with both servers opened, and what the tests of schema/ ask of it again and again. */
import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import { openServer } from '../../src/postgres/connect.js'
import type { Server } from '../../src/postgres/server.js'
import { applyConstraints, applyStructure } from '../../src/schema/apply.js'
import type { SchemaChange, SchemaOptions, SchemaScope } from '../../src/schema/change.js'
import { planSchema, type SchemaPlan } from '../../src/schema/plan.js'
import { createPair, type Pair, type PairOptions } from '../support/databases.js'

export interface Bench extends Pair {
  mainServer: Server
  standbyServer: Server
  plan(options?: Partial<SchemaOptions>, tables?: SchemaScope['tables']): Promise<SchemaPlan>
  /** Plans and applies both parts. */
  sync(options?: Partial<SchemaOptions>): Promise<SchemaPlan>
  /** `pg_dump --schema-only` of each side as text. */
  dumps(): Promise<{ main: string; standby: string }>
}

export function optionsWith(some: Partial<SchemaOptions> = {}): SchemaOptions {
  return {
    method: 'pgdump',
    owners: false,
    privileges: false,
    allow: new Set(),
    concurrentIndexes: false,
    forcePsql: false,
    cleanExtra: false,
    rows: false,
    replica: true,
    workers: 2,
    lockTimeout: 0,
    emit: () => {},
    signal: new AbortController().signal,
    env: process.env,
    ...some
  }
}

export async function createBench(schemas: readonly string[], options: PairOptions = {}): Promise<Bench> {
  const pair = await createPair(options)
  const limits = { lockTimeout: 0, statementTimeout: 0 }
  const mainServer = await openServer('main', pair.main.url, {}, limits)
  const standbyServer = await openServer('standby', pair.standby.url, {}, limits)
  const plan: Bench['plan'] = (some, tables) =>
    planSchema(
      mainServer,
      standbyServer,
      { schemas, all: false, ...(tables && { tables }) },
      optionsWith(some)
    )
  return {
    ...pair,
    mainServer,
    standbyServer,
    plan,
    async sync(some) {
      const made = await plan(some)
      await applyStructure(made, standbyServer, optionsWith(some))
      await applyConstraints(made, standbyServer, optionsWith(some))
      return made
    },
    async dumps() {
      const [main, standby] = await Promise.all([mainServer, standbyServer].map(dumpText))
      return { main: main!, standby: standby! }
    },
    async drop() {
      await Promise.all([mainServer.close(), standbyServer.close()])
      await pair.drop()
    }
  }
}

/** The DDL that has one of everything, without the comments. */
export async function everything(): Promise<string> {
  return readFile(new URL('../../fixtures/schema/everything.sql', import.meta.url), 'utf8')
}

export const everySchema = ['public', 'app', 'Übung "one".two']

/** One line a change: `create INDEX public.t_a_idx applied`. */
export function linesOf(changes: readonly SchemaChange[]): string[] {
  return changes.map(
    change => `${change.action} ${change.kind} ${change.schema}.${change.name} ${change.status}`
  )
}

async function dumpText(server: Server): Promise<string> {
  const { stdout } = await promisify(execFile)(
    'pg_dump',
    ['--schema-only', '--no-owner', '--no-privileges'],
    {
      env: { PATH: process.env.PATH, ...server.libpqEnv },
      maxBuffer: 1 << 26
    }
  )
  // The key of `\restrict` is another each time.
  return stdout.replace(/^\\(un)?restrict .*$/gm, '')
}
