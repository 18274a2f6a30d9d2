/**
 * People who write to main all the time: inserts, updates, deletes, changes of keys, rollbacks, and transactions that stay open while
 * others commit. What they have committed is counted, so that a test knows how much there was to be lost.
 */
import { setTimeout as delay } from 'node:timers/promises'
import pg from 'pg'
import { randomOf } from '../../support/random.js'

/** `accounts` has values that lie outside of the row, `counters` rows that everybody changes, `events` rows that only come. */
export const ddl = `
  CREATE SEQUENCE account_ids;
  CREATE TABLE accounts (id bigint PRIMARY KEY, owner int NOT NULL, balance numeric NOT NULL, note text,
    seen timestamptz NOT NULL DEFAULT clock_timestamp());
  ALTER TABLE accounts ALTER COLUMN note SET STORAGE EXTERNAL;
  CREATE TABLE counters (id int PRIMARY KEY, n bigint NOT NULL);
  CREATE TABLE events (id bigserial PRIMARY KEY, writer int NOT NULL, words text, at timestamptz NOT NULL DEFAULT clock_timestamp());`

export const filled = `
  INSERT INTO accounts SELECT nextval('account_ids'), g % 12, g / 7.0, repeat(md5(g::text), 100) FROM generate_series(1, 600) g;
  INSERT INTO counters SELECT g, 0 FROM generate_series(1, 20) g;
  INSERT INTO events (writer, words) SELECT 0, 'before ' || g FROM generate_series(1, 500) g;`

export class Writers {
  /** Changes of rows that were committed. */
  committed = 0
  #stopping = false
  readonly #running: Promise<void>[]

  /** @param mixed all kinds of changes; otherwise rows only come. */
  constructor(
    private readonly url: string,
    private readonly mixed: boolean,
    seed: number,
    count = 12
  ) {
    this.#running = Array.from({ length: count }, (_, at) => this.#write(at, randomOf(seed * 100 + at)))
  }

  /** Settles when all have ended what they were at; rejects with what one of them met. */
  async stop(): Promise<void> {
    this.#stopping = true
    await Promise.all(this.#running)
  }

  async #write(writer: number, random: () => number): Promise<void> {
    const client = new pg.Client(this.url)
    await client.connect()
    try {
      while (!this.#stopping) {
        await client.query('BEGIN')
        let changes = 0
        for (let left = 1 + Math.floor(random() * 8); left > 0; left--)
          changes += await (this.mixed ? change(client, writer, random) : insertEvent(client, writer, random))
        if (random() < 0.06) await delay(40 + random() * 200)
        // One shared row a transaction, and last, so that nobody waits in a circle.
        if (this.mixed && random() < 0.3) {
          const text = 'UPDATE counters SET n = n + 1 WHERE id = $1'
          changes += (await client.query(text, [1 + Math.floor(random() * 20)])).rowCount ?? 0
        }
        if (random() < 0.1) await client.query('ROLLBACK')
        else {
          await client.query('COMMIT')
          this.committed += changes
        }
        await delay(random() * 50)
      }
    } finally {
      await client.end()
    }
  }
}

async function insertEvent(client: pg.Client, writer: number, random: () => number): Promise<number> {
  const words = `tab\there, backslash \\ and line\nend ${random()}`
  await client.query('INSERT INTO events (writer, words) VALUES ($1, $2)', [writer, words])
  return 1
}

/** One statement on rows of the writer's own. */
async function change(client: pg.Client, writer: number, random: () => number): Promise<number> {
  const kind = random()
  if (kind < 0.25) return insertEvent(client, writer, random)
  const one = `(SELECT id FROM accounts WHERE owner = ${writer} OFFSET ${Math.floor(random() * 30)} LIMIT 1)`
  const statement =
    kind < 0.5
      ? `INSERT INTO accounts VALUES (nextval('account_ids'), ${writer}, ${random() * 1e6}, repeat(md5(random()::text), ${Math.floor(random() * 120)}))`
      : kind < 0.75
        ? `UPDATE accounts SET balance = balance + ${random()}, seen = clock_timestamp() WHERE id = ${one}`
        : kind < 0.85
          ? `UPDATE accounts SET id = nextval('account_ids') WHERE id = ${one}`
          : kind < 0.88
            ? `UPDATE accounts SET note = NULL WHERE id = ${one}`
            : `DELETE FROM accounts WHERE id = ${one}`
  return (await client.query(statement)).rowCount ?? 0
}
