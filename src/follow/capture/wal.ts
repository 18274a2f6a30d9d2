/** What following by WAL needs on main: a publication of exactly the followed tables, and a logical replication slot. */
import { ConfigError, FollowError, GuardError, messageOf, PgsyncerError } from '../../core/errors.js'
import { ident, literal } from '../../postgres/quote.js'
import type { Server } from '../../postgres/server.js'
import type { FollowConfig } from '../config.js'
import { nameOf } from '../table.js'
import { type Capture, type CaptureObject, type CaptureStatus } from './capture.js'
import { readIdentified, type Identified } from './identity.js'
import { alterPublication, createPublication, extraOf, faultsOf, readPublication } from './publication.js'
import { lossOf, readSlot, refuseForeignSlot } from './slot.js'

/** The publication's and the slot's name. */
export const walName = (name: string): string => `pgsyncer_${name}`

/** It waits for the transactions that are open now to end, however long they take, and blocks nobody meanwhile. */
export const createSlotStatement = (slot: string): string =>
  `SET lock_timeout = 0; SELECT pg_catalog.pg_create_logical_replication_slot(${literal(slot)}, 'pgoutput')`

export async function openWalCapture(server: Server, config: FollowConfig): Promise<Capture> {
  return new WalCapture(server, config)
}

/** @throws FollowError where this server cannot tell of its changes, whatever is installed. */
export async function refuseUnfitServer({ sql, can, version }: Server): Promise<void> {
  if (!can.publications) {
    throw new FollowError(`main is PostgreSQL ${version}, which has no publications`, {
      hint: 'Follow it by --source outbox or poll, or from PostgreSQL 10 on.'
    })
  }
  const [row] = await sql.unsafe<{ recovery: boolean; level: string; user: string; may: boolean }[]>(
    `SELECT pg_catalog.pg_is_in_recovery() AS recovery, pg_catalog.current_setting('wal_level') AS level, current_user AS user,
       r.rolsuper OR r.rolreplication OR EXISTS (SELECT 1 FROM pg_catalog.pg_roles d WHERE d.rolname = 'rds_replication'
         AND pg_catalog.pg_has_role(d.oid, 'MEMBER')) AS may
     FROM pg_catalog.pg_roles r WHERE r.rolname = current_user`
  )
  const { recovery, level, user, may } = row!
  if (recovery) {
    throw new FollowError('main is a hot standby, which this source does not read', {
      hint: 'Name the primary as --maindsn.'
    })
  }
  if (level !== 'logical') {
    throw new FollowError(`main's wal_level is ${level}: its WAL does not tell what was changed`, {
      hint: `Run ALTER SYSTEM SET wal_level = 'logical' on main and restart it, or use --source outbox.`
    })
  }
  if (!may) {
    throw new FollowError(`the user ${user} may not read main's WAL`, {
      hint: `Let a superuser run ALTER ROLE ${ident(user)} REPLICATION on main.`
    })
  }
}

class WalCapture implements Capture {
  readonly #name: string

  constructor(
    private readonly server: Server,
    private readonly config: FollowConfig
  ) {
    this.#name = walName(config.name)
  }

