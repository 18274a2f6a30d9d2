/** What the notify source needs on main: a trigger on each table that signals that rows were inserted. */
import { ConfigError } from '../../core/errors.js'
import type { Server } from '../../postgres/server.js'
import type { FollowConfig } from '../config.js'
import type { Capture, CaptureStatus } from './capture.js'
import { functionName, schema, signal } from './outboxsql.js'
import { readCapturable, refuseRecovery } from './tables.js'
import {
  changesTo,
  isAlone,
  objectsOf,
  readPresent,
  readRelations,
  removalOf,
  triggerName,
  type Wanted
} from './triggers.js'

/** What its functions' names begin with. */
export const notifyFunctions = (name: string): string => `notify_${name}`

export async function openNotifyCapture(server: Server, config: FollowConfig): Promise<Capture> {
  return new NotifyCapture(server, config)
}

class NotifyCapture implements Capture {
  readonly #prefix: string

  constructor(
    private readonly server: Server,
    private readonly config: FollowConfig
  ) {
    this.#prefix = notifyFunctions(config.name)
  }

  async install(): Promise<readonly string[]> {
    await refuseRecovery(this.server)
    const wanted = await this.#wanted()
    const there = await readRelations(this.server.sql, [''])
    return [...(there.schema ? [] : [`CREATE SCHEMA ${schema}`]), ...changesTo(wanted, await this.#present())]
  }

  async remove(): Promise<readonly string[]> {
    const alone = await isAlone(this.server.sql, this.#prefix, [])
    return [...removalOf(await this.#present()), ...(alone ? [`DROP SCHEMA ${schema}`] : [])]
  }

  async status(): Promise<CaptureStatus> {
    const { config } = this
    const notes: string[] = []
    const wanted =
      config.tables.length === 0
        ? undefined
        : await this.#wanted().catch((error: unknown) => {
            if (!(error instanceof ConfigError)) throw error
            notes.push(`${error.message}.`)
            return undefined
          })
    const objects = objectsOf(wanted, await this.#present())
    const installed = objects.length > 0 && objects.every(object => object.state === 'present')
    return { source: 'notify', name: config.name, installed: installed && notes.length === 0, objects, notes }
  }

  async #wanted(): Promise<Wanted> {
    const { name } = this.config
    const body = `\nBEGIN${signal('notify', name)}\n  RETURN NULL;\nEND`
    const followed = await readCapturable(this.server, this.config)
    return {
      functions: followed.map(({ shape }) => ({ name: functionName(this.#prefix, shape), body })),
      triggers: followed.map(({ shape }) => ({
        schema: shape.schema,
        table: shape.name,
        name: triggerName(name, 'inserted'),
        moment: 'inserted',
        function: functionName(this.#prefix, shape)
      }))
    }
  }

  #present() {
    return readPresent(this.server.sql, this.server.can, this.#prefix)
  }
}
