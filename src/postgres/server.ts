/**
 * One of the two servers of a run: where it is, what it is, and how to get a connection to it. Connections are
 * resolved once (dsn.ts); both drivers and the helper programs get the same result.
 */
import type pg from 'pg'
import type postgres from 'postgres'
import type { Capabilities } from './capabilities.js'

export type Role = 'main' | 'standby'

/** What reads catalogs: the control plane, or one session of the data plane (asQueryable). */
export interface Queryable {
  unsafe<T extends object[]>(query: string, parameters?: string[]): PromiseLike<T>
}

/**
 * One session as a Queryable, for what must outlive single statements (a transaction, a lock): postgres.js ends the
 * whole process when a reserved connection of its own is used after the server closed it.
 */
export function asQueryable(client: pg.Client): Queryable {
  return {
    async unsafe<T extends object[]>(query: string, parameters: string[] = []) {
      return (await client.query(query, parameters)).rows as T
    }
  }
}

export interface Server {
  readonly role: Role
  /** `host:port/database`: safe to show. */
  readonly address: string
  /** Such as 150020. */
  readonly versionNumber: number
  /** Such as `15.20`. */
  readonly version: string
  readonly can: Capabilities
  readonly database: string
  readonly user: string
  /** The control plane (postgres.js): catalogs, DDL, settings. A few connections, each with the session pins. */
  readonly sql: postgres.Sql
  /** A connection of the data plane (pg), with the session pins; the caller ends it. */
  connect(): Promise<pg.Client>
  /** The same, as a WAL sender: it takes replication commands besides SQL, which must be without parameters. */
  connectReplication(): Promise<pg.Client>
  /** `PG*` variables for pg_dump and psql, the password among them: never pass them as arguments. */
  readonly libpqEnv: Readonly<Record<string, string>>
  /** Aborted when a silent server's connections are given up: what else is connected to it, such as a helper program, is to end too. */
  readonly lost: AbortSignal
  /** Gives up all connections, as if they had been cut, whenever the server has not said a word for so many milliseconds. */
  watch(limit: number): void
  close(): Promise<void>
}