  async install(): Promise<readonly string[]> {
    const { server } = this
    await refuseUnfitServer(server)
    const shapes = (await this.#tables()).map(({ shape }) => shape)
    const publication = await this.#publication()
    if (publication?.allTables) {
      throw new ConfigError(`the publication ${this.#name} is one of all tables, which was not made here`, {
        hint: `Choose another --name, or run DROP PUBLICATION ${ident(this.#name)} on main.`
      })
    }
    const slot = await readSlot(server.sql, this.#name)
    if (slot) refuseForeignSlot(slot, server.database)
    return [
      ...(publication
        ? alterPublication(publication, server.can, shapes)
        : [createPublication(this.#name, server.can, shapes)]),
      // After the publication: what is changed before that is there cannot be read.
      ...(slot ? [] : [createSlotStatement(this.#name)])
    ]
  }

  async remove(): Promise<readonly string[]> {
    const slot = await readSlot(this.server.sql, this.#name)
    const ours = slot?.plugin === 'pgoutput' && slot.database === this.server.database
    if (ours && slot.active) throw slotInUse(slot.slot_name, slot.active_pid)
    return [
      ...(ours ? [`SELECT pg_catalog.pg_drop_replication_slot(${literal(this.#name)})`] : []),
      ...((await this.#publication()) ? [`DROP PUBLICATION ${ident(this.#name)}`] : [])
    ]
  }

  async status(): Promise<CaptureStatus> {
    const { server, config } = this
    const notes: string[] = []
    const unfit = await this.#unfit()
    if (unfit) notes.push(`${messageOf(unfit)}.`)
    const found = server.can.publications && config.tables.length > 0 ? await this.#followable(notes) : []
    const tables = found ?? []
    const parted = tables.filter(({ table }) => table.kind === 'p').map(({ shape }) => nameOf(shape))
    if (parted.length > 0) {
      notes.push(
        `TRUNCATE, DETACH and DROP of a single partition of ${parted.join(', ')} are not told by the WAL: its rows stay on the sink.`
      )
    }
    const objects = server.can.publications
      ? [await this.#publicationStatus(tables), await this.#slotStatus()]
      : []
    return {
      source: 'wal',
      name: config.name,
      installed: !unfit && found !== undefined && objects.every(object => object.state === 'present'),
      objects,
      notes
    }
  }

  async #unfit(): Promise<unknown> {
    return refuseUnfitServer(this.server).then(
      () => undefined,
      (error: unknown) => {
        if (error instanceof PgsyncerError) return error
        throw error
      }
    )
  }

  async #followable(notes: string[]): Promise<Identified[] | undefined> {
    return this.#tables().catch((error: unknown) => {
      if (!(error instanceof ConfigError)) throw error
      notes.push(`${error.message}.`)
      return undefined
    })
  }

  async #publicationStatus(tables: readonly Identified[]): Promise<CaptureObject> {
    const kind = { kind: 'publication', name: this.#name }
    const publication = await this.#publication()
    if (!publication) return { ...kind, state: 'missing' }
    const shapes = tables.map(({ shape }) => shape)
    const extra = shapes.length > 0 && !publication.allTables ? extraOf(publication, shapes) : []
    const faults = [
      ...faultsOf(publication, this.server.can, shapes),
      ...(extra.length > 0 ? [`it has ${extra.join(', ')} besides`] : [])
    ]
    if (faults.length > 0) return { ...kind, state: 'differs', detail: faults.join('; ') }
    const count = publication.tables.size
    return { ...kind, state: 'present', detail: count === 1 ? '1 table' : `${count} tables` }
  }

  async #slotStatus(): Promise<CaptureObject> {
    const kind = { kind: 'replication slot', name: this.#name }
    const slot = await readSlot(this.server.sql, this.#name)
    if (!slot) return { ...kind, state: 'missing' }
    const foreign = slot.plugin !== 'pgoutput' || slot.database !== this.server.database
    if (foreign)
      return { ...kind, state: 'differs', detail: `${slot.plugin} in the database ${slot.database}` }
    const loss = lossOf(slot)
    if (loss !== undefined) return { ...kind, state: 'differs', detail: `lost: ${loss}` }
    const use = slot.active ? `in use by the process ${slot.active_pid}` : 'not in use'
    return { ...kind, state: 'present', detail: `${use}, holds ${slot.retained} bytes of WAL` }
  }

  #tables(): Promise<Identified[]> {
    return readIdentified(this.server.sql, this.server.can, this.config)
  }

  #publication() {
    return readPublication(this.server.sql, this.server.can, this.#name)
  }
}

export function slotInUse(slot: string, pid: number | string | null): GuardError {
  return new GuardError(`the replication slot ${slot} is in use by the process ${pid} of main`, {
    hint: 'Another run follows by the same --name: end it, or choose another name.'
  })
}
