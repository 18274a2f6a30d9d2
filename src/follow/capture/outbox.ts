/** What the outbox source needs on main: a table of changes, and triggers that write every change into it. */
import { ConfigError } from '../../core/errors.js'
import { qualified } from '../../postgres/quote.js'
import type { Server } from '../../postgres/server.js'
import type { FollowConfig } from '../config.js'
import type { Capture, CaptureObject, CaptureStatus } from './capture.js'
import { isExact, typesCastToJson } from './exact.js'
import {
  createOutbox,
  createTaken,
  createView,
  functionName,
  outboxBody,
  outboxNames,
  schema,
  type OutboxNames
} from './outboxsql.js'
import { readCapturable, readPartitions, refuseKeyless, refuseRecovery } from './tables.js'
import {
  changesTo,
  isAlone,
  objectsOf,
  readPresent,
  readRelations,
  removalOf,
  triggerName,
  type Wanted,
  type WantedFunction,
  type WantedTrigger
} from './triggers.js'

export async function openOutboxCapture(server: Server, config: FollowConfig): Promise<Capture> {
  return new OutboxCapture(server, config)
}

class OutboxCapture implements Capture {
  readonly #names: OutboxNames

  constructor(
    private readonly server: Server,
    private readonly config: FollowConfig
  ) {
    this.#names = outboxNames(config.name)
  }

  async install(): Promise<readonly string[]> {
    const { server } = this
    await refuseRecovery(server)
    const wanted = await this.#wanted()
    const there = await this.#relations()
    const missing = (name: string) => !there.relations.has(name)
    const { outbox, taken, view } = this.#names
    return [
      ...(there.schema ? [] : [`CREATE SCHEMA ${schema}`]),
      ...(missing(outbox) ? [createOutbox(this.#names, await this.#start())] : []),
      ...(missing(taken) ? [createTaken(this.#names)] : []),
      ...(missing(view) ? [createView(this.#names)] : []),
      ...changesTo(wanted, await this.#present())
    ]
  }

  async remove(): Promise<readonly string[]> {
    const { outbox, taken, view, functions } = this.#names
    const there = await this.#relations()
    const drop = (kind: string, name: string) =>
      there.relations.has(name) ? [`DROP ${kind} ${qualified(schema, name)}`] : []
    return [
      ...removalOf(await this.#present()),
      ...drop('VIEW', view),
      ...drop('TABLE', taken),
      ...drop('TABLE', outbox),
      ...((await isAlone(this.server.sql, functions, [outbox, taken, view])) ? [`DROP SCHEMA ${schema}`] : [])
    ]
  }

  async status(): Promise<CaptureStatus> {
    const { config } = this
    const notes: string[] = []
    const there = await this.#relations()
    const { outbox, taken, view } = this.#names
    const relation = (kind: string, name: string): CaptureObject => ({
      kind,
      name: `${schema}.${name}`,
      state: there.relations.has(name) ? 'present' : 'missing'
    })
    const wanted =
      config.tables.length === 0
        ? undefined
        : await this.#wanted().catch((error: unknown) => {
            if (!(error instanceof ConfigError)) throw error
            notes.push(`${error.message}.`)
            return undefined
          })
    const present = await this.#present()
    const objects = [
      relation('table', outbox),
      relation('table', taken),
      relation('view', view),
      ...objectsOf(wanted, present)
    ]
    if (objects.some(({ kind, state }) => kind === 'function' && state === 'differs'))
      notes.push('Columns were added or dropped since: capture install makes the functions anew.')
    return {
      source: 'outbox',
      name: config.name,
      installed: notes.length === 0 && objects.every(object => object.state === 'present'),
      objects,
      notes
    }
  }

  async #wanted(): Promise<Wanted> {
    const { server, config } = this
    const followed = await readCapturable(server, config)
    refuseKeyless(followed)
    const cast = await typesCastToJson(server.sql)
    const functions: WantedFunction[] = []
    const triggers: WantedTrigger[] = []
    for (const { table, shape } of followed) {
      const exact = shape.columns.filter(column => isExact(column, cast)).map(column => column.name)
      const name = functionName(this.#names.functions, shape)
      // By name, so that the order in which columns were added does not count.
      functions.push({ name, body: outboxBody(config.name, shape, exact.sort()) })
      const trigger = (moment: WantedTrigger['moment'], on = shape as { schema: string; name: string }) => ({
        schema: on.schema,
        table: on.name,
        name: triggerName(config.name, moment),
        moment,
        function: name
      })
      triggers.push(trigger('row'), trigger('truncate'))
      if (table.kind !== 'p') continue
      triggers.push({ ...trigger('before'), argument: 'whole' })
      for (const partition of await readPartitions(server.sql, server.can, table.oid))
        triggers.push(trigger('before', partition))
    }
    return { functions, triggers }
  }

  /** Microseconds since 1970: no outbox gives ids faster. */
  async #start(): Promise<string | undefined> {
    if (!this.server.can.identity) return undefined
    const [row] = await this.server.sql<{ now: string }[]>`
      SELECT (extract(epoch FROM pg_catalog.clock_timestamp()) * 1000000)::bigint::text AS now`
    return row!.now
  }

  #present() {
    return readPresent(this.server.sql, this.server.can, this.#names.functions)
  }

  #relations() {
    const { outbox, taken, view } = this.#names
    return readRelations(this.server.sql, [outbox, taken, view])
  }
}
