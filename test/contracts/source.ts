/**
 * What every source must do, told once and run over each adapter on a real server. A reader of changes proves itself by what it makes of them:
 * a model that takes the first copy and then every change must end as main is, and every row's history must be whole and in order.
 */
import { randomBytes } from 'node:crypto'
import { buffer } from 'node:stream/consumers'
import { setTimeout as delay } from 'node:timers/promises'
import type pg from 'pg'
import { to as copyTo } from 'pg-copy-streams'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { EmitFollow } from '../../src/core/events.js'
import { completeFollow, type FollowConfig, type FollowOptions } from '../../src/follow/config.js'
import type { Capture } from '../../src/follow/capture/capture.js'
import { produce } from '../../src/follow/loops.js'
import type {
  Change,
  ChangeBatch,
  Operation,
  Position,
  Source,
  Start,
  Transport
} from '../../src/follow/ports.js'
import { keyOf, nameOf, type FollowedTable } from '../../src/follow/table.js'
import { openServer } from '../../src/postgres/connect.js'
import { columnList, qualified } from '../../src/postgres/quote.js'
import { valuesOf } from '../../src/postgres/copytext.js'
import type { Server } from '../../src/postgres/server.js'
import { createDatabase, type Db } from '../support/databases.js'

export interface SourceSetup {
  source: FollowConfig['source']
  open(server: Server, config: FollowConfig, emit: EmitFollow): Promise<Source>
  /** What makes its objects on main, if it needs any. */
  capture?(server: Server, config: FollowConfig): Capture | Promise<Capture>
  /** Main itself keeps what was not acked and forgets what was: a stream without a position begins there. */
  remembers: boolean
  options?: Partial<FollowOptions>
  /** A superuser's URL of another server than the shared one. */
  adminUrl?: () => string
}

const limits = { lockTimeout: 5_000, statementTimeout: 0 }

/** One database and what was opened on it; `drop` closes all. */
export interface Bench {
  readonly db: Db
  readonly server: Server
  config(options?: Partial<FollowOptions>): FollowConfig
  /** Makes the capture's objects. */
  install(options?: Partial<FollowOptions>): Promise<void>
  open(options?: Partial<FollowOptions>): Promise<Source>
  /** A session with the pins. */
  session(): Promise<pg.Client>
  /** What main has, as lines in the order of the shape. */
  lines(table: FollowedTable): Promise<string[]>
  drop(): Promise<void>
}

/** A new database with these tables, and a name for the stream that no other test has. */
export async function openBench(setup: SourceSetup, ddl: string): Promise<Bench> {
  const db = await createDatabase('source', setup.adminUrl?.())
  await db.exec(ddl)
  const server = await openServer('main', db.url, {}, limits)
  const name = `t${randomBytes(6).toString('hex')}`
  const opened: Source[] = []
  const sessions: pg.Client[] = []
  const captured: FollowConfig[] = []
  const config = (options: Partial<FollowOptions> = {}) =>
    completeFollow({
      main: db.url,
      to: 'postgres://nowhere/nothing',
      source: setup.source,
      tables: ['*'],
      interval: 20,
      name,
      ...setup.options,
      ...options
    })
  const run = async (statements: readonly string[]) => {
    for (const statement of statements) await db.exec(statement)
  }
  const session = async () => {
    const client = await server.connect()
    sessions.push(client)
    return client
  }
  return {
    db,
    server,
    config,
    async install(options) {
      const capture = await setup.capture?.(server, config(options))
      captured.push(config(options))
      if (capture) await run(await capture.install())
    },
    async open(options) {
      const source = await setup.open(server, config(options), () => {})
      opened.push(source)
      return source
    },
    session,
    async lines(table) {
      const client = await session()
      const columns = columnList(
        table.columns.map(column => column.name),
        't.'
      )
      const text = await buffer(
        client.query(
          copyTo(`COPY (SELECT ${columns} FROM ${qualified(table.schema, table.name)} t) TO STDOUT`)
        )
      )
      await client.end()
      return linesOf([text])
    },
    async drop() {
      await Promise.all(opened.map(source => source.close()))
      await Promise.all(sessions.map(client => client.end().catch(() => {})))
      await server.close()
      for (const config of captured) {
        const again = await openServer('main', db.url, {}, limits)
        const capture = await setup.capture?.(again, config)
        // Not by the database's own session: a test may have ended it.
        for (const statement of (await capture?.remove()) ?? []) await again.sql.unsafe(statement)
        await again.close()
      }
      await db.drop()
    }
  }
}

