/** `check`: a list of named findings about both servers, before anything is compared. Reads only. */
import { messageOf, PgsyncerError } from '../core/errors.js'
import { hasUpdatedAt } from '../data/updated.js'
import type { Unit } from '../data/unit.js'
import { qualified } from '../postgres/quote.js'
import type { Server } from '../postgres/server.js'
import { findPgDump } from '../schema/programs.js'
import { completeConfig, type SyncOptions } from './config.js'
import { refuseReadOnly } from './guards.js'
import { readScope, withSession, type RunContext, type Session } from './session.js'

export interface Finding {
  level: 'ok' | 'warning' | 'error'
  check: string
  message: string
  hint?: string
}

export interface CheckReport {
  version: 1
  command: 'check'
  /** No finding is an error. */
  ok: boolean
  findings: Finding[]
}

/** Looks at everything that a sync with these options would need. A server that cannot be reached is a finding too. */
export async function check(options: SyncOptions, context: RunContext = {}): Promise<CheckReport> {
  const config = completeConfig(options)
  const findings: Finding[] = []
  try {
    await withSession(config, context, async session => {
      for (const look of [servers, programs, writing, reading, rows]) await look(session, findings)
    })
  } catch (error) {
    if (!(error instanceof PgsyncerError)) throw error
    findings.push({
      level: 'error',
      check: error.name === 'ConfigError' ? 'config' : 'connection',
      message: error.message,
      ...(error.hint !== undefined && { hint: error.hint })
    })
  }
  return { version: 1, command: 'check', ok: findings.every(finding => finding.level !== 'error'), findings }
}

type Look = (session: Session, findings: Finding[]) => Promise<void>

const servers: Look = async ({ main, standby, cut, hashing }, findings) => {
  for (const server of [main, standby]) {
    findings.push({
      level: 'ok',
      check: server.role,
      message: `${server.address}, PostgreSQL ${server.version}, as ${server.user}`
    })
  }
  findings.push(
    cut.snapshot === undefined
      ? {
          level: 'warning',
          check: 'snapshot',
          message: cut.note ?? 'main cannot export a snapshot',
          hint: 'The run has one connection to main, and is slower.'
        }
      : {
          level: 'ok',
          check: 'snapshot',
          message: 'main exports its snapshot: every connection sees the same moment'
        }
  )
  findings.push({
    level: 'ok',
    check: 'hash',
    message: `rows are hashed by the servers, form ${hashing.form}`
  })
}

const programs: Look = async ({ config, main, standby }, findings) => {
  if (!config.syncSchema || config.schemaMethod === 'catalog') return
  try {
    const newest = main.versionNumber >= standby.versionNumber ? main : standby
    const server = `${newest.role}, which is PostgreSQL ${newest.version}`
    const found = await findPgDump(config.pgDump, newest.versionNumber, server, config.env)
    findings.push({ level: 'ok', check: 'pg_dump', message: `${found.path}, version ${found.version}` })
  } catch (error) {
    // Without one the catalogs are read instead, which know fewer kinds of objects.
    const isNeeded = config.schemaMethod === 'pgdump' || config.pgDump !== undefined
    findings.push({
      level: isNeeded ? 'error' : 'warning',
      check: 'pg_dump',
      message: messageOf(error),
      ...(error instanceof PgsyncerError && error.hint !== undefined && { hint: error.hint })
    })
  }
}

const writing: Look = async ({ standby, replica }, findings) => {
  try {
    await refuseReadOnly(standby)
    findings.push({ level: 'ok', check: 'standby', message: 'the standby can be written' })
  } catch (error) {
    findings.push({
      level: 'error',
      check: 'standby',
      message: messageOf(error),
      ...(error instanceof PgsyncerError && error.hint && { hint: error.hint })
    })
  }
  findings.push(
    replica
      ? {
          level: 'ok',
          check: 'triggers',
          message: 'the role may set session_replication_role: no trigger fires'
        }
      : {
          level: 'warning',
          check: 'triggers',
          message:
            'the role may not set session_replication_role: triggers fire, and circles of foreign keys need their owner',
          hint: 'From PostgreSQL 15: GRANT SET ON PARAMETER session_replication_role TO the role.'
        }
  )
}

const reading: Look = async ({ main, standby, tables, views }, findings) => {
  await rights(main, [...tables, ...views], ['SELECT'], findings)
  await rights(standby, tables, ['SELECT', 'INSERT', 'UPDATE', 'DELETE'], findings)
}

async function rights(
  server: Server,
  tables: Session['tables'],
  needed: readonly string[],
  findings: Finding[]
): Promise<void> {
  const lacking: string[] = []
  for (const { schema, name } of tables) {
    const table = qualified(schema, name)
    const [row] = await server.sql<{ ok: boolean | null }[]>`
      SELECT pg_catalog.bool_and(pg_catalog.has_table_privilege(pg_catalog.to_regclass(${table})::oid, p)) AS ok
      FROM pg_catalog.unnest(${`{${needed.join(',')}}`}::text[]) AS p`
    if (row!.ok === false) lacking.push(`${schema}.${name}`)
  }
  const what = `${needed.join(', ')} on the tables of ${server.role}`
  findings.push(
    lacking.length === 0
      ? { level: 'ok', check: 'rights', message: `the role has ${what}` }
      : {
          level: 'error',
          check: 'rights',
          message: `the role lacks ${what}: ${lacking.slice(0, 10).join(', ')}${lacking.length > 10 ? `, and ${lacking.length - 10} more` : ''}`,
          hint: `GRANT ${needed.join(', ')} ON ALL TABLES IN SCHEMA … TO ${server.user}.`
        }
  )
}

const rows: Look = async (session, findings) => {
  const scope = await readScope(session)
  const list = (units: readonly Unit[]) => units.map(unit => unit.name).join(', ')
  for (const { table, status, reason, hint } of scope.refused) {
    findings.push({
      level: status === 'failed' ? 'error' : 'warning',
      check: 'table',
      message: `${table.schema}.${table.name}: ${reason}`,
      ...(hint !== undefined && { hint })
    })
  }
  const keyless = scope.units.filter(unit => unit.strategy === 'multiset')
  if (keyless.length > 0) {
    findings.push({
      level: 'warning',
      check: 'keys',
      message: `no usable key, compared as multisets of rows: ${list(keyless)}`,
      hint: 'A primary key makes them faster to compare, and their rows to update.'
    })
  }
  const unsure = scope.units.filter(unit => unit.strategy === 'bucket')
  if (unsure.length > 0) {
    findings.push({
      level: 'ok',
      check: 'keys',
      message: `the servers may sort these keys differently, compared by hash: ${list(unsure)}`
    })
  }
  if (!session.config.useUpdatedAt) return
  const without = scope.units.filter(unit => !hasUpdatedAt(unit))
  if (without.length > 0) {
    findings.push({
      level: 'warning',
      check: 'updated_at',
      message: `no column updated_at, compared in full: ${list(without)}`
    })
  }
}
