/**
 * Whose turn it is to write what a broker gives to one receiver at a time. One that was frozen does not know that its turn is over, nor does
 * what it has sent already, so the standby is to know: a receiver enters its turn here, asks the broker whether it is still its turn, and from
 * then on each transaction begins by finding the entry as it was made. Whoever comes later enters itself first, and so waits
 * for what the former one is about to commit, and keeps it from all that it has not begun.
 */
import type pg from 'pg'
import { TemporaryError } from '../../../core/errors.js'
import { codeOf } from '../../../postgres/failure.js'
import { literal } from '../../../postgres/quote.js'
import type { Turn } from '../../ports.js'
import type { OwnTable } from './record.js'

export const turnTable: OwnTable = {
  relation: 'pgsyncer.turn',
  columns: `
    lane text PRIMARY KEY,
    id text NOT NULL,
    pid integer NOT NULL,
    began timestamptz NOT NULL,
    entered_at timestamptz NOT NULL DEFAULT pg_catalog.now()`,
  comment: 'pgsyncer: which session writes what a broker gives to one applier at a time'
}
const { relation } = turnTable

/** Raised where an entry is another one's. */
const over = 'PGS01'

/** Milliseconds that the session of who had the turn before may take for what it has begun. */
const patience = 2000

/** The turns of one session. */
export class Turns {
  /** By lane. */
  readonly #entered = new Map<string, string>()

  constructor(private readonly client: pg.Client) {}

  /**
   * Enters those that are new.
   * @throws what `confirm` throws, and then nothing may be written.
   */
  async enter(turns: readonly Turn[]): Promise<void> {
    for (const turn of turns) {
      if (this.#entered.get(turn.lane) === turn.id) continue
      try {
        await this.#write(turn)
      } catch (error) {
        if (codeOf(error) !== '55P03') throw error
        await this.client.query('ROLLBACK')
        await turn.confirm()
        await this.#endFormer(turn)
        await this.#write(turn)
      }
      await turn.confirm()
      this.#entered.set(turn.lane, turn.id)
    }
  }

  /** One transaction for each: who waits for one keeps none. */
  async #write({ lane, id }: Turn): Promise<void> {
    await this.client.query(`BEGIN; SET LOCAL lock_timeout = ${patience};
      INSERT INTO ${relation} AS t (lane, id, pid, began)
        SELECT ${literal(lane)}, ${literal(id)}, pid, backend_start
        FROM pg_catalog.pg_stat_activity WHERE pid = pg_catalog.pg_backend_pid()
      ON CONFLICT (lane) DO UPDATE SET id = EXCLUDED.id, pid = EXCLUDED.pid, began = EXCLUDED.began, entered_at = EXCLUDED.entered_at;
      COMMIT`)
  }

  /** It is in the middle of a transaction whose end nobody sends. */
  async #endFormer({ lane }: Turn): Promise<void> {
    await this.client.query({
      text: `SELECT pg_catalog.pg_terminate_backend(a.pid) FROM ${relation} t
        JOIN pg_catalog.pg_stat_activity a ON a.pid = t.pid AND a.backend_start = t.began
        WHERE t.lane = $1 AND a.pid <> pg_catalog.pg_backend_pid()`,
      values: [lane]
    })
  }
}

/** To be run first in the transaction of the rows, which it ends where one of the turns is over. */
export function turnStatement(turns: readonly Turn[]): string {
  // One look by key for each: one for all of them would take the server longer to plan than these.
  const looks = turns.map(
    ({
      lane,
      id
    }) => `PERFORM FROM ${relation} WHERE lane = ${literal(lane)} AND id = ${literal(id)} FOR SHARE;
    IF NOT FOUND THEN RAISE EXCEPTION 'the turn is over' USING ERRCODE = '${over}'; END IF;`
  )
  return `DO ${literal(`BEGIN ${looks.join(' ')} END`)}`
}

/** The error of `turnStatement` as one of ours; undefined: it is another one. */
export function turnOver(error: unknown): TemporaryError | undefined {
  if (codeOf(error) !== over) return undefined
  return new TemporaryError('another applier of the group has what this one was about to write', {
    cause: error
  })
}
