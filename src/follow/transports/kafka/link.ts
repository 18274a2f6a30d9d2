/** How the brokers are reached. The client is kept silent. */
import { setTimeout as delay } from 'node:timers/promises'
import { type Admin, Kafka, logLevel } from 'kafkajs'
import { judge } from './failure.js'
import type { Place } from './place.js'

/** Milliseconds that a goodbye may take. */
const patience = 5_000

export class Link {
  #admin: Promise<Admin> | undefined

  constructor(readonly place: Place) {}

  /** @param retries of each request. */
  client(retries: number): Kafka {
    const { brokers, secure, sasl } = this.place
    return new Kafka({
      clientId: 'pgsyncer',
      brokers: [...brokers],
      ssl: secure,
      ...(sasl && { sasl }),
      connectionTimeout: 5_000,
      authenticationTimeout: 10_000,
      requestTimeout: 30_000,
      retry: { retries, initialRetryTime: 200, maxRetryTime: 3_000 },
      logLevel: logLevel.NOTHING,
      logCreator: () => () => {}
    })
  }

  /** Asks or tells the brokers something. @throws what judge() makes of their error. */
  async ask<T>(work: (admin: Admin) => Promise<T>): Promise<T> {
    try {
      return await work(await (this.#admin ??= this.#open()))
    } catch (error) {
      throw judge(error, this.place)
    }
  }

  /** Never throws. */
  async close(): Promise<void> {
    const admin = await this.#admin?.catch(() => undefined)
    if (admin) await goodbye(() => admin.disconnect())
  }

  async #open(): Promise<Admin> {
    const admin = this.client(2).admin()
    try {
      await admin.connect()
      return admin
    } catch (error) {
      this.#admin = undefined
      await goodbye(() => admin.disconnect())
      throw error
    }
  }
}

/** Closes something, but does not wait long for brokers that do not answer. */
export async function goodbye(close: () => Promise<unknown>): Promise<void> {
  const over = new AbortController()
  const late = delay(patience, undefined, { signal: over.signal })
  await Promise.race([
    Promise.resolve()
      .then(close)
      .catch(() => {}),
    late.catch(() => {})
  ])
  over.abort()
}
