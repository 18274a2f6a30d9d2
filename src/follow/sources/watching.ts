/** The followed tables as they are now: a fingerprint of the catalogs tells whether a shape that was read is still true. */
import { FollowError } from '../../core/errors.js'
import type { Capabilities } from '../../postgres/capabilities.js'
import { literal } from '../../postgres/quote.js'
import type { Queryable } from '../../postgres/server.js'
import type { FollowConfig } from '../config.js'
import { readFollowed, type Followed } from '../shapes.js'
import { nameOf, type FollowedTable } from '../table.js'

export class Watching {
  #followed: readonly Followed[] = []
  #fingerprint = ''

  private constructor(
    private readonly can: Capabilities,
    private readonly config: FollowConfig
  ) {}

  /** @throws ConfigError where a pattern names no table that can be followed. */
  static async open(sql: Queryable, can: Capabilities, config: FollowConfig): Promise<Watching> {
    const watching = new Watching(can, config)
    await watching.read(sql)
    return watching
  }

  get followed(): readonly Followed[] {
    return this.#followed
  }

  get shapes(): readonly FollowedTable[] {
    return this.#followed.map(({ shape }) => shape)
  }

  /** SQL for a value that stays the same as long as names, columns and keys do; seen by the snapshot of the statement it stands in. */
  get fingerprint(): string {
    const oids = this.#followed.map(({ table }) => table.oid).join(', ')
    return `(SELECT pg_catalog.md5(pg_catalog.string_agg(pg_catalog.concat_ws(' ', c.oid, c.relnamespace, c.relname, a.attnum, a.attname,
        a.atttypid, a.atttypmod, (SELECT i.indexrelid FROM pg_catalog.pg_index i WHERE i.indrelid = c.oid AND i.indisprimary)),
        ', ' ORDER BY c.oid, a.attnum))
      FROM pg_catalog.pg_class c JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
      WHERE c.oid IN (${oids || 'NULL'}))`
  }

  isTrue(fingerprint: string): boolean {
    return fingerprint === this.#fingerprint
  }

  /** Reads the shapes anew; one that is what it was stays the same object. */
  async read(sql: Queryable): Promise<void> {
    let now = await this.#shapes(sql)
    for (;;) {
      this.#followed = now
      const [row] = await sql.unsafe<{ now: string }[]>(`SELECT ${this.fingerprint} AS now`)
      this.#fingerprint = row!.now
      // They may have changed before the fingerprint was taken.
      now = await this.#shapes(sql)
      if (now.every(({ shape }, i) => shape === this.#followed[i]?.shape)) return
    }
  }

  /** Tables that came later are for the next start, which copies them. */
  async #shapes(sql: Queryable): Promise<Followed[]> {
    const read = await readFollowed(sql, this.can, this.config)
    if (this.#followed.length === 0) return read
    return this.#followed.map(({ shape: old }) => {
      const now = read.find(({ shape }) => nameOf(shape) === nameOf(old))
      if (!now) throw gone(nameOf(old))
      return JSON.stringify(old) === JSON.stringify(now.shape) ? { table: now.table, shape: old } : now
    })
  }
}

function gone(table: string): FollowError {
  return new FollowError(`${table} is not on main any more`, {
    table,
    hint: 'Leave it out, or name the table that took its place.'
  })
}

/** The kind of source, the server and the database: what positions of this stream belong to. */
export async function originOf(sql: Queryable, can: Capabilities, config: FollowConfig): Promise<string> {
  const ask = (system: string) =>
    sql.unsafe<{ origin: string }[]>(
      `SELECT ${system} || '/' || oid AS origin FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database()`
    )
  const unknown = () => ask(literal('unknown'))
  const known = () => ask(`(SELECT system_identifier FROM pg_catalog.pg_control_system())`)
  const [row] = can.controlSystem ? await Promise.resolve(known()).catch(unknown) : await unknown()
  return `${config.source} ${row!.origin} ${config.name}`
}