/** Tries until it holds; fails after a while. */
export async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 30_000
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`never came: ${what}`)
    await new Promise(resolve => setTimeout(resolve, 5))
  }
}

export const from = (after: Position | null, once = true): Start => ({ after, since: {}, once })
export const never = new AbortController().signal

/** All batches of a stream that ends by itself; nothing is acked. */
export async function drain(source: Source, start: Start): Promise<ChangeBatch[]> {
  const batches: ChangeBatch[] = []
  for await (const batch of source.stream(start, never)) batches.push(batch)
  return batches
}

export const changesOf = (batches: readonly ChangeBatch[]): Change[] =>
  batches.flatMap(batch => batch.changes)

function linesOf(buffers: readonly Buffer[]): string[] {
  const text = Buffer.concat(buffers).toString()
  return text === '' ? [] : text.slice(0, -1).split('\n')
}

/** The first copy of all tables, which is done; by `schema.table`. */
export async function firstCopy(
  source: Source
): Promise<{ position: Position; rows: Map<string, string[]> }> {
  const snapshot = await source.snapshot(source.tables, never)
  const rows = new Map<string, string[]>()
  for (const table of source.tables) {
    const buffers: Buffer[] = []
    for await (const piece of snapshot.copy(table, undefined, never)) buffers.push(piece)
    rows.set(nameOf(table), linesOf(buffers))
  }
  await snapshot.done()
  await snapshot.close()
  return { position: snapshot.position, rows }
}

/** A table as a sink would have it. Fails where a change cannot be: a row that is there is inserted, one that is not is deleted. */
export class Model {
  readonly rows = new Map<string, string>()

  constructor(
    private readonly table: FollowedTable,
    lines: readonly string[] = []
  ) {
    for (const line of lines) {
      const key = keyOf(table, line)
      expect(this.rows.has(key), `copied twice: ${line}`).toBe(false)
      this.rows.set(key, line)
    }
  }

  take({ operation, row, old, absent = [] }: Change): void {
    if (operation === 'truncate') return this.rows.clear()
    const before = keyOf(this.table, old ?? row!)
    if (operation === 'insert') expect(this.rows.has(before), `inserted twice: ${row}`).toBe(false)
    else expect(this.rows.has(before), `${operation} of no row: ${old ?? row}`).toBe(true)
    const had = this.rows.get(before)?.split('\t')
    if (operation !== 'insert') this.rows.delete(before)
    if (row === undefined) return
    const values = row.split('\t')
    for (const i of absent) {
      expect(values[i]).toBe('\\N')
      values[i] = had![i]!
    }
    this.rows.set(keyOf(this.table, row), values.join('\t'))
  }

  sorted(): string[] {
    return [...this.rows.values()].sort()
  }
}

const entities = `CREATE TABLE entities (id bigserial PRIMARY KEY, entity text NOT NULL, n int NOT NULL, body text);
  INSERT INTO entities (entity, n) SELECT 'hot' || i, 0 FROM generate_series(1, 4) i;
  INSERT INTO entities (entity, n) SELECT 'begin' || i, 0 FROM generate_series(1, 96) i`

/**
 * Twelve sessions that write at once, until it is enough: a row's `n` counts its changes, its `entity` never changes, and the text `never` stands
 * in nothing that was committed. Beside them are transactions that stay open while others come and go.
 */
