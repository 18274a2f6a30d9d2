/**
 * The advisory locks by which runs keep out of each other's way on a standby. They belong to sessions, so that none outlives the run
 * that took it, however that run ends.
 */
import { setTimeout as wait } from 'node:timers/promises'
import type pg from 'pg'
import { GuardError } from '../core/errors.js'
import { literal } from './quote.js'
import type { Server } from './server.js'

/** The first half of every key; the second of a part is the hash of its name. */
const space = 1885827449
/** The key of the whole standby: a sync has it for itself, whoever writes a part of it shares it. */
export const wholeKey = `${space}, 1852007794`

/** Milliseconds that a session which is lost here, and not yet there, is waited for. */
export const patience = 5_000

export interface Part {
  name: string
  /** Such as `public.orders`, said in the error. */
  words: string
}

/**
 * Holds a part of the standby for as long as this session lasts.
 * @param again the run had it already, by a session that was lost: the server may not know that yet.
 * @throws GuardError where a sync, or another run of the same, is at it.
 */
export async function holdPart(client: pg.Client, server: Server, part: Part, again = false): Promise<void> {
  const own = `${space}, pg_catalog.hashtext(${literal(part.name)})`
  const deadline = performance.now() + (again ? patience : 0)
  for (;;) {
    const { rows } = await client.query<{ shared: boolean; own: boolean }>(
      `SELECT pg_catalog.pg_try_advisory_lock_shared(${wholeKey}) AS shared, pg_catalog.pg_try_advisory_lock(${own}) AS own`
    )
    const got = rows[0]!
    if (got.shared && got.own) return
    if (got.shared) await client.query(`SELECT pg_catalog.pg_advisory_unlock_shared(${wholeKey})`)
    if (got.own) await client.query(`SELECT pg_catalog.pg_advisory_unlock(${own})`)
    if (performance.now() > deadline) {
      const what = got.shared ? `copying ${part.words} of` : 'writing to the standby'
      throw new GuardError(`another run is ${what} ${server.address}`, {
        hint: 'Wait until it has ended: its lock ends with it.'
      })
    }
    await wait(100)
  }
}
