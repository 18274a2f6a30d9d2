/** Temporary tables of one session that rows come into before they go into their table; each is made when it is first needed. */
import type pg from 'pg'
import { stageStatement, type Target } from '../../../data/upsert.js'
import type { Prepared } from './tables.js'

export class Stages {
  readonly #rows = new Map<Prepared, string>()
  readonly #keys = new Map<Prepared, string>()
  #made = 0

  constructor(private readonly client: pg.Client) {}

  /** Of all columns, as SQL; not within a transaction. */
  rows(prepared: Prepared): Promise<string> {
    return this.#get(this.#rows, prepared, prepared.target)
  }

  /** Of the key's columns. */
  keys(prepared: Prepared): Promise<string> {
    return this.#get(this.#keys, prepared, { ...prepared.target, columns: prepared.target.key })
  }

  async #get(known: Map<Prepared, string>, prepared: Prepared, target: Target): Promise<string> {
    const found = known.get(prepared)
    if (found !== undefined) return found
    const stage = `pgsyncer_stage_${++this.#made}`
    await this.client.query(stageStatement(target, stage))
    known.set(prepared, `pg_temp.${stage}`)
    return `pg_temp.${stage}`
  }
}