async function writeConcurrently(
  bench: Bench,
  operations: ReadonlySet<Operation>,
  enough: () => boolean,
  committed: () => number
): Promise<void> {
  const can = (operation: Operation) => operations.has(operation)
  const insert = (client: pg.Client, entity: string) =>
    client.query(`INSERT INTO public.entities (entity, n, body) VALUES ($1, 0, $2)`, [
      entity,
      `a\tb\\${entity}`
    ])
  const writer = async (client: pg.Client, writer: number) => {
    let own = Array.from({ length: 8 }, (_, i) => `begin${writer * 8 + i + 1}`)
    for (let i = 0; !enough(); i++) {
      const fails = i % 5 === 4
      const mine = [...own]
      await client.query('BEGIN')
      for (let j = 0; j <= i % 3; j++) {
        const entity = `${fails ? 'never' : 'new'}-${writer}-${i}-${j}`
        await insert(client, entity)
        mine.push(entity)
      }
      const [first, second] = mine
      const body = fails ? 'never' : `${writer} ${i}`
      if (can('update')) {
        await client.query('UPDATE public.entities SET n = n + 1, body = $2 WHERE entity = $1', [first, body])
        if (i % 3 === 0)
          await client.query(
            `UPDATE public.entities SET n = n + 1, body = $2, id = nextval('public.entities_id_seq') WHERE entity = $1`,
            [mine.at(-1), body]
          )
      }
      if (can('delete') && i % 4 === 1) {
        await client.query('DELETE FROM public.entities WHERE entity = $1', [second])
        mine.splice(1, 1)
      }
      if (i % 7 === 0) {
        await client.query('SAVEPOINT s')
        await insert(client, `never-${writer}-${i}`)
        await client.query('ROLLBACK TO s')
      }
      // The one row that others change too comes last, so that nobody waits in a circle.
      if (can('update'))
        await client.query('UPDATE public.entities SET n = n + 1, body = $2 WHERE entity = $1', [
          `hot${1 + (i % 4)}`,
          body
        ])
      await client.query(fails ? 'ROLLBACK' : 'COMMIT')
      if (!fails) own = mine
      committed()
    }
  }
  const long = async (client: pg.Client, writer: number) => {
    for (let i = 0; !enough(); i++) {
      await client.query('BEGIN')
      await insert(client, `long-${writer}-${i}`)
      const others = committed() + 50
      await until('other transactions', () => enough() || committed() > others)
      await insert(client, `late-${writer}-${i}`)
      await client.query('COMMIT')
    }
  }
  const sessions = await Promise.all(Array.from({ length: 14 }, () => bench.session()))
  await Promise.all(sessions.map((client, i) => (i < 12 ? writer(client, i) : long(client, i))))
}

/** Each entity's changes count on by one, and each key's versions never go back. */
class History {
  readonly #counts = new Map<string, number>()
  readonly #versions = new Map<string, bigint>()

  constructor(
    private readonly table: FollowedTable,
    lines: readonly string[]
  ) {
    for (const line of lines) this.#counts.set(...this.#read(line))
  }

