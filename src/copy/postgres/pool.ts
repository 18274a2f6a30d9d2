/** The ConnectionPool over PostgreSQL: two databases, `main` and `standby`, and one table that both have. */
import { ConfigError } from '../../core/errors.js'
import type { Emit } from '../../core/events.js'
import { openServer } from '../../postgres/connect.js'
import { refuseReadOnly, refuseSameDatabase } from '../../postgres/guards.js'
import { unlessAborted } from '../../postgres/link.js'
import { parseName } from '../../postgres/names.js'
import type { Role, Server } from '../../postgres/server.js'
import type { ConnectionPool, Database } from '../types.js'
import { PostgresDatabase } from './database.js'
import { Layout } from './layout.js'

export interface PostgresPoolOptions {
  /** DSNs as libpq takes them: a URI, `key=value`, or `service=NAME`. */
  main: string
  standby: string
  /** As SQL writes it, `profiles` or `shop."Profiles"`; without a schema, of `schema`. */
  table: string
  /** Of smallint, integer or bigint, and by itself a key on both sides. */
  idColumn?: string
  /** By its exact name; `public` where it is left out. */
  schema?: string
  /** Rows of an answer at most; copyTable's batchSize is a good number. 10,000 where it is left out. */
  batchSize?: bigint | number
  /**
   * Rows are passed on unread: what follows their id is for this pool's other Database alone. Much faster, where nothing between the
   * two looks at values.
   */
  opaque?: boolean
  /** Only rows with greater ids than the standby's greatest are read. */
  resume?: boolean
  /** `PG*` variables, `HOME`: what libpq would read from the environment. */
  env?: Readonly<Record<string, string | undefined>>
  /** Milliseconds; 0, as where they are left out, waits for ever. */
  lockTimeout?: number
  statementTimeout?: number
  /** Told of connections that were lost and are made anew. */
  emit?: Emit
}

/** The most rows that an answer may have: they are in memory at once. */
const mostRows = 1_000_000

/**
 * A pool for copyTable, whose names are `main` and `standby`. Its Databases read through the id's index, one answer ahead; rows are
 * text as PostgreSQL prints it, or null, in the order of main's columns after the id. A lost connection is made anew and what it was
 * lost in done again. What the standby has in addition to main's columns is left to its defaults.
 * @throws ConfigError for a table or column that is no plain name.
 */
export function postgresPool(options: PostgresPoolOptions): ConnectionPool {
  return new PostgresPool(options)
}

export class PostgresPool implements ConnectionPool {
  readonly layout: Layout
  readonly #servers = new Map<Role, Server>()
  /** Connected, but not compared with the other side yet. */
  readonly #single = new Map<Role, Server>()
  /** The standby's greatest id at the time of its connection, where the copy is to go on behind it. */
  resumedAfter: bigint | undefined

  constructor(readonly options: PostgresPoolOptions) {
    this.layout = new Layout(tableName(options))
  }

  /** The server of a side that is, or was, connected. */
  server(role: Role): Server | undefined {
    return this.#servers.get(role)
  }

  /**
   * @throws GuardError where another run writes to the standby's table; ConfigError for a name that is neither `main` nor `standby`, or what is wrong with the table; ConnectionError where no
   *   host lets us in.
   */
  async connect(dbname: string, signal: AbortSignal): Promise<Database> {
    if (dbname !== 'main' && dbname !== 'standby') {
      throw new ConfigError(`a copy between PostgreSQL databases knows main and standby, not ${dbname}`)
    }
    return unlessAborted(signal, async () => {
      const { env = {}, lockTimeout = 0, statementTimeout = 0 } = this.options
      const server = await openServer(dbname, this.options[dbname], env, { lockTimeout, statementTimeout })
      try {
        signal.throwIfAborted()
        return await this.#open(server, signal)
      } catch (error) {
        await server.close().catch(() => {})
        throw error
      }
    })
  }

  async #open(server: Server, signal: AbortSignal): Promise<Database> {
    const { role } = server
    const main = role === 'main' ? server : this.#single.get('main')
    const standby = role === 'standby' ? server : this.#single.get('standby')
    if (main && standby) await refuseSameDatabase(main, standby)
    if (role === 'standby') await refuseReadOnly(server)
    await this.layout.read(server)
    const { batchSize = 10_000, opaque = false, emit = () => {}, resume = false } = this.options
    const rows = batchSize < mostRows ? Number(batchSize) : mostRows
    const database = new PostgresDatabase(server, this.layout, rows, opaque, emit, () => this.#floor())
    try {
      if (role === 'standby') await database.open(signal)
      if (role === 'standby' && resume) this.resumedAfter = await database.greatestId(signal)
      signal.throwIfAborted()
    } catch (error) {
      await database.close()
      throw error
    }
    // Last, so that a connection that was given up leaves no trace.
    this.#servers.set(role, server)
    this.#single.set(role, server)
    if (main && standby) {
      // The control planes have done their work: from here on each side has one session, its Database's.
      this.#single.clear()
      for (const one of [main, standby]) void one.close().catch(() => {})
    }
    return database
  }

  #floor(): bigint | undefined {
    return this.resumedAfter === undefined ? undefined : this.resumedAfter + 1n
  }
}

function tableName({ table, idColumn = 'id', schema = 'public' }: PostgresPoolOptions) {
  const faults: string[] = []
  const parts = parseName(table)
  if (!parts || parts.length > 2)
    faults.push(`table must be one table's name, such as profiles or shop."Profiles", not ${table}`)
  const id = parseName(idColumn)
  if (id?.length !== 1) faults.push(`idColumn must be one column's name, not ${idColumn}`)
  if (faults.length > 0) throw new ConfigError(faults.join('\n'))
  return { schema: parts!.length === 2 ? parts![0]! : schema, name: parts!.at(-1)!, idColumn: id![0]! }
}