  take({ operation, row, version }: Change): void {
    if (row === undefined) return
    expect(row).not.toContain('never')
    const key = keyOf(this.table, row)
    expect(version).toBeGreaterThanOrEqual(this.#versions.get(key) ?? 1n)
    this.#versions.set(key, version)
    const [entity, n] = this.#read(row)
    expect(n, `changes of ${entity}`).toBe(operation === 'insert' ? 0 : (this.#counts.get(entity) ?? 0) + 1)
    this.#counts.set(entity, n)
  }

  #read(line: string): [string, number] {
    const values = valuesOf(line)
    const at = (name: string) => values[this.table.columns.findIndex(column => column.name === name)]!
    return [at('entity'), Number(at('n'))]
  }
}

const values = `CREATE TYPE mood AS ENUM ('sad', 'so so', 'glad');
  CREATE DOMAIN positive AS int CHECK (VALUE > 0);
  CREATE TYPE pair AS (a int, b text);
  CREATE TABLE kinds (b bool, i2 int2, i4 int4, i8 int8, f4 float4, f8 float8, num numeric, num2 numeric(12,3), t text, vc varchar(10),
    c char(6), by bytea, d date, ti time, tz timetz, ts timestamp, tstz timestamptz, iv interval, u uuid, j json, jb jsonb, x xml, inet inet,
    mac macaddr, bits bit(5), vb varbit, m mood, dom positive, row pair, ai int[], at text[], am mood[], r int4range, pt point,
    tsv tsvector, mon money, "Odd ""name" text, id bigserial PRIMARY KEY);
  CREATE FUNCTION fill() RETURNS void LANGUAGE sql SET search_path = public AS $f$
    INSERT INTO kinds (b) VALUES (NULL);
    INSERT INTO kinds (b, i2, i4, i8, f4, f8, num, num2, t, vc, c, by, d, ti, tz, ts, tstz, iv, u, j, jb, x, inet, mac, bits, vb, m, dom, row, ai, at,
      am, r, pt, tsv, mon, "Odd ""name") VALUES
    (true, -32768, 2147483647, 9223372036854775807, 1.1, 0.1::float8 + 0.2, 'NaN', 123456789.123, E'tab\\there\\nline\\r\\\\back', 'ü€😀',
      'ab', '\\x00ff5c0a', 'infinity', '24:00', '12:00:00.123456+05:30', '-infinity', '2024-02-29 12:34:56.789012+03', '1 year -2 days 03:04:05.6',
      '00000000-0000-0000-0000-000000000001', '{"a" :  1, "a":2}', 'null', '<a>1</a>', '10.0.0.1/8', '08:00:2b:01:02:03', B'10101', B'1', 'so so', 7,
      ROW(1, 'x,y"z'), '[0:2]={1,NULL,3}', ARRAY['a"b', 'NULL', NULL, E'\\t', ''], '{sad,"so so"}', '[1,5)', '(1.5,-2)', 'a:1 b:2', 1234.5, ''),
    (false, 0, 0, -9223372036854775808, 'Infinity', '-Infinity', 1e30, -0.001, '', '', '', '', '-infinity', '00:00', '00:00+00', '0044-03-15 12:00:00 BC',
      'infinity', '-1 mons', 'ffffffff-ffff-ffff-ffff-ffffffffffff', '[]', '{"b": [1.50, "\\u20ac"]}', 'x', '::1', '08:00:2b:01:02:04', B'00000', B'', 'glad', 1,
      ROW(NULL, ''), '{}', '{{a,b},{c,d}}', '{}', 'empty', '(0,0)', '', -0.5, E'\\\\N'),
    (true, 1, 1, 1, 1e-30, 1e300, 12345678901234567890.123456789, 0, '\\N', '\\.', 'N', '\\x', '0001-01-01 BC', '23:59:59.999999', '23:59+14', 'infinity',
      '1999-12-31 23:59:59.999999 BC', '0', NULL, 'null', '"x"', NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, '{{1,2},{3,4}}', NULL, NULL, NULL, NULL, NULL,
      NULL, U&'\\FEFFbyte order mark'),
    (true, 1, 1, 1, 'NaN', 'NaN', 0.000000000000000000001, 1, U&'\\FEFF', repeat('x', 10), NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL,
      NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, repeat('long ', 5000));
  $f$`

/** Runs the suite over one adapter. */
export function sourceContract(name: string, setup: SourceSetup): void {
  describe(`source contract: ${name}`, () => {
    let bench: Bench
    const begin = async (ddl: string) => {
      bench = await openBench(setup, ddl)
      await bench.install()
    }
    const insert = (count: number) =>
      bench.db.exec(
        Array.from(
          { length: count },
          (_, i) => `INSERT INTO entities (entity, n) VALUES ('one${i}', 0); COMMIT;`
        ).join(' ')
      )

    afterEach(async () => bench.drop())

    test('first copy and stream give every committed change once while twelve sessions write', async () => {
      await begin(entities)
      const source = await bench.open({ batchSize: 40 })
      const [table] = source.tables
      let done = 0
      let streamed = 0
      const writing = writeConcurrently(
        bench,
        source.capabilities.operations,
        () => streamed > 500,
        () => done++
      )
      // Who fails is told below, where it is waited for.
      writing.catch(() => {})
      await until('some transactions', () => done > 100)
      const { position, rows } = await firstCopy(source)
      const copied = rows.get('public.entities')!
      const model = new Model(table!, copied)
      const history = new History(table!, copied)
      const ended = writing.then(() =>
        bench.db.exec(`INSERT INTO entities (entity, n) VALUES ('the end', 0)`)
      )
      ended.catch(() => {})
      let last = ''
      for await (const batch of source.stream(from(position, false), AbortSignal.timeout(40_000))) {
        expect(batch.changes.length).toBeLessThanOrEqual(40)
        expect(batch.position !== last || batch.changes.length === 0).toBe(true)
        last = batch.position
        for (const change of batch.changes) {
          expect(source.capabilities.operations).toContain(change.operation)
          model.take(change)
          history.take(change)
        }
        streamed += batch.changes.length
        await source.ack(batch.position)
        if (batch.changes.some(({ row }) => row?.includes('the end'))) break
      }
      await ended
      expect(model.sorted()).toEqual((await bench.lines(table!)).sort())
      // Nothing is left.
      expect(changesOf(await drain(await reopened(source), from(last)))).toEqual([])
    })

    const reopened = async (source: Source) => {
      await source.close()
      return bench.open({ batchSize: 7 })
    }

    describe('of single rows', () => {
      beforeEach(async () => {
        await begin(entities)
      })

      test('every position goes on with exactly the rest', async () => {
        let source = await bench.open({ batchSize: 7 })
        const { position } = await firstCopy(source)
        await insert(40)
        const all = await drain(source, from(position))
        const rows = changesOf(all).map(change => change.row)
        expect(rows).toHaveLength(40)
        for (const [i, batch] of all.entries()) {
          source = await reopened(source)
          const rest = changesOf(await drain(source, from(batch.position)))
          expect(rest.map(change => change.row)).toEqual(
            changesOf(all.slice(i + 1)).map(change => change.row)
          )
        }
      })

      test('what was not acked comes again, what was does not', async () => {
        let source = await bench.open({ batchSize: 7 })
        const { position } = await firstCopy(source)
        await insert(20)
        const seen: Change[] = []
        let acked = position
        for await (const batch of source.stream(from(position, false), never)) {
          if (batch.changes.length === 0) continue
          if (seen.length > 0) break
          seen.push(...batch.changes)
          acked = batch.position
          await source.ack(acked)
        }
        // First by what main knows: a position would tell main of itself.
        const again: (string | undefined)[] = []
        if (setup.remembers) {
          source = await reopened(source)
          again.push(...changesOf(await drain(source, from(null))).map(change => change.row))
        }
        source = await reopened(source)
        const rest = changesOf(await drain(source, from(acked))).map(change => change.row)
        expect(rest).toHaveLength(20 - seen.length)
        if (setup.remembers) expect(again).toEqual(rest)
      })

      test('once ends, with and without changes', async () => {
        const source = await bench.open()
        const { position } = await firstCopy(source)
        expect(changesOf(await drain(source, from(position)))).toEqual([])
        await source.close()
        await insert(3)
        expect(changesOf(await drain(await bench.open(), from(position)))).toHaveLength(3)
      })

      test('what a broker confirms while the stream is at its end is acked all the same', async () => {
        let source = await bench.open({ batchSize: 2 })
        const { position } = await firstCopy(source)
        await insert(6)
        let asked = 0
        let sent = 0
        const slow: Pick<Source, 'stream' | 'ack'> = {
          async *stream(start, signal) {
            for await (const batch of source.stream(start, signal)) {
              yield batch
              asked++
            }
          },
          ack: at => source.ack(at)
        }
        // Settles when more was asked for: the last one, behind the end.
        const broker: Transport = {
          pipelined: true,
          async send() {
            const own = ++sent
            await until('the next batch is asked for', () => asked >= own)
          },
          receive: () => expect.unreachable(),
          end: async () => {}
        }
        const told: Position[] = []
        await produce(slow, broker, from(position), never, batch => told.push(batch.position))
        expect(told.length).toBeGreaterThanOrEqual(3)
        expect(told).toEqual([...told].sort())
        if (!setup.remembers) return
        source = await reopened(source)
        expect(changesOf(await drain(source, from(null)))).toEqual([])
      })

      test('an abort ends a waiting stream at once, with its reason', async () => {
        const source = await bench.open({ interval: 60_000 })
        const { position } = await firstCopy(source)
        await insert(1)
        const abort = new AbortController()
        const reason = new Error('enough')
        let seen = 0
        const waiting = (async () => {
          for await (const batch of source.stream(from(position, false), abort.signal)) {
            await source.ack(batch.position)
            seen += batch.changes.length
          }
        })()
        const outcome = waiting.catch((error: unknown) => error)
        await until('the change, behind which it waits', () => seen === 1)
        abort.abort(reason)
        const late = delay(5_000, 'five seconds later', { ref: false })
        expect(await Promise.race([outcome, late])).toBe(reason)
      })

      test('a signal that was aborted before opens nothing', async () => {
        const source = await bench.open()
        const reason = new Error('never began')
        const signal = AbortSignal.abort(reason)
        const streaming = (async () => {
          for await (const _ of source.stream(from(null, false), signal)) expect.unreachable()
        })()
        await expect(streaming).rejects.toBe(reason)
        await expect(source.snapshot(source.tables, signal)).rejects.toBe(reason)
      })

      test('close ends everything, however often, and leaves no session', async () => {
        const source = await bench.open({ interval: 60_000 })
        await source.snapshot(source.tables, never)
        const streaming = (async () => {
          for await (const batch of source.stream(from(null, false), never)) await source.ack(batch.position)
        })().catch(() => {})
        await until('a session', async () => (await sessions()) > 0)
        await source.close()
        await source.close()
        await streaming
        await bench.server.close()
        await until('no session', async () => (await sessions()) === 0)
      })

      const sessions = async () => {
        const [row] = await bench.db.query<{ n: number }>(
          `SELECT count(*)::int AS n FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'pgsyncer'`
        )
        return row!.n
      }

      test('what is behind is told, and nothing when all is acked', async () => {
        const source = await bench.open()
        const { position } = await firstCopy(source)
        await insert(10)
        for await (const batch of source.stream(from(position), never)) await source.ack(batch.position)
        const lag = await source.lag()
        for (const figure of Object.values(lag)) expect(figure).toBeGreaterThanOrEqual(0)
        expect(lag.rows ?? 0).toBe(0)
      })

      test('a copy of one table writes what it is told to write', async () => {
        const source = await bench.open()
        const snapshot = await source.snapshot(source.tables, never)
        const pieces: Buffer[] = []
        for await (const piece of snapshot.copy(
          source.tables[0]!,
          ['t.id + 1', `'<' || t.entity || '>'`],
          never
        ))
          pieces.push(piece)
        expect(linesOf(pieces)).toHaveLength(100)
        expect(linesOf(pieces).sort()).toContain('101\t<begin96>')
        await snapshot.close()
      })
    })

    test('values are exactly what PostgreSQL prints', async () => {
      await begin(values)
      const source = await bench.open()
      const [table] = source.tables
      await bench.db.exec('SELECT fill()')
      const { position, rows } = await firstCopy(source)
      expect(rows.get('public.kinds')!.sort()).toEqual((await bench.lines(table!)).sort())
      // What a session was set to must not show.
      await bench.db
        .exec(`SET DateStyle = 'German'; SET TimeZone = 'Asia/Tokyo'; SET IntervalStyle = 'iso_8601'; SET bytea_output = 'escape';
        SET extra_float_digits = 0; SET search_path = pg_catalog, public; SELECT fill()`)
      const streamed = changesOf(await drain(source, from(position))).map(change => change.row!)
      expect(streamed).toHaveLength(5)
      expect([...rows.get('public.kinds')!, ...streamed].sort()).toEqual((await bench.lines(table!)).sort())
    })
  })
}
